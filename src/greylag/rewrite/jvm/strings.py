"""String expressions: literals, interpolations, sums and formats, as segments of the text that they make."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from greylag.rewrite.embedded import Segment
from greylag.rewrite.jvm.literals import Cell, Style, Unreadable, cells, encoder, quoted
from greylag.rewrite.jvm.syntax import Source, call_of

# What a name stands for: its text, or None where nobody can tell.
Resolve = Callable[[Node], str | None]

_KEEPING = {"trim", "strip", "stripIndent", "stripMargin", "stripLeading", "stripTrailing"}
_BINDING = {"sql", "SQL", "sqlu", "tsql", "fr", "fr0", "const", "bq"}
_FORMAT = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.\d+)?([a-zA-Z%])")
_LATER_FORMAT = re.compile(r"%[-#+ 0,(<]*(\d+)?(?:\.\d+)?[a-zA-Z]")
_STATEMENT = re.compile(
    r"(?is)\s*(?:#(?:standard|legacy)sql\s*)?(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*"
    r"(?:select|with|insert|create|merge|delete|update|replace|drop|truncate|alter|export|declare|begin|call|explain"
    r"|from|refresh|cache|describe|show|copy|load|unload|optimize|vacuum|analyze|msck)\b\s*[\w`\"*(\[@$:]"
)
_QUERY = re.compile(
    r"(?is)\s*(?:#(?:standard|legacy)sql\s*)?(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:"
    r"select\b.*|with\b.*\bselect\b.*|insert\s+(?:into|overwrite)\b.*|create\s.*\bas\b.*|merge\s+into\b.*"
    r"|delete\s+from\b.*|update\b.*\bset\b.*|from\b.*\b(?:select|insert)\b.*)"
)
LITERALS = {"string", "string_literal", "interpolated_string_expression"}


@dataclass(slots=True)
class Expression:
    """A string expression. `text` is what it makes, with an identifier for each hole."""

    node: Node
    segments: list[Segment] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)

    @property
    def whole(self) -> bool:
        """Is the text known to its end?"""
        return all(segment.offsets is not None or segment.known for segment in self.segments)

    @property
    def is_query(self) -> bool:
        """Is it a statement of SQL, by its look?"""
        return _QUERY.fullmatch(self.text) is not None

    @property
    def is_statement(self) -> bool:
        """As `is_query`, with the statements that define or drop."""
        return _STATEMENT.match(self.text) is not None


def is_query(text: str) -> bool:
    """Is a text a statement of SQL that may read, by its look?"""
    return _QUERY.fullmatch(text) is not None


class Reader:
    """Reads the string expressions of one file. `dialect` is that of the SQL that they hold."""

    def __init__(self, source: Source, resolve: Resolve, dialect: str) -> None:
        self.source = source
        self.resolve = resolve
        self.dialect = dialect

    def read(self, node: Node) -> Expression:
        """The expression as segments; Unreadable where a literal in it is not understood."""
        segments: list[Segment] = []
        stack = [(node, False)]
        while stack:
            each, margin = stack.pop()
            operands = self._sum(each)
            if operands is not None:
                stack.extend((operand, margin) for operand in reversed(operands))
            else:
                segments.extend(self._operand(each, margin))
                if segments[-1].offsets is None and each != node:
                    segments.append(self._behind(each))
        return Expression(node=node, segments=_numbered(segments))

    def _behind(self, node: Node) -> Segment:
        """Where text can be added behind an operand that is no literal."""
        end = self.source.span(node)[1]
        return Segment(
            text="", start=end, end=end, offsets=(end,), encode=lambda sql: f" + {quoted(sql, self.dialect)}"
        )

    def _sum(self, node: Node) -> list[Node] | None:
        """`a + b` and `(a)` as their parts."""
        if node.type == "parenthesized_expression" and node.named_child_count == 1:
            return [node.named_children[0]]
        if node.type not in ("infix_expression", "binary_expression"):
            return None
        left, operator, right = (node.child_by_field_name(each) for each in ("left", "operator", "right"))
        if left is None or operator is None or right is None or self.source.of(operator) != "+":
            return None
        return [left, right]

    def _operand(self, node: Node, margin: bool) -> list[Segment]:
        if node.type in LITERALS:
            return self._literal(node, None)
        if node.type in ("integer_literal", "decimal_integer_literal"):
            return [self._hole(node, text=self.source.of(node))]
        call = call_of(self.source, node) if node.type in ("call_expression", "method_invocation") else None
        name = call.name if call is not None else None
        receiver = call.receiver if call is not None else None
        if node.type == "field_expression":
            attribute = node.child_by_field_name("field")
            if attribute is not None and self.source.of(attribute) in _KEEPING:
                name, receiver = self.source.of(attribute), node.child_by_field_name("value")
        if name in _KEEPING and receiver is not None and self._stringy(receiver):
            return self._kept(name, receiver, None if call is None else call.arguments)
        if call is not None and name in ("format", "formatted"):
            told = self._format(call.receiver, [argument.value for argument in call.arguments])
            if told is not None:
                return told
        return [self._hole(node)]

    def _stringy(self, node: Node) -> bool:
        return (
            node.type in LITERALS
            or self._sum(node) is not None
            or (
                (call := call_of(self.source, node)) is not None
                and call.name in ("format", "formatted", *_KEEPING)
            )
            or node.type == "field_expression"
        )

    def _kept(self, name: str, receiver: Node, arguments: tuple[object, ...] | None) -> list[Segment]:
        """`.trim` and the like keep what SQL means; `.stripMargin` takes what stands before the margin."""
        if name != "stripMargin":
            return self.read(receiver).segments
        if arguments:
            raise Unreadable("a margin of another character than `|`")
        if receiver.type not in LITERALS:
            raise Unreadable("a margin that is taken from a sum of strings")
        return self._literal(receiver, "|")

    # -- literals --------------------------------------------------------------------------------------

    def _literal(self, node: Node, margin: str | None, *, percents: bool = False) -> list[Segment]:
        interpolator = node.child_by_field_name("interpolator")
        named = self.source.of(interpolator) if interpolator is not None else ""
        if interpolator is not None and named not in {"s", "f", "raw", *_BINDING}:
            raise Unreadable(f"the interpolator {named!r}")
        body = node.named_children[-1] if interpolator is not None else node
        start, end = self.source.span(body)
        if named in _BINDING and "\\" in self.source.text[start:end]:
            raise Unreadable(f"a backslash in {named!r}")
        triple = self.source.text.startswith('"""', start)
        width = 3 if triple else 1
        java = self.source.language == "java"
        style = Style(
            triple=triple,
            escapes=(not triple or java or interpolator is not None) and named not in {"raw", *_BINDING},
            dollars=interpolator is not None,
            percents=percents or named == "f",
            margin=self._margin(start, end, triple, margin),
            java=java,
        )
        low, high = start + width, end - width
        holes = [child for child in body.named_children if child.type == "interpolation"]
        found: list[Segment] = []
        beginning = True
        for hole in [*holes, None]:
            stop = self.source.span(hole)[0] if hole is not None else high
            chunk = cells(self.source.text[low:stop], low, style)
            if margin is not None:
                chunk, beginning = _stripped(chunk, margin, beginning)
            if chunk or hole is None:
                found.append(self._segment(chunk, stop, style))
            if hole is not None:
                low = self._after(hole, named)
                found.append(self._interpolated(hole, low, named, style))
                beginning = False
        return found

    def _margin(self, start: int, end: int, triple: bool, margin: str | None) -> str | None:
        """What stands before a further line of this literal."""
        if not triple or margin is None:
            return None
        found = re.compile(r"\n([ \t]*\|)").search(self.source.text, start, end)
        return found[1] if found is not None else self.source.indent(start) + "  |"

    def _segment(self, chunk: list[Cell], end: int, style: Style) -> Segment:
        offsets = (*(cell.start for cell in chunk), end)
        return Segment(
            text="".join(cell.char for cell in chunk),
            start=offsets[0],
            end=end,
            offsets=offsets,
            encode=encoder(style, self.source.newline, self.dialect),
        )

    def _after(self, hole: Node, interpolator: str) -> int:
        end = self.source.span(hole)[1]
        found = _LATER_FORMAT.match(self.source.text, end) if interpolator == "f" else None
        return found.end() if found is not None else end

    def filled(self, node: Node, values: list[Node]) -> Expression:
        """A format that a call fills with its other arguments."""
        margin = None
        if node.type == "field_expression":
            inner = node.child_by_field_name("value")
            if inner is None or not self.source.of(node).endswith(".stripMargin"):
                raise Unreadable("a format that is no literal")
            node, margin = inner, "|"
        if node.type not in ("string", "string_literal"):
            raise Unreadable("a format that is no literal")
        return Expression(node=node, segments=_numbered(self._filled(self._literal(node, margin), values)))

    def _interpolated(self, hole: Node, end: int, interpolator: str, style: Style) -> Segment:
        inner = hole.named_children[0] if hole.named_children else hole
        if inner.type == "block" and inner.named_child_count == 1:
            inner = inner.named_children[0]
        text = None if interpolator in _BINDING else self.resolve(inner)
        start = self.source.span(hole)[0]
        if self.source.text[start - 1 : start] == "#" and interpolator in _BINDING:
            raise Unreadable("a spliced name")
        if inner.type in LITERALS and interpolator not in _BINDING:
            text = None
        return Segment(
            text=text if text is not None and not is_query(text) else "",
            start=start,
            end=end,
            offsets=None,
            encode=encoder(style, self.source.newline, self.dialect),
            known=(text is not None and not is_query(text)) or interpolator in _BINDING,
        )

    # -- holes -----------------------------------------------------------------------------------------

    def _hole(self, node: Node, text: str | None = None) -> Segment:
        """An operand that is no literal: a constant's text, or an unknown one. Replaced by a literal."""
        if text is None:
            text = self.resolve(node)
        start, end = self.source.span(node)
        opaque = text is None or is_query(text)
        return Segment(
            text="" if opaque else text or "",
            start=start,
            end=end,
            offsets=None,
            encode=lambda sql: quoted(sql, self.dialect),
            known=not opaque,
        )

    def _argument(self, node: Node, *, number: bool) -> Segment:
        """An argument of a format: a literal is its text, and a number names no column."""
        if node.type in ("string", "string_literal"):
            segments = self._literal(node, None)
            made = "".join(segment.text for segment in segments)
            return replace(self._hole(node, text=""), text=made, known=True)
        text = self.source.of(node) if node.type.endswith("integer_literal") else None
        hole = self._hole(node, text=text)
        return replace(hole, known=True) if number else hole

    def _format(self, receiver: Node | None, arguments: list[Node]) -> list[Segment] | None:
        """`"…%s…".format(a)`, `String.format("…%s…", a)`: the holes stand where the arguments are."""
        if receiver is None:
            return None
        if self.source.of(receiver) in ("String", "java.lang.String") and arguments:
            if arguments[0].type not in LITERALS:
                return None
            pattern, values, margin = arguments[0], arguments[1:], None
        else:
            pattern, values, margin = receiver, arguments, None
        attribute = pattern.child_by_field_name("field") if pattern.type == "field_expression" else None
        if attribute is not None and self.source.of(attribute) == "stripMargin":
            pattern, margin = pattern.child_by_field_name("value") or pattern, "|"
        if pattern.type == "parenthesized_expression" and pattern.named_child_count == 1:
            pattern = pattern.named_children[0]
        if pattern.type not in LITERALS:
            return None
        if pattern.type == "interpolated_string_expression":
            raise Unreadable("a format of an interpolated string")
        return self._filled(self._literal(pattern, margin, percents=False), values)

    def _filled(self, literal: list[Segment], values: list[Node]) -> list[Segment]:
        found: list[Segment] = []
        counter = 0
        for segment in literal:
            assert segment.offsets is not None
            position = 0
            for hole in _FORMAT.finditer(segment.text):
                if hole[4] == "%" or hole[4] == "n":
                    continue
                found.append(_percent(_slice(segment, position, hole.start())))
                index = int(hole[1]) - 1 if hole[1] else counter
                counter += 0 if hole[1] else 1
                if index >= len(values):
                    raise Unreadable("a format with fewer arguments than holes")
                number = hole[4] in "dxXofeEgG"
                found.append(self._argument(values[index], number=number))
                position = hole.end()
            found.append(_percent(_slice(segment, position, len(segment.text))))
        return found


def _slice(segment: Segment, start: int, end: int) -> Segment:
    assert segment.offsets is not None
    offsets = segment.offsets[start : end + 1]
    return replace(segment, text=segment.text[start:end], start=offsets[0], end=offsets[-1], offsets=offsets)


def _percent(segment: Segment) -> Segment:
    """Literal text of a format: `%%` is one character, and stays two in what is written."""
    if "%" not in segment.text:
        inner = segment.encode
        return replace(segment, encode=lambda sql: inner(sql).replace("%", "%%"))
    assert segment.offsets is not None
    text, offsets, position = "", [], 0
    while position < len(segment.text):
        width = 2 if segment.text.startswith("%%", position) else 1
        text += segment.text[position]
        offsets.append(segment.offsets[position])
        position += width
    inner = segment.encode
    return replace(
        segment,
        text=text,
        offsets=(*offsets, segment.offsets[-1]),
        encode=lambda sql: inner(sql).replace("%", "%%"),
    )


def _stripped(chunk: list[Cell], margin: str, beginning: bool) -> tuple[list[Cell], bool]:
    """The characters without what `stripMargin` takes: white space and a margin at the start of a line."""
    found: list[Cell] = []
    position = 0
    while position < len(chunk):
        if beginning:
            ahead = position
            while ahead < len(chunk) and chunk[ahead].char <= " " and chunk[ahead].char not in "\r\n":
                ahead += 1
            if ahead < len(chunk) and chunk[ahead].char == margin:
                position = ahead + 1
            beginning = False
            continue
        found.append(chunk[position])
        beginning = chunk[position].char == "\n"
        position += 1
    return found, beginning


def _numbered(segments: list[Segment]) -> list[Segment]:
    """Holes get names, in order."""
    found: list[Segment] = []
    holes = 0
    for segment in segments:
        if segment.offsets is not None or segment.text:
            found.append(segment)
        else:
            found.append(replace(segment, text=f"hole_{holes}"))
            holes += 1
    return found
