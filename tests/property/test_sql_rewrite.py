"""Whatever the schemas, the mapping and the query: the rewritten query returns the old rows.

Bounded for everyday use; `GREYLAG_EXAMPLES=5000` searches deeper, with new examples each time.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import sqlglot
from hypothesis import HealthCheck, Phase, assume, event, given, note, settings
from hypothesis import strategies as st
from tests.execution import Result, differences, run_new, run_old
from tests.property.queries import statements
from tests.property.schemas import World, worlds

from greylag.domain.outcome import Edited, Failed, Form, FormChoice, Outcome, Skipped, Unchanged
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.sql import rewrite_sql

DEEP = int(os.environ.get("GREYLAG_EXAMPLES", "0"))
EVERYDAY = 60


@st.composite
def programs(draw: st.DrawFn) -> tuple[World, str]:
    """A world and a query over its old tables."""
    world = draw(worlds())
    return world, draw(statements({**world.old, **world.other}))


@given(programs())
@settings(
    max_examples=DEEP or EVERYDAY,
    derandomize=not DEEP,
    deadline=None,
    # Shrinking runs every candidate through DuckDB: minutes that only a search by hand has.
    phases=tuple(Phase) if DEEP else (Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_the_rewritten_query_returns_the_old_rows(program: tuple[World, str]) -> None:
    world, text = program
    note(f"{world.migration}\n{world.data}\n\n{text}")
    migration = load_migration_text(world.migration, path="random.migration.yaml", base=Path())
    old = rows_before(world, text, migration)
    outcomes = {form: rewrite_sql(text, migration, form=form) for form in FormChoice}
    for form, outcome in outcomes.items():
        check(program, migration, form, outcome, old)
    auto = outcomes[FormChoice.AUTO]
    event(f"auto: {auto.form if isinstance(auto, Edited) else type(auto).__name__}")


def rows_before(world: World, text: str, migration: CompiledMigration) -> list[Result]:
    """What the old version returns; a query that DuckDB refuses is not an example."""
    try:
        return run_old(world.data, text, migration)
    except duckdb.Error as error:
        event(f"refused: {type(error).__name__}")
        assume(False)
        raise


def check(
    program: tuple[World, str],
    migration: CompiledMigration,
    form: FormChoice,
    outcome: Outcome,
    old: list[Result],
) -> None:
    world, text = program
    match outcome:
        case Failed():
            raise AssertionError(outcome.message)
        case Skipped():
            # Only inline may be out of reach: no column is unmapped, and every read is in plain sight.
            assert form is FormChoice.INLINE, outcome.reasons
            assert outcome.reasons
        case Unchanged():
            # Right only where nothing old is read: then the text runs as it is.
            assert differences(old, run_new(world.data, text, migration)) == []
        case Edited():
            note(f"{form}:\n{outcome.text}")
            assert form is FormChoice.AUTO or outcome.form is Form(form.value)
            assert sqlglot.parse(outcome.text, read="duckdb")
            assert differences(old, run_new(world.data, outcome.text, migration)) == []
            assert rewrite_sql(outcome.text, migration, form=form) == Unchanged()
