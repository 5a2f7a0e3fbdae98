"""What Jinja variables can hold, where the file says so: texts written out in `set` and `for`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import nodes

from greylag.rewrite.dbt.jinja import Span, SpanKind, body_tag, names, statement

Values = frozenset[str]


def known_values(spans: tuple[Span, ...]) -> Mapping[str, Values]:
    """Variable name to every text it can render as; a variable that anything else can set is absent."""
    found: dict[str, Values | None] = {}
    lists: dict[str, Values | None] = {}
    for span in spans:
        if span.kind is not SpanKind.STATEMENT:
            continue
        match statement(span.code) or body_tag(span.code, span.keyword):
            case nodes.Assign(target=nodes.Name(name=name), node=value):
                _add(found, name, _texts([value]))
                _add(lists, name, _items(value, lists))
            case nodes.For(target=nodes.Name(name=name), iter=iterated):
                _add(found, name, _items(iterated, lists))
            case nodes.ExprStmt() | nodes.If() | None:
                continue
            case other:
                for name in names(other):
                    found[name] = None
    return {name: values for name, values in found.items() if values is not None}


def _add(known: dict[str, Values | None], name: str, values: Values | None) -> None:
    before = known.get(name, frozenset())
    known[name] = None if before is None or values is None else before | values


def _items(node: nodes.Node, lists: Mapping[str, Values | None]) -> Values | None:
    match node:
        case nodes.List(items=items) | nodes.Tuple(items=items):
            return _texts(items)
        case nodes.Name(name=name):
            return lists.get(name)
        case _:
            return None


def _texts(items: Sequence[nodes.Node]) -> Values | None:
    found: set[str] = set()
    for item in items:
        if not isinstance(item, nodes.Const) or not isinstance(item.value, str | int):
            return None
        found.add(str(item.value))
    return frozenset(found)
