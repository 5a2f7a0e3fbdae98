"""Who owns a file: CODEOWNERS, then the nearest catalog-info.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greylag.workspace import Repository

# The first that exists counts, in the order in which forges look.
_CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_SECTION = re.compile(r"\^?\[[^\]]+\](\[\d+\])?(?P<owners>.*)")
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


class Owners:
    """The owners of one repository's files. `read` gives a file's bytes by path, None if there is none."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._catalogs: dict[str, str | None] = {}
        texts = (read(path) for path in _CODEOWNERS)
        self._rules = _parse(next((text for text in texts if text is not None), b""))

    @classmethod
    def at(cls, repo: Repository, commit: str) -> Owners:
        """The owners as a commit says."""
        return cls(lambda path: repo.find(commit, path))

    @classmethod
    def of_folder(cls, root: Path) -> Owners:
        """The owners as the files below `root` say."""
        return cls(lambda path: (root / path).read_bytes() if (root / path).is_file() else None)

    def of(self, path: str) -> str | None:
        """The first owner of a file; None when nobody is named."""
        return next(iter(self.all_of(path)), None)

    def all_of(self, path: str) -> tuple[str, ...]:
        """Everybody who owns a file, in the order in which they are named.

        In CODEOWNERS the last rule that matches counts, also when it names nobody.
        """
        for rule in reversed(self._rules):
            if rule.matches(path):
                return rule.owners
        for folder in PurePosixPath(path).parents:
            owner = self._catalog(folder.as_posix())
            if owner is not None:
                return (owner,)
        return ()

    def _catalog(self, folder: str) -> str | None:
        if folder not in self._catalogs:
            prefix = "" if folder == "." else f"{folder}/"
            data = self._read(f"{prefix}catalog-info.yaml") or self._read(f"{prefix}catalog-info.yml")
            self._catalogs[folder] = None if data is None else _catalog_owner(data)
        return self._catalogs[folder]


def owner_of(repo: Repository, commit: str, path: str) -> str | None:
    """Who owns a file at a commit. For many files of one commit keep an `Owners`."""
    return Owners.at(repo, commit).of(path)


def _parse(data: bytes) -> tuple[_Rule, ...]:
    rules: list[_Rule] = []
    defaults: tuple[str, ...] = ()
    for raw in data.decode("utf-8", "replace").splitlines():
        line = raw.strip()
        section = _SECTION.fullmatch(line)
        if section is not None:
            defaults = _owners(section["owners"].split())
        elif line and not line.startswith(("#", "!")):
            pattern, *words = _UNESCAPED_SPACE.split(line)
            rules.append(
                _Rule(
                    pattern=GitIgnoreSpec.from_lines([pattern]),
                    direct=pattern.endswith("/*"),
                    owners=_owners(words) or defaults,
                )
            )
    return tuple(rules)


def _owners(words: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for word in words:
        if word.startswith("#"):
            break
        if "@" in word:
            found.append(word)
    return tuple(found)


def _catalog_owner(data: bytes) -> str | None:
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(data))
    except (YAMLError, UnicodeDecodeError):
        return None  # its owner cannot be known; that the file is broken is for its own project to find
    for document in documents:
        spec = document.get("spec") if isinstance(document, dict) else None
        owner = spec.get("owner") if isinstance(spec, dict) else None
        if isinstance(owner, str) and owner:
            return owner
    return None
