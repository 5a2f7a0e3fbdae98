"""A predicate stands once, before the blocks that add conditions, where that is right in every branch."""

from __future__ import annotations

import pytest
from tests.unit.rewrite.dbt.project import BODY, migration

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, Form
from greylag.domain.patch import Edit
from greylag.engine.rewriting import rewrite_file
from greylag.rewrite.dbt.blocks import Variant
from greylag.rewrite.dbt.settle import Planned, settle

FILTERED = BODY.replace(
    "      FROM prod.core.users_v2\n", "      FROM prod.core.users_v2 WHERE device = 'ALL'\n"
)
FILTERED = FILTERED.replace("{account_id: STRING,", "{account_id: STRING, device: STRING,")
HEAD = "select user_id from {{ source('core', 'users_v1') }}\n"
MOVED = "select account_id as user_id from {{ source('core', 'users_v2') }}\n"
BLOCK = "{% if a %}\n  and country = 'x'\n{% endif %}\n{% if b %}\n  and user_id > 'y'\n{% endif %}\n"
BLOCK_MOVED = BLOCK.replace("country", "geo.country").replace("user_id", "account_id")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("country <> 'c'", "geo.country <> 'c' and device = 'ALL'"),
        ("(country = 'c' or country = 'd')", "(geo.country = 'c' or geo.country = 'd') and device = 'ALL'"),
        ("country between 'a' and 'd'", "geo.country between 'a' and 'd' and device = 'ALL'"),
    ],
)
def test_it_stands_before_the_blocks(condition: str, expected: str) -> None:
    text = f"{HEAD}where {condition}\n{BLOCK}"
    report = rewrite_file("models/m.sql", text, migration(body=FILTERED))
    assert isinstance(report.outcome, Edited), report.outcome
    assert report.outcome.text == f"{MOVED}where {expected}\n{BLOCK_MOVED}"
    assert report.proof is not None and report.proof.verdict is Verdict.PROVEN


@pytest.mark.parametrize(
    "rest",
    [
        "where country = 'c'\n{% if a %} or country = 'd' {% endif %}",
        "where country = 'c'\n{% if a %} and country = 'd' or country = 'e' {% endif %}",
        "where country = 'c' or country = 'd'\n{% if a %} and country = 'd' {% endif %}",
        "{% if a %} where country = 'c' {% endif %}",
    ],
)
def test_where_no_one_place_is_right_the_form_is_the_boundary(rest: str) -> None:
    report = rewrite_file("models/m.sql", HEAD + rest, migration(body=FILTERED))
    assert isinstance(report.outcome, Edited) and report.outcome.form is Form.BOUNDARY


def test_a_predicate_never_moves_into_another_query() -> None:
    text = "select a from t where x union all select a from t where y"
    first, last = Edit(23, 23, " and p"), Edit(len(text), len(text), " and p")
    assert text[:23].endswith("where x")
    ways = [Variant(hidden=()), Variant(hidden=((26, 27),))]
    found = [
        Planned(variant=ways[0], text=text, edits=frozenset({last})),
        Planned(variant=ways[1], text=text, edits=frozenset({first})),
    ]
    assert settle(found, "bigquery") == [(one.variant, one.edits) for one in found]
