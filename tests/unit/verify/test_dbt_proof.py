"""Two versions of a dbt file, compared without dbt."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.check import Proof, Verdict
from greylag.domain.dbt import DbtSurroundings
from greylag.mapping import load_migration, load_migration_text
from greylag.verify.dbt import prove_dbt
from greylag.verify.dbt_render import renderings
from greylag.verify.dbt_world import OPAQUE, Unrenderable

MIGRATION = load_migration_text(
    """
name: orders-v2
dialect: duckdb
replaces:
  - dataset: shop.orders_v1
    columns: {order_id: INTEGER, amount: INTEGER, status: VARCHAR}
    to: shop.orders_v2
    rename: {order_id: id, status: state}
    where: channel = 'ALL'
provides:
  - dataset: shop.orders_v2
    columns: {id: INTEGER, amount: INTEGER, state: VARCHAR, channel: VARCHAR}
ref:
  shop.orders_v1: [{dbt: "source('shop', 'orders_v1')"}]
  shop.orders_v2: [{dbt: "source('shop', 'orders_v2')"}]
""",
    path="orders-v2.migration.yaml",
    base=Path(),
)
OLD = "{{ source('shop', 'orders_v1') }}"
NEW = "{{ source('shop', 'orders_v2') }}"
BOUNDARY = f"(SELECT id AS order_id, amount, state AS status FROM {NEW} WHERE channel = 'ALL')"
GOOD = (Verdict.PROVEN, Verdict.TESTED)


def prove(old: str, new: str) -> Proof:
    return prove_dbt(old, new, MIGRATION)


def test_a_right_rewrite_holds() -> None:
    old = f"{{{{ config(materialized='view') }}}}select order_id from {OLD} where status = 'open'"
    new = old.replace(OLD, NEW).replace("order_id", "id as order_id")
    new = new.replace("where status = 'open'", "where state = 'open' and channel = 'ALL'")
    assert prove(old, new).verdict in GOOD


def test_a_forgotten_filter_is_refuted() -> None:
    proof = prove(f"select amount from {OLD}", f"select amount from {NEW}")
    assert proof.verdict is Verdict.REFUTED
    assert proof.counterexample is not None


def test_the_weakest_branch_wins_and_is_named() -> None:
    old = f"select amount from {OLD} where true {{% if is_incremental() %}}and status = 'a'{{% endif %}}"
    new = (
        old.replace(OLD, NEW)
        .replace("where true", "where channel = 'ALL'")
        .replace("status = 'a'", "state = 'b'")
    )
    assert prove(old, new).verdict is Verdict.REFUTED
    assert prove(old, new.replace("'b'", "'a'")).verdict in GOOD


@pytest.mark.parametrize("condition", ["target.name == 'prod'", "not is_incremental()", "var('x', false)"])
def test_outside_conditions_are_taken_both_ways(condition: str) -> None:
    text = f"select {{% if {condition} %}}1{{% else %}}2{{% endif %}} as a"
    found = list(renderings(text, text, MIGRATION))
    assert sorted(rendering.old for rendering in found) == ["select 1 as a", "select 2 as a"]
    assert all(rendering.branch for rendering in found)


def test_loops_and_variables_of_the_file_are_run() -> None:
    text = (
        "{% set names = ['a', 'b'] %}{% for n in names %}{{ n }}{{ ',' if not loop.last }}{% endfor %}"
        "{% if names | length == 2 %}!{% endif %}"
    )
    (rendering,) = renderings(text, text, MIGRATION)
    assert rendering.old == "a,b!"


def test_unknown_macros_are_the_same_word_for_the_same_use() -> None:
    (rendering,) = renderings("{{ f('a') }} {{ p.g(1) }}", "{{ f('b') }} {{ p.g(1) }}", MIGRATION)
    assert rendering.old.split()[0] != rendering.new.split()[0]
    assert rendering.old.split()[1] == rendering.new.split()[1]
    assert all(word.startswith(OPAQUE) for word in rendering.old.split())


def test_unknown_macros_over_the_mapping_itself_hold_by_construction() -> None:
    old = f"select order_id, {{{{ cents('amount') }}}} as euros from {OLD} as o"
    proof = prove(old, old.replace(OLD, BOUNDARY))
    assert (proof.verdict, proof.method) == (Verdict.PROVEN, "construction")


def test_unknown_macros_over_a_changed_query_are_inconclusive() -> None:
    old = f"select order_id, {{{{ cents('amount') }}}} as euros from {OLD} as o"
    new = old.replace(OLD, NEW).replace("order_id", "id as order_id") + " where channel = 'ALL'"
    proof = prove(old, new)
    assert proof.verdict is Verdict.INCONCLUSIVE
    assert "not known here" in proof.reasons[0]


def test_unknown_macros_beside_a_changed_query_do_not_matter() -> None:
    rest = "select order_id, {{ cents('amount') }} as euros from source"
    old = f"with source as (select * from {OLD}) {rest}"
    body = f"select id as order_id, amount, state as status from {NEW} where channel = 'ALL'"
    new = f"with source as ({body}) {rest}"
    assert prove(old, new).verdict in GOOD
    wrong = new.replace(" where channel = 'ALL'", "")
    assert prove(old, wrong).verdict is Verdict.REFUTED


def test_a_recursive_cte_is_no_closed_query() -> None:
    body = f"select order_id from {OLD} union all select order_id + 1 from r"
    old = f"with recursive r as ({body}) select {{{{ f() }}}} from r"
    new = old.replace(OLD, NEW).replace("select order_id from", "select id as order_id from")
    assert prove(old, new).verdict is Verdict.INCONCLUSIVE


def test_a_file_that_was_not_rewritten_is_not_proven() -> None:
    text = f"select order_id, {{{{ f() }}}} from {OLD} as o"
    assert prove(text, text).verdict is Verdict.INCONCLUSIVE


def test_a_made_up_value_is_never_proof_for_all_values() -> None:
    old = f"select order_id from {OLD} as o where amount > {{{{ var('least') }}}}"
    new = old.replace(OLD, NEW).replace("order_id", "id as order_id") + " and channel = 'ALL'"
    proof = prove(old, new)
    assert proof.verdict is Verdict.TESTED
    assert any("least" in reason for reason in proof.reasons)


def test_in_boundary_form_no_value_and_no_branch_matters() -> None:
    old = f"select order_id from {OLD} as o where amount > {{{{ var('least') }}}}"
    old += "".join(f"{{% if var('v{n}') %}} and amount <> {n}{{% endif %}}" for n in range(12))
    proof = prove(old, old.replace(OLD, BOUNDARY))
    assert (proof.verdict, proof.method) == (Verdict.PROVEN, "construction")
    assert prove(old, old.replace(OLD, BOUNDARY).replace("<> 3", "<> 4")).verdict not in GOOD
    assert prove(old, old.replace(OLD, BOUNDARY.replace("'ALL'", "'all'"))).verdict not in GOOD


def test_project_macros_and_variables_are_rendered() -> None:
    project = DbtSurroundings(
        variables={"least": 3},
        macros={
            "half": "{% macro half(c) %}{{ return(adapter.dispatch('half')(c)) }}{% endmacro %}",
            "duckdb__half": "{% macro duckdb__half(c) %}({{ c }} / {{ two() }}){% endmacro %}",
            "two": "{% macro two() %}{% if target.name == 'prod' %}2{% else %}2.0{% endif %}{% endmacro %}",
        },
    )
    old = f"select order_id, {{{{ half('amount') }}}} as h from {OLD} where amount > {{{{ var('least') }}}}"
    new = old.replace(OLD, NEW).replace("order_id", "id as order_id") + " and channel = 'ALL'"
    assert prove(old, new).verdict is Verdict.INCONCLUSIVE
    assert prove_dbt(old, new, MIGRATION, project=project).verdict in GOOD
    wrong = new.replace("half('amount')", "half('id')")
    assert prove_dbt(old, wrong, MIGRATION, project=project).verdict is Verdict.REFUTED


def test_changed_macros_are_programs_of_their_own() -> None:
    old = f"{{% macro m(c) %}}select amount from {OLD} where {{{{ c }}}} > 1{{% endmacro %}}"
    new = old.replace(OLD, f"{BOUNDARY} as orders_v1")
    assert prove(old, new).verdict is Verdict.PROVEN
    old = f"{{% macro m() %}}select amount from {OLD} where status = 'a'{{% endmacro %}}"
    new = old.replace(OLD, NEW).replace("status = 'a'", "state = 'a' and channel = 'ALL'")
    assert prove(old, new).verdict in GOOD
    assert prove(old, new.replace("'ALL'", "'x'")).verdict is Verdict.REFUTED
    assert prove(old, new.replace("m()", "m(a)")).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in run_query('select 1') %}{{ x }}{% endfor %}",
        "{% if %}",
        "{% set n = unknown() + 1 %}{{ n }}",
        "{{ 1 / 0 }}",
        "{{ (1).__class__.__bases__ }}",
        "".join(f"{{% if flag_{number} %}}a{{% endif %}}" for number in range(6)),
    ],
)
def test_what_cannot_be_rendered_is_inconclusive(text: str) -> None:
    with pytest.raises(Unrenderable):
        list(renderings(text, text, MIGRATION))
    proof = prove(text, text)
    assert (proof.verdict, proof.method) == (Verdict.INCONCLUSIVE, "none")
    assert proof.reasons


def test_relations_have_parts_and_snapshots_a_body() -> None:
    text = (
        "{% snapshot s %}{{ this.schema }} {{ source('a', 'b') }} {{ ref('p', 'm', v=2) }}{% endsnapshot %}"
    )
    (rendering,) = renderings(text, text, MIGRATION)
    assert rendering.old == 'greylag_dbt "greylag_source_a"."b" "greylag_ref"."p"."m_v2"'


def test_unknown_macros_between_clauses_hold_by_construction_too() -> None:
    old = f"select order_id from {OLD} where amount > 1 {{{{ more() }}}}"
    new = old.replace(OLD, f"{BOUNDARY} AS orders_v1")
    assert (prove(old, new).verdict, prove(old, new).method) == (Verdict.PROVEN, "construction")
    for wrong in (
        new.replace(" WHERE channel = 'ALL'", ""),
        new.replace("amount > 1", "amount > 2"),
        new.replace("AS orders_v1", "AS o"),
        new.replace("{{ more() }}", "{{ less() }}"),
        new + " limit 1",
        old,
    ):
        assert prove(old, wrong).verdict is Verdict.INCONCLUSIVE, wrong


@pytest.mark.parametrize("last", ["select order_id, amount from rows", "select * from rows"])
def test_an_incremental_model_reads_its_own_columns(last: str) -> None:
    old = (
        f"with rows as (select order_id, amount from {OLD}\n"
        "{% if is_incremental() %}where amount > (select max(amount) from {{ this }}){% endif %}) " + last
    )
    new = old.replace(OLD, NEW).replace("rows as (select order_id", "rows as (select id as order_id")
    wrong = prove(old, new)
    assert wrong.verdict is Verdict.REFUTED
    new = new.replace("where amount", "where channel = 'ALL' and amount")
    new = new.replace("{% endif %}", "{% else %}where channel = 'ALL'{% endif %}")
    assert prove(old, new).verdict in GOOD


def test_names_of_types_are_known() -> None:
    text = "cast(a as {{ dbt.type_timestamp() }}) b::{{ dbt_utils.type_string() }} {{ dbt_utils.star(1) }}"
    (rendering,) = renderings(text, text, MIGRATION)
    assert rendering.old.startswith(f"cast(a as TIMESTAMP) b::TEXT {OPAQUE}")


HOOK = "insert into log select {} from {{{{ ref('{}') }}}}"
HOOKED = '{{{{ config(post_hook="' + HOOK + '") }}}}\nselect 1 as one\n'


@pytest.mark.parametrize(
    ("column", "expected"), [("id", {Verdict.PROVEN}), ("amount", {Verdict.REFUTED, Verdict.INCONCLUSIVE})]
)
def test_hooks_are_compared_though_a_model_does_not_show_them(column: str, expected: set[Verdict]) -> None:
    migration = load_migration(Path(__file__).parents[2] / "golden" / "dbt" / "migration.yaml")
    old, new = HOOKED.format("order_id", "orders_v1"), HOOKED.format(column, "orders_v2")
    assert prove_dbt(old, new, migration).verdict in expected
    assert prove_dbt(old, new.replace("post_hook", "pre_hook"), migration).verdict is Verdict.INCONCLUSIVE
