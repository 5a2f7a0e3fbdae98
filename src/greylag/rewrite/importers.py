"""Programs that read a dataset through another file's constant, and never say its name themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

PYTHON = (".py", ".ipynb")
JVM = (".scala", ".sc", ".java")
_MADE = re.compile(r"\b(?:object|class|trait|interface|enum)\s+(\w+)")


def importers(named: Iterable[str], files: Mapping[str, str]) -> frozenset[str]:
    """The files that may use a constant of the `named` ones: those that name a replaced dataset.

    `files` maps every path of the repository to its text; only programs of the same language are read, and
    none where no program names a dataset. A word is enough: the codemod looks closer.
    """
    given = frozenset(named)
    found: set[str] = set()
    for suffixes in (PYTHON, JVM):
        words = {word for path in given if path.endswith(suffixes) for word in words_of(path, files)}
        if not words:
            continue
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b")
        found.update(
            path
            for path in files
            if path.endswith(suffixes) and path not in given and pattern.search(files[path])
        )
    return frozenset(found)


def words_of(path: str, files: Mapping[str, str]) -> Iterable[str]:
    """How other files speak of this one: a module by its name, a class by its own."""
    if path.endswith(JVM):
        return set(_MADE.findall(files.get(path, "")))
    stem = PurePosixPath(path).stem
    return {PurePosixPath(path).parent.name if stem == "__init__" else stem} - {""}
