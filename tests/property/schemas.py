"""Random schemas, mappings and rows: names come from one small pool, so that they collide on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st
from tests.property.shapes import grain, split, union

# Old columns, new columns, aliases of columns and aliases of tables all come from here.
POOL = ("a", "b", "c", "d", "k", "t1", "dim", "order")
TEXTS = ("x", "y", "ALL", "")
Columns = Mapping[str, str]
SHAPES = {"split": split, "union": union, "grain": grain}
Draw = Callable[[st.SearchStrategy[object]], object]


@dataclass(frozen=True, slots=True)
class World:
    """A migration file's text, the statements that make the new tables, and the old tables' columns."""

    migration: str
    data: str
    old: Mapping[str, Columns]
    other: Mapping[str, Columns]


def quoted(name: str) -> str:
    """A name as it must be written: reserved words in quotes."""
    return f'"{name}"' if name == "order" else name


@st.composite
def worlds(draw: Callable[..., object]) -> World:
    """One or two replaced tables, one other table, their rows and the migration."""
    names = ["t1", "t2"] if draw(st.booleans()) else ["t1"]
    other = _columns(draw)
    replaces, provides, data, old = [], [], [], {}
    for name in names:
        columns = _columns(draw)
        shape = SHAPES.get(str(draw(st.sampled_from(["one", "one", "one", *SHAPES]))))
        if shape is not None:
            fresh = list(draw(st.permutations([*POOL, *(f"n{number}" for number in range(1, 9))])))
            made = shape(draw, name, columns, fresh, quoted)
            old[name] = columns
            replaces.append(_replaced_as(name, {**columns, **made.types}, made.select))
            for table in made.tables:
                declared = bool(draw(st.integers(0, 3)))
                provides.append(_provided(table.name, table.columns, declared=declared, key=table.key))
                data.append(_table(draw, table.name, table.columns, table.key))
            continue
        new, select, predicate = _mapping(draw, columns)
        old[name] = columns
        replaces.append(_replaced(name, columns, select, predicate))
        provides.append(_provided(f"{name}_v2", new, declared=bool(draw(st.booleans()))))
        data.append(_table(draw, f"{name}_v2", new))
    if draw(st.booleans()):
        provides.append(_provided("u", other, declared=True))
    data.append(_table(draw, "u", other))
    text = (
        "name: random\ndialect: duckdb\nreplaces:\n" + "".join(replaces) + "provides:\n" + "".join(provides)
    )
    return World(migration=text, data="\n".join(data), old=old, other={"u": other})


def _columns(draw: Callable[..., object]) -> dict[str, str]:
    names = draw(st.lists(st.sampled_from(POOL), min_size=2, max_size=4, unique=True))
    return {name: draw(st.sampled_from(["INTEGER", "VARCHAR"])) for name in names}


def _mapping(
    draw: Callable[..., object], columns: Columns
) -> tuple[dict[str, str], dict[str, str], str | None]:
    """New columns, what each old column is in terms of them, and the filter."""
    fresh = iter(draw(st.permutations([*POOL, "n1", "n2", "n3", "n4", "n5", "n6"])))
    new: dict[str, str] = {}
    select: dict[str, str] = {}
    for column, kind in columns.items():
        name = next(fresh)
        how = draw(st.sampled_from(["rename", "rename", "rename", "derive", "recode", "struct"]))
        new[name], select[column] = _derived(how, quoted(name), kind)
        if how == "derive" and kind == "INTEGER":
            second = next(fresh)
            new[second] = "INTEGER"
            select[column] = f"{quoted(name)} - {quoted(second)}"
    predicate = None
    if draw(st.booleans()):
        name = next(fresh)
        new[name] = "VARCHAR"
        predicate = f"{quoted(name)} = 'ALL'"
        if draw(st.booleans()):
            predicate += f" OR {quoted(name)} IS NULL"
    return new, select, predicate


def _derived(how: str, name: str, kind: str) -> tuple[str, str]:
    """The new column's type, and the old column in terms of it."""
    match how, kind:
        case "recode", "VARCHAR":
            return "INTEGER", f"CASE {name} WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'ALL' END"
        case "recode", _:
            return "VARCHAR", f"CASE WHEN {name} = 'x' THEN 1 WHEN {name} = 'y' THEN 2 END"
        case "struct", _:
            return f"STRUCT(f {kind}, g INTEGER)", f"{name}.f"
        case "derive", "VARCHAR":
            return "VARCHAR", f"{name} || 'x'"
    return kind, name


def _replaced(name: str, columns: Columns, select: Mapping[str, str], predicate: str | None) -> str:
    items = ", ".join(f"{text} AS {quoted(column)}" for column, text in select.items())
    where = f"\n      WHERE {predicate}" if predicate else ""
    return _replaced_as(name, columns, f"SELECT {items}\n      FROM {name}_v2{where}")


def _replaced_as(name: str, columns: Columns, select: str) -> str:
    listed = ", ".join(f"{_yaml(column)}: {kind}" for column, kind in columns.items())
    return f"  - dataset: {name}\n    columns: {{{listed}}}\n    as: |\n      {select}\n"


def _provided(name: str, columns: Columns, *, declared: bool, key: str | None = None) -> str:
    listed = ", ".join(f'{_yaml(column)}: "{kind}"' for column, kind in columns.items())
    unique = f"    unique: [[{_yaml(key)}]]\n" if key is not None and declared else ""
    return f"  - dataset: {name}\n" + (f"    columns: {{{listed}}}\n" if declared else "") + unique


def _yaml(name: str) -> str:
    return f'"{name}"'


def _table(draw: Callable[..., object], name: str, columns: Columns, key: str | None = None) -> str:
    made = f"CREATE TABLE {name} (" + ", ".join(f"{quoted(c)} {kind}" for c, kind in columns.items()) + ");"
    rows = [
        "(" + ", ".join(str(row) if c == key else _value(draw, kind) for c, kind in columns.items()) + ")"
        for row in range(draw(st.integers(3, 6)))
    ]
    return f"{made}\nINSERT INTO {name} VALUES {', '.join(rows)};"


def _value(draw: Callable[..., object], kind: str) -> str:
    if draw(st.integers(0, 5)) == 0:
        return "NULL"
    if kind.startswith("STRUCT"):
        inner = kind.removeprefix("STRUCT(f ").split(",")[0]
        return f"{{'f': {_value(draw, inner)}, 'g': 1}}"
    if kind == "INTEGER":
        return str(draw(st.integers(0, 3)))
    return f"'{draw(st.sampled_from(TEXTS))}'"
