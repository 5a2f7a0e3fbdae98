"""Columns that a query uses without saying their names: by a star in an expression, by position…"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import ReadSite, Scope, Source
from greylag.rewrite.sql.soundness import Unsound, within

_UNDERSTOOD = {"except_", "except", "replace", "rename"}


def check_hidden(site: ReadSite, scope: Scope, source: Source, folding: Folding) -> None:
    """Every use of the source's columns says their names. Raises Unsound where one does not."""
    for inner in within(scope):
        for node in own_nodes(inner.select):
            why = _hidden(node, inner, scope, source, folding)
            if why is not None:
                raise Unsound(site, why)


def own_nodes(select: exp.Select) -> Iterator[exp.Expr]:
    """The nodes of a SELECT outside of its tables and of nested queries."""
    stack: list[exp.Expr] = [
        child for child in select.iter_expressions() if child.arg_key not in ("with_", "from_")
    ]
    while stack:
        node = stack.pop()
        if not isinstance(node, (exp.Query, exp.Table)):
            yield node
            stack.extend(node.iter_expressions())


def _hidden(node: exp.Expr, inner: Scope, scope: Scope, source: Source, folding: Folding) -> str | None:
    if isinstance(node, exp.Star):
        return _star(node, inner, scope, source, folding)
    if isinstance(node, exp.Dot) and isinstance(node.this, exp.Identifier):
        name = folding.ident(node.this)
        if name == source.name or name in (source.columns or {}):
            return f"{node.this.name} is followed by a call"
    if inner is not scope:
        return None
    if isinstance(node, exp.Columns):
        return "COLUMNS picks columns by a pattern"
    numbered = folding.dialect == "snowflake" and isinstance(node, exp.Parameter)
    if isinstance(node, exp.PositionalColumn) or (numbered and isinstance(node.this, exp.Literal)):
        return "a column is named by its position"
    return None


def _star(star: exp.Star, inner: Scope, scope: Scope, source: Source, folding: Folding) -> str | None:
    item = star.parent if isinstance(star.parent, exp.Column) else star
    if isinstance(item, exp.Column):
        names = [folding.ident(part) for part in item.parts if isinstance(part, exp.Identifier)]
        if source.name not in names:
            # A struct's fields, unless the name is that of another table.
            tables = {other.name for other in inner.sources} | {other.name for other in scope.sources}
            fields = names[0] not in tables and any(name in (source.columns or {}) for name in names)
            return f"{names[0]}.* stands for the fields of a column" if fields else None
    elif inner is not scope:
        return None
    direct = item.parent is scope.select and item.arg_key == "expressions"
    if direct and any(value and key not in _UNDERSTOOD for key, value in star.args.items()):
        return "a star picks columns by a pattern"
    counted = isinstance(item, exp.Star) and (
        isinstance(item.parent, exp.Count) or "count" in getattr(item.parent, "name", "").lower()
    )
    return None if direct or counted else "a star stands inside an expression"
