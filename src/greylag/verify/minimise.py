"""A counterexample as small as a bounded search makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.domain.check import Counterexample
from greylag.verify.compare import freeze_rows, same_bag
from greylag.verify.datagen import Dataset, Row
from greylag.verify.execute import Effort, Result

if TYPE_CHECKING:
    from greylag.verify.experiment import Experiment
    from greylag.verify.pairs import Difference, Pair

_TRIALS = {"fast": 150, "full": 600}
_SECONDS = {"fast": 5.0, "full": 20.0}
_SHOWN = 6


def minimise(experiment: Experiment, found: Difference, data: Dataset) -> Counterexample:
    """Delete rows while the two versions still differ in the same way (delta debugging)."""
    effort = Effort(_TRIALS[experiment.level], _SECONDS[experiment.level])
    pair = found.pair
    failing = found.old is None or found.new is None
    smallest = data
    for table in sorted(data.rows, key=lambda name: -len(data.rows[name])):
        smallest = _shrink(experiment, pair, smallest, table, effort, failing)
    for table in sorted(data.rows):
        smallest = _shrink(experiment, pair, smallest, table, effort, failing)
    experiment.load(smallest)
    old, new = experiment.lab.query(pair.old_sql), experiment.lab.query(pair.new_sql)
    return _example(experiment, smallest, old, new)


def _shrink(
    experiment: Experiment, pair: Pair, data: Dataset, table: str, effort: Effort, failing: bool
) -> Dataset:
    rows = data.rows[table]
    size = max(1, len(rows) // 2)
    while rows and not effort.over():
        start, removed = 0, False
        while start < len(rows) and not effort.over():
            fewer: list[Row] = rows[:start] + rows[start + size :]
            effort.spend()
            trial = Dataset(rows={**data.rows, table: fewer})
            if _differs(experiment, pair, trial, failing):
                rows, data, removed = fewer, trial, True
            else:
                start += size
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return data


def _differs(experiment: Experiment, pair: Pair, data: Dataset, failing: bool) -> bool:
    experiment.load(data)
    old, new = experiment.lab.query(pair.old_sql), experiment.lab.query(pair.new_sql)
    if isinstance(old, Result) and isinstance(new, Result):
        if failing:
            return False
        left, right = freeze_rows(old.rows), freeze_rows(new.rows)
        return not same_bag(left, right)
    return failing and isinstance(old, Result) != isinstance(new, Result)


def _example(experiment: Experiment, data: Dataset, old: object, new: object) -> Counterexample:
    tables = {
        ".".join(table.key): tuple(dict(row) for row in data.rows.get(table.physical, []))
        for table in experiment.names.catalog.tables.values()
    }
    return Counterexample(
        tables=tables,
        old_columns=old.columns if isinstance(old, Result) else ("error",),
        new_columns=new.columns if isinstance(new, Result) else ("error",),
        old=_shown(old),
        new=_shown(new),
    )


def _shown(result: object) -> tuple[tuple[object, ...], ...]:
    if isinstance(result, Result):
        return tuple(result.rows[:_SHOWN])
    return ((getattr(result, "message", ""),),)
