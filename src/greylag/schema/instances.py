"""Matches shown by rows: aligned over a key, the expression gives the old value in every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import duckdb
from sqlglot import exp

from greylag.schema.align import filtered, joined_on
from greylag.schema.data import ROWS, Data, Keyed
from greylag.schema.model import Column, Guess, TableSchema
from greylag.schema.naming import likeness
from greylag.schema.transforms import Candidate, Leaf, candidates, recoding
from greylag.schema.types import NUMERIC, Family, family

FEWEST = 10
"""Rows that have to agree before they say anything."""
_CODES = 40
_ROWS_PER_CODE = 3
_AT_ONCE = 60
_PAIRED = 12
_TABLE = "greylag_aligned"


def matches_by_rows(
    data: Data,
    old: TableSchema,
    leaves: Sequence[Leaf],
    new: TableSchema,
    keyed: Keyed | None,
    dialect: str,
) -> dict[str, list[Guess]]:
    """For every old column the expressions over one new dataset that give its value in all aligned rows."""
    old_table, new_table = data.table(old.dataset), data.table(new.dataset)
    if keyed is None or old_table is None or new_table is None:
        return {}
    data.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS SELECT o, n FROM {old_table.sql(dialect='duckdb')} AS o "
        f"JOIN {new_table.sql(dialect='duckdb')} AS n ON {joined_on(keyed.pairs)} "
        f"WHERE {filtered(keyed.filters)} LIMIT {ROWS}"
    )
    (rows,) = data.one(f"SELECT count(*) FROM {_TABLE}")
    seen = _Aligned(data=data, rows=int(str(rows)), leaves=tuple(leaves), dialect=dialect)
    if seen.rows < FEWEST:
        return {}
    return {column.name: found for column in old.columns if (found := seen.matches(column))}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aligned:
    """The rows that met, as a temporary table of structs `o` (old) and `n` (new)."""

    data: Data
    rows: int
    leaves: tuple[Leaf, ...]
    dialect: str

    def matches(self, column: Column) -> list[Guess]:
        """What gives this column, best first; recodings and pairs only where no single column does."""
        distinct = self._distinct(column)
        if distinct == 0:
            return []
        plain = [option for leaf in self.leaves for option in candidates(column.type, leaf, self.dialect)]
        best: dict[Leaf, Candidate] = {}
        for option in self._equal(column, plain):
            if option.leaf not in best or option.plain > best[option.leaf].plain:
                best[option.leaf] = option
        found = [
            self._guess(column, option.expression(qualified=True), option.how, option.plain, leaf, distinct)
            for leaf, option in best.items()
        ]
        if not found and distinct > 1:
            found = list(self._recoded(column, distinct)) or list(self._paired(column, distinct))
        if distinct == 1:
            # One value in all rows fits whatever is constant: only a name can say which.
            found = [guess for guess in found if likeness(column.name, guess.leaf) >= 0.8]
        return found

    def _distinct(self, column: Column) -> int:
        (count,) = self.data.one(f"SELECT count(DISTINCT {_old(column)}) FROM {_TABLE}")
        return int(str(count))

    def _equal(self, column: Column, options: Sequence[Candidate]) -> Iterator[Candidate]:
        for start in range(0, len(options), _AT_ONCE):
            batch = options[start : start + _AT_ONCE]
            tests = [self._test(column, option.expression(qualified=False)) for option in batch]
            for option, equal in zip(batch, self._counts(tests), strict=True):
                if equal == self.rows:
                    yield option

    def _test(self, column: Column, expression: exp.Expr) -> str:
        new = _new(expression)
        numbers = family(column.type, self.dialect) in NUMERIC and isinstance(expression, exp.Binary)
        if numbers:
            exact = f"abs({_old(column)} - {new}) <= 1e-9 * greatest(1, abs({_old(column)}))"
            return f"coalesce({exact}, {_old(column)} IS NULL AND {new} IS NULL)"
        return f"{_old(column)} IS NOT DISTINCT FROM {new}"

    def _counts(self, tests: Sequence[str]) -> list[int]:
        """How many rows pass each test; one that cannot be asked passes none."""
        listed = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests)
        try:
            return [int(str(count)) for count in self.data.one(f"SELECT {listed} FROM {_TABLE}")]
        except duckdb.Error:
            if len(tests) == 1:
                return [0]
            middle = len(tests) // 2
            return [*self._counts(tests[:middle]), *self._counts(tests[middle:])]

    def _guess(
        self, column: Column, expression: exp.Expr, how: str, plain: float, leaf: Leaf, distinct: int
    ) -> Guess:
        base = 0.99 if distinct >= 10 else 0.96 if distinct >= 3 else 0.92
        name = likeness(column.name, leaf.path)
        values = f"{distinct} value{'s' if distinct != 1 else ''}"
        evidence = [f"equal in all {self.rows} aligned rows ({values})", *([how] if how else [])]
        return Guess(
            column=column.name,
            expression=expression.sql(dialect=self.dialect),
            confidence=round(base * (0.85 + 0.1 * plain + 0.05 * name), 3),
            evidence=tuple(evidence),
            table=leaf.alias,
            leaf=leaf.path,
        )

    def _recoded(self, column: Column, distinct: int) -> Iterator[Guess]:
        if distinct > _CODES or family(column.type, self.dialect) in {Family.FLOAT, Family.NESTED}:
            return
        for leaf in self.leaves:
            if family(leaf.type, self.dialect) in {Family.FLOAT, Family.NESTED, Family.TIMESTAMP}:
                continue
            arms = self._arms(column, leaf)
            if arms is None or len({old for _, old in arms}) < 2:
                continue
            case = recoding(leaf.expression(qualified=True), arms)
            how = f"{leaf.path} recoded, {len(arms)} codes; a code that was not seen gives NULL"
            yield self._guess(column, case, how, 0.5, leaf, distinct)

    def _arms(self, column: Column, leaf: Leaf) -> list[tuple[object, object]] | None:
        """Old value by code, where each code has exactly one and enough rows to say so."""
        path = _new(leaf.expression(qualified=False))
        rows = self.data.rows(
            f"SELECT {path} AS code, min({_old(column)}), count(DISTINCT {_old(column)}), "
            f"count(*) - count({_old(column)}), count(*) FROM {_TABLE} GROUP BY code ORDER BY code "
            f"LIMIT {_CODES + 1}"
        )
        if len(rows) > _CODES:
            return None
        arms: list[tuple[object, object]] = []
        for code, value, values, nulls, count in rows:
            distinct = int(str(values)) + (1 if int(str(nulls)) else 0)
            if distinct != 1 or int(str(count)) < _ROWS_PER_CODE:
                return None
            arms.append((code, value))
        return arms

    def _paired(self, column: Column, distinct: int) -> Iterator[Guess]:
        """Two new columns put together: sums, differences, products; texts one behind the other."""
        kind = family(column.type, self.dialect)
        near = [leaf for leaf in self.leaves if _alike(family(leaf.type, self.dialect), kind)][:_PAIRED]
        made: list[tuple[Leaf, exp.Expr, exp.Expr, str]] = []
        if kind in NUMERIC:
            for a, b in combinations(near, 2):
                made += [_both(a, b, operator) for operator in (exp.Add, exp.Mul)]
            made += [_both(a, b, exp.Sub) for a, b in permutations(near, 2)]
        elif kind is Family.TEXT:
            made += [
                _texts(a, b, between) for a, b in permutations(near, 2) for between in (" ", "", "-", "_")
            ]
        for start in range(0, len(made), _AT_ONCE):
            batch = made[start : start + _AT_ONCE]
            counts = self._counts([self._test(column, plain) for _, plain, _, _ in batch])
            for (leaf, _, qualified, how), equal in zip(batch, counts, strict=True):
                if equal == self.rows and distinct >= 3:
                    yield self._guess(column, qualified, how, 0.4, leaf, distinct)


def _alike(one: Family, other: Family) -> bool:
    return one is other or {one, other} <= NUMERIC


def _both(a: Leaf, b: Leaf, operator: type[exp.Binary]) -> tuple[Leaf, exp.Expr, exp.Expr, str]:
    plain, qualified = (
        operator(this=a.expression(known), expression=b.expression(known)) for known in (False, True)
    )
    return a, plain, qualified, f"{a.path} and {b.path} together"


def _texts(a: Leaf, b: Leaf, between: str) -> tuple[Leaf, exp.Expr, exp.Expr, str]:
    def build(qualified: bool) -> exp.Expr:
        left = a.expression(qualified)
        if between:
            left = exp.DPipe(this=left, expression=exp.Literal.string(between))
        return exp.DPipe(this=left, expression=b.expression(qualified))

    return a, build(False), build(True), f"{a.path} and {b.path} together"


def _old(column: Column) -> str:
    return f"o.{exp.to_identifier(column.name, quoted=True).sql(dialect='duckdb')}"


def _new(expression: exp.Expr) -> str:
    """The expression over the struct `n`; a value that cannot be cast is NULL there."""

    def over(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table:
            return exp.Dot(this=exp.to_identifier("n"), expression=exp.to_identifier(node.name, quoted=True))
        return node

    def tried(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
            return exp.TryCast(this=node.this, to=node.to)
        return node

    return expression.copy().transform(over).transform(tried).sql(dialect="duckdb")
