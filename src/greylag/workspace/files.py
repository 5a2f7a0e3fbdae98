"""All files of a repository, or of a folder, as one mapping from path to text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from greylag.domain.outcome import Reason
from greylag.workspace.repository import Repository
from greylag.workspace.text import decode_text
from greylag.workspace.values import NotARepository, RepositoryError
from greylag.workspace.walk import tracked_files

# Codemods ask for the same files again and again: constants, macros, sources.
_KEPT = 5000
_KEPT_LENGTH = 20_000


class CommitFiles(Mapping[str, str]):
    """The plain files of a commit. Text is read when it is asked for; it is empty for what is no text."""

    def __init__(self, repo: Repository, commit: str) -> None:
        self.commit = commit
        self._repo = repo
        self._commit = commit
        self._oids = repo.files(commit)
        self._kept: dict[str, str] = {}

    @property
    def origin(self) -> tuple[Path, str]:
        """The git directory, and the commit in it: what it takes to read the same elsewhere."""
        return self._repo.path, self._commit

    def __getitem__(self, path: str) -> str:
        kept = self._kept.get(path)
        if kept is None:
            try:
                kept = _text(self._repo.blob(self._oids[path]))
            except RepositoryError:
                kept = ""  # a reader among such files is told of by the search
            if len(kept) <= _KEPT_LENGTH and len(self._kept) < _KEPT:
                self._kept[path] = kept
        return kept

    def __contains__(self, path: object) -> bool:
        return path in self._oids

    def __iter__(self) -> Iterator[str]:
        return iter(self._oids)

    def __len__(self) -> int:
        return len(self._oids)


class OverlaidFiles(Mapping[str, str]):
    """Files with some texts in place of their own; paths that only the texts have come last."""

    def __init__(self, files: Mapping[str, str], texts: Mapping[str, str]) -> None:
        self._files = files
        self._texts = texts

    def __getitem__(self, path: str) -> str:
        return self._texts[path] if path in self._texts else self._files[path]

    def __contains__(self, path: object) -> bool:
        return path in self._texts or path in self._files

    def __iter__(self) -> Iterator[str]:
        yield from self._files
        yield from (path for path in self._texts if path not in self._files)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class FolderFiles(Mapping[str, str]):
    """The same for a folder, as git sees it. It is walked when all names are asked for, not before."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __getitem__(self, path: str) -> str:
        file = self._root / path
        if not file.is_file():
            raise KeyError(path)
        return _text(file.read_bytes())

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and (self._root / path).is_file()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        with suppress(NotARepository):
            return tuple(path.relative_to(self._root).as_posix() for path in tracked_files(self._root))
        return ()


def _text(data: bytes) -> str:
    text = decode_text(data)
    return "" if isinstance(text, Reason) else text
