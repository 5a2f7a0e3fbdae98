"""Scala and Java as syntax trees, in characters: the parser counts bytes, everybody else characters."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal

import tree_sitter_java
import tree_sitter_scala
from tree_sitter import Language, Node, Parser

HostLanguage = Literal["scala", "java"]

_LANGUAGES: dict[HostLanguage, Language] = {
    "scala": Language(tree_sitter_scala.language()),
    "java": Language(tree_sitter_java.language()),
}
_DEFINITIONS = {
    "function_definition",
    "function_declaration",
    "val_definition",
    "var_definition",
    "class_definition",
    "object_definition",
    "trait_definition",
    "method_declaration",
    "constructor_declaration",
    "field_declaration",
    "local_variable_declaration",
    "class_declaration",
    "interface_declaration",
    "expression_statement",
    "return_statement",
}
STRINGS = {"string", "interpolated_string_expression", "string_literal"}
_COMMENTS = {"comment", "block_comment", "line_comment"}


def language_of(path: str) -> HostLanguage:
    """The language of a file by its name."""
    return "java" if PurePosixPath(path).suffix.lower() == ".java" else "scala"


class Source:
    """One file: its text, its tree, and the way between the tree's bytes and the text's characters."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.language: HostLanguage = language_of(path)
        self._bytes = text.encode("utf-8", "surrogatepass")
        self.tree = Parser(_LANGUAGES[self.language]).parse(self._bytes)
        self._wide: list[int] = []
        self._extra: list[int] = [0]
        if not text.isascii():
            extra = 0
            for found in re.finditer(r"[^\x00-\x7f]", text):
                width = len(found[0].encode("utf-8", "surrogatepass")) - 1
                self._wide.append(found.start() + extra)
                extra += width
                self._extra.append(extra)

    @property
    def root(self) -> Node:
        return self.tree.root_node

    def char(self, byte: int) -> int:
        """The character that begins at a byte of the tree."""
        return byte - self._extra[bisect_left(self._wide, byte)] if self._wide else byte

    def byte(self, char: int) -> int:
        """The byte at which a character begins."""
        if not self._wide:
            return char
        starts = self._wide_chars
        return char + self._extra[bisect_left(starts, char)]

    @cached_property
    def _wide_chars(self) -> list[int]:
        return [byte - self._extra[index] for index, byte in enumerate(self._wide)]

    def span(self, node: Node) -> tuple[int, int]:
        """The characters `start..end` (end exclusive) of a node."""
        return self.char(node.start_byte), self.char(node.end_byte)

    def of(self, node: Node) -> str:
        """A node's text."""
        start, end = self.span(node)
        return self.text[start:end]

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(r"\n", self.text))]

    def line(self, offset: int) -> int:
        """The line (1-based) of a character."""
        return bisect_right(self._lines, offset)

    def indent(self, offset: int) -> str:
        """The white space that begins the line of a character."""
        start = self._lines[self.line(offset) - 1]
        found = re.compile(r"[ \t]*").match(self.text, start)
        return found[0] if found is not None else ""

    @cached_property
    def newline(self) -> str:
        """How the file ends its lines."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def at(self, start: int, end: int) -> Node | None:
        """The smallest node that covers these characters."""
        return self.root.descendant_for_byte_range(self.byte(start), self.byte(end))

    def string_at(self, start: int, end: int) -> Node | None:
        """The string literal that these characters stand in; None where they are code or a comment."""
        node = self.at(start, end)
        while node is not None:
            if node.type in STRINGS:
                return node
            if node.type in ("interpolation", "template_body", "block") or node.type in _COMMENTS:
                return None
            node = node.parent
        return None

    def in_comment(self, offset: int) -> bool:
        """Does a character stand in a comment?"""
        node = self.at(offset, offset + 1)
        while node is not None:
            if node.type in _COMMENTS:
                return True
            node = node.parent
        return False

    def strings(self) -> Iterator[Node]:
        """Every string literal, in order; not those inside of others."""
        cursor = self.tree.walk()
        while True:
            node = cursor.node
            if node is not None and node.type in STRINGS:
                yield node
            elif cursor.goto_first_child():
                continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return

    def words(self, name: str) -> Iterator[Node]:
        """Every identifier of this name."""
        for found in re.finditer(
            rf"(?<![\w$]){re.escape(name)}(?![\w$])|(?<=\$){re.escape(name)}(?!\w)", self.text
        ):
            node = self.at(found.start(), found.end())
            if node is not None and node.type in ("identifier", "type_identifier"):
                yield node

    def broken(self, node: Node) -> int | None:
        """The line of a syntax error in the definition around a node; None where there is none."""
        if not self.root.has_error:
            return None
        around: Node | None = node
        while around is not None and around.type not in _DEFINITIONS:
            if around.is_error:
                return self.line(self.char(around.start_byte))
            around = around.parent
        if around is None or not around.has_error:
            return None
        return self.line(self.char(around.start_byte))


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a call; `name` where it is named."""

    name: str | None
    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call, an annotation or an instance creation, in either language.

    `name_node` is what is called, `receiver` what stands before the dot (None without one).
    """

    node: Node
    kind: Literal["call", "annotation", "new", "infix"]
    name: str
    name_node: Node
    receiver: Node | None
    arguments: tuple[Argument, ...]
    type_arguments: Node | None = None

    def argument(self, name: str, index: int) -> Node | None:
        """An argument by its name or its place."""
        for each in self.arguments:
            if each.name == name:
                return each.value
        if index < len(self.arguments) and self.arguments[index].name is None:
            return self.arguments[index].value
        return None


def call_of(source: Source, node: Node) -> Call | None:
    """A node as a call; None where it is none."""
    match node.type:
        case "call_expression":
            return _scala_call(source, node)
        case "method_invocation":
            name = node.child_by_field_name("name")
            if name is None:
                return None
            return Call(
                node=node,
                kind="call",
                name=source.of(name),
                name_node=name,
                receiver=node.child_by_field_name("object"),
                arguments=_arguments(source, node.child_by_field_name("arguments")),
            )
        case "annotation":
            return _annotation(source, node)
        case "object_creation_expression" | "instance_expression":
            return _creation(source, node)
        case "infix_expression":
            return _infix(source, node)
        case _:
            return None


def _scala_call(source: Source, node: Node) -> Call | None:
    function = node.child_by_field_name("function")
    types: Node | None = None
    if function is not None and function.type == "generic_function":
        types = function.child_by_field_name("type_arguments")
        function = function.child_by_field_name("function")
    if function is None:
        return None
    name, receiver = function, None
    if function.type == "field_expression":
        field = function.child_by_field_name("field")
        if field is None:
            return None
        name, receiver = field, function.child_by_field_name("value")
    elif function.type != "identifier":
        return None
    return Call(
        node=node,
        kind="call",
        name=source.of(name),
        name_node=name,
        receiver=receiver,
        arguments=_arguments(source, node.child_by_field_name("arguments")),
        type_arguments=types,
    )


def _annotation(source: Source, node: Node) -> Call | None:
    name = node.child_by_field_name("name")
    if name is None:
        return None
    last = name.named_children[-1] if name.named_children else name
    return Call(
        node=node,
        kind="annotation",
        name=source.of(last),
        name_node=last,
        receiver=name.named_children[0] if name.named_child_count > 1 else None,
        arguments=_arguments(source, node.child_by_field_name("arguments")),
    )


def _creation(source: Source, node: Node) -> Call | None:
    name = node.child_by_field_name("type")
    arguments = node.child_by_field_name("arguments")
    for child in node.named_children:
        if name is None and child.type in ("type_identifier", "stable_type_identifier", "generic_type"):
            name = child
        if arguments is None and child.type == "arguments":
            arguments = child
    if name is None:
        return None
    return Call(
        node=node,
        kind="new",
        name=source.of(name).split("[")[0].split("<")[0].rsplit(".", 1)[-1],
        name_node=name,
        receiver=None,
        arguments=_arguments(source, arguments),
    )


def _infix(source: Source, node: Node) -> Call | None:
    left, operator, right = (node.child_by_field_name(each) for each in ("left", "operator", "right"))
    if left is None or operator is None or right is None:
        return None
    return Call(
        node=node,
        kind="infix",
        name=source.of(operator),
        name_node=operator,
        receiver=left,
        arguments=(Argument(name=None, value=right),),
    )


def _arguments(source: Source, node: Node | None) -> tuple[Argument, ...]:
    found: list[Argument] = []
    for child in node.named_children if node is not None else ():
        if child.type in _COMMENTS:
            continue
        named = child.type in ("assignment_expression", "element_value_pair")
        key = child.child_by_field_name("left") or child.child_by_field_name("key") if named else None
        value = child.child_by_field_name("right") or child.child_by_field_name("value") if named else None
        if key is not None and value is not None:
            found.append(Argument(name=source.of(key), value=value))
        else:
            found.append(Argument(name=None, value=child))
    return tuple(found)


def around(source: Source, node: Node) -> Call | None:
    """The call that a node is an argument of; None where it is none."""
    parent = node.parent
    if parent is not None and parent.type in ("assignment_expression", "element_value_pair"):
        if parent.parent is None or parent.parent.type not in ("arguments", "annotation_argument_list"):
            return None
        parent = parent.parent
    if parent is None:
        return None
    if parent.type in ("arguments", "argument_list", "annotation_argument_list"):
        return call_of(source, parent.parent) if parent.parent is not None else None
    if parent.type == "infix_expression":
        call = call_of(source, parent)
        operator = call.name_node if call is not None else None
        return call if operator is not None and parent.child_by_field_name("right") == node else None
    return None


def chain(source: Source, node: Node) -> Node:
    """The whole of the chain of calls that a node is a link of: `a.b(…).c` for `a.b(…)`."""
    top = node
    while (parent := top.parent) is not None:
        first = parent.child_by_field_name("value") or parent.child_by_field_name("object")
        first = first or parent.child_by_field_name("function")
        if first != top or parent.type not in (
            "field_expression",
            "call_expression",
            "generic_function",
            "method_invocation",
        ):
            break
        top = parent
    return top
