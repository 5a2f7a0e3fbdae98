"""Both versions run on generated data, round after round, until they differ or the data has shown enough."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from greylag.domain.check import Proof, Verdict
from greylag.verify.analysis import Analysis, Constants, analyse
from greylag.verify.compare import freeze_rows, same_bag, same_order, shape_difference
from greylag.verify.datagen import Dataset, Recipe, generate, rows_sql, table_sql
from greylag.verify.execute import Clock, Lab, Result, RunError, laboratory
from greylag.verify.functions import macros_sql
from greylag.verify.limits import shrink_limits, unordered_limit
from greylag.verify.minimise import minimise
from greylag.verify.ordering import blocks_of, key_query
from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable

Level = Literal["fast", "full"]
_SECONDS = {"fast": 2.0, "full": 20.0}
_STATEMENT_SECONDS = {"fast": 0.4, "full": 2.0}


@dataclass(slots=True, eq=False)
class Pair:
    """The queries of one statement, prepared. `named`: column names count; `ordered`: so does ORDER BY."""

    number: int
    old: exp.Query
    new: exp.Query
    named: bool
    ordered: bool
    old_sql: str = ""
    new_sql: str = ""
    key_sql: str | None = None
    rows: int = 0
    compared: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The two versions differ on a round's data."""

    pair: Pair
    reason: str
    old: Result | None = None
    new: Result | None = None
    shape: bool = False


class Experiment:
    """The comparison of the statements that reading alone did not settle."""

    def __init__(self, pairs: list[Pair], names: Names, *, level: Level, seed: int) -> None:
        self.pairs = pairs
        self.names = names
        self.level: Level = level
        self.seed = seed
        self.clock = Clock(_SECONDS[level])
        self.dropped: list[str] = []
        self.notes: list[str] = []

    def run(self) -> Proof:
        """Rounds, then what they have shown."""
        with laboratory(self.clock, _STATEMENT_SECONDS[self.level]) as lab:
            self.lab = lab
            self.analysis = self._analyse()
            self._transpile()
            lab.do(*macros_sql(self.names, self.analysis.functions, lab))
            found = self._rounds()
            if found is not None:
                return self._refuted(found)
            return self._judged()

    def _analyse(self) -> Analysis:
        for pair in self.pairs:
            shrink_limits(pair.old, pair.new)
        return analyse([(pair.old, pair.new) for pair in self.pairs], self.names)

    def _transpile(self) -> None:
        for pair in self.pairs:
            pair.old_sql = pair.old.sql("duckdb")
            pair.new_sql = pair.new.sql("duckdb")
            if pair.ordered and pair.old.args.get("order") is not None:
                if pair.new.args.get("order") is None:
                    raise NotComparable(f"statement {pair.number}: the new version has no ORDER BY")
                key = key_query(pair.old)
                pair.key_sql = key.sql("duckdb") if key is not None else None

    # -- rounds --------------------------------------------------------------------------------------------------

    def recipes(self) -> list[Recipe]:
        """Dense data (ties, duplicates, groups), then sparse data (no ties), in turn."""
        count = 4 if self.level == "fast" else 16
        recipes = []
        for number in range(count):
            dense = number % 2 == 0
            recipes.append(
                Recipe(
                    seed=self.seed * 1009 + number,
                    spread=(3, 6, 10)[number // 2 % 3] if dense else 100_000,
                    witnesses=8 + 2 * number,
                    doubles=0.25 if dense else 0.0,
                    nulls=0.1 if dense else 0.04,
                )
            )
        return recipes

    def _rounds(self) -> Difference | None:
        constants = Constants(self.lab)
        for recipe in self.recipes():
            if self.clock.over():
                break
            self.lab.rollback()
            data = generate(self.analysis.old + self.analysis.new, self.names.catalog, recipe, constants)
            found = self.compare_on(data, random.Random(recipe.seed))
            if found is not None:
                self.data = data
                return found
        return None

    def load(self, data: Dataset) -> None:
        """Put a dataset into the tables."""
        for table in self.names.catalog.tables.values():
            self.lab.do(table_sql(table))
            name = f"TABLE {table.physical}"
            if name not in self.lab.made:
                self.lab.made.append(name)
            insert = rows_sql(table, data.rows.get(table.physical, []))
            if insert is not None:
                self.lab.do(insert)

    def compare_on(self, data: Dataset, rng: random.Random) -> Difference | None:
        """The first difference on a dataset that is not merely chance."""
        self.load(data)
        for pair in self.pairs:
            found = self._compare(pair)
            if found is None:
                continue
            if found.shape or self._stable(pair, data, rng):
                return found
            self.dropped.append(
                f"statement {pair.number}: the order of rows that tie decides the result; such data was left out"
            )
            self.load(data)
        return None

    def _compare(self, pair: Pair) -> Difference | None:
        old = self._run(pair.old_sql)
        if isinstance(old, RunError):
            if old.kind == "bind":
                raise NotComparable(
                    f"statement {pair.number}: the old version does not run in DuckDB: {old.message}"
                )
            new = self._run(pair.new_sql)
            if old.kind == "data" and isinstance(new, Result):
                return Difference(pair=pair, reason=f"only the old version fails: {old.message}", new=new)
            self.dropped.append(f"statement {pair.number}: {old.message}")
            return None
        new = self._run(pair.new_sql)
        if isinstance(new, RunError):
            if new.kind == "time":
                self.dropped.append(f"statement {pair.number}: {new.message}")
                return None
            shape = new.kind == "bind"
            return Difference(
                pair=pair, reason=f"the new version does not run: {new.message}", old=old, shape=shape
            )
        reason = shape_difference(old, new, self.names.migration.dialect, names=pair.named)
        if reason is not None:
            return Difference(pair=pair, reason=reason, old=old, new=new, shape=True)
        left, right = freeze_rows(old.rows), freeze_rows(new.rows)
        if not same_bag(left, right):
            return Difference(pair=pair, reason="the two versions return different rows", old=old, new=new)
        if pair.ordered and pair.old.args.get("order") is not None and left != right:
            found = self._order(pair, right)
            if found is not None:
                return Difference(pair=pair, reason=found, old=old, new=new)
        pair.rows += len(left)
        pair.compared += 1
        return None

    def _order(self, pair: Pair, right: list[tuple[object, ...]]) -> str | None:
        keyed = self._run(pair.key_sql) if pair.key_sql is not None else None
        if not isinstance(keyed, Result):
            return None if same_bag([], right) else "the two versions return the rows in different orders"
        blocks = blocks_of(freeze_rows(keyed.rows), len(right[0]) if right else 0)
        return None if same_order(blocks, right) else "the two versions return the rows in different orders"

    def _run(self, sql: str) -> Result | RunError:
        return self.lab.query(sql)

    def _stable(self, pair: Pair, data: Dataset, rng: random.Random) -> bool:
        """Does each version return the same rows however the tables are ordered? Else chance decides."""
        first = [self._run(sql) for sql in (pair.old_sql, pair.new_sql)]
        for _ in range(3):
            shuffled = Dataset(rows={name: rng.sample(rows, len(rows)) for name, rows in data.rows.items()})
            self.load(shuffled)
            again = [self._run(sql) for sql in (pair.old_sql, pair.new_sql)]
            for one, other in zip(first, again, strict=True):
                if isinstance(one, Result) != isinstance(other, Result):
                    return False
                if isinstance(one, Result) and isinstance(other, Result):
                    if not same_bag(freeze_rows(one.rows), freeze_rows(other.rows)):
                        return False
        return True

    # -- verdicts --------------------------------------------------------------------------------------------------

    def rows(self) -> int:
        """Rows that the old version returned, over all rounds and statements."""
        return sum(pair.rows for pair in self.pairs)

    def _refuted(self, found: Difference) -> Proof:
        where = f"statement {found.pair.number}: " if len(self.pairs) > 1 else ""
        reasons = (where + found.reason,)
        if found.shape and found.old is not None and found.new is None:
            return self._does_not_run(found, reasons)
        example = None if found.shape else minimise(self, found, self.data)
        return Proof(
            verdict=Verdict.REFUTED,
            method="execution",
            rows=self.rows(),
            counterexample=example,
            reasons=reasons,
        )

    def _does_not_run(self, found: Difference, reasons: tuple[str, ...]) -> Proof:
        """Only the new version does not bind: refuted when a name is missing that declared schemas would give."""
        lowered = found.reason.lower()
        missing = "not found" in lowered or "does not exist" in lowered or "ambiguous" in lowered
        verdict = Verdict.REFUTED if missing and "function" not in lowered else Verdict.INCONCLUSIVE
        return Proof(verdict=verdict, method="execution", rows=self.rows(), reasons=reasons)

    def _judged(self) -> Proof:
        reasons: list[str] = []
        for pair in self.pairs:
            limit = unordered_limit(pair.old) or unordered_limit(pair.new)
            if limit is not None:
                reasons.append(f"statement {pair.number}: {limit}")
            if pair.compared == 0:
                why = self.dropped[-1] if self.dropped else "no data could be compared"
                reasons.append(why)
            elif pair.rows == 0:
                reasons.append(
                    f"statement {pair.number}: no generated data made the old version return a row"
                )
        verdict = Verdict.INCONCLUSIVE if reasons else Verdict.TESTED
        return Proof(
            verdict=verdict,
            method="execution",
            rows=self.rows(),
            reasons=tuple(dict.fromkeys(reasons + self.notes)),
        )
