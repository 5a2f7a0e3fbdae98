"""Sound steps that go further than `dissolve`: their trees are only compared, never run.

- A derived table that joins tables goes up as those joins, where the query around it joins it without
  RIGHT or FULL.
- On the nullable side of an outer join an expression is there only where the row is: it becomes
  `greylag_present(row, expression)`, and what is NULL on a row of NULLs anyway is itself.
- A LEFT JOIN to a table on a declared key, whose columns nothing reads, adds no row and takes none away.

Every source has a name of its own in the whole query, and every column says whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from greylag.verify.dissolve import BARRIERS, alias_columns
from greylag.verify.volatile import is_volatile

PRESENT = "greylag_present"
ROW = "greylag_row"
_ROWS = (exp.AggFunc, exp.Window, exp.Unnest, exp.Explode, exp.AnonymousAggFunc, exp.Posexplode)
_STRICT = (
    exp.Cast,
    exp.Dot,
    exp.Paren,
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.Abs,
)
Unique = Callable[[exp.Table], tuple[tuple[str, ...], ...]]


def columns_of(node: exp.Expr, alias: str) -> list[exp.Column]:
    """The columns under `node` that belong to a source."""
    return [column for column in node.find_all(exp.Column) if column.table == alias]


def has_star(node: exp.Expr, alias: str) -> bool:
    """Does a star under `node` mean this source among others?"""
    for star in node.find_all(exp.Star):
        parent = star.parent
        if isinstance(parent, exp.Column) and parent.table not in {"", alias}:
            continue
        if not isinstance(parent, exp.Count):
            return True
    return False


def places(node: exp.Select) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    """FROM and the joins of a SELECT, each with itself where it is a LEFT JOIN."""
    if node.args.get("from_") is not None:
        yield node.args["from_"], None
    for join in node.args.get("joins") or []:
        yield join, join if join.side.upper() == "LEFT" else None


def plain_joins(node: exp.Select) -> bool:
    """Only inner, cross and LEFT joins, no laterals."""
    if node.args.get("laterals"):
        return False
    for join in node.args.get("joins") or []:
        if join.side.upper() not in {"", "LEFT"} or join.method or join.args.get("using"):
            return False
        if join.kind.upper() not in {"", "INNER", "CROSS", "OUTER"}:
            return False
    return True


def dissolve_deeply(node: exp.Select) -> bool:
    """Dissolve one derived table of a SELECT; False when none can be."""
    if not plain_joins(node):
        return False
    for place, outer in list(places(node)):
        inner = _flat(place.this)
        if inner is None or has_star(node, place.this.alias):
            continue
        if outer is not None and not _fits_outer(inner, outer, place.this.alias):
            continue
        if _go_up(node, place, inner, outer):
            return True
    return False


def _flat(source: exp.Expr) -> exp.Select | None:
    """The SELECT of a derived table that projects, filters and joins, and does nothing else."""
    if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Select):
        return None
    inner = source.this
    extras = ("joins", "pivots", "laterals", "sample")
    if any(source.args.get(arg) for arg in extras) or alias_columns(source):
        return None
    if any(inner.args.get(arg) for arg in BARRIERS) or inner.args.get("from_") is None:
        return None
    known = {"expressions", "from_", "where", "hint", "joins"}
    if any(value for arg, value in inner.args.items() if arg not in known and value):
        return None
    return inner if plain_joins(inner) and _named_items(inner) and not is_volatile(inner) else None


def _named_items(inner: exp.Select) -> bool:
    items = inner.expressions
    if not all(isinstance(item, exp.Alias) for item in items):
        return False
    names = [item.alias.lower() for item in items]
    if len(set(names)) != len(names) or any(item.find(*_ROWS) or item.find(exp.Query) for item in items):
        return False
    sources = [place.this for place, _ in places(inner)]
    return all(isinstance(source, exp.Table | exp.Subquery) and source.alias for source in sources)


def _fits_outer(inner: exp.Select, outer: exp.Join, alias: str) -> bool:
    """Under a LEFT JOIN: one table, or a table and LEFT JOINs of which the outer ON says nothing."""
    where = inner.args.get("where")
    if where is not None and where.find(exp.Query) is not None:
        return False
    joins = inner.args.get("joins") or []
    if not joins:
        return True
    first = inner.args["from_"].this.alias
    if any(join.side.upper() != "LEFT" or not _needs(join.args.get("on"), first) for join in joins):
        return False
    own = {item.alias.lower(): item.this for item in inner.expressions}
    on = outer.args.get("on")
    named = [own.get(column.name.lower()) for column in columns_of(on, alias)] if on is not None else []
    conditions = [part for part in (*named, where) if part is not None]
    later = {join.this.alias for join in joins}
    return all(column.table not in later for part in conditions for column in part.find_all(exp.Column))


def _needs(on: exp.Expr | None, alias: str) -> bool:
    """Does a condition fail where all columns of a source are NULL?"""
    if on is None:
        return False
    if isinstance(on, exp.And):
        return _needs(on.this, alias) or _needs(on.expression, alias)
    return isinstance(on, exp.EQ) and (strict(on.this, {alias}) or strict(on.expression, {alias}))


def strict(node: exp.Expr, aliases: set[str]) -> bool:
    """Is an expression NULL wherever the columns of these sources are?"""
    if isinstance(node, exp.Column):
        return node.table in aliases and not isinstance(node.this, exp.Star)
    if isinstance(node, exp.TryCast) or not isinstance(node, _STRICT):
        return False
    if isinstance(node, exp.Dot):
        return strict(node.this, aliases)
    return any(strict(part, aliases) for part in node.iter_expressions())


def _go_up(node: exp.Select, place: exp.Expr, inner: exp.Select, outer: exp.Join | None) -> bool:
    alias = place.this.alias
    first = inner.args["from_"].this
    given: dict[str, exp.Expr] = {item.alias.lower(): item.this for item in inner.expressions}
    given[ROW] = exp.Column(this=exp.to_identifier(ROW), table=exp.to_identifier(first.alias))
    used = columns_of(node, alias)
    if any(column.name.lower() not in given for column in used):
        return False
    on = outer.args.get("on") if outer is not None else None
    own_on = {id(column) for column in columns_of(on, alias)} if on is not None else set()
    later = {join.this.alias for join in inner.args.get("joins") or []}
    for column in used:
        value = given[column.name.lower()].copy()
        column.replace(
            value if outer is None or id(column) in own_on else _present(value, first.alias, later)
        )
    where = inner.args.get("where")
    place.set("this", first)
    _insert_joins(node, place, inner.args.get("joins") or [])
    if where is not None:
        add_condition(node, outer, where.this)
    return True


def _present(value: exp.Expr, alias: str, later: set[str]) -> exp.Expr:
    """The value where the row of a LEFT JOIN is there, else NULL."""
    if strict(value, {alias, *later}):
        return value
    row = exp.Column(this=exp.to_identifier(ROW), table=exp.to_identifier(alias))
    return exp.Anonymous(this=PRESENT, expressions=[row, value])


def _insert_joins(node: exp.Select, place: exp.Expr, joins: list[exp.Join]) -> None:
    own: list[exp.Join] = list(node.args.get("joins") or [])
    position = own.index(place) + 1 if isinstance(place, exp.Join) else 0
    if joins:
        node.set("joins", [*own[:position], *(join.copy() for join in joins), *own[position:]])


def add_condition(node: exp.Select, outer: exp.Join | None, condition: exp.Expr) -> None:
    """One more condition: in ON of an outer join, else in WHERE."""
    if outer is not None:
        on = outer.args.get("on")
        outer.set("on", condition if on is None else exp.And(this=on, expression=condition))
        return
    own = node.args.get("where")
    both = condition if own is None else exp.And(this=own.this, expression=condition)
    node.set("where", exp.Where(this=both))


# -- joins that do nothing ---------------------------------------------------------------------------------


def drop_idle_joins(node: exp.Select, unique: Unique) -> bool:
    """Drop LEFT JOINs that add no row and whose columns nobody reads."""
    if not plain_joins(node):
        return False
    for join in list(node.args.get("joins") or []):
        table = join.this
        if join.side.upper() != "LEFT" or not isinstance(table, exp.Table) or has_star(node, table.alias):
            continue
        inside = {id(column) for column in columns_of(join, table.alias)}
        if any(id(column) not in inside for column in columns_of(node, table.alias)):
            continue
        if not is_volatile(join) and _at_most_one(join, table, unique(table)):
            node.args["joins"].remove(join)
            return True
    return False


def _at_most_one(join: exp.Join, table: exp.Table, keys: tuple[tuple[str, ...], ...]) -> bool:
    """Do the equalities of ON fix a whole key of the table?"""
    fixed: set[str] = set()
    stack = [join.args.get("on")]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.And):
            stack.extend([part.this, part.expression])
        elif isinstance(part, exp.Paren):
            stack.append(part.this)
        elif isinstance(part, exp.EQ):
            for one, other in ((part.this, part.expression), (part.expression, part.this)):
                own = isinstance(one, exp.Column) and one.table == table.alias
                if own and not columns_of(other, table.alias) and other.find(exp.Query) is None:
                    fixed.add(one.name.lower())
    return any(key and {name.lower() for name in key} <= fixed for key in keys)
