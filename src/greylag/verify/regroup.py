"""A query over a derived table that groups, as one query that groups: a sum of sums is a sum.

Sound where the query around it reads nothing but that table, uses the table's aggregates only in their own
kind of aggregate, and its keys only where duplicates say nothing.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.branches import Kind
from greylag.verify.deep import add_condition, columns_of, has_star, places, plain_joins
from greylag.verify.dissolve import alias_columns
from greylag.verify.normal import conjuncts
from greylag.verify.volatile import is_volatile

# Where a sum of integers has the type that the count of rows has.
_COUNT_IS_SUM = frozenset({"bigquery", "spark", "databricks", "hive", "trino", "presto", "athena"})
# Where a sum of sums has the type of the sum. Elsewhere sums of integers widen.
_SUM_OF_SUM = _COUNT_IS_SUM | {"duckdb", "snowflake", "clickhouse"}
# Where a sum of decimals has more digits than these.
_WIDENS_DECIMALS = frozenset({"spark", "databricks", "hive"})
_PLAIN = {"expressions", "from_", "joins", "where", "group", "having"}


def regroup(node: exp.Select, dialect: str, kind: Kind) -> bool:
    """Make one grouping query of a SELECT and the grouping table that it reads; False when it cannot be."""
    inner = _grouped(node)
    if inner is None:
        return False
    alias = node.args["from_"].this.alias
    values = {item.alias.lower(): item.this for item in inner.expressions}
    used = columns_of(node, alias)
    if any(column.name.lower() not in values for column in used):
        return False
    keys = {repr(key) for key in inner.args["group"].expressions}
    parts = [column for column in used if repr(values[column.name.lower()]) not in keys]
    if _aggregates(node):
        windows = node.find(exp.Window) is not None and node.args.get("group") is None
        if inner.args.get("having") is not None or windows:
            return False
        if dialect in _WIDENS_DECIMALS and any(_may_be_decimal(value, kind) for value in values.values()):
            return False
        return _again(node, inner, values, used, parts, dialect)
    return _same_grain(node, inner, values, used, parts)


def _may_be_decimal(value: exp.Expr, kind: Kind) -> bool:
    if not isinstance(value, exp.Sum):
        return False
    known = kind(value.this) if isinstance(value.this, exp.Column) else None
    return known is None or "DECIMAL" in known.upper() or "NUMERIC" in known.upper()


def _grouped(node: exp.Select) -> exp.Select | None:
    """The grouping SELECT that is the only thing that a SELECT reads."""
    from_ = node.args.get("from_")
    if from_ is None or any(
        node.args.get(arg) for arg in ("joins", "laterals", "with_", "qualify", "windows")
    ):
        return None
    source = from_.this
    inner = _alone(source)
    if inner is None or has_star(node, source.alias) or is_volatile(node):
        return None
    # An unknown function may be an aggregate.
    return None if node.find(exp.Anonymous) is not None else inner


def _alone(source: exp.Expr) -> exp.Select | None:
    """The SELECT of a derived table that groups, and does nothing after that."""
    if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Select):
        return None
    if any(source.args.get(arg) for arg in ("joins", "pivots", "laterals", "sample")) or alias_columns(
        source
    ):
        return None
    inner = source.this
    if any(value for arg, value in inner.args.items() if arg not in _PLAIN and value):
        return None
    group = inner.args.get("group")
    if group is None or not plain_group(group) or is_volatile(inner):
        return None
    if not all(isinstance(item, exp.Alias) for item in inner.expressions):
        return None
    names = [item.alias.lower() for item in inner.expressions]
    return inner if len(set(names)) == len(names) and inner.find(exp.Window) is None else None


def plain_group(group: exp.Group) -> bool:
    """GROUP BY of expressions: no ROLLUP, CUBE, sets or ALL."""
    return bool(group.expressions) and not any(
        value for arg, value in group.args.items() if arg != "expressions" and value
    )


def _own(node: exp.Select, part: exp.Expr) -> bool:
    return part.find_ancestor(exp.Select) is node


def _aggregates(node: exp.Select) -> bool:
    if node.args.get("group") is not None or node.args.get("distinct") is not None:
        return True
    found = (*node.find_all(exp.AggFunc), *node.find_all(exp.AnonymousAggFunc))
    return any(_own(node, part) and not isinstance(part.parent, exp.Window) for part in found)


def _take(node: exp.Select, inner: exp.Select, condition: list[exp.Expr]) -> None:
    """The SELECT reads what the inner one read, under both conditions."""
    node.args["from_"].set("this", inner.args["from_"].this)
    node.set("joins", inner.args.get("joins") or None)
    where = inner.args.get("where")
    parts = [*condition, *(conjuncts(where.this) if where is not None else [])]
    node.set("where", exp.Where(this=_all(parts)) if parts else None)


def _all(parts: list[exp.Expr]) -> exp.Expr:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.And(this=whole, expression=part)
    return whole


# -- a coarser grain ---------------------------------------------------------------------------------------


def _again(
    node: exp.Select,
    inner: exp.Select,
    values: dict[str, exp.Expr],
    used: list[exp.Column],
    parts: list[exp.Column],
    dialect: str,
) -> bool:
    group = node.args.get("group")
    if group is not None and not plain_group(group):
        return False
    changes: list[tuple[exp.Expr, exp.Expr]] = []
    within = {id(column) for column in parts}
    for column in parts:
        call = _sum_around(column) or column.parent
        value = values[column.name.lower()]
        if not _own(node, column) or call is None:
            return False
        replaced = _merged(call, column, value, dialect, grouped=group is not None)
        if replaced is None:
            return False
        changes.extend(replaced)
    for aggregate in node.find_all(exp.AggFunc, exp.AnonymousAggFunc):
        merged = any(id(part) in within for part in aggregate.find_all(exp.Column))
        late = isinstance(aggregate.parent, exp.Window)
        if _own(node, aggregate) and not merged and not late and not _blind_to_duplicates(aggregate):
            return False
    for old, new in changes:
        old.replace(new)
    for column in used:
        if id(column) not in within:
            column.replace(values[column.name.lower()].copy())
    where = node.args.get("where")
    _take(node, inner, conjuncts(where.this) if where is not None else [])
    return True


def _blind_to_duplicates(aggregate: exp.Expr) -> bool:
    if isinstance(aggregate, exp.Max | exp.Min):
        return not isinstance(aggregate.this, exp.Star)
    return isinstance(aggregate, exp.Count) and isinstance(aggregate.this, exp.Distinct)


def _sum_around(column: exp.Column) -> exp.Expr | None:
    """`SUM(CASE WHEN key … THEN column ELSE 0 END)`: the SUM."""
    node: exp.Expr = column
    while isinstance(node.parent, exp.If | exp.Case | exp.Paren):
        if isinstance(node.parent, exp.If | exp.Case) and node.arg_key == "this":
            return None
        node = node.parent
    return node.parent if isinstance(node.parent, exp.Sum) and node is not column else None


def _merged(
    call: exp.Expr, column: exp.Column, value: exp.Expr, dialect: str, *, grouped: bool
) -> list[tuple[exp.Expr, exp.Expr]] | None:
    """What to put where, so that an aggregate of an aggregate is one; None when it is not."""
    if isinstance(value.this, exp.Distinct) or isinstance(call.parent, exp.Window):
        return None
    if isinstance(call, exp.Max | exp.Min) and type(call) is type(value) and call.this is column:
        return [(column, value.this.copy())] if not value.expressions else None
    if not isinstance(call, exp.Sum) or dialect not in _SUM_OF_SUM:
        return None
    if isinstance(value, exp.Sum):
        if call.this is not column and not _adds_nothing_else(call, column):
            return None
        return [(column, value.this.copy())]
    if isinstance(value, exp.Count) and grouped and call.this is column and dialect in _COUNT_IS_SUM:
        return [(call, value.copy())]
    return None


def _adds_nothing_else(call: exp.Expr, column: exp.Column) -> bool:
    """Besides the column, the branches of a CASE yield 0 or NULL, and its conditions do not look at it."""
    results: list[exp.Expr] = []
    for arm in call.find_all(exp.If, exp.Case):
        if arm.find_ancestor(exp.Select) is not call.find_ancestor(exp.Select):
            return False
        arms = ("true", "false") if isinstance(arm, exp.If) else ("default",)
        results.extend(arm.args[name] for name in arms if isinstance(arm.args.get(name), exp.Expr))
    for result in results:
        plain = result.unnest()
        if plain is column or isinstance(plain, exp.If | exp.Case | exp.Null):
            continue
        if not (isinstance(plain, exp.Literal) and not plain.is_string and plain.this == "0"):
            return False
    return True


def regroup_joined(node: exp.Select, dialect: str, kind: Kind) -> bool:
    """The same where the grouping table is joined to others: its rows may then be many, if nobody counts."""
    joins = node.args.get("joins")
    parts = ("laterals", "with_", "qualify", "windows")
    if not joins or not plain_joins(node) or any(node.args.get(arg) for arg in parts):
        return False
    if not _aggregates(node) or node.find(exp.Window, exp.Anonymous) is not None:
        return False
    group = node.args.get("group")
    if group is not None and not plain_group(group):
        return False
    return any(_join_regrouped(node, place, outer, dialect, kind) for place, outer in list(places(node)))


def _join_regrouped(
    node: exp.Select, place: exp.Expr, outer: exp.Join | None, dialect: str, kind: Kind
) -> bool:
    inner = _alone(place.this)
    alias = place.this.alias_or_name
    if inner is None or has_star(node, alias) or is_volatile(node):
        return False
    if inner.args.get("joins") or inner.args.get("having") is not None:
        return False
    values = {item.alias.lower(): item.this for item in inner.expressions}
    if dialect in _WIDENS_DECIMALS and any(_may_be_decimal(value, kind) for value in values.values()):
        return False
    found = _joined_changes(node, inner, alias, outer, dialect)
    if found is None:
        return False
    changes, merged = found
    for aggregate in node.find_all(exp.AggFunc, exp.AnonymousAggFunc):
        if _own(node, aggregate) and id(aggregate) not in merged and not _blind_to_duplicates(aggregate):
            return False
    for old, new in changes:
        old.replace(new)
    place.set("this", inner.args["from_"].this)
    where = inner.args.get("where")
    if where is not None:
        add_condition(node, outer, where.this)
    return True


Changes = list[tuple[exp.Expr, exp.Expr]]


def _joined_changes(
    node: exp.Select, inner: exp.Select, alias: str, outer: exp.Join | None, dialect: str
) -> tuple[Changes, set[int]] | None:
    """What to put for each column of the grouping table, and the aggregates that take one of its own in."""
    values = {item.alias.lower(): item.this for item in inner.expressions}
    keys = {repr(key) for key in inner.args["group"].expressions}
    on = outer.args.get("on") if outer is not None else None
    own_on = {id(column) for column in columns_of(on, alias)} if on is not None else set()
    changes: Changes = []
    merged: set[int] = set()
    for column in columns_of(node, alias):
        value = values.get(column.name.lower())
        if value is None or column.parent is None:
            return None
        if repr(value) in keys:
            if outer is not None and not isinstance(value, exp.Column) and id(column) not in own_on:
                # It might not be NULL on a row of NULLs.
                return None
            changes.append((column, value.copy()))
            continue
        replaced = _merged(column.parent, column, value, dialect, grouped=False)
        if replaced is None or not _own(node, column):
            return None
        merged.add(id(column.parent))
        changes.extend(replaced)
    return changes, merged


# -- the same grain ----------------------------------------------------------------------------------------


def _same_grain(
    node: exp.Select,
    inner: exp.Select,
    values: dict[str, exp.Expr],
    used: list[exp.Column],
    parts: list[exp.Column],
) -> bool:
    if node.find(exp.Window) is not None or any(not _own(node, column) for column in parts):
        return False
    where = node.args.get("where")
    conditions = conjuncts(where.this) if where is not None else []
    late_ids = {id(column) for column in parts}
    before: list[exp.Expr] = []
    after: list[exp.Expr] = []
    for condition in conditions:
        late = any(id(column) in late_ids for column in condition.find_all(exp.Column))
        (after if late else before).append(condition)
    holders = [exp.Paren(this=condition.copy()) for condition in (*before, *after)]
    alias = node.args["from_"].this.alias
    node.set("where", None)
    for holder in (node, *holders):
        for column in columns_of(holder, alias):
            column.replace(values[column.name.lower()].copy())
    early, late_parts = holders[: len(before)], holders[len(before) :]
    _take(node, inner, [holder.this for holder in early])
    node.set("group", inner.args["group"])
    having = inner.args.get("having")
    kept = [*(conjuncts(having.this) if having is not None else []), *(holder.this for holder in late_parts)]
    node.set("having", exp.Having(this=_all(kept)) if kept else None)
    return True
