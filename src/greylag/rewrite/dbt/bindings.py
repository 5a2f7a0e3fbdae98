"""Variables that hold a relation: `{% set users = ref('users_v1') %}` and, later, `{{ users }}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import nodes

from greylag.rewrite.dbt.blocks import Block
from greylag.rewrite.dbt.jinja import Span, SpanKind, expression, names, statement
from greylag.rewrite.dbt.names import DbtCall, call
from greylag.rewrite.dbt.trees import tree_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One variable: the call that it holds, and where that call stands in the file."""

    name: str
    call: DbtCall
    statement: int
    start: int
    end: int


def bindings(text: str, spans: tuple[Span, ...], tree: tuple[Block, ...]) -> Mapping[str, Bound]:
    """Variables that are set once, to a plain `ref` or `source`, and are only ever written out whole.

    A variable that is handed to a macro, compared, or set in a branch is none: nobody knows what it does.
    """
    found: dict[str, Bound | None] = {}
    for span in spans:
        bound = _bound(text, span)
        if bound is not None:
            found[bound.name] = None if bound.name in found else bound
    return {
        name: bound
        for name, bound in found.items()
        if bound is not None and _only_written(bound, spans, tree)
    }


def _bound(text: str, span: Span) -> Bound | None:
    if span.keyword != "set":
        return None
    match statement(span.code):
        case nodes.Assign(target=nodes.Name(name=name), node=value):
            spoken = call(value)
        case _:
            return None
    left, equals, right = span.code.partition("=")
    start = text.find(right.strip(), text.find(left + equals, span.start) + len(left) + 1)
    code = right.strip()
    if spoken is None or spoken.args is None or start < 0 or call(expression(code)) != spoken:
        return None
    return Bound(name=name, call=spoken, statement=span.start, start=start, end=start + len(code))


def _only_written(bound: Bound, spans: tuple[Span, ...], tree: tuple[Block, ...]) -> bool:
    home = _around(bound.statement, tree)
    if any(block.keyword != "macro" for block in home):
        return False  # set in a branch or a loop
    for span in spans:
        if span.kind not in (SpanKind.EXPRESSION, SpanKind.STATEMENT) or span.start == bound.statement:
            continue
        read = tree_of(span)
        if read is None:
            if bound.name in span.code:
                return False
            continue
        if bound.name not in names(read):
            continue
        whole = span.kind is SpanKind.EXPRESSION and isinstance(read, nodes.Name)
        if not whole or span.start < bound.statement or _macro(span.start, tree) != _macro(bound.start, tree):
            return False
    return True


def _around(offset: int, tree: tuple[Block, ...]) -> tuple[Block, ...]:
    for block in tree:
        for arm in block.arms:
            if arm.start <= offset < arm.end:
                return (block, *_around(offset, arm.children))
    return ()


def _macro(offset: int, tree: tuple[Block, ...]) -> int | None:
    return next((block.start for block in _around(offset, tree) if block.keyword == "macro"), None)
