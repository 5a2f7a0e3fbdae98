"""Binding columns to sources: first what is certain, then what has to be guessed.

A guess is only ever needed for unqualified columns where several tables without a declared schema could
have them. Both versions are bound against one catalog, so that they guess alike.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.model import Output, QueryInfo, Ref, SelectInfo, Source, is_open, source_columns
from greylag.verify.program import UnknownColumn
from greylag.verify.resolve import Model


def bind(model: Model) -> None:
    """Fill `model.refs`. Raises NotComparable for a column that fits nowhere."""
    later: list[tuple[SelectInfo, exp.Column]] = []
    for select in model.selects:
        for column in select.columns:
            ref = _certain(model, select, column)
            if ref is None:
                later.append((select, column))
            else:
                model.refs[id(column)] = ref
        _using(select)
    for select, column in later:
        model.refs[id(column)] = _guess(model, select, column)
    for ref in model.refs.values():
        if ref.source is not None and ref.source.table is not None:
            ref.source.table.used.add(ref.name)
    _set_operation_orders(model)


def lookup(source: Source, name: str, *, add: bool = False) -> str | None:
    """The source's own spelling of a column; with `add`, an open source gets the column."""
    if source.table is not None:
        found = source.table.find(name)
        if found is None and add and not source.table.closed:
            found = source.table.add(name)
        return found
    lowered = name.lower()
    found = next((known for known in source_columns(source) if known.lower() == lowered), None)
    if found is None and add and source.query is not None:
        for select in source.query.selects():
            found = name if select.opaque else found
            for inner in select.stars:
                if lookup(inner, name, add=is_open(inner)) is not None:
                    found = name
                    if is_open(inner):
                        break
    if found is None and add and source.unnest is not None:
        found = name
    return found


def _certain(model: Model, select: SelectInfo, column: exp.Column) -> Ref | None:
    parts = [part.name for part in column.parts]
    qualified = _qualified(model, select, column, parts)
    if qualified is not None:
        return qualified
    name = parts[0]
    model.bare.add(name.lower())
    alias = _alias_first(select, column, name) if len(parts) == 1 else None
    if alias is not None:
        return Ref(source=None, name=name, alias_of=alias, select=select)
    scope: SelectInfo | None = select
    while scope is not None:
        known = [source for source in scope.sources.values() if lookup(source, name) is not None]
        if known:
            others = [source for source in scope.sources.values() if source not in known and is_open(source)]
            if others and not is_open(known[0]):
                model.assumed.add(f"{name} {_called(others[0])}")
            return _ref(known[0], name, parts[1:])
        if any(_may_have(source) for source in scope.sources.values()):
            only = len(scope.sources) == 1 and scope.parent is None
            source = next(iter(scope.sources.values()))
            alias = _alias_later(scope, column, name) if scope is select else None
            if alias is not None:
                return Ref(source=None, name=name, alias_of=alias, select=select)
            return _ref(source, name, parts[1:], add=True) if only else None
        scope = scope.parent
    return None


def _called(source: Source) -> str:
    return ".".join(source.table.key) if source.table is not None else source.alias.lower()


def _ref(source: Source, name: str, path: list[str], *, add: bool = False) -> Ref:
    found = lookup(source, name, add=add)
    return Ref(source=source, name=found or name, path=tuple(path))


def _may_have(source: Source) -> bool:
    return is_open(source) or (source.unnest is not None)


def _qualified(model: Model, select: SelectInfo, column: exp.Column, parts: list[str]) -> Ref | None:
    """`alias.column.path…`, or the table's own dotted name in front of the column."""
    scope: SelectInfo | None = select
    while scope is not None:
        for size in range(len(parts) - 1, 0, -1):
            source = _named(scope, parts[:size], model.catalog.dialect)
            if source is None:
                continue
            name, path = parts[size], parts[size + 1 :]
            found = lookup(source, name, add=True)
            if found is None and size == 1 and (column_of := _called_alike(scope, parts[0])) is not None:
                return Ref(
                    source=column_of, name=lookup(column_of, parts[0]) or parts[0], path=tuple(parts[1:])
                )
            if found is None:
                owner = source.alias or ".".join(parts[:size])
                raise UnknownColumn(f"`{owner}` has no column `{name}`")
            return Ref(source=source, name=found, path=tuple(path))
        if len(parts) == 1 and parts[0].lower() in scope.sources and _is_row(scope, parts[0]):
            source = scope.sources[parts[0].lower()]
            return Ref(source=source, name="")
        scope = scope.parent
    return None


def _called_alike(scope: SelectInfo, name: str) -> Source | None:
    """The only source with a column of the table's own name: meant where the table has no such column."""
    found = [source for source in scope.sources.values() if lookup(source, name) is not None]
    return found[0] if len(found) == 1 else None


def _is_row(scope: SelectInfo, name: str) -> bool:
    """Is `name` the whole row of a source (not a column of the same name)?"""
    return not any(lookup(source, name) for source in scope.sources.values()) and (
        scope.sources[name.lower()].unnest is None
    )


def _named(scope: SelectInfo, parts: list[str], dialect: str) -> Source | None:
    if len(parts) == 1:
        return scope.sources.get(parts[0].lower())
    wanted = tuple(part.lower() for part in parts)
    for source in scope.sources.values():
        node = source.node
        if source.table is None or not isinstance(node, exp.Table) or node.alias:
            continue
        own = tuple(part.lower() for identifier in node.parts for part in identifier.name.split("."))
        if own[-len(wanted) :] == wanted:
            return source
    return None


def _clause(select: SelectInfo, column: exp.Column) -> str:
    """The argument of the SELECT that a column stands under, e.g. `order`."""
    child: exp.Expr = column
    while child.parent is not None and child.parent is not select.node:
        child = child.parent
    return child.arg_key or ""


def _output(select: SelectInfo, name: str) -> Output | None:
    lowered = name.lower()
    for output in select.outputs:
        if output.name.lower() == lowered and output.source is None:
            return output
    return None


def _alias_first(select: SelectInfo, column: exp.Column, name: str) -> Output | None:
    """ORDER BY prefers an output's name over a source's column, when the name stands alone."""
    if _clause(select, column) != "order" or not isinstance(column.parent, exp.Ordered):
        return None
    output = _output(select, name)
    return None if output is None or output.expression is column else output


def _alias_later(select: SelectInfo, column: exp.Column, name: str) -> Output | None:
    """GROUP BY, HAVING, QUALIFY and ORDER BY may name an output where no source is known to have the
    column.
    """
    clause = _clause(select, column)
    if clause == "expressions":
        return _alias_before(select, column, name)
    if clause not in {"group", "having", "qualify", "order"}:
        return None
    output = _output(select, name)
    expression = output.expression if output is not None else None
    if isinstance(expression, exp.Column) and expression.parts[-1].name.lower() == name.lower():
        first = expression.parts[0].name.lower()
        if len(expression.parts) == 1 or first in {one.alias.lower() for one in select.sources.values()}:
            # The same column, whichever way it is read; a field of a struct is none.
            return None
    return output


def _alias_before(select: SelectInfo, column: exp.Column, name: str) -> Output | None:
    """An output that stands before the one that uses its name, where a dialect allows that."""
    item: exp.Expr = column
    while item.parent is not None and item.parent is not select.node:
        item = item.parent
    for earlier in select.node.expressions:
        if earlier is item:
            return None
        if isinstance(earlier, exp.Alias) and earlier.alias.lower() == name.lower():
            return _output(select, name)
    return None


def _guess(model: Model, select: SelectInfo, column: exp.Column) -> Ref:
    certain = _certain(model, select, column)
    if certain is not None:
        return certain
    parts = [part.name for part in column.parts]
    output = _alias_later(select, column, parts[0]) if len(parts) == 1 else None
    if output is not None:
        return Ref(source=None, name=parts[0], alias_of=output, select=select)
    outer = select.parent
    while outer is not None:
        known = [source for source in outer.sources.values() if lookup(source, parts[0]) is not None]
        if known:
            _note_capture(model, select, outer, column, known[0])
            return _ref(known[0], parts[0], parts[1:])
        outer = outer.parent
    scope: SelectInfo | None = select
    while scope is not None:
        candidates = [source for source in scope.sources.values() if _may_have(source)]
        if candidates:
            best = max(candidates, key=lambda source: _likeness(source, parts[0]))
            return _ref(best, parts[0], parts[1:], add=True)
        scope = scope.parent
    raise UnknownColumn(f"no source has a column `{column.sql()}`")


def _note_capture(
    model: Model, inner: SelectInfo, outer: SelectInfo, column: exp.Column, owner: Source
) -> None:
    """Remember that a table without a declared schema could catch a correlated, unqualified column."""
    for source in inner.sources.values():
        if is_open(source):
            model.assumed.add(f"{column.name} {_called(source)}")
            model.guesses.append(f"{column.name}\0{source.alias}\0{owner.alias}")


def _likeness(source: Source, name: str) -> int:
    """How much a column's name looks like a table's: `l_orderkey` and `lineitem`, `ss_item` and
    `store_sales`.
    """
    table = source.table.key[-1].lower() if source.table is not None else source.alias.lower()
    lowered = name.lower()
    prefix = lowered.split("_", 1)[0] if "_" in lowered else ""
    initials = "".join(word[0] for word in table.split("_") if word)
    if prefix and prefix in {initials, table, source.alias.lower()}:
        return 4
    if prefix and len(prefix) <= 3 and table.startswith(prefix):
        return 3
    if prefix and len(prefix) <= 3 and prefix[0] == table[0]:
        return 2
    return 1 if source.table is not None else 0


def _using(select: SelectInfo) -> None:
    for join in select.node.args.get("joins") or []:
        for identifier in join.args.get("using") or []:
            name = identifier.name
            _use(list(select.sources.values()), name)
            right = select.sources.get(join.this.alias_or_name.lower())
            if right is not None:
                lookup(right, name, add=True)
            lefts = list(select.sources.values())
            before = lefts[: lefts.index(right)] if right in lefts else []
            if before and not any(lookup(source, name) for source in before):
                opened = [source for source in before if is_open(source)]
                if opened:
                    lookup(opened[0], name, add=True)
            _use(lefts, name)


def _use(sources: list[Source], name: str) -> None:
    """Tables that have the column show it."""
    for source in sources:
        found = source.table.find(name) if source.table is not None else None
        if source.table is not None and found is not None:
            source.table.used.add(found)


def _set_operation_orders(model: Model) -> None:
    """ORDER BY of a set operation names its outputs."""
    for info in list(model.queries.values()):
        order = info.node.args.get("order") if isinstance(info.node, exp.SetOperation) else None
        first = info.first()
        if order is None or first is None:
            continue
        for column in order.find_all(exp.Column):
            output = _output_of(info, column.name)
            if output is not None:
                model.refs[id(column)] = Ref(source=None, name=column.name, alias_of=output, select=first)


def _output_of(info: QueryInfo, name: str) -> Output | None:
    first = info.first()
    if first is None:
        return None
    return next((output for output in first.outputs if output.name.lower() == name.lower()), None)
