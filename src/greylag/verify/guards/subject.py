"""A patch as the guards see it: each file before and after, and the lines between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import PurePosixPath

import pygit2

from greylag.domain.agent import Changes
from greylag.domain.check import Check, CheckStatus
from greylag.domain.words import count
from greylag.verify.guards.scope import Scope

_SHOWN = 12


class Language(StrEnum):
    """What a file is written in, as far as the guards care."""

    PYTHON = "python"
    SQL = "sql"
    YAML = "yaml"
    JVM = "jvm"
    HASH = "hash"
    """Comments begin with `#`: TOML, INI, properties, shell."""
    PLAIN = "plain"


_SUFFIXES = {
    ".py": Language.PYTHON,
    ".sql": Language.SQL,
    ".sqlx": Language.SQL,
    ".ddl": Language.SQL,
    ".yml": Language.YAML,
    ".yaml": Language.YAML,
    ".scala": Language.JVM,
    ".sc": Language.JVM,
    ".sbt": Language.JVM,
    ".java": Language.JVM,
    ".kt": Language.JVM,
    ".kts": Language.JVM,
    ".groovy": Language.JVM,
    ".gradle": Language.JVM,
    ".js": Language.JVM,
    ".ts": Language.JVM,
    ".go": Language.JVM,
    ".toml": Language.HASH,
    ".ini": Language.HASH,
    ".cfg": Language.HASH,
    ".conf": Language.HASH,
    ".properties": Language.HASH,
    ".env": Language.HASH,
    ".sh": Language.HASH,
    ".tf": Language.HASH,
    ".r": Language.HASH,
}


def language_of(path: str) -> Language:
    """By the file's suffix, looking through `.j2` and the like."""
    pure = PurePosixPath(path.lower())
    if pure.suffix in (".j2", ".jinja", ".jinja2", ".tmpl", ".template"):
        pure = pure.with_suffix("")
    return _SUFFIXES.get(pure.suffix, Language.PLAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Lines that changed together; `removed` and `added` hold (line number, text without its end)."""

    removed: tuple[tuple[int, str], ...]
    added: tuple[tuple[int, str], ...]

    @property
    def line(self) -> int:
        """Where a reader of the new file finds it."""
        return self.added[0][0] if self.added else max(1, self.removed[0][0])


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """One changed file. `old_data` is None for a new file, `new_data` for a deleted one."""

    path: str
    old_data: bytes | None
    new_data: bytes | None
    hunks: tuple[Hunk, ...]

    @property
    def old(self) -> str:
        """The text before; bytes that are no UTF-8 stand as U+FFFD."""
        return (self.old_data or b"").decode("utf-8", "replace")

    @property
    def new(self) -> str:
        """The text after."""
        return (self.new_data or b"").decode("utf-8", "replace")

    @property
    def language(self) -> Language:
        return language_of(self.path)

    @property
    def added(self) -> tuple[tuple[int, str], ...]:
        return tuple(line for hunk in self.hunks for line in hunk.added)

    @property
    def removed(self) -> tuple[tuple[int, str], ...]:
        return tuple(line for hunk in self.hunks for line in hunk.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A patch to guard: what changed, and what was allowed to."""

    files: tuple[FileDiff, ...]
    scope: Scope
    before: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that a guard does not let pass; `doubt` makes it inconclusive instead of failed."""

    path: str
    line: int
    message: str
    doubt: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


Guard = Callable[[Subject], Iterable[Finding]]


def subject_of(changes: Changes, before: Mapping[str, bytes], scope: Scope) -> Subject:
    """The patch, file by file in the order of paths; files whose bytes are as before are left out."""
    files = []
    for path, new in sorted(changes.items()):
        old = before.get(path)
        if old == new:
            continue
        files.append(FileDiff(path=path, old_data=old, new_data=new, hunks=_hunks(old or b"", new or b"")))
    return Subject(files=tuple(files), scope=scope, before=before)


def check_of(name: str, question: str, findings: Iterable[Finding]) -> Check:
    """Fold what a guard found into its answer; `question` is what was asked, told when nothing was found."""
    found = sorted(set(findings))
    sure = [finding for finding in found if not finding.doubt]
    shown = sure or found
    verifier = f"guard:{name}"
    if not shown:
        return Check(verifier=verifier, status=CheckStatus.PASSED, summary=question)
    rest = f" (and {count(len(shown) - 1, 'other place')})" if len(shown) > 1 else ""
    return Check(
        verifier=verifier,
        status=CheckStatus.FAILED if sure else CheckStatus.INCONCLUSIVE,
        summary=f"{shown[0]}{rest}",
        details={
            "findings": [str(finding) for finding in shown[:_SHOWN]],
            "found": len(shown),
            **({"doubts": [str(each) for each in found if each.doubt][:_SHOWN]} if sure else {}),
        },
    )


@lru_cache(maxsize=64)
def _hunks(old: bytes, new: bytes) -> tuple[Hunk, ...]:
    """By libgit2: linear in practice, where difflib may take minutes on a file made for that."""
    flags = pygit2.enums.DiffOption.FORCE_TEXT
    patch = pygit2.Patch.create_from(old, new, flag=flags, context_lines=0)
    found = []
    for hunk in patch.hunks:
        removed, added = [], []
        for line in hunk.lines:
            text = line.raw_content.decode("utf-8", "replace").rstrip("\r\n")
            if line.origin == "-":
                removed.append((line.old_lineno, text))
            elif line.origin == "+":
                added.append((line.new_lineno, text))
        found.append(Hunk(removed=tuple(removed), added=tuple(added)))
    return tuple(found)
