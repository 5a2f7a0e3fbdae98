"""Mappings that are a UNION ALL: each branch as a mapping of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.dataset import DatasetRef
from greylag.mapping.column_types import parse_type
from greylag.mapping.compiled import Branches, Mapping, Output, Provided
from greylag.mapping.names import column_key, table_ref
from greylag.mapping.select_list import Item, select_items
from greylag.mapping.sqltext import SqlFault, parse_statements, tokens

ProvidedBy = Callable[[DatasetRef], Provided | None]
_PARTS = {"this", "expression", "distinct"}
_SMALL = 2**31


def branches_of(mapping: Mapping, provided_by: ProvidedBy) -> Branches | None:
    """The branches of a UNION ALL of plain SELECTs, in their order; None for any other mapping."""
    text, union = _unwrapped(mapping)
    if union is None or not _plain(union):
        return None
    texts = _texts(text, mapping.dialect)
    try:
        cut = [_branch(piece, mapping.dialect) for piece in texts]
    except SqlFault:
        return None
    widths = {len(items) for _, items in cut}
    if len(cut) != _count(union) or len(widths) != 1:
        return None
    # The first branch names the columns; the others go by their order.
    places = {column_key(item.name): at for at, item in enumerate(cut[0][1])}
    if any(column_key(output.name) not in places for output in mapping.outputs):
        return None
    order = [(output.name, places[column_key(output.name)]) for output in mapping.outputs]
    parts = tuple(
        replace(mapping, sql=piece, query=query, outputs=_outputs(piece, items, order), origin=None)
        for piece, (query, items) in zip(texts, cut, strict=True)
    )
    return Branches(parts=parts, same=_same(parts, provided_by))


def _unwrapped(mapping: Mapping) -> tuple[str, exp.Union | None]:
    """The union and its text, also inside of the SELECT that only puts its columns in order."""
    query = mapping.query
    if isinstance(query, exp.Union):
        return mapping.sql, query
    source = query.args.get("from_")
    inner = source.this if source is not None else None
    others = [key for key, value in query.args.items() if value and key not in ("expressions", "from_")]
    if not isinstance(inner, exp.Subquery) or others or not isinstance(inner.this, exp.Union):
        return "", None
    plain = all(isinstance(item, exp.Column) and len(item.parts) == 1 for item in query.expressions)
    if not plain or any(value for key, value in inner.args.items() if key not in ("this", "alias")):
        return "", None
    listed = tokens(mapping.sql, mapping.dialect)
    opening = next(at for at, token in enumerate(listed) if token.token_type is TokenType.L_PAREN)
    closing = next(at for at in range(len(listed) - 1, 0, -1) if listed[at].token_type is TokenType.R_PAREN)
    return mapping.sql[listed[opening + 1].start : listed[closing - 1].end + 1], inner.this


def _plain(union: exp.Expr) -> bool:
    if isinstance(union, exp.Select):
        return True
    if type(union) is not exp.Union or union.args.get("distinct") is not False:
        return False
    if any(value for key, value in union.args.items() if key not in _PARTS):
        return False
    return _plain(union.left) and isinstance(union.right, exp.Select)


def _count(union: exp.Expr) -> int:
    return _count(union.left) + 1 if isinstance(union, exp.Union) else 1


def _texts(text: str, dialect: str) -> list[str]:
    found: list[str] = []
    listed = tokens(text, dialect)
    depth, start = 0, 0
    for at, token in enumerate(listed):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.token_type is TokenType.UNION:
            found.append(text[start : listed[at - 1].end + 1])
            start = listed[at + 2].start
    found.append(text[start : listed[-1].end + 1])
    return found


def _branch(text: str, dialect: str) -> tuple[exp.Query, tuple[Item, ...]]:
    (query,) = parse_statements(text, dialect)
    if not isinstance(query, exp.Query):
        raise SqlFault("expected a SELECT", 0)
    return query, select_items(text, query, dialect)


def _outputs(sql: str, items: tuple[Item, ...], order: list[tuple[str, int]]) -> tuple[Output, ...]:
    return tuple(
        Output(
            name=name,
            text=sql[items[at].start : items[at].text_end],
            start=items[at].start,
            expression=items[at].node,
        )
        for name, at in order
    )


def _same(parts: tuple[Mapping, ...], provided_by: ProvidedBy) -> frozenset[str]:
    found = set()
    for index, output in enumerate(parts[0].outputs):
        types = [type_of(part.outputs[index].expression, part, provided_by) for part in parts]
        if types[0] is not None and all(each == types[0] for each in types):
            found.add(output.name)
    return frozenset(found)


def type_of(node: exp.Expr, mapping: Mapping, provided_by: ProvidedBy) -> exp.DataType | None:
    """The type of an expression over the one table of a mapping, where it is certain."""
    if isinstance(node, exp.Paren):
        return type_of(node.this, mapping, provided_by)
    if isinstance(node, exp.Boolean):
        return exp.DataType.build("boolean")
    if isinstance(node, exp.Literal):
        if node.is_string:
            return parse_type("STRING" if mapping.dialect == "bigquery" else "VARCHAR", mapping.dialect)
        small = node.is_int and int(node.name) < _SMALL
        return (
            parse_type("BIGINT" if mapping.dialect == "bigquery" else "INTEGER", mapping.dialect)
            if small
            else None
        )
    if type(node) is exp.Cast:
        return node.to
    source = mapping.query.args.get("from_")
    table = source.this if source is not None and not mapping.query.args.get("joins") else None
    if not isinstance(node, exp.Column) or len(node.parts) > 2 or not isinstance(table, exp.Table):
        return None
    if len(node.parts) == 2 and column_key(node.parts[0].name) != column_key(table.alias_or_name):
        return None
    provided = provided_by(table_ref(table))
    declared = {column_key(name): text for name, text in provided.columns.items()} if provided else {}
    return parse_type(declared.get(column_key(node.name), ""), mapping.dialect)
