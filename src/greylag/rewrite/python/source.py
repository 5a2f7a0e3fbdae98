"""A Python module, parsed: where every node stands in the text, what encloses it, what a name is bound to."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property

import libcst as cst
from libcst.metadata import (
    Assignment,
    BaseAssignment,
    ByteSpanPositionProvider,
    MetadataWrapper,
    Scope,
    ScopeProvider,
)

LONGEST = 1_000_000
_DEEPEST = 120
_OPERATORS = re.compile(r"[+\-*/%.|&^~@:,=<>]|\b(?:if|elif|else|not|and|or|lambda|await|for|in)\b")


class NotParsed(Exception):
    """The module cannot be looked into. `code` is that of a reason; `line` is 1-based, 0 for the file."""

    def __init__(self, code: str, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.line = line


class Source:
    """One module. Offsets are characters of `text`."""

    def __init__(self, text: str) -> None:
        """Raises NotParsed."""
        self.text = text
        module = _parse(text)
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        try:
            self._spans = wrapper.resolve(ByteSpanPositionProvider)
        except RecursionError as error:
            raise NotParsed("too-deep", "the program is nested too deeply") from error
        self._wrapper = wrapper
        self.module = wrapper.module
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.nodes: list[cst.CSTNode] = []
        self._walk()

    def _walk(self) -> None:
        waiting: list[cst.CSTNode] = [self.module]
        while waiting:
            node = waiting.pop()
            self.nodes.append(node)
            for child in reversed(node.children):
                self.parents[child] = node
                waiting.append(child)

    @cached_property
    def _scopes(self) -> Mapping[cst.CSTNode, Scope | None]:
        return self._wrapper.resolve(ScopeProvider)

    @cached_property
    def _bytes(self) -> list[int] | None:
        """The byte offset of every character, None where they are the same."""
        if self.text.isascii():
            return None
        total, offsets = 0, []
        for char in self.text:
            offsets.append(total)
            total += len(char.encode("utf-8", "surrogatepass"))
        return [*offsets, total]

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", self.text))]

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The characters of a node, `start..end` (end exclusive), without parentheses around it."""
        found = self._spans[node]
        start, end = found.start, found.start + found.length
        if self._bytes is None:
            return start, end
        return bisect_right(self._bytes, start) - 1, bisect_right(self._bytes, end) - 1

    def line(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect_right(self._lines, offset)

    def column(self, offset: int) -> int:
        """The 1-based column of an offset."""
        return offset - self._lines[self.line(offset) - 1] + 1

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around a node."""
        return self.parents.get(node)

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around a node, the nearest first."""
        current = self.parents.get(node)
        while current is not None:
            yield current
            current = self.parents.get(current)

    def scope(self, node: cst.CSTNode) -> Scope | None:
        """The scope that a node stands in."""
        for one in (node, *self.around(node)):
            scope = self._scopes.get(one)
            if scope is not None:
                return scope
        return None

    def bindings(self, name: cst.Name) -> tuple[BaseAssignment, ...]:
        """What binds the name that is used here: every assignment in the scope that it is looked up in."""
        scope = self.scope(name)
        return tuple(scope[name.value]) if scope is not None else ()

    def references(self, target: cst.Name) -> tuple[cst.CSTNode, ...]:
        """Where the name that is bound here is used."""
        found: dict[cst.CSTNode, None] = {}
        for binding in self.bindings(target):
            if isinstance(binding, Assignment):
                found.update(dict.fromkeys(access.node for access in binding.references))
        return tuple(sorted(found, key=self.span))

    def qualified(self, node: cst.CSTNode) -> str:
        """The dotted name of a callable as its imports make it: `pandas.read_gbq` for `pd.read_gbq`."""
        scope = self.scope(node)
        names = scope.get_qualified_names_for(node) if scope is not None else ()
        return next(iter(sorted(one.name for one in names)), "") if names else ""


def _parse(text: str) -> cst.Module:
    if len(text) > LONGEST:
        raise NotParsed("too-large", f"the program has more than {LONGEST:,} characters")
    if "\0" in text:
        raise NotParsed("unparsable", "not understood as Python: it holds a NUL")
    _check_depth(text)
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise NotParsed("unparsable", f"not understood as Python: {_why(error)}", error.raw_line) from error
    except RecursionError as error:
        raise NotParsed("too-deep", "the program is nested too deeply") from error
    except Exception as error:  # the native parser raises what it likes, e.g. UnicodeEncodeError
        raise NotParsed("unparsable", f"not understood as Python: {error}"[:200]) from error
    if module.code != text:
        raise NotParsed("unparsable", "not understood as Python: the text is not kept as it is")
    return module


def _why(error: cst.ParserSyntaxError) -> str:
    """Where and what, without the list of all that could have stood there."""
    first = str(error.message).splitlines()[0] if error.message else "syntax error"
    return first.removeprefix("parser error: ").split(": expected one of")[0][:120]


def _check_depth(text: str) -> None:
    """The native parser overflows its stack on deep nesting: Python's own says so without falling over."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (RecursionError, MemoryError) as error:
        raise NotParsed("too-deep", "the program is nested too deeply") from error
    except (SyntaxError, ValueError):
        # Newer or older syntax than that of the Python that runs us: a rougher look.
        if _rough_depth(text) > _DEEPEST:
            raise NotParsed("too-deep", "the program is nested too deeply") from None
        return
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise NotParsed("too-deep", "the program is nested too deeply")


def _rough_depth(text: str) -> int:
    """No less than the deepest nesting of brackets, operators and indentation, strings and all."""
    deepest, depth, since = 0, 0, 0
    for line in text.splitlines():
        opened = sum(line.count(char) for char in "([{")
        depth = max(depth + opened - sum(line.count(char) for char in ")]}"), 0)
        since = since + len(_OPERATORS.findall(line)) if depth else len(_OPERATORS.findall(line))
        deepest = max(deepest, depth + opened, since, text.count("elif") if "elif" in line else 0)
    return deepest
