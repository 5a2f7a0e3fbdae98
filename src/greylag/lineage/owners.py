"""Who owns a file: CODEOWNERS, then the nearest catalog-info.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greylag.lineage.codeowners import CodeOwners
from greylag.lineage.regex_owners import OWN_PLACES, PLACES, RegexOwners
from greylag.workspace import Repository
from greylag.workspace.notes import note_of

# The first that exists counts, in the order in which forges look.
_CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


class Owners:
    """The owners of one repository's files. `read` gives a file's bytes by path, None if there is none.

    `regex`: CODEOWNERS is written as Gitea and Forgejo read it, wherever it stands; in a place that only they
    know it always is.
    """

    def __init__(self, read: Callable[[str], bytes | None], *, regex: bool = False) -> None:
        self._read = read
        self._catalogs: dict[str, str | None] = {}
        text = None if regex else _first(read, _CODEOWNERS)
        gitlab = text is not None and all(read(path) is None for path in _CODEOWNERS[:-1])
        self._rules = CodeOwners(text or b"", gitlab=gitlab)
        other = None if text is not None else _first(read, PLACES if regex else OWN_PLACES)
        self._regex = None if other is None else RegexOwners(other)

    @classmethod
    def at(cls, repo: Repository, commit: str) -> Owners:
        """The owners as a commit says."""
        regex = note_of(repo.path, "codeowners") == "regex"
        return cls(lambda path: repo.find(commit, path), regex=regex)

    @classmethod
    def of_folder(cls, root: Path) -> Owners:
        """The owners as the files below `root` say."""
        return cls(lambda path: (root / path).read_bytes() if (root / path).is_file() else None)

    def of(self, path: str) -> str | None:
        """The first owner of a file; None when nobody is named."""
        return next(iter(self.all_of(path)), None)

    def all_of(self, path: str) -> tuple[str, ...]:
        """Everybody who owns a file: by CODEOWNERS, also where it names nobody; else by the catalogue."""
        found = () if self._regex is None else self._regex.of(path)
        if found:
            return found
        told = self._rules.of(path)
        if told is not None:
            return told
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


def _first(read: Callable[[str], bytes | None], places: tuple[str, ...]) -> bytes | None:
    texts = (read(path) for path in places)
    return next((text for text in texts if text is not None), None)


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
