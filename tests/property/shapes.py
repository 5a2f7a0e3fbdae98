"""Random mappings over several new tables: splits, unions with a discriminator, older grains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

Columns = Mapping[str, str]
Draw = Callable[..., object]
Derive = Callable[[str, str], tuple[str, str]]
# Aliases of the mapping's tables; consumers use most of them as well.
NAMES = (("p", "q"), ("a", "b"), ("t1", "u"), ("", ""), ("m", ""))


@dataclass(frozen=True, slots=True)
class New:
    """One new table: its columns, and its key, whose values are unique where it is declared."""

    name: str
    columns: dict[str, str]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Shaped:
    """A mapping's SELECT, the tables that it reads, and the types of old columns that it changes."""

    select: str
    tables: tuple[New, ...]
    types: dict[str, str]


def split(draw: Draw, name: str, columns: Columns, fresh: list[str], quote: Callable[[str], str]) -> Shaped:
    """The old columns, spread over two tables that are joined by a key."""
    first, second = draw(st.sampled_from(NAMES))  # type: ignore[misc]
    tables = (f"{name}_v2", f"{name}_more")
    owners = tuple(alias or table for alias, table in zip((first, second), tables, strict=True))
    new: tuple[dict[str, str], dict[str, str]] = ({}, {})
    items = []
    for column, kind in columns.items():
        side = int(draw(st.integers(0, 1)))  # type: ignore[call-overload]
        renamed = fresh.pop()
        new[side][renamed] = kind
        text = f"{owners[side]}.{quote(renamed)}"
        if draw(st.integers(0, 4)) == 0:
            text = f"COALESCE({text}, {1 if kind == 'INTEGER' else repr('x')})"
        items.append(f"{text} AS {quote(column)}")
    left, right = fresh.pop(), fresh.pop()
    new[0][left] = new[1][right] = "INTEGER"
    word = draw(st.sampled_from(["JOIN", "LEFT JOIN", "LEFT JOIN"]))
    listed = [
        f"{table} AS {alias}" if alias else table
        for table, alias in zip(tables, (first, second), strict=True)
    ]
    on = f"{owners[1]}.{quote(right)} = {owners[0]}.{quote(left)}"
    where = ""
    if draw(st.integers(0, 2)) == 0:
        side, dim = int(draw(st.integers(0, 1))), fresh.pop()  # type: ignore[call-overload]
        new[side][dim] = "VARCHAR"
        where = f" WHERE {owners[side]}.{quote(dim)} = 'ALL' OR {owners[side]}.{quote(dim)} IS NULL"
    select = f"SELECT {', '.join(items)} FROM {listed[0]} {word} {listed[1]} ON {on}{where}"
    key = right if draw(st.booleans()) else None
    return Shaped(select, (New(tables[0], new[0]), New(tables[1], new[1], key)), {})


def union(draw: Draw, name: str, columns: Columns, fresh: list[str], quote: Callable[[str], str]) -> Shaped:
    """Two tables, told apart by a literal in one of the old columns."""
    told = draw(st.sampled_from(sorted(columns)))
    values = ("'x'", "'y'") if columns[str(told)] == "VARCHAR" else ("1", "2")
    selects, tables = [], []
    for number, value in enumerate(values):
        new: dict[str, str] = {}
        items = []
        for column, kind in columns.items():
            if column == told:
                items.append(f"{value} AS {quote(column)}")
                continue
            renamed = fresh.pop() if draw(st.booleans()) and len(fresh) > 2 else column
            while renamed in new:
                renamed = fresh.pop()
            new[renamed] = kind
            items.append(f"{quote(renamed)} AS {quote(column)}")
        dim = next(one for one in reversed(fresh) if one not in new)
        new[dim] = "VARCHAR"
        where = f" WHERE {quote(dim)} <> 'x'" if draw(st.booleans()) else ""
        tables.append(New(f"{name}_v{number + 2}", new))
        selects.append(f"SELECT {', '.join(items)} FROM {name}_v{number + 2}{where}")
    return Shaped(" UNION ALL ".join(selects), tuple(tables), {})


def grain(draw: Draw, name: str, columns: Columns, fresh: list[str], quote: Callable[[str], str]) -> Shaped:
    """Some columns are aggregated by the others."""
    new: dict[str, str] = {}
    types: dict[str, str] = {}
    items, keys = [], []
    for number, (column, kind) in enumerate(columns.items()):
        renamed = fresh.pop()
        new[renamed] = kind
        how = draw(st.sampled_from(["MIN", "MAX", "SUM" if kind == "INTEGER" else "MAX", ""]))
        if number == 0 or not how:
            keys.append(quote(renamed))
            items.append(f"{quote(renamed)} AS {quote(column)}")
            continue
        if how == "SUM":
            types[column] = "HUGEINT"
        items.append(f"{how}({quote(renamed)}) AS {quote(column)}")
    where = ""
    if draw(st.booleans()):
        dim = fresh.pop()
        new[dim] = "VARCHAR"
        where = f" WHERE {quote(dim)} = 'ALL' OR {quote(dim)} IS NULL"
    select = f"SELECT {', '.join(items)} FROM {name}_v2{where} GROUP BY {', '.join(keys)}"
    return Shaped(select, (New(f"{name}_v2", new),), types)
