"""Dissolving derived tables: one that only projects and filters one source goes up into the query around it.

Its outputs take the place of the columns that name them; its condition joins WHERE, or ON where an outer
join may fill the source with NULLs. There, only outputs that are NULL on a row of NULLs may go.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.volatile import is_volatile

BARRIERS = (
    "distinct",
    "group",
    "having",
    "qualify",
    "limit",
    "offset",
    "order",
    "windows",
    "with_",
    "laterals",
)


def alias_columns(node: exp.Expr) -> list[exp.Expr]:
    """The columns that a source's alias renames, folded."""
    alias = node.args.get("alias")
    columns = alias.args.get("columns") or [] if isinstance(alias, exp.TableAlias) else []
    return [exp.Identifier(this=column.name.lower(), quoted=False) for column in columns]


def merge_sources(node: exp.Select) -> None:
    """Dissolve every derived table of a SELECT that only projects and filters one source."""
    joins: list[exp.Join] = node.args.get("joins") or []
    turned = any(join.side.upper() in {"RIGHT", "FULL"} for join in joins)
    special = any(join.kind.upper() not in {"", "INNER", "CROSS", "OUTER"} or join.method for join in joins)
    from_ = node.args.get("from_")
    if from_ is None or turned or special:
        return
    places: list[tuple[exp.Expr, exp.Join | None]] = [(from_, None)]
    places += [(join, join if join.side.upper() == "LEFT" else None) for join in joins]
    for place, outer in places:
        inner = _simple(place.this)
        if inner is not None and (outer is None or _null_stays_null(inner)):
            _dissolve(node, place, inner, outer)


def turn_right_join(node: exp.Select) -> None:
    """`a RIGHT JOIN b` as `b LEFT JOIN a`, where nothing else is joined."""
    joins: list[exp.Join] = node.args.get("joins") or []
    from_ = node.args.get("from_")
    if from_ is None or len(joins) != 1 or joins[0].side.upper() != "RIGHT" or node.args.get("laterals"):
        return
    join = joins[0]
    sources = (from_.this, join.this)
    plain = all(isinstance(one, exp.Table | exp.Subquery) and not one.args.get("joins") for one in sources)
    if plain and not join.method and not join.args.get("using"):
        from_.set("this", sources[1])
        join.set("this", sources[0])
        join.set("side", "LEFT")


def _simple(source: exp.Expr) -> exp.Select | None:
    """The SELECT of a derived table that projects and filters one source; None when it does more."""
    if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Select):
        return None
    inner = source.this
    if any(source.args.get(arg) for arg in ("joins", "pivots", "laterals", "sample")) or alias_columns(
        source
    ):
        return None
    if any(inner.args.get(arg) for arg in (*BARRIERS, "joins")) or inner.args.get("from_") is None:
        return None
    known = {"expressions", "from_", "where", "hint"}
    if any(value for arg, value in inner.args.items() if arg not in known and value):
        return None
    items = inner.expressions
    if not all(isinstance(item, exp.Alias) for item in items) or is_volatile(inner):
        return None
    names = [item.alias.lower() for item in items]
    if len(set(names)) != len(names):
        return None
    for item in items:
        if (
            item.find(exp.AggFunc, exp.Window, exp.Query, exp.Unnest, exp.Explode, exp.AnonymousAggFunc)
            is not None
        ):
            return None
    return inner if isinstance(inner.args["from_"].this, exp.Table | exp.Subquery) else None


def _null_stays_null(inner: exp.Select) -> bool:
    """Is every output NULL on a row of NULLs? Columns and their fields are, casts of them as well."""
    for item in inner.expressions:
        node = item.this
        while isinstance(node, exp.Cast | exp.Dot | exp.Paren):
            node = node.this
        if not isinstance(node, exp.Column):
            return False
    where = inner.args.get("where")
    return where is None or where.find(exp.Query) is None


def _dissolve(node: exp.Select, place: exp.Expr, inner: exp.Select, outer: exp.Join | None) -> None:
    alias = place.this.alias
    if any(isinstance(c.this, exp.Star) and c.table == alias for c in node.find_all(exp.Column)):
        return
    expressions = {item.alias.lower(): item.this for item in inner.expressions}
    used = [column for column in node.find_all(exp.Column) if column.table == alias]
    if any(column.name.lower() not in expressions for column in used):
        return
    for column in used:
        column.replace(expressions[column.name.lower()].copy())
    where = inner.args.get("where")
    place.set("this", inner.args["from_"].this)
    if where is None:
        return
    if outer is not None:
        on = outer.args.get("on")
        outer.set("on", where.this if on is None else exp.And(this=on, expression=where.this))
    else:
        own = node.args.get("where")
        condition = where.this if own is None else exp.And(this=own.this, expression=where.this)
        node.set("where", exp.Where(this=condition))
