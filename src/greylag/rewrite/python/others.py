"""The other modules of a repository, by the words of their imports: each file is read once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

_WORDS = re.compile(
    r"(?m)^[ \t]*(?:\"[ \t]*)?(?:from[ \t]+[.\w]+[ \t]+import[ \t]*(?:\([^)]*\)|[^\n]*)|import[ \t]+[^\n]*)"
)
_IMPORTS = re.compile(
    r"(?m)^[ \t]*(?:from[ \t]+(?P<module>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n]*)"
    r"|import[ \t]+(?P<plain>[^\n#]*))"
)
_WORD = re.compile(r"\w+")
_SUFFIXES = (".py", ".ipynb")


class Others:
    """The modules of one repository: where an import leads, and which modules import a word."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        named = tuple(files)
        self.paths = frozenset(path for path in named if path.endswith(_SUFFIXES))
        self.known = len(named) > 1
        """Are there other files at all? Else nothing can be said about them."""

    @cached_property
    def _importing(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for path in self.paths:
            for line in _WORDS.findall(self.files[path]):
                for word in _WORD.findall(line):
                    found.setdefault(word, set()).add(path)
        return found

    def importing(self, words: Iterable[str]) -> list[str]:
        """The modules whose imports have one of the words."""
        return sorted({path for word in words for path in self._importing.get(word, ())})

    def naming(self, word: str, path: str) -> Iterator[str]:
        """The texts of modules that may use `word` of the module at `path`."""
        pattern = re.compile(rf"\b{re.escape(word)}\b")
        for other in self.importing({stem_of(path), word}):
            if other != path and pattern.search(text := self.files[other]):
                yield text

    def imported(self, path: str, text: str) -> set[str]:
        """The modules that a text's imports may name, by a look at their lines alone."""
        found: set[str | None] = set()
        for line in _IMPORTS.finditer(text):
            module = line["module"] or ""
            dots = len(module) - len(module.lstrip("."))
            names = [""] if line["plain"] else ["", *_WORD.findall(line["names"] or "")]
            modules = re.findall(r"[\w.]+", line["plain"]) if line["plain"] else [module.lstrip(".")]
            for one in modules:
                found |= {self.sibling(path, f"{one}.{name}".strip("."), dots) for name in names}
        return {one for one in found if one is not None and one != path}

    def sibling(self, path: str, module: str, dots: int) -> str | None:
        """The path of the module that an import in `path` names; `dots` lead up from its folder."""
        folder = path.split("/")[:-1]
        parts = [part for part in module.split(".") if part]
        if dots:
            roots = [folder[: len(folder) - dots + 1]] if dots <= len(folder) + 1 else []
        else:
            roots = [folder[:size] for size in range(len(folder), -1, -1)]
            roots += [["src"], ["dags"], ["plugins"]]
        for root in roots:
            for tail in (f"{'/'.join([*root, *parts])}.py", "/".join([*root, *parts, "__init__.py"])):
                if tail.lstrip("/") in self.paths:
                    return tail.lstrip("/")
        return None


def stem_of(path: str) -> str:
    """How imports speak of a module: the last word of its dotted name; empty for a root's `__init__`."""
    parts = path.split("/")
    stem = parts[-1].rsplit(".", 1)[0]
    return stem if stem != "__init__" else "".join(parts[-2:-1])


# Of one repository, the last that was asked for: its files are rewritten one after the other.
_last: list[Others] = []


def others(files: Mapping[str, str]) -> Others:
    """The index of a repository's modules. `files` must not change while they are rewritten."""
    if not _last or _last[0].files is not files:
        _last[:] = [Others(files)]
    return _last[0]
