"""Finding the key over which a new dataset meets the old one, and the filter that restores its grain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlglot import exp

from greylag.schema.data import Data, Keyed, conjunction, literal
from greylag.schema.model import TableSchema
from greylag.schema.naming import likeness
from greylag.schema.transforms import Leaf
from greylag.schema.types import NUMERIC, Family, family

_CONTAINED = 0.9
_FILTER_VALUES = 30
_KEY_COLUMNS = 8


def align(
    data: Data,
    old: TableSchema,
    old_table: exp.Table,
    leaves: Sequence[Leaf],
    new_table: exp.Table,
    dialect: str,
) -> tuple[Keyed, ...]:
    """The ways in which the rows may meet, equally good by themselves; empty when there is no key."""
    best: tuple[Keyed, ...] = ()
    for key in _keys(data, old, old_table):
        pairs = _partners(data, old, key, old_table, leaves, new_table, dialect)
        if pairs is None:
            continue
        found = _with_grain(data, pairs, old_table, leaves, new_table)
        if found and (not best or found[0].covered > best[0].covered):
            best = found
        if best and best[0].covered == 1.0:
            break
    return best


def _keys(data: Data, old: TableSchema, table: exp.Table) -> Iterator[tuple[str, ...]]:
    """Keys of the old dataset: declared ones, single columns, then pairs and triples of the first columns."""
    seen: list[tuple[str, ...]] = []
    names = [column.name for column in old.columns]
    small = names[:_KEY_COLUMNS]
    tried = [*old.unique, *((name,) for name in names), *combinations(small, 2), *combinations(small, 3)]
    for key in tried:
        if key in seen or any(set(other) <= set(key) for other in seen):
            continue
        if data.is_unique(table, [exp.column(name, quoted=True) for name in key]):
            seen.append(key)
            yield key


def _partners(
    data: Data,
    old: TableSchema,
    key: tuple[str, ...],
    old_table: exp.Table,
    leaves: Sequence[Leaf],
    new_table: exp.Table,
    dialect: str,
) -> tuple[tuple[str, str], ...] | None:
    """The new column for each column of the key: its values hold the old ones."""
    types = old.types()
    pairs: list[tuple[str, str]] = []
    for name in key:
        scored = []
        for leaf in leaves:
            if leaf.path in {new for _, new in pairs} or not _comparable(types[name], leaf.type, dialect):
                continue
            share = data.contained(
                old_table, exp.column(name, quoted=True), new_table, leaf.expression(qualified=False)
            )
            if share >= _CONTAINED:
                scored.append((share + likeness(name, leaf.path), leaf.path))
        if not scored:
            return None
        pairs.append((name, max(scored)[1]))
    return tuple(pairs)


def _comparable(old: str, new: str, dialect: str) -> bool:
    one, other = family(old, dialect), family(new, dialect)
    loose = {Family.OTHER, Family.TEXT}
    keyed = one not in {Family.BOOLEAN, Family.NESTED, Family.FLOAT} and other is not Family.NESTED
    return keyed and (one is other or {one, other} <= NUMERIC or bool({one, other} & loose))


def joined_on(pairs: Sequence[tuple[str, str]]) -> str:
    """The condition under which an old row `o` meets a new row `n`."""
    return conjunction(
        f"CAST(o.{_name(old)} AS VARCHAR) = CAST({_path('n', new)} AS VARCHAR)" for old, new in pairs
    )


def filtered(filters: Sequence[tuple[str, object]]) -> str:
    """The filters as a condition on a new row `n`."""
    return conjunction(f"{_path('n', path)} = {literal(value)}" for path, value in filters)


def _with_grain(
    data: Data,
    pairs: tuple[tuple[str, str], ...],
    old_table: exp.Table,
    leaves: Sequence[Leaf],
    new_table: exp.Table,
) -> tuple[Keyed, ...]:
    """The key with filters that leave at most one new row for an old one; all that do so equally well."""
    first = _measure(data, pairs, (), old_table, new_table)
    if first is None:
        return ()
    tied: list[tuple[tuple[tuple[str, object], ...], _State]] = [((), first)]
    for _ in range(2):
        chosen, state = tied[0]
        if state.several == 0 and state.extra == 0:
            break
        better = _best_filters(data, pairs, chosen, state, old_table, leaves, new_table)
        if not better:
            break
        tied = better
    return tuple(
        Keyed(pairs=pairs, filters=chosen, covered=state.covered, extra=state.extra)
        for chosen, state in tied
        if state.several == 0
    )


@dataclass(frozen=True, slots=True)
class _State:
    """Share of old rows that meet a new one; keys that meet several; new rows that meet none."""

    covered: float
    several: int
    extra: int

    @property
    def excess(self) -> int:
        return self.several * 10 + self.extra


def _measure(
    data: Data,
    pairs: Sequence[tuple[str, str]],
    filters: Sequence[tuple[str, object]],
    old_table: exp.Table,
    new_table: exp.Table,
) -> _State | None:
    old, new = old_table.sql(dialect="duckdb"), new_table.sql(dialect="duckdb")
    keys = ", ".join(f"CAST({_path('n', path)} AS VARCHAR) AS k{i}" for i, (_, path) in enumerate(pairs))
    listed = ", ".join(f"k{i}" for i in range(len(pairs)))
    mine = ", ".join(f"CAST(o.{_name(name)} AS VARCHAR) AS k{i}" for i, (name, _) in enumerate(pairs))
    row = data.one(
        f"WITH n AS (SELECT {keys} FROM {new} AS n WHERE {filtered(filters)}), "
        f"g AS (SELECT {listed}, count(*) AS c FROM n GROUP BY {listed}), "
        f"o AS (SELECT {mine} FROM {old} AS o) "
        f"SELECT (SELECT count(*) FROM o), (SELECT count(*) FROM o SEMI JOIN g USING ({listed})), "
        f"(SELECT count(*) FROM g SEMI JOIN o USING ({listed}) WHERE c > 1), "
        f"(SELECT coalesce(sum(c), 0) FROM g ANTI JOIN o USING ({listed}))"
    )
    total, met, several, extra = (int(str(value)) for value in row)
    return _State(met / total, several, extra) if total and met else None


def _best_filters(
    data: Data,
    pairs: tuple[tuple[str, str], ...],
    chosen: tuple[tuple[str, object], ...],
    state: _State,
    old_table: exp.Table,
    leaves: Sequence[Leaf],
    new_table: exp.Table,
) -> list[tuple[tuple[tuple[str, object], ...], _State]]:
    """The filters, one more than before, that keep all old rows and remove the most of what is too much."""
    used = {path for _, path in pairs} | {path for path, _ in chosen}
    found: list[tuple[int, tuple[tuple[str, object], ...], _State]] = []
    for leaf in leaves:
        if leaf.path in used:
            continue
        for value in data.values(new_table, leaf.expression(qualified=False), _FILTER_VALUES) or ():
            tried = (*chosen, (leaf.path, value))
            after = _measure(data, pairs, tried, old_table, new_table)
            if after is not None and after.covered >= state.covered and after.excess < state.excess:
                found.append((after.excess, tried, after))
    least = min((excess for excess, _, _ in found), default=0)
    return [(tried, after) for excess, tried, after in found if excess == least]


def _name(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")


def _path(alias: str, path: str) -> str:
    return ".".join([alias, *(_name(part) for part in path.split("."))])
