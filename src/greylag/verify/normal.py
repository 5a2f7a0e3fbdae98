"""The canonical text of an unfolded tree: what does not change the meaning is put in one order."""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.compare import plain_name
from greylag.verify.deep import strict
from greylag.verify.recodes import simplify_filters
from greylag.verify.volatile import is_volatile

_ROW_MAKERS = (exp.Explode, exp.Unnest, exp.Posexplode, exp.GenerateSeries)


def canonical(query: exp.Query, *, column_names: bool) -> str:
    """A text that two unfolded queries share only when they are the same program."""
    holder = exp.Subquery(this=query.copy())
    _drop_parentheses(holder)
    simplify_filters(holder)
    for select in list(holder.find_all(exp.Select)):
        _inner_joins(select)
        while _matched_anyway(select):
            _inner_joins(select)
        _order_sources(select)
        _order_groups(select)
        _group_as_distinct(select)
    _forget_duplicates(holder)
    _narrow(holder)
    # Conditions are sorted with sources as numbered by place, which both versions share.
    _renumber(holder)
    for _ in range(2):
        _sort(holder)
    if not column_names:
        _forget_names(holder.this)
    _forget_inner_names(holder)
    for operation in list(holder.find_all(exp.SetOperation)):
        if not operation.args.get("by_name"):
            _forget_names(operation.expression)
    for select in holder.find_all(exp.Select):
        for item in select.expressions:
            if isinstance(item, exp.Alias):
                item.set("alias", exp.Identifier(this=plain_name(item.alias), quoted=False))
    return text_of(holder)


def text_of(node: object) -> str:
    """A tree as a text that does not depend on the order in which its parts were set."""
    if isinstance(node, exp.Expr):
        parts = (
            f"{name}={text_of(value)}"
            for name, value in sorted(node.args.items())
            if name == "this" or (value is not None and value is not False and value != [])
        )
        return f"{type(node).__name__}({', '.join(parts)})"
    if isinstance(node, list):
        return f"[{', '.join(text_of(part) for part in node)}]"
    return repr(node)


def _drop_parentheses(holder: exp.Expr) -> None:
    for paren in list(holder.find_all(exp.Paren)):
        paren.replace(paren.this)
    for subquery in list(holder.find_all(exp.Subquery)):
        inner = subquery.this
        if isinstance(inner, exp.Subquery) and not any(
            value for arg, value in inner.args.items() if arg not in {"this"} and value
        ):
            subquery.set("this", inner.this)


def conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    """The parts of an AND, without TRUE."""
    if node is None or (isinstance(node, exp.Boolean) and node.this):
        return []
    if isinstance(node, exp.And):
        return [*conjuncts(node.this), *conjuncts(node.expression)]
    return [node]


def _joined(parts: list[exp.Expr]) -> exp.Expr | None:
    # Once is enough, unless it says something else each time.
    kept: dict[str, exp.Expr] = {}
    for number, part in enumerate(parts):
        text = repr(part)
        kept[f"{text} {number}" if is_volatile(part) else text] = part
    ordered = [kept[text] for text in sorted(kept)]
    if not ordered:
        return None
    # One flat node with its parts in order: the tree of ANDs says nothing.
    return ordered[0] if len(ordered) == 1 else exp.Anonymous(this="greylag_and", expressions=ordered)


def _inner_joins(select: exp.Select) -> None:
    """Conditions of inner joins hold for every row, wherever they stand; not so beside RIGHT and FULL."""
    joins: list[exp.Join] = select.args.get("joins") or []
    if any(join.side.upper() in {"RIGHT", "FULL"} or join.method for join in joins):
        return
    moved: list[exp.Expr] = []
    for join in joins:
        if join.side or join.kind.upper() not in {"", "INNER", "CROSS"} or join.args.get("using"):
            continue
        if join.args.get("on") is not None and is_volatile(join.args["on"]):
            continue
        moved.extend(conjuncts(join.args.get("on")))
        join.set("on", None)
        join.set("kind", "CROSS")
    if moved:
        where = select.args.get("where")
        parts = [*conjuncts(where.this if where is not None else None), *moved]
        condition = parts[0]
        for part in parts[1:]:
            condition = exp.And(this=condition, expression=part)
        select.set("where", exp.Where(this=condition))


def _matched_anyway(select: exp.Select) -> bool:
    """LEFT JOINs whose unmatched rows WHERE throws away are inner joins."""
    where = select.args.get("where")
    joins: list[exp.Join] = select.args.get("joins") or []
    if where is None or any(
        join.side.upper() not in {"", "LEFT"} or join.args.get("using") for join in joins
    ):
        return False
    conditions = conjuncts(where.this)
    changed = False
    for join in joins:
        alias = join.this.alias_or_name
        if join.side and any(_fails_on_null(condition, alias) for condition in conditions):
            join.set("side", None)
            changed = True
    return changed


def _fails_on_null(condition: exp.Expr, alias: str) -> bool:
    """Is a condition not true where the columns of a source are NULL?"""
    match condition:
        case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            return strict(condition.this, {alias}) or strict(condition.expression, {alias})
        case exp.Like() | exp.ILike() | exp.Between():
            return strict(condition.this, {alias})
        case exp.Anonymous() if condition.name == "greylag_in":
            return strict(condition.expressions[0], {alias})
        case exp.Not() if isinstance(condition.this, exp.Is):
            return isinstance(condition.this.expression, exp.Null) and strict(condition.this.this, {alias})
        case _:
            return False


def _group_as_distinct(select: exp.Select) -> None:
    """GROUP BY all columns, without an aggregate, is DISTINCT."""
    group = select.args.get("group")
    parts = ("having", "qualify", "distinct", "windows", "kind")
    if group is None or any(select.args.get(arg) for arg in parts):
        return
    if any(value for arg, value in group.args.items() if arg != "expressions" and value):
        return
    order = select.args.get("order")
    shown = [*select.expressions, *(order.expressions if order is not None else [])]
    if any(part.find(exp.AggFunc, exp.AnonymousAggFunc, exp.Anonymous, exp.Window) for part in shown):
        return
    keys = {text_of(key) for key in group.expressions}
    if keys == {text_of(item.unalias()) for item in select.expressions} and not is_volatile(select):
        select.set("group", None)
        select.set("distinct", exp.Distinct())


def _order_sources(select: exp.Select) -> None:
    """Inner joined tables first, by their texts; LEFT JOINs keep their order behind them."""
    joins: list[exp.Join] = select.args.get("joins") or []
    from_ = select.args.get("from_")
    if from_ is None or not joins or select.args.get("laterals"):
        return
    if any(join.side.upper() not in {"", "LEFT"} or join.args.get("using") for join in joins):
        return
    inner = [join for join in joins if not join.side]
    sources = [from_.this, *(join.this for join in joins)]
    plain = all(isinstance(source, exp.Table | exp.Subquery) for source in sources)
    free = all(join.args.get("on") is None and join.kind.upper() == "CROSS" for join in inner)
    if not plain or not free or any(source.args.get("joins") for source in sources):
        return
    if any(isinstance(item, exp.Star) for item in select.expressions):
        return
    ordered = sorted([from_.this, *(join.this for join in inner)], key=_without_alias)
    from_.set("this", ordered[0])
    for join, source in zip(inner, ordered[1:], strict=True):
        join.set("this", source)
    select.set("joins", [*inner, *(join for join in joins if join.side)])


def _without_alias(source: exp.Expr) -> str:
    copy = source.copy()
    copy.set("alias", None)
    return place_free(copy)


def _order_groups(select: exp.Select) -> None:
    """GROUP BY is a set of expressions; sets, ROLLUP and CUBE stay as they are."""
    group = select.args.get("group")
    if group is None or any(value for arg, value in group.args.items() if arg != "expressions" and value):
        return
    unique = {repr(key): key for key in group.expressions}
    group.set("expressions", [unique[text] for text in sorted(unique, key=lambda t: place_free(unique[t]))])


def _narrow(holder: exp.Expr) -> None:
    """Derived tables yield what is read of them, in the order of the expressions, under names of our own."""
    for subquery in list(holder.find_all(exp.Subquery)):
        inner = subquery.this
        if not isinstance(inner, exp.Select) or not isinstance(subquery.parent, exp.From | exp.Join):
            continue
        outer = subquery.find_ancestor(exp.Select)
        if outer is None or not _free_to_narrow(inner, subquery):
            continue
        columns = [column for column in outer.find_all(exp.Column) if column.table == subquery.alias]
        if any(isinstance(column.this, exp.Star) for column in columns):
            continue
        used = {column.name.lower() for column in columns} - {"greylag_row"}
        kept = [item for item in inner.expressions if item.alias.lower() in used]
        if len({item.alias.lower() for item in kept}) != len(used):
            continue
        _rename(inner, kept, columns)


def _free_to_narrow(inner: exp.Select, subquery: exp.Subquery) -> bool:
    if inner.args.get("distinct") is not None or inner.args.get("kind") or subquery.args.get("pivots"):
        return False
    alias = subquery.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
        return False
    items = inner.expressions
    names = [item.alias_or_name.lower() for item in items]
    if any(item.find(*_ROW_MAKERS) for item in items):
        # They yield rows: without them there would be fewer.
        return False
    return all(isinstance(item, exp.Alias) for item in items) and len(set(names)) == len(names)


def _rename(inner: exp.Select, kept: list[exp.Expr], columns: list[exp.Column]) -> None:
    if not kept:
        # Dropping every column of an aggregate would change the number of rows.
        return
    aggregates = inner.find(exp.AggFunc) is not None and inner.args.get("group") is None
    if aggregates and not any(item.find(exp.AggFunc) for item in kept):
        return
    ordered = sorted(kept, key=lambda item: place_free(item.this))
    names = {item.alias.lower(): f"c{position}" for position, item in enumerate(ordered)}
    inner.set("expressions", [exp.alias_(item.this, names[item.alias.lower()]) for item in ordered])
    for column in columns:
        if column.name.lower() in names:
            column.set("this", exp.Identifier(this=names[column.name.lower()], quoted=False))


def place_free(node: exp.Expr) -> str:
    """A sort key that does not depend on how the sources are called."""
    holder = exp.Paren(this=node.copy())
    for column in list(holder.find_all(exp.Column)):
        column.set("table", None)
    for paren in list(holder.find_all(exp.Paren)):
        if paren is not holder:
            paren.replace(paren.this)
    for equal in list(holder.find_all(exp.EQ, exp.NEQ)):
        left, right = equal.this, equal.expression
        if repr(left) > repr(right):
            equal.set("this", right)
            equal.set("expression", left)
    return repr(holder)


def _renumber(holder: exp.Expr) -> None:
    """Sources by the order in which they stand in the tree."""
    names: dict[str, str] = {}
    for source in holder.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.Lateral, exp.Values, bfs=False):
        alias = source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.this is not None and source.alias not in names:
            names[source.alias] = f"s{len(names)}"
    for source in holder.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.Lateral, exp.Values):
        alias = source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.this is not None:
            alias.set("this", exp.Identifier(this=names[source.alias], quoted=False))
    for column in holder.find_all(exp.Column):
        if column.table in names:
            column.set("table", exp.Identifier(this=names[column.table], quoted=False))


def _sort(holder: exp.Expr) -> None:
    for clause in list(holder.find_all(exp.Where, exp.Having, exp.Qualify, exp.Join)):
        arg = "on" if isinstance(clause, exp.Join) else "this"
        root = clause.args.get(arg)
        if isinstance(root, exp.Expr):
            parts = list(root.expressions) if root.name == "greylag_and" else conjuncts(root)
            clause.set(arg, _joined(parts))
    for equal in list(holder.find_all(exp.EQ, exp.NEQ)):
        left, right = equal.this, equal.expression
        if repr(left) > repr(right) and not isinstance(equal.parent, exp.Set | exp.SetItem):
            equal.set("this", right)
            equal.set("expression", left)
    for clause in list(holder.find_all(exp.Where, exp.Having)):
        if clause.this is None:
            clause.pop()


def _forget_inner_names(holder: exp.Expr) -> None:
    """A query inside an expression is read by position; of EXISTS only whether there is a row."""
    for exists in list(holder.find_all(exp.Exists)):
        inner = exists.this.this if isinstance(exists.this, exp.Subquery) else exists.this
        if not isinstance(inner, exp.Select) or inner.args.get("having") or inner.args.get("distinct"):
            continue
        if not any(item.find(exp.AggFunc, *_ROW_MAKERS) for item in inner.expressions):
            inner.set("expressions", [exp.Literal.number(1)])
    for subquery in list(holder.find_all(exp.Subquery)):
        if subquery is not holder and not isinstance(
            subquery.parent, exp.From | exp.Join | exp.CTE | exp.SetOperation
        ):
            _forget_names(subquery)


def _forget_duplicates(holder: exp.Expr) -> None:
    """Of a query behind IN or EXISTS only matters which rows there are, not how many of each."""
    for node in list(holder.find_all(exp.In, exp.Exists)):
        inner = node.args.get("query") if isinstance(node, exp.In) else node.this
        while isinstance(inner, exp.Subquery):
            inner = inner.this
        if not isinstance(inner, exp.Select) or any(
            inner.args.get(arg) for arg in ("limit", "offset", "having")
        ):
            continue
        if any(
            item.find(exp.AggFunc, exp.AnonymousAggFunc, exp.Anonymous, exp.Window)
            for item in inner.expressions
        ):
            continue
        group = inner.args.get("group")
        chosen = inner.args.get("distinct") is not None and inner.args["distinct"].args.get("on") is not None
        if chosen or inner.args.get("qualify") or (group is not None and not group.expressions):
            continue
        if group is None or not any(
            value for arg, value in group.args.items() if arg != "expressions" and value
        ):
            inner.set("group", None)
            inner.set("distinct", None)


def _forget_names(query: exp.Expr) -> None:
    """INSERT goes by position: the names of the outermost columns say nothing."""
    while isinstance(query, exp.Subquery):
        query = query.this
    if isinstance(query, exp.SetOperation):
        for side in (query.this, query.expression):
            _forget_names(side)
    elif isinstance(query, exp.Select) and not query.args.get("kind"):
        for position, item in enumerate(query.expressions):
            if isinstance(item, exp.Alias):
                item.set("alias", exp.Identifier(this=f"c{position}", quoted=False))
