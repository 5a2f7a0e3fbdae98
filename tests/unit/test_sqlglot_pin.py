"""Why sqlglot is pinned: shapes that newer releases refuse to qualify (see docs/adr/0002-sqlglot-pin.md)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import sqlglot
from sqlglot.optimizer.qualify import qualify

ROOT = Path(__file__).parents[2]

# Each is refused by 30.30.0 with "Cannot resolve … due to missing source schemas".
SHAPES = {
    "an alias in GROUP BY": "SELECT DATE(placed_at) AS day, COUNT(*) AS n FROM shop.orders GROUP BY day",
    "an alias named as its column": (
        "SELECT LOWER(city) AS city, COUNT(*) AS n FROM shop.orders WHERE city IS NOT NULL GROUP BY city"
    ),
    "an alias in HAVING": "SELECT city, COUNT(*) AS n FROM shop.orders GROUP BY city HAVING n > 1",
    "an array unnested": "SELECT day, item.sku FROM shop.orders, UNNEST(items) AS item",
    "an IN subquery": "SELECT id FROM shop.orders WHERE city IN (SELECT city FROM shop.cities)",
    "a correlated EXISTS": (
        "SELECT id FROM shop.orders AS o "
        "WHERE EXISTS (SELECT 1 FROM shop.lines AS l WHERE l.order_id = o.id AND sku = 'x')"
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_pinned_release_qualifies_queries_over_tables_without_a_schema(shape: str) -> None:
    tree = sqlglot.parse_one(SHAPES[shape], dialect="bigquery")
    qualified = qualify(tree, dialect="bigquery", validate_qualify_columns=False)
    named = list(qualified.find_all(sqlglot.exp.Column))
    assert named
    assert any(column.table for column in named)


def test_the_pin_is_exact() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"sqlglot[c]=={sqlglot.__version__}" in project["dependencies"]
