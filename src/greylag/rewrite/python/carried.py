"""Constants that hold a replaced dataset's name: which modules have them, and which names stand for them."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from greylag.rewrite.python.others import Others, stem_of

_IMPORTING = ast.Import | ast.ImportFrom


class Carried:
    """The constants of one repository's modules that hold one of `names` (lower case), by a cheap look.

    Values that are put together (`PROJECT + ".users_v1"`) and names that are imported from there and handed
    on count as well. Every module that could matter is parsed once, and no other.
    """

    def __init__(self, others: Others, names: frozenset[str]) -> None:
        self._others = others
        self._names = names
        self._trees: dict[str, ast.Module | None] = {}
        self.constants: dict[str, frozenset[str]] = {}
        """The constants of each module that has any; of one that cannot be parsed, none is known."""
        self._unread: set[str] = set()
        self._find()
        words = {stem_of(path) for path in (*self.constants, *self._unread)}
        words |= {name for held in self.constants.values() for name in held}
        listed = "|".join(sorted(map(re.escape, words - {""})))
        self._spoken = re.compile(rf"\b(?:{listed})\b") if listed else None

    def used(self, path: str, text: str) -> frozenset[str] | None:
        """The words that stand for such constants in a module: `TABLE`, or `TABLE` of `config.TABLE`.

        None: any word may, since what is imported cannot be told.
        """
        if not self.near(text):
            return frozenset()
        tree = _parsed(text)
        if tree is None:
            held = {*self.constants, *self._unread} & self._others.imported(path, text)
            return None if held else frozenset()
        found: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, _IMPORTING):
                for source, local, whole in self._bound(path, node):
                    if source in self._unread:
                        return None
                    found |= self.constants.get(source, frozenset()) if whole else {local}
        return frozenset(found)

    def near(self, text: str) -> bool:
        """May the text use such a constant at all?"""
        return self._spoken is not None and self._spoken.search(text) is not None

    def _find(self) -> None:
        files = self._others.files
        waiting: list[str] = []
        for path in sorted(self._others.paths):
            text = files[path].lower() if path.endswith(".py") else ""
            if any(name in text for name in self._names):
                tree = self._tree(path)
                if tree is None:
                    self._unread.add(path)
                else:
                    self._grow(path, tree, set(), waiting)
        while waiting:
            source = waiting.pop()
            for path in self._others.importing({stem_of(source), *self.constants[source]}):
                tree = self._tree(path) if path != source and path.endswith(".py") else None
                given = {
                    local
                    for node in (ast.walk(tree) if tree is not None else ())
                    if isinstance(node, _IMPORTING)
                    for _, local, whole in self._bound(path, node)
                    if not whole
                }
                if tree is not None and given:
                    self._grow(path, tree, given, waiting)

    def _grow(self, path: str, tree: ast.Module, given: set[str], waiting: list[str]) -> None:
        before = self.constants.get(path, frozenset())
        after = before | self._made(tree, {*before, *given})
        if after != before:
            self.constants[path] = after
            waiting.append(path)

    def _made(self, tree: ast.Module, given: set[str]) -> frozenset[str]:
        """`given`, and the names of the module whose values hold a dataset's name or one of them."""
        found = set(given)
        assigned = list(_assigned(tree.body))
        size = -1
        while size != len(found):
            size = len(found)
            found |= {name for name, value in assigned if name not in found and self._holds(value, found)}
        return frozenset(found)

    def _holds(self, value: ast.expr, names: set[str]) -> bool:
        for node in ast.walk(value):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if any(name in node.value.lower() for name in self._names):
                    return True
            elif isinstance(node, ast.Name) and node.id in names:
                return True
        return False

    def _bound(self, path: str, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, bool]]:
        """What of interest an import binds: the module's path, the name here, and if that is the module."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                source = self._others.sibling(path, alias.name, 0)
                if source is not None and self._matters(source, path):
                    yield source, alias.asname or alias.name, True
            return
        module = node.module or ""
        source = self._others.sibling(path, module, node.level)
        for alias in node.names:
            held = source is not None and self._matters(source, path)
            if held and source and (source in self._unread or alias.name in self.constants[source]):
                yield source, alias.asname or alias.name, False
            inner = self._others.sibling(path, f"{module}.{alias.name}", node.level)
            if inner is not None and self._matters(inner, path):
                yield inner, alias.asname or alias.name, True

    def _matters(self, source: str, path: str) -> bool:
        return source != path and (source in self.constants or source in self._unread)

    def _tree(self, path: str) -> ast.Module | None:
        if path not in self._trees:
            self._trees[path] = _parsed(self._others.files[path])
        return self._trees[path]


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _assigned(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """The assignments of a module, not those of its functions and classes."""
    for statement in body:
        match statement:
            case ast.Assign(targets=targets, value=value):
                yield from ((one.id, value) for one in targets if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                for block in ("body", "orelse", "finalbody"):
                    yield from _assigned(getattr(statement, block, ()))
                for handler in getattr(statement, "handlers", ()):
                    yield from _assigned(handler.body)


# Of one repository and migration, the last that was asked for.
_last: list[tuple[Others, frozenset[str], Carried]] = []


def carried(others: Others, names: frozenset[str]) -> Carried:
    """The constants of a repository that hold one of these names, found once for all of its files."""
    if not _last or _last[0][0] is not others or _last[0][1] != names:
        _last[:] = [(others, names, Carried(others, names))]
    return _last[0][2]
