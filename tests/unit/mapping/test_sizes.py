"""Wide tables: what is worked out for one column is not worked out again for each of the others."""

from __future__ import annotations

import time
from pathlib import Path

from greylag.mapping import load_migration_text

COLUMNS = 3000


def test_the_cost_of_a_migration_grows_with_its_columns_not_with_their_square() -> None:
    old = ", ".join(f"c{number}: STRING" for number in range(COLUMNS))
    new = ", ".join(f"d{number}: STRING" for number in range(COLUMNS))
    items = ", ".join(f"d{number} AS c{number}" for number in range(COLUMNS))
    text = (
        "name: wide\ndialect: bigquery\nreplaces:\n"
        f"  - dataset: p.d.old\n    columns: {{{old}}}\n    as: SELECT {items} FROM p.d.new\n"
        f"provides:\n  - dataset: p.d.new\n    columns: {{{new}}}\n"
    )
    before = time.process_time()
    migration = load_migration_text(text, path="wide.migration.yaml", base=Path())
    # About 2 seconds; were each column to read the types of all, or the text before it, more than 30.
    assert time.process_time() - before < 10
    assert len(migration.mappings) == 1
