"""CODEOWNERS as GitHub and GitLab read it.

GitHub: the last rule that matches counts. GitLab: each section is judged by itself, and all count; `^` before
a section makes it optional, owners behind its name are those of its rules that name none, `!` takes files out
of it, and patterns hold at any depth unless they begin with a slash
(`doc/user/project/codeowners/reference.md`; docs.github.com, "About code owners"). How many of a section must
approve (`[2]`) is the forge's to enforce.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

_SECTION = re.compile(r"(?P<optional>\^?)\[(?P<name>[^\]]+)\](\[\d+\])?(?P<owners>\s.*|)")
_UNESCAPED_SPACE = re.compile(r"(?<!\\)\s+")


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: GitIgnoreSpec
    direct: bool
    owners: tuple[str, ...]

    def matches(self, path: str) -> bool:
        if not self.pattern.match_file(path):
            return False
        # In CODEOWNERS `docs/*` means the files right in `docs`; for git it means everything below.
        parent = PurePosixPath(path).parent.as_posix()
        return not (self.direct and self.pattern.match_file(parent))


@dataclass(slots=True)
class _Section:
    """`name` in small letters, empty for the rules before the first one."""

    name: str
    optional: bool = True
    rules: list[_Rule] = field(default_factory=list)
    excluded: list[_Rule] = field(default_factory=list)

    def of(self, path: str) -> tuple[str, ...] | None:
        """Who owns a file by this section; None: it says nothing of it."""
        if any(rule.matches(path) for rule in self.excluded):
            return None
        return next((rule.owners for rule in reversed(self.rules) if rule.matches(path)), None)


class CodeOwners:
    """One file's rules. `gitlab`: it stands where GitLab alone looks; sections say so, too."""

    def __init__(self, data: bytes, *, gitlab: bool = False) -> None:
        lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
        gitlab = gitlab or any(_SECTION.fullmatch(line) for line in lines)
        found = _sections(lines, gitlab=gitlab)
        # Who must be asked first, and of those who know more than what holds for the whole repository.
        self._sections = sorted(found, key=lambda one: (one.optional, not one.name))

    def of(self, path: str) -> tuple[str, ...] | None:
        """Everybody who owns a file; none of them when the rules name nobody, None when no rule matches."""
        told = [owners for section in self._sections if (owners := section.of(path)) is not None]
        return tuple(dict.fromkeys(owner for owners in told for owner in owners)) if told else None


def _sections(lines: list[str], *, gitlab: bool) -> Iterator[_Section]:
    sections = {"": _Section("", optional=False)}
    here = sections[""]
    defaults: tuple[str, ...] = ()
    for line in lines:
        head = _SECTION.fullmatch(line) if gitlab else None
        if head is not None:
            name = head["name"].strip().lower()
            here = sections.setdefault(name, _Section(name))
            # Of a name that comes twice, one that is required makes the section so.
            here.optional = here.optional and bool(head["optional"])
            defaults = _owners(head["owners"].split())
        elif gitlab and line.startswith("!"):
            here.excluded.append(_rule(line[1:], (), gitlab=True))
        elif line and not line.startswith(("#", "!")):
            here.rules.append(_rule(line, defaults, gitlab=gitlab))
    return iter(sections.values())


def _rule(line: str, defaults: tuple[str, ...], *, gitlab: bool) -> _Rule:
    pattern, *words = _UNESCAPED_SPACE.split(line)
    direct = pattern.endswith("/*")
    if gitlab and not pattern.startswith(("/", "**/")):
        pattern = f"**/{pattern}"
    spec = GitIgnoreSpec.from_lines([pattern])
    return _Rule(pattern=spec, direct=direct, owners=_owners(words) or defaults)


def _owners(words: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for word in words:
        if word.startswith("#"):
            break
        if "@" in word:
            found.append(word)
    return tuple(found)
