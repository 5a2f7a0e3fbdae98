"""Generated tables for one round: witnesses, their near misses, duplicates and noise."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from greylag.verify.cells import UNSET, Cell
from greylag.verify.documents import documents
from greylag.verify.model import Catalog, TableInfo
from greylag.verify.resolve import Model
from greylag.verify.terms import Instance
from greylag.verify.typevars import TypeVar
from greylag.verify.values import Pool, coerce, literal, neighbour, spelt
from greylag.verify.witness import Evaluate, Witness

Row = dict[str, object]
_MAX_ROWS = 300


@dataclass(slots=True)
class Dataset:
    """Rows of every table, by physical name."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def count(self) -> int:
        """Rows in all tables together."""
        return sum(len(rows) for rows in self.rows.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a round's data is made: `spread` distinct values a column, `witnesses` derivations, noise rows
    a table. `hollow`: the table by this number stays empty, beside others.
    """

    seed: int
    spread: int = 5
    witnesses: int = 8
    noise: int = 3
    nulls: float = 0.1
    misses: int = 3
    doubles: float = 0.25
    hollow: int | None = None


_TINY = ((1, 0, 0.0), (1, 1, 0.5), (2, 0, 0.0), (1, 0, 0.5), (2, 1, 0.3), (3, 0, 0.5))


def recipes(seed: int, *, thorough: bool) -> list[Recipe]:
    """The rounds of a proof, the most telling first."""
    made = [
        # No rows at all, then rows that meet no condition on purpose: what do aggregates make of nothing?
        Recipe(seed=seed, witnesses=0, noise=0),
        Recipe(seed=seed, witnesses=0, noise=4, spread=3, nulls=0.3),
    ]
    rounds = 16 if thorough else 5
    for number in range(rounds):
        # Dense data (ties, duplicates, groups) and sparse data (no ties) in turn.
        dense = number % 2 == 0
        made.append(
            Recipe(
                seed=seed * 1009 + number,
                spread=(3, 6, 10)[number // 2 % 3] if dense else 100_000,
                witnesses=8 + 2 * number,
                doubles=0.25 if dense else 0.0,
                nulls=0.1 if dense else 0.04,
            )
        )
    # A row or two: in more, a group that loses one row still has others, and a lost NULL is one of many.
    for number in range(3 * len(_TINY) if thorough else len(_TINY)):
        witnesses, noise, doubles = _TINY[number % len(_TINY)]
        made.append(
            Recipe(
                seed=seed * 1009 + 300 + number,
                spread=100_000 if number % 2 else 4,
                witnesses=witnesses,
                noise=noise,
                nulls=0.15,
                misses=1,
                doubles=doubles,
            )
        )
    # One table without rows: NOT IN of nothing holds for NULL, too.
    made += [Recipe(seed=seed * 1009 + 400 + each, witnesses=3, nulls=0.3, hollow=each) for each in range(3)]
    return made


def generate(
    models: list[Model],
    catalog: Catalog,
    recipe: Recipe,
    evaluate: Evaluate,
    goals: dict[int, bool | str] | None = None,
) -> Dataset:
    """Make a round's data for every table of the catalog from the queries' own conditions.

    `goals` says of some conditions (by id) whether most witnesses should make them true or false
    (`=`: make the two sides of the comparison equal).
    """
    rng = random.Random(recipe.seed)
    pool = Pool(rng, recipe.spread, documents(models))
    data = Dataset(rows={table.physical: [] for table in catalog.tables.values()})
    for number in range(recipe.witnesses):
        model = models[number % len(models)]
        witness = Witness(model, rng, evaluate)
        if goals and rng.random() < 0.7:
            witness.goals = goals
        # Nested queries get their turn: NOT IN and NOT EXISTS need rows that the outer query does not ask
        # for.
        info = model.root if rng.random() < 0.75 else rng.choice(list(model.queries.values()))
        witness.derive(info)
        _settle(witness, pool, rng)
        for _ in range(witness.repeat):
            count = len(witness.instances)
            missed = {rng.randrange(count) for _ in range(recipe.misses)} if count else set()
            for position, instance in enumerate(witness.instances):
                misses = (1 if count > 2 else 2) if position in missed else 0
                _emit(instance, data, pool, rng, recipe, misses=misses)
    for table in catalog.tables.values():
        for _ in range(recipe.noise):
            data.rows[table.physical].append(
                {name: pool.draw(var, nulls=recipe.nulls) for name, var in filled_columns(table).items()}
            )
    for table in catalog.tables.values():
        data.rows[table.physical] = _finish(data.rows[table.physical], table, rng, recipe)
    physical = list(data.rows)
    if recipe.hollow is not None and len(physical) > 1 and recipe.hollow < len(physical):
        data.rows[physical[recipe.hollow]] = []
    return data


def _settle(witness: Witness, pool: Pool, rng: random.Random) -> None:
    """Choose values so that comparisons between cells hold."""
    for small, large, strict in witness.orders:
        left, right = small.root(), large.root()
        if right.value is not UNSET or right.equal is not UNSET:
            left.compare("<" if strict else "<=", right.choose(pool, rng))
            left.choose(pool, rng)
        else:
            right.compare(">" if strict else ">=", left.choose(pool, rng))
            right.choose(pool, rng)


def _emit(
    instance: Instance, data: Dataset, pool: Pool, rng: random.Random, recipe: Recipe, *, misses: int
) -> None:
    table = instance.table
    rows = data.rows[table.physical]
    row = _row(instance, pool, rng, recipe)
    rows.append(row)
    if rng.random() < recipe.doubles:
        rows.append(dict(row))
    constrained = [(key, cell) for key, cell in instance.cells.items()]
    rng.shuffle(constrained)
    for key, cell in constrained[:misses]:
        rows.append(_miss(row, key, cell, pool, rng, table))
    # The same keys with other measures: groups of more than one row.
    fixed = {key[0] for key in instance.cells}
    free = [name for name in filled_columns(table) if name not in fixed]
    if free and misses and rng.random() < 0.5:
        rows.append({**row, **{name: pool.draw(table.columns[name], nulls=recipe.nulls) for name in free}})


def _row(instance: Instance, pool: Pool, rng: random.Random, recipe: Recipe) -> Row:
    table = instance.table
    row: Row = {}
    for name, var in filled_columns(table).items():
        inside = {key: cell for key, cell in instance.cells.items() if key[0] == name}
        whole = inside.pop((name,), None)
        if whole is not None and (whole.constrained() or not inside):
            row[name] = _own(whole, pool, rng)
        else:
            row[name] = pool.draw(var, nulls=0.0 if inside else recipe.nulls)
        for key, cell in sorted(inside.items()):
            row[name] = _put(row[name], var, key[1:], _own(cell, pool, rng), pool)
    return row


def _own(cell: Cell, pool: Pool, rng: random.Random) -> object:
    """The settled value in the cell's own type: what it is equal to may be of another."""
    node = cell.var.root()
    value = cell.choose(pool, rng)
    if node.element is not None or node.fields or value is None:
        return value
    own = coerce(value, node.sql())
    return spelt(own, node, rng) if isinstance(own, str) else own


def _put(value: object, var: TypeVar, path: tuple[str, ...], inner: object, pool: Pool) -> object:
    """Put a value at a path of fields and elements into a struct or list."""
    if not path:
        return inner
    node = var.root()
    if path[0].startswith("["):
        items = list(value) if isinstance(value, list) else []
        element = node.element or TypeVar()
        position = int(path[0][1:-1])
        while len(items) < position:
            items.append(pool.draw(element, nulls=0.0))
        items[position - 1] = _put(items[position - 1], element, path[1:], inner, pool)
        return items
    known = dict(value) if isinstance(value, dict) else {}
    for name, part in (node.fields or {}).items():
        if name.lower() == path[0].lower():
            known[name] = _put(known.get(name), part, path[1:], inner, pool)
        else:
            known.setdefault(name, pool.draw(part, nulls=0.1))
    return known


def _miss(
    row: Row, key: tuple[str, ...], cell: Cell, pool: Pool, rng: random.Random, table: TableInfo
) -> Row:
    """The same row with one value changed so that a condition on it probably fails."""
    root = cell.root()
    current = root.value if root.value is not UNSET else None
    scalar = root.var.root().sql()
    edges = [edge for edge in (root.low, root.high) if edge is not None]
    choice = rng.random()
    if root.var.root().read_as is not None and choice >= 0.25:
        choice = 1.0
    value: object
    if choice < 0.25:
        value = None
    elif choice < 0.55 and edges:
        value = coerce(rng.choice(edges), scalar)
        value = neighbour(value, rng, step=rng.choice([-1, 0, 1])) if value is not None else None
    elif choice < 0.75 and current is not None and cell.var.root().read_as is None:
        value = neighbour(current, rng, step=rng.choice([-1, 1]))
    else:
        value = pool.draw(root.var, nulls=0.0)
    own = cell.var.root()
    if own.element is None and not own.fields:
        value = coerce(value, own.sql())
    changed = dict(row)
    changed[key[0]] = _put(changed.get(key[0]), table.columns.get(key[0]) or TypeVar(), key[1:], value, pool)
    return changed


def _finish(rows: list[Row], table: TableInfo, rng: random.Random, recipe: Recipe) -> list[Row]:
    rng.shuffle(rows)
    rows = rows[:_MAX_ROWS]
    # A key with a column that no query looks at forbids no rows: there that column may differ.
    filled = {name.lower() for name in filled_columns(table)}
    unique = [key for key in table.unique if all(name.lower() in filled for name in key)]
    if not unique:
        return rows
    kept: list[Row] = []
    seen: list[set[tuple[object, ...]]] = [set() for _ in unique]
    for row in rows:
        keys = [tuple(str(row.get(table.find(name) or name)) for name in key) for key in unique]
        if any(key in known for key, known in zip(keys, seen, strict=True)):
            continue
        for key, known in zip(keys, seen, strict=True):
            known.add(key)
        kept.append(row)
    return kept


def quoted(name: str) -> str:
    """A name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def table_sql(table: TableInfo) -> str:
    """The CREATE TABLE of a generated table."""
    columns = ", ".join(f"{quoted(name)} {var.sql()}" for name, var in table.columns.items())
    return f"CREATE OR REPLACE TABLE {table.physical} ({columns or 'nothing INTEGER'})"


def rows_sql(table: TableInfo, rows: list[Row]) -> str | None:
    """The INSERT of a table's rows, of the columns that are looked at; None when there are none."""
    columns = filled_columns(table)
    if not rows or not columns:
        return None
    lines = [
        "(" + ", ".join(literal(row.get(name), var) for name, var in columns.items()) + ")" for row in rows
    ]
    names = ", ".join(quoted(name) for name in columns)
    return f"INSERT INTO {table.physical} ({names}) VALUES {', '.join(lines)}"


def filled_columns(table: TableInfo) -> dict[str, TypeVar]:
    """The columns that some query looks at; all of them under a star; at least one, so that rows exist."""
    if table.starred:
        return table.columns
    used = {name: var for name, var in table.columns.items() if name in table.used}
    return used or dict(list(table.columns.items())[:1])
