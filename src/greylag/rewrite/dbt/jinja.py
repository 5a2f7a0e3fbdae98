"""Where the Jinja of a dbt file stands, found by Jinja's own lexer and read by its own parser.

Offsets are characters into the text as it was given: the lexer drops white space before `{%-` and joins line
ends, so its tokens are laid back over the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import jinja2
from jinja2 import nodes


class SpanKind(StrEnum):
    """What a stretch of a template is."""

    DATA = "data"
    EXPRESSION = "expression"
    STATEMENT = "statement"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the text, delimiters included; `code` is what stands between them (for data: the text).

    `keyword` is the first word of a statement (`if`, `set`, ...), empty for the rest. `line` is 1-based.
    """

    kind: SpanKind
    start: int
    end: int
    line: int
    code: str
    keyword: str = ""


class JinjaError(Exception):
    """The template cannot be read; `line` is 1-based."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


_ENVIRONMENT = jinja2.Environment(keep_trailing_newline=True, extensions=["jinja2.ext.do"], autoescape=False)
_ENDS = {
    "variable_end": SpanKind.EXPRESSION,
    "block_end": SpanKind.STATEMENT,
    "comment_end": SpanKind.COMMENT,
    "raw_begin": SpanKind.STATEMENT,
    "raw_end": SpanKind.STATEMENT,
}


def spans(text: str) -> tuple[Span, ...]:
    """Cut a template into spans that cover it without a gap.

    Raises JinjaError when the lexer refuses it.
    """
    found: list[Span] = []
    start = 0
    inside = False
    words: list[str] = []
    for kind, begin, end in _tokens(text):
        if kind == "data":
            continue
        if kind.endswith("_begin") or kind == "raw_end":
            _data(text, found, start, begin)
            start, words, inside = begin, [], True
        elif kind == "name":
            words.append(text[begin:end])
        if kind in _ENDS:
            found.append(_span(text, _ENDS[kind], start, end, words))
            start, inside = end, False
    if inside:
        raise JinjaError("this Jinja is never closed", line_of(text, start))
    _data(text, found, start, len(text))
    return tuple(found)


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """The lexer's tokens with their offsets; what the lexer trimmed belongs to no token."""
    flat = text.replace("\r\n", " \n").replace("\r", " ")
    position = 0
    try:
        for _, kind, value in _ENVIRONMENT.lex(flat):
            while not flat.startswith(value, position) and position < len(flat) and flat[position].isspace():
                position += 1
            if not flat.startswith(value, position):
                raise JinjaError(
                    "the template cannot be laid over its text", flat.count("\n", 0, position) + 1
                )
            # `{%- raw -%}` and its end take the white space around them; that stays data.
            end = position + len(value)
            if kind.endswith("_end") or kind == "raw_begin":
                end = position + len(value.rstrip())
            yield kind, position, end
            position += len(value)
    except jinja2.TemplateSyntaxError as error:
        raise JinjaError(error.message or "not a Jinja template", error.lineno) from error


def _data(text: str, found: list[Span], start: int, end: int) -> None:
    if start < end:
        found.append(
            Span(kind=SpanKind.DATA, start=start, end=end, line=line_of(text, start), code=text[start:end])
        )


def _span(text: str, kind: SpanKind, start: int, end: int, words: list[str]) -> Span:
    code = text[start + 2 : end - 2].strip()
    code = code.removeprefix("-").removeprefix("+").removesuffix("-").removesuffix("+").strip()
    keyword = ""
    if kind is SpanKind.STATEMENT:
        keyword = words[0] if words else "raw"
    return Span(kind=kind, start=start, end=end, line=line_of(text, start), code=code, keyword=keyword)


def string_tokens(code: str) -> Iterator[tuple[int, int]]:
    """Start and end of every quoted text in a piece of Jinja, quotes included."""
    for kind, start, end in _tokens(code):
        if kind == "string":
            yield start, end


def line_of(text: str, offset: int) -> int:
    """The 1-based line of an offset."""
    return text.count("\n", 0, offset) + 1


def expression(code: str) -> nodes.Node | None:
    """The syntax tree of what stands in `{{ }}`; None when Jinja's parser refuses it."""
    return _first("{{ " + code + " }}")


def statement(code: str) -> nodes.Node | None:
    """The syntax tree of a statement without a body (`set x = ...`, `do ...`); None when there is none."""
    return _first("{% " + code + " %}")


def condition(code: str) -> nodes.Node | None:
    """The syntax tree of the test of an `if` or `elif`."""
    return expression(code.split(None, 1)[1]) if len(code.split(None, 1)) == 2 else None


def _first(template: str) -> nodes.Node | None:
    try:
        body = _ENVIRONMENT.parse(template).body
    except jinja2.TemplateSyntaxError:
        return None
    if len(body) != 1:
        return None
    node = body[0]
    if isinstance(node, nodes.Output):
        return node.nodes[0] if len(node.nodes) == 1 else None
    return node


def constants(node: nodes.Node) -> Iterator[str]:
    """Every text constant in a tree."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for const in node.find_all(nodes.Const):
        if isinstance(const.value, str):
            yield const.value


def names(node: nodes.Node) -> frozenset[str]:
    """Every variable that a tree reads or sets."""
    own = {node.name} if isinstance(node, nodes.Name) else set()
    return frozenset(own | {name.name for name in node.find_all(nodes.Name)})


def body_tag(code: str, keyword: str) -> nodes.Node | None:
    """The syntax tree of the opening tag of a statement with a body (`for`, `macro`, `call`, `set x`)."""
    return _first("{% " + code + " %}{% end" + keyword + " %}")
