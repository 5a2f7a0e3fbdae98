"""Nasty files: none makes the codemod fall over, and none that reads the old dataset is called unchanged."""

from __future__ import annotations

import pytest
from tests.unit.rewrite.dbt.project import migration

from greylag.domain.check import Verdict
from greylag.domain.outcome import Edited, Skipped, Unchanged
from greylag.engine.rewriting import rewrite_file
from greylag.rewrite.dbt import rewrite_dbt
from greylag.verify.dbt import prove_dbt

OLD = "{{ source('core', 'users_v1') }}"
NEW = "{{ source('core', 'users_v2') }}"

LEFT_ALONE = {
    "select user_id from {{ source('core', 'users_v1')": "jinja-unreadable",
    "{% if x %}select user_id from " + OLD: "jinja-unreadable",
    "{# select user_id from " + OLD: "jinja-unreadable",
    "select user_id from " + OLD + " {% endif %}": "jinja-unreadable",
    "{% snapshot s %}select user_id from " + OLD: "jinja-unreadable",
    "{% macro m() %}select user_id from " + OLD: "jinja-unreadable",
    "{% set q %}select user_id from " + OLD: "jinja-unreadable",
    "select user_id from " + OLD + " where country = '{{'": "jinja-unreadable",
    "select user_id from {{ m(source('core', 'users_v1')) }}": "ref-in-jinja",
    "select user_id from {{ adapter.dispatch('m')(source('core', 'users_v1')) }}": "ref-in-jinja",
    "select user_id from {{ source('core', 'users_v1').render() }}": "ref-in-jinja",
    "{% for r in [source('core', 'users_v1')] %}select user_id from {{ r }}{% endfor %}": "ref-in-jinja",
    "{% for s, t in [('core', 'users_v1')] %}select 1 from {{ f(s, t) }}{% endfor %}": "jinja-names-dataset",
    "{% macro m(t='users_v1') %}select 1 from {{ source('core', t) }}{% endmacro %}": "jinja-names-dataset",
    "{{ config(pre_hook='delete from prod.core.users_v1') }} select 1 as a": "jinja-names-dataset",
    "{{ config(sql_header='select * from prod.core.users_v1;') }} select 1 as a": "jinja-names-dataset",
    "{{ config(post_hook='delete from ' ~ source('core', 'users_v1')) }} select 1 as a": "ref-in-jinja",
    "{% call set_sql_header(config) %}select * from prod.core.users_v1;{% endcall %}select 1": "not-rendered",
    "{% call statement('x') %}select user_id from " + OLD + "{% endcall %} select 1": "read-left",
    "{% raw %}select user_id from " + OLD + "{% endraw %}": "unparsable",
    "select '" + OLD + "' as t": "read-left",
    "select user_id from {{ ref('users_v1', v=2) }}": "dbt-name-unsure",
    "select user_id from {{ ref('users_v1', v=var('v')) }}": "dbt-name-unsure",
    "select user_id from {{ source(var('x'), 'users_v1') }}": "dbt-name-unsure",
    "select user_id from {{ source('core', var('t', 'users_v1')) }}": "dbt-name-unsure",
    "select user_id from {{ source(*['core', 'users_v1']) }}": "dbt-name-unsure",
    "select user_id from {{ source('CORE', 'USERS_V1') }}": "dbt-name-unsure",
    "select user_id from `{{ target.database }}.core.users_v1`": "templated-name",
    "select user_id from prod.core.{{ var('t', 'users_v1') }}": "jinja-names-dataset",
    "select date_add(x) as d, user_id from " + OLD: "unparsable",
    "select regexp_extract(country) as d from " + OLD: "unparsable",
    "-- depends_on: " + OLD + "\nselect {% if x %}'a{% else %}'b{% endif %}' as y": "read-left",
    "select user_id from "
    + OLD
    + ", prod.core.users_v1"
    + "".join(f"{{% if v{i} %}} {{% endif %}}" for i in range(12)): "too-many-branches",
}


@pytest.mark.parametrize(("text", "code"), LEFT_ALONE.items())
def test_what_is_left_alone_and_why(text: str, code: str) -> None:
    outcome = rewrite_dbt("models/m.sql", text, migration())
    assert isinstance(outcome, Skipped), outcome
    assert code in [reason.code for reason in outcome.reasons]


MOVED = {
    "select user_id\nfrom {{- source('core', 'users_v1') -}}\nwhere country='x'": (
        "select account_id as user_id\nfrom {{- source('core', 'users_v2') -}}\nwhere geo.country='x'"
    ),
    "select '{% raw %}{{ x }}{% endraw %}' as a, user_id from " + OLD: (
        "select '{% raw %}{{ x }}{% endraw %}' as a, account_id as user_id from " + NEW
    ),
    "select user_id as größe, '日' as `名` from " + OLD + " -- 🎉\nwhere country = '🎉'\n": (
        "select account_id as größe, '日' as `名` from " + NEW + " -- 🎉\nwhere geo.country = '🎉'\n"
    ),
    "select user_id\r\nfrom " + OLD + "\r\nwhere country = 'a'\r\n": (
        "select account_id as user_id\r\nfrom " + NEW + "\r\nwhere geo.country = 'a'\r\n"
    ),
    "{% snapshot s %}select user_id from " + OLD + "{% endsnapshot %}": (
        "{% snapshot s %}select account_id as user_id from " + NEW + "{% endsnapshot %}"
    ),
    "select user_id from {{source   (  'core'  ,'users_v1'  )}}": (
        "select account_id as user_id from {{source('core','users_v2')}}"
    ),
    "{% if a %}" * 40 + "select user_id from " + OLD + "{% endif %}" * 40: (
        "{% if a %}" * 40 + "select account_id as user_id from " + NEW + "{% endif %}" * 40
    ),
    "select user_id from " + OLD + " where country in (" + ",".join(f"'{i}'" for i in range(3000)) + ")": (
        "select account_id as user_id from "
        + NEW
        + " where geo.country in ("
        + ",".join(f"'{i}'" for i in range(3000))
        + ")"
    ),
}


@pytest.mark.parametrize(("text", "expected"), MOVED.items())
def test_what_is_moved(text: str, expected: str) -> None:
    report = rewrite_file("models/m.sql", text, migration(), siblings={"dbt_project.yml": ""})
    assert isinstance(report.outcome, Edited), report.outcome
    assert report.outcome.text == expected
    assert report.proof is not None and report.proof.verdict in (Verdict.PROVEN, Verdict.TESTED)


@pytest.mark.parametrize(
    "text",
    [
        "{# {{ source('core', 'users_v1') }} #}\nselect 1",
        "select user_id from {{ source(var('x'), 'users_v10') }} -- users_v1",
        "{{ config(alias='users_v1') }} select 1 as a",
    ],
)
def test_what_reads_nothing_is_unchanged(text: str) -> None:
    assert rewrite_dbt("models/m.sql", text, migration()) == Unchanged()


@pytest.mark.parametrize("expression", ["date_add(x)", "regexp_extract(country)"])
def test_what_the_parser_gives_up_on_is_not_proven(expression: str) -> None:
    old = f"select {expression} as d from {OLD}"
    proof = prove_dbt(old, old.replace("users_v1", "users_v2"), migration())
    assert proof.verdict is Verdict.INCONCLUSIVE
