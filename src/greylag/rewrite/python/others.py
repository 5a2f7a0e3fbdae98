"""The other modules of a repository, by the words of their imports: each file is read once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_IMPORTS = re.compile(
    r"(?m)^[ \t]*(?:\"[ \t]*)?(?:from[ \t]+[.\w]+[ \t]+import[ \t]*(?:\([^)]*\)|[^\n]*)|import[ \t]+[^\n]*)"
)
_WORD = re.compile(r"\w+")
_SUFFIXES = (".py", ".ipynb")


class Others:
    """Which modules import a word: a module's name, or one that it makes."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self._paths: dict[str, set[str]] = {}
        for path in files:
            if path.endswith(_SUFFIXES):
                for line in _IMPORTS.findall(files[path]):
                    for word in _WORD.findall(line):
                        self._paths.setdefault(word, set()).add(path)

    def naming(self, word: str, path: str) -> Iterator[str]:
        """The texts of modules that may use `word` of the module at `path`."""
        stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        stem = path.split("/")[-2] if stem == "__init__" and "/" in path else stem
        pattern = re.compile(rf"\b{re.escape(word)}\b")
        for other in sorted(self._paths.get(stem, set()) | self._paths.get(word, set())):
            if other != path and pattern.search(text := self.files[other]):
                yield text


# Of one repository, the last that was asked for: its files are rewritten one after the other.
_last: list[Others] = []


def others(files: Mapping[str, str]) -> Others:
    """The index of a repository's modules. `files` must not change while they are rewritten."""
    if not _last or _last[0].files is not files:
        _last[:] = [Others(files)]
    return _last[0]
