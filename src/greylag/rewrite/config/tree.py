"""Configuration files as trees: every string, and the keys that lead to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import PurePosixPath

import tree_sitter
import tree_sitter_hcl
import tree_sitter_json
import tree_sitter_toml
import tree_sitter_xml
import tree_sitter_yaml

from greylag.rewrite.config import lines
from greylag.rewrite.config.depth import is_too_deep
from greylag.rewrite.config.scalars import (
    Scalar,
    Unreadable,
    escaped,
    joined,
    raw,
    xml,
    yaml_block,
    yaml_plain,
    yaml_single,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A string and the keys that lead to it (`#0` for the first place in a list)."""

    path: tuple[str, ...]
    scalar: Scalar


class Broken(ValueError):
    """A file that is not what its name says; `line` is 1-based."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class TooDeep(Broken):
    """A file that is nested deeper than its parser can follow."""


_LANGUAGES: dict[str, Callable[[], object]] = {
    "json": tree_sitter_json.language,
    "yaml": tree_sitter_yaml.language,
    "toml": tree_sitter_toml.language,
    "hcl": tree_sitter_hcl.language,
    "xml": tree_sitter_xml.language_xml,
}
_FORMATS = {
    ".json": "json",
    ".yml": "yaml",
    ".yaml": "yaml",
    ".toml": "toml",
    ".tf": "hcl",
    ".tfvars": "hcl",
    ".hcl": "hcl",
    ".tds": "xml",
    ".twb": "xml",
    ".xml": "xml",
    ".properties": "properties",
    ".ini": "properties",
    ".cfg": "properties",
    ".env": "properties",
    ".conf": "hocon",
    ".hocon": "hocon",
    ".proto": "hocon",
    ".lkml": "lookml",
    ".lookml": "lookml",
}
SUFFIXES = frozenset(_FORMATS)


def format_of(path: str) -> str:
    """`json`, `yaml`, `toml`, `hcl`, `xml`, `properties`, `hocon` or `lookml`, by the file's name."""
    return _FORMATS[PurePosixPath(path).suffix.lower()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A configuration file: its strings in order, and the characters that are comments."""

    entries: tuple[Entry, ...]
    comments: tuple[tuple[int, int], ...]


def read_document(path: str, text: str) -> Document:
    """Every string of a configuration file. Raises Broken, and Unreadable for strings of no known kind."""
    kind = format_of(path)
    if is_too_deep(text, kind):
        raise TooDeep("nested too deeply to be read", 1)
    if kind in _LANGUAGES:
        reader = _Reader(text, kind)
        return Document(entries=tuple(reader.entries()), comments=tuple(reader.comments))
    ways = {"properties": lines.properties, "hocon": lines.quoted, "lookml": lines.lookml}
    entries = tuple(_entries(ways[kind](text)))
    inside = [(entry.scalar.start, entry.scalar.end) for entry in entries]
    comments = tuple(
        found.span()
        for found in _COMMENT[kind].finditer(text)
        if not any(low <= found.start() < high for low, high in inside)
    )
    return Document(entries=entries, comments=comments)


_COMMENT = {
    "properties": re.compile(r"^[ \t]*[#!;][^\n]*", re.MULTILINE),
    "hocon": re.compile(r"(?://|#)[^\n]*|/\*.*?\*/", re.DOTALL),
    "lookml": re.compile(r"#[^\n]*"),
}


def _entries(found: Iterator[tuple[tuple[str, ...], Scalar]]) -> Iterator[Entry]:
    for path, scalar in found:
        yield Entry(path=path, scalar=scalar)


@lru_cache(maxsize=8)
def _parser(kind: str) -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(_LANGUAGES[kind]()))


_PAIRS = {"pair", "block_mapping_pair", "flow_pair", "attribute", "Attribute", "block", "element"}
_LISTS = {"array", "block_sequence", "flow_sequence", "tuple"}


class _Reader:
    """Walks one syntax tree. tree-sitter counts bytes; everything else here counts characters."""

    def __init__(self, text: str, kind: str) -> None:
        self.text = text
        self.kind = kind
        data = text.encode("utf-8")
        self.characters = None if len(data) == len(text) else _characters(text)
        root = _parser(kind).parse(data).root_node
        if root.has_error:
            raise Broken(f"not understood as {kind}", _error_line(root))
        self.root = root
        self.comments: list[tuple[int, int]] = []

    def entries(self) -> Iterator[Entry]:
        """All strings, in the order of the file; without recursion, so depth does no harm."""
        stack: list[tuple[tree_sitter.Node, tuple[str, ...]]] = [(self.root, ())]
        while stack:
            node, path = stack.pop()
            if node.type in {"comment", "Comment"}:
                self.comments.append(self._span(node))
                continue
            scalar = self._scalar(node)
            if scalar is not None:
                yield Entry(path=path, scalar=scalar)
                continue
            key, inner = self._key(node)
            below = (*path, key) if key is not None else path
            children = [child for child in node.children if inner is None or child in inner]
            listed = node.type in _LISTS
            stack.extend(
                (child, (*below, f"#{number}") if listed else below)
                for number, child in reversed(list(enumerate(children)))
            )

    def _key(self, node: tree_sitter.Node) -> tuple[str | None, list[tree_sitter.Node] | None]:
        """The key that a pair gives to what is in it, and the children that hold its value."""
        if node.type not in _PAIRS or not node.named_children:
            return None, None
        if node.type == "element":
            name = next((n for n in _below(node.children[0], 1) if n.type == "Name"), None)
            return (self._text(name) if name is not None else None), None
        first, rest = node.named_children[0], node.named_children[1:]
        if node.type == "block":
            labels = [self._text(n).strip('"') for n in node.named_children if n.type == "string_lit"]
            rest = [n for n in node.named_children if n.type == "body"]
            return ".".join([self._text(first), *labels]), rest
        return self._text(first).strip("\"'"), rest

    def _scalar(self, node: tree_sitter.Node) -> Scalar | None:
        if node.type == "content" and any(child.type not in _XML_TEXT for child in node.children):
            return None
        read = _SCALARS.get((self.kind, node.type))
        return None if read is None else read(self.text, *self._span(node))

    def _text(self, node: tree_sitter.Node) -> str:
        start, end = self._span(node)
        return self.text[start:end]

    def _span(self, node: tree_sitter.Node) -> tuple[int, int]:
        if self.characters is None:
            return node.start_byte, node.end_byte
        return self.characters[node.start_byte], self.characters[node.end_byte]


def _characters(text: str) -> list[int]:
    """The character at every byte of the text in UTF-8, and at its end."""
    found = [index for index, character in enumerate(text) for _ in character.encode("utf-8")]
    return [*found, len(text)]


def _toml(host: str, start: int, end: int) -> Scalar:
    quote = 3 if host.startswith(('"""', "'''"), start) else 1
    low = start + quote
    if quote == 3 and host.startswith("\n", low):
        low += 1
    if host[start] == "'":
        return raw(host, start, end, inner=(low, end - quote), encode=_literal(quote))
    return escaped(host, start, end, quote=quote, lines=quote == 3)


def _literal(quote: int) -> Callable[[str], str]:
    def encode(sql: str) -> str:
        text = sql if quote == 3 else joined(sql)
        if "'" * quote in text:
            raise Unreadable("the new text holds the quotes that end it")
        return text

    return encode


def _heredoc(host: str, start: int, end: int) -> Scalar:
    low = host.index("\n", start) + 1
    high = host.rindex("\n", low - 1, end) + 1
    body = host[low:high]
    margin = re.match(r"[ \t]*", body)

    def encode(sql: str) -> str:
        return sql.replace("${", "$${").replace("\n", f"\n{margin[0] if margin is not None else ''}")

    return raw(host, start, end, inner=(low, high), encode=encode)


def _below(node: tree_sitter.Node, depth: int) -> Iterator[tree_sitter.Node]:
    for child in node.children:
        yield child
        if depth:
            yield from _below(child, depth - 1)


def _error_line(root: tree_sitter.Node) -> int:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            return node.start_point[0] + 1
        stack.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)
    return 1


_XML_TEXT = {"CharData", "EntityRef", "CharRef"}
_SCALARS: dict[tuple[str, str], Callable[[str, int, int], Scalar]] = {
    ("json", "string"): escaped,
    ("toml", "string"): _toml,
    ("yaml", "double_quote_scalar"): partial(escaped, fold=True),
    ("yaml", "single_quote_scalar"): yaml_single,
    ("yaml", "plain_scalar"): yaml_plain,
    ("yaml", "block_scalar"): yaml_block,
    ("hcl", "quoted_template"): escaped,
    ("hcl", "string_lit"): escaped,
    ("hcl", "heredoc_template"): _heredoc,
    ("xml", "AttValue"): partial(xml, quote=1),
    ("xml", "content"): partial(xml, quote=0),
}
