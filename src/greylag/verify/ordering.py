"""The order of a result, up to ties."""

from __future__ import annotations

from sqlglot import exp

Row = tuple[object, ...]


def key_query(query: exp.Query) -> exp.Query | None:
    """The query with its sort keys as further columns at the end; None when they cannot be shown."""
    if not isinstance(query, exp.Select) or query.args.get("distinct") is not None:
        return _by_position(query)
    keyed = query.copy()
    outputs = {item.alias_or_name.lower(): item for item in keyed.expressions}
    for number, ordered in enumerate(keyed.args["order"].expressions):
        key = ordered.this
        if isinstance(key, exp.Literal) and key.this.isdigit() and not key.is_string:
            position = int(key.this) - 1
            if position >= len(keyed.expressions) or keyed.is_star:
                return None
            key = query.expressions[position].unalias()
        elif (
            isinstance(key, exp.Column)
            and not key.table
            and isinstance(outputs.get(key.name.lower()), exp.Alias)
        ):
            key = outputs[key.name.lower()].unalias()
        keyed.append("expressions", exp.alias_(key.copy(), f"greylag_key_{number}"))
    return keyed


def _by_position(query: exp.Query) -> exp.Query | None:
    """DISTINCT and set operations sort by their own columns: wrap and repeat those."""
    names = [name.lower() for name in query.named_selects]
    order = query.args["order"].expressions
    picked: list[str] = []
    for ordered in order:
        key = ordered.this
        if isinstance(key, exp.Literal) and key.this.isdigit() and int(key.this) <= len(names):
            picked.append(names[int(key.this) - 1])
        elif isinstance(key, exp.Column) and key.name.lower() in names:
            picked.append(key.name)
        else:
            return None
    wrapped = exp.Select(
        expressions=[exp.Star()], from_=exp.From(this=query.copy().subquery("greylag_sorted"))
    )
    for number, name in enumerate(picked):
        column = exp.column(name, table="greylag_sorted", quoted=True)
        wrapped.append("expressions", exp.alias_(column, f"greylag_key_{number}"))
    return wrapped


def blocks_of(rows: list[Row], width: int) -> list[list[Row]]:
    """Rows that follow each other with one sort key, without the key."""
    blocks: list[list[Row]] = []
    last: Row | None = None
    for row in rows:
        key = row[width:]
        if last is None or key != last:
            blocks.append([])
            last = key
        blocks[-1].append(row[:width])
    return blocks
