"""Which files of a repository have to be rewritten in one change. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from greylag.rewrite.dbt import is_dbt_yaml, project_of
from greylag.rewrite.dbt.project import DBT_PROJECT
from greylag.rewrite.importers import JVM, PYTHON, words_of

_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)")
_CALLED = re.compile(r"\b(\w+)\s*\(")
_MODEL = re.compile(r"^\s*-?\s*model:\s*['\"]?(\w+)", re.MULTILINE)
_IMPORTS = re.compile(
    r"^[ \t]*(?:from\b[^\n(]*\bimport\s*\([^)]*\)|(?:from|import)\b[^\n]*|#?\s*%run\b[^\n]*)", re.MULTILINE
)
_REACHED = re.compile(r"\b(\w+)\s*\.|\b(?:new|extends|implements|with)\s+(\w+)")
_WORD = re.compile(r"\w+")


def together(wanted: Collection[str], files: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Pairs of `wanted` files of which one may be wrong without the change of the other.

    A program and what it imports; a dbt macro and what calls it; unit tests and their model; a dbt project's
    file and what reads its variables. Rather one pair too many than one too few. A file that both edit
    without being `wanted` (a list of sources) makes no pair: changes to it follow one another.
    """
    ordered = sorted(wanted)
    found = {*_programs(ordered, files), *_dbt(ordered, files)}
    return tuple(sorted(found))


def _programs(wanted: Collection[str], files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for suffixes in (PYTHON, JVM):
        mine = [path for path in wanted if path.endswith(suffixes)]
        speaks: dict[str, list[str]] = {}
        for path in mine:
            for word in words_of(path, files):
                speaks.setdefault(word, []).append(path)
        for path in mine:
            for word in _spoken(path, files[path]) & speaks.keys():
                yield from ((one, path) for one in speaks[word] if one != path)


def _spoken(path: str, text: str) -> set[str]:
    """The words by which a program may mean another: those of its imports; on the JVM, what it reaches
    into, makes, or extends, too.
    """
    if path.endswith(JVM):
        reached = {word for match in _REACHED.findall(text) for word in match if word}
        return reached | {word for line in _IMPORTS.findall(text) for word in _WORD.findall(line)}
    if path.endswith(".ipynb"):
        text = text.replace("\\n", "\n").replace('"', "\n")
    return {word for line in _IMPORTS.findall(text) for word in _WORD.findall(line)}


def _dbt(wanted: Collection[str], files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    projects: dict[str, list[str]] = {}
    for path in wanted:
        root = project_of(path, files)
        if root is not None:
            projects.setdefault(root, []).append(path)
    for inside in projects.values():
        yield from _macros(inside, files)
        yield from _unit_tests(inside, files)
        yield from _variables(inside, files)


def _macros(inside: Collection[str], files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    made: dict[str, list[str]] = {}
    for path in inside:
        for name in _MACRO.findall(files[path]) if path.lower().endswith(".sql") else ():
            made.setdefault(name, []).append(path)
    for path in inside if made else ():
        for name in set(_CALLED.findall(files[path])) & made.keys():
            yield from ((one, path) for one in made[name] if one != path)


def _unit_tests(inside: Collection[str], files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    models = {PurePosixPath(path).stem.lower(): path for path in inside if path.lower().endswith(".sql")}
    for path in inside:
        if not is_dbt_yaml(path, files) or "unit_tests:" not in files[path]:
            continue
        tested = [models[name] for name in map(str.lower, _MODEL.findall(files[path])) if name in models]
        yield from ((path, one) for one in tested)


def _variables(inside: Collection[str], files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    own = [path for path in inside if PurePosixPath(path).name == DBT_PROJECT]
    for path in inside:
        if path.lower().endswith(".sql") and "var(" in files[path].replace(" ", ""):
            yield from ((one, path) for one in own)
