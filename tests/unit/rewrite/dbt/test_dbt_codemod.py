"""What the golden folder cannot say: producers, paths, edits that clash, and the real dbt."""

from __future__ import annotations

import pytest
from tests.unit.rewrite.dbt.project import migration

from greylag.domain.outcome import Edited, Failed, FormChoice, Skipped, Unchanged
from greylag.domain.patch import Edit
from greylag.rewrite.dbt import rewrite_dbt
from greylag.rewrite.dbt.blocks import blocks, variants
from greylag.rewrite.dbt.jinja import spans
from greylag.rewrite.dbt.merge import Clash, agree

READ = "select user_id\nfrom {{ source('core', 'users_v1') }}\n"


def test_the_model_that_makes_the_replaced_dataset_is_left_alone() -> None:
    outcome = rewrite_dbt("models/core/users_v1.sql", READ, migration())
    assert isinstance(outcome, Skipped)
    assert [reason.code for reason in outcome.reasons] == ["producer"]


def test_a_producer_that_reads_something_else_is_unchanged() -> None:
    text = "select user_id, country from {{ ref('stg_users') }}"
    assert rewrite_dbt("models/core/users_v1.sql", text, migration()) == Unchanged()


def test_reads_are_told_with_the_place_of_the_jinja() -> None:
    outcome = rewrite_dbt("models/m.sql", READ, migration())
    assert isinstance(outcome, Edited)
    assert [(str(read.dataset), read.line, read.column) for read in outcome.reads] == [
        ("prod.core.users_v1", 2, 6)
    ]
    assert outcome.reads[0].columns == ("user_id",)


def test_line_ends_of_the_file_stay() -> None:
    text = (
        "{{ config(\r\n  materialized='view'\r\n) }}\r\nselect user_id,\r\n  country -- où\r\n"
        "from {{ source('core', 'users_v1') }}\r\n{%- if is_incremental() %}\r\n"
        "where country = 'é'\r\n{% endif %}\r\n"
    )
    for form in FormChoice:
        outcome = rewrite_dbt("models/m.sql", text, migration(), form=form)
        assert isinstance(outcome, Edited), outcome
        assert "users_v1'" not in outcome.text
        kept = [line for line in text.split("\r\n") if "user" not in line and "country" not in line]
        assert all(line in outcome.text.split("\r\n") for line in kept)
        assert outcome.text.count("\n") == outcome.text.count("\r\n")


def test_without_a_dbt_name_the_new_table_is_written_as_sql_names_it() -> None:
    names = "\nref:\n  prod.core.users_v1: [{dbt: \"source('core', 'users_v1')\"}]\n"
    outcome = rewrite_dbt("models/m.sql", READ, migration(names))
    assert isinstance(outcome, Edited)
    assert "from prod.core.users_v2" in outcome.text


def test_without_any_dbt_name_a_read_in_doubt_is_left_alone() -> None:
    outcome = rewrite_dbt("models/m.sql", READ, migration(names=""))
    assert isinstance(outcome, Skipped)
    assert [reason.code for reason in outcome.reasons] == ["dbt-name-unsure"]
    assert outcome.reasons[0].line == 2


@pytest.mark.parametrize(
    "text", ["", "{{", "{% if %}users_v1{% endif %}", "users_v1", "{{ ref('users_v1') }}", "'users_v1"]
)
def test_whatever_the_text_nothing_is_raised(text: str) -> None:
    outcome = rewrite_dbt("models/m.sql", text, migration())
    assert not isinstance(outcome, Failed | Edited)


def clash(text: str, wanted: list[set[Edit]]) -> str:
    tree = blocks(spans(text))
    ways = variants(tree, spans(text))
    with pytest.raises(Clash) as refused:
        agree(text, [(way, frozenset(edits)) for way, edits in zip(ways, wanted, strict=True)], tree)
    return refused.value.reason.code


def test_an_edit_that_one_branch_wants_and_another_that_shows_its_place_does_not() -> None:
    text = "select a\n{% if x %}b{% endif %}"
    inside, outside = Edit(text.index("b"), text.index("b") + 1, "B"), Edit(7, 8, "A")
    assert clash(text, [{outside}, set()]) == "branches-differ"
    assert clash(text, [{inside}, {outside}]) == "branches-differ"
    tree = blocks(spans(text))
    shown, hidden = variants(tree, spans(text))
    both = agree(text, [(shown, frozenset({inside, outside})), (hidden, frozenset({outside}))], tree)
    assert both == (outside, inside)


def test_edits_that_overlap_clash() -> None:
    text = "{% if x %}abc{% endif %}"
    assert clash(text, [{Edit(10, 12, "x"), Edit(11, 13, "y")}, set()]) == "branches-differ"
