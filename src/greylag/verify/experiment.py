"""Both versions run on generated data, round after round, until they differ or the data has shown enough."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Literal

from greylag.domain.check import Proof
from greylag.verify.analysis import Analysis, Constants, analyse, bound
from greylag.verify.changed import changed_mutants
from greylag.verify.compare import freeze_rows, same_bag, same_order, shape_difference
from greylag.verify.datagen import Dataset, Recipe, generate, recipes, rows_sql, table_sql
from greylag.verify.datagen import Row as Row_
from greylag.verify.equivalents import forgive_equivalents
from greylag.verify.execute import Effort, Lab, Result, RunError, laboratory
from greylag.verify.functions import macros_sql
from greylag.verify.judging import judged, refuted
from greylag.verify.limits import shrink_limits, strip_same_limit
from greylag.verify.mutate import Mutant, drop_harmless, mutants
from greylag.verify.ordering import blocks_of, key_query
from greylag.verify.pairs import Difference, Pair, Row
from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable
from greylag.verify.reservations import chance_call, freeze_chance, own_ways, runnable
from greylag.verify.resolve import Model
from greylag.verify.sizes import row_cap
from greylag.verify.unfold import unfolded

Level = Literal["fast", "full"]
# Statements that a proof runs at most. The seconds are a last guard for inputs that the count does not hold
# back: they never decide an ordinary verdict.
_STEPS = {"fast": 400, "full": 3000}
_SECONDS = {"fast": 15.0, "full": 90.0}
_STATEMENT_SECONDS = {"fast": 3.0, "full": 15.0}


class Experiment:
    """The comparison of the statements that reading alone did not settle."""

    lab: Lab
    analysis: Analysis
    constants: Constants
    data: Dataset
    models: list[Model]

    def __init__(self, pairs: list[Pair], names: Names, *, level: Level, seed: int) -> None:
        self.pairs = pairs
        self.names = names
        self.level: Level = level
        self.seed = seed
        self.effort = Effort(_STEPS[level], _SECONDS[level])
        self._loaded: dict[str, list[Row_]] = {}

    def run(self) -> Proof:
        """Rounds, then what they have shown."""
        with laboratory(self.effort, _STATEMENT_SECONDS[self.level]) as lab:
            self.lab = lab
            self.constants = Constants(lab)
            self._analyse()
            lab.do(*macros_sql(self.names, self.analysis.functions, lab))
            found = self._rounds() or self._directed()
            if found is None:
                forgive_equivalents(self.pairs, self.names)
            return judged(self) if found is None else refuted(self, found)

    def rows(self) -> int:
        """Rows that the old version returned, over all rounds and statements."""
        return sum(pair.rows for pair in self.pairs)

    def _analyse(self) -> None:
        for pair in self.pairs:
            name = chance_call(pair.old) or chance_call(pair.new)
            if name is not None:
                pair.reservations.append(
                    f"{name} gives another value each time: running both versions cannot compare that"
                )
                freeze_chance(pair.old)
                freeze_chance(pair.new)
            if pair.ordered:
                strip_same_limit(pair.old, pair.new)
            shrink_limits(pair.old, pair.new)
        self.analysis = analyse([(pair.old, pair.new) for pair in self.pairs], self.names)
        dialect = self.names.migration.dialect
        self.models = [*self.analysis.old, *self.analysis.new]
        for pair, model in zip(self.pairs, self.analysis.old, strict=True):
            pair.old_sql, pair.new_sql = runnable(pair.old), runnable(pair.new)
            if pair.sorts:
                if pair.new.args.get("order") is None:
                    raise NotComparable(f"statement {pair.number}: the new version has no ORDER BY")
                key = key_query(pair.old)
                pair.key_sql = key.sql("duckdb") if key is not None else None
            pair.mutants = mutants(pair.old, model, dialect, thorough=self.level == "full")
            self._changes(pair)

    def _changes(self, pair: Pair) -> None:
        """Variants of what the rewrite changed; unfolded queries are also the better ground for data."""
        before, after = unfolded(pair.old, self.names), unfolded(pair.new, self.names)
        if before is None or after is None:
            before, after = pair.old, pair.new
        models = [bound(query, self.names) for query in (before, after)]
        self.models.extend(models)
        pair.unfolded_sql = (before.sql("duckdb"), after.sql("duckdb"))
        pair.changed = changed_mutants(*models)
        pair.reservations.extend(own_ways(models[0], models[1], self.names.migration.dialect))

    def _check_unfolded(self, pair: Pair, rows: list[Row]) -> None:
        """Variants of unfolded queries only count where these return what the queries themselves return."""
        for sql in pair.unfolded_sql:
            answer = self.lab.query(sql)
            if not isinstance(answer, Result) or not same_bag(rows, freeze_rows(answer.rows)):
                models = [bound(query, self.names) for query in (pair.old, pair.new)]
                self.models.extend(models)
                pair.changed = changed_mutants(*models)
        pair.unfolded_sql = ()

    # -- rounds ------------------------------------------------------------------------------------------

    def _rounds(self) -> Difference | None:
        for recipe in recipes(self.seed, thorough=self.level == "full"):
            if self.effort.over():
                return None
            found = self._round(recipe)
            if found is not None:
                return found
        return None

    def _directed(self) -> Difference | None:
        """More rounds, each aimed at a wrong variant that the data so far does not tell from the old
        version.
        """
        for pair in self.pairs:
            drop_harmless((*pair.mutants, *pair.changed), self.lab.query)
        for number in range(4 if self.level == "fast" else 12):
            for mutant in [
                mutant for pair in self.pairs for mutant in (*pair.mutants, *pair.changed) if mutant.critical
            ]:
                if mutant.told_apart or self.effort.over():
                    continue
                recipe = Recipe(
                    seed=self.seed * 1009 + 500 + number,
                    spread=(4, 100_000, 12)[number % 3],
                    witnesses=14,
                    doubles=0.1,
                    nulls=0.05,
                )
                found = self._round(recipe, mutant)
                if found is not None:
                    return found
        return None

    def _round(self, recipe: Recipe, aim: Mutant | None = None) -> Difference | None:
        models = self.models
        goals: dict[int, bool | str] = {}
        if aim is not None and aim.goal is not None:
            goals[id(aim.goal)] = aim.falsify if isinstance(aim.falsify, str) else not aim.falsify
            root = aim.goal.root()
            models = [model for model in models if model.root.node.root() is root] or models
        data = self._generated(models, recipe, goals)
        found = self._compare_on(data, random.Random(recipe.seed))
        if found is not None:
            self.data = data
        return found

    def _generated(self, models: list[Model], recipe: Recipe, goals: dict[int, bool | str]) -> Dataset:
        """A round's data, with as few rows as joins of so many tables allow."""
        cap = row_cap(self.models, recipe.spread)
        recipe = replace(recipe, witnesses=min(recipe.witnesses, max(3, cap // 3)))
        data = generate(models, self.names.catalog, recipe, self.constants, goals)
        return Dataset(rows={name: rows[:cap] for name, rows in data.rows.items()})

    def load(self, data: Dataset) -> None:
        """Put a dataset into the tables."""
        for table in self.names.catalog.tables.values():
            rows = data.rows.get(table.physical, [])
            if self._loaded.get(table.physical) is rows:
                continue
            self._loaded[table.physical] = rows
            self.lab.do(table_sql(table))
            self.lab.made.setdefault(f"TABLE {table.physical}", None)
            insert = rows_sql(table, rows)
            if insert is not None:
                self.lab.do(insert)

    # -- comparing ---------------------------------------------------------------------------------------

    def _compare_on(self, data: Dataset, rng: random.Random) -> Difference | None:
        """The first difference on a dataset that is not merely chance."""
        self.load(data)
        for pair in self.pairs:
            found = self._compare(pair)
            if found is None:
                continue
            if found.shape or self._stable(pair, data, rng):
                return found
            chance = "the order of rows that tie decides the result"
            pair.dropped.append(chance)
            pair.reservations.append(f"{chance}, and it was not the same in both versions")
            self.load(data)
        return None

    def _compare(self, pair: Pair) -> Difference | None:
        self.lab.begin()
        old = self.lab.query(pair.old_sql)
        if isinstance(old, RunError):
            # A failed statement ends its transaction: the other version gets its own.
            self.lab.rollback()
            return self._old_failed(pair, old)
        new = self.lab.query(pair.new_sql)
        self.lab.rollback()
        if isinstance(new, RunError):
            if new.kind == "time":
                pair.dropped.append(new.message)
                return None
            bind = new.kind == "bind"
            if not bind and not self._fails_alone(pair):
                pair.dropped.append(new.message)
                return None
            reason = f"the new version does not run: {new.message}"
            return Difference(pair=pair, reason=reason, old=old, shape=bind, bind=bind)
        reason_ = shape_difference(old, new, self.names.migration.dialect, names=pair.named)
        if reason_ is not None:
            return Difference(pair=pair, reason=reason_, old=old, new=new, shape=True)
        left, right = freeze_rows(old.rows), freeze_rows(new.rows)
        if not same_bag(left, right):
            return Difference(pair=pair, reason="the two versions return different rows", old=old, new=new)
        if pair.sorts and left != right and not self._same_order(pair, left, right):
            reason = "the two versions return the rows in different orders"
            return Difference(pair=pair, reason=reason, old=old, new=new)
        pair.rows += len(left)
        pair.compared += 1
        pair.filled += bool(left)
        if left:
            self._tell_apart(pair, left, old.types)
        return None

    def _fails_alone(self, pair: Pair) -> bool:
        """Does the new version fail, and the old one not, also when nothing is reordered?"""
        old, new = self.lab.unoptimised(pair.old_sql), self.lab.unoptimised(pair.new_sql)
        return isinstance(old, Result) and isinstance(new, RunError)

    def _old_failed(self, pair: Pair, old: RunError) -> Difference | None:
        if old.kind == "bind":
            raise NotComparable(
                f"statement {pair.number}: the old version does not run in DuckDB: {old.message}"
            )
        # Where the old version fails it promises nothing, whatever the new one does there.
        pair.dropped.append(old.message)
        return None

    def _same_order(self, pair: Pair, left: list[Row], right: list[Row]) -> bool:
        keyed = self.lab.query(pair.key_sql) if pair.key_sql is not None else None
        if not isinstance(keyed, Result):
            return False
        return same_order(blocks_of(freeze_rows(keyed.rows), len(left[0])), right)

    def _stable(self, pair: Pair, data: Dataset, rng: random.Random) -> bool:
        """Does each version return the same rows however the tables are ordered? Else chance decides."""
        first = [self.lab.query(sql) for sql in (pair.old_sql, pair.new_sql)]
        for _ in range(3):
            self.load(Dataset(rows={name: rng.sample(rows, len(rows)) for name, rows in data.rows.items()}))
            again = [self.lab.query(sql) for sql in (pair.old_sql, pair.new_sql)]
            if not all(_alike(one, other) for one, other in zip(first, again, strict=True)):
                return False
        return True

    def _tell_apart(self, pair: Pair, rows: list[Row], types: tuple[str, ...]) -> None:
        self._check_unfolded(pair, rows)
        for mutant in (*pair.mutants, *pair.changed):
            if mutant.told_apart or self.effort.over():
                continue
            answer = self.lab.query(mutant.sql())
            if isinstance(answer, RunError):
                # A variant that fails where the old version runs cannot be mistaken for it.
                mutant.told_apart = answer.kind != "time"
            else:
                mutant.told_apart = answer.types != types or not same_bag(rows, freeze_rows(answer.rows))


def _alike(one: Result | RunError, other: Result | RunError) -> bool:
    if isinstance(one, Result) and isinstance(other, Result):
        return same_bag(freeze_rows(one.rows), freeze_rows(other.rows))
    return isinstance(one, RunError) and isinstance(other, RunError)
