"""Jinja gives way to SQL of the same length."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp
from tests.unit.rewrite.dbt.project import migration

from greylag.mapping.compiled import DbtName
from greylag.rewrite.dbt.jinja import SpanKind, expression, spans
from greylag.rewrite.dbt.mask import Masked, Role, TooShort, mask
from greylag.rewrite.dbt.names import DbtCall, call, match, write_call

MIGRATION = migration()


def masked(text: str) -> Masked:
    return mask(text, spans(text), MIGRATION)


def line_ends(text: str) -> list[int]:
    return [at for at, char in enumerate(text) if char in "\r\n"]


PIECES = st.sampled_from(
    [
        "select a ",
        "\n",
        "\r\n",
        "{{ ref('users_v1') }}",
        "{{ ref('p', 'orders') }}",
        "{{\n  source('core',\n 'users_v1')\n}}",
        "{# a\n b #}",
        "{% if x %}",
        "{{ config(a=1,\n b=2) }}",
        "{{ x }}",
        "'{{ var(\"x\") }}'",
        "é",
    ]
)


@given(st.lists(PIECES, max_size=12))
def test_length_and_lines_and_data_stay(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = masked(text)
    assert len(found.text) == len(text)
    assert line_ends(found.text) == line_ends(text)
    for span in spans(text):
        if span.kind is SpanKind.DATA:
            assert found.text[span.start : span.end] == text[span.start : span.end]
    assert "{" not in found.text


def test_a_relation_reads_as_a_table_with_the_name_that_dbt_gives_it() -> None:
    found = masked("select * from {{ ref('orders') }} join {{ source('core', 'users_v1') }} using (x)")
    tables = [table.name for table in sqlglot.parse_one(found.text).find_all(exp.Table)]
    assert tables == ["orders", "users_v1"]
    assert [item.role for item in found.placeholders] == [Role.RELATION, Role.REPLACED]
    assert found.placeholders[1].dataset == MIGRATION.mappings[0].dataset


def test_another_dataset_of_the_same_name_is_not_taken_for_the_replaced_one() -> None:
    (item,) = masked("from {{ source('other', 'users_v1') }}").placeholders
    assert item.role is Role.RELATION
    assert item.table is not None and "users_v1" not in item.table.parts


def test_the_same_jinja_is_the_same_name_and_other_jinja_is_not() -> None:
    words = [item.text for item in masked("{{ a }}.x {{ a }}.y {{ b }}.z {{ this }}").placeholders]
    assert words[0] == words[1] != words[2]
    assert len(set(words)) == 3


def test_names_of_the_file_are_never_used_as_placeholders() -> None:
    assert masked("select _g0_a, _G1 from {{ x }}").placeholders[0].text.rstrip("_") == "_g2"


def test_what_renders_as_nothing_is_blank() -> None:
    found = masked(
        "{{ config(materialized='table') }}a{{ ',' if not loop.last }}b{{ ';' if loop.last else ',' }}"
    )
    assert found.text.split() == ["a", "b;"]


def test_jinja_without_room_is_refused_with_its_line() -> None:
    with pytest.raises(TooShort) as refused:
        mask("a\n{{\nx\n}}", spans("a\n{{\nx\n}}"), MIGRATION)
    assert refused.value.line == 2


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ref('a')", DbtCall(kind="ref", args=("a",))),
        ('ref("p", "a")', DbtCall(kind="ref", args=("p", "a"))),
        ("ref('a', v=2)", DbtCall(kind="ref", args=("a",), version="2")),
        ("ref('a', version='2')", DbtCall(kind="ref", args=("a",), version="2")),
        ("builtins.ref('a')", DbtCall(kind="ref", args=("a",))),
        ("source('a', 'b')", DbtCall(kind="source", args=("a", "b"))),
        ("source(x, 'b')", DbtCall(kind="source", args=None)),
        ("ref(*x)", DbtCall(kind="ref", args=None)),
        ("ref('a').identifier", None),
        ("refs('a')", None),
        ("ref", None),
    ],
)
def test_calls_are_read_from_the_tree(code: str, expected: DbtCall | None) -> None:
    assert call(expression(code)) == expected


@pytest.mark.parametrize(
    ("code", "replaced", "doubt"),
    [
        ("source('core', 'users_v1')", True, False),
        ("ref('users_v1')", True, False),
        ("ref('users_v2')", False, False),
        ("source('other', 'users_v1')", False, False),
        ("ref('package', 'users_v1')", False, True),
        ("ref('users_v1', v=1)", False, True),
    ],
)
def test_only_an_exact_name_is_the_replaced_dataset(code: str, replaced: bool, doubt: bool) -> None:
    found = call(expression(code))
    assert found is not None
    verdict = match(found, MIGRATION)
    assert (verdict.dataset is not None, verdict.doubt is not None) == (replaced, doubt)


def test_without_dbt_names_a_call_of_the_same_name_is_in_doubt() -> None:
    found = call(expression("source('core', 'users_v1')"))
    assert found is not None
    verdict = match(found, migration(names=""))
    assert verdict.dataset is None
    assert verdict.doubt is not None and "ref:" in verdict.doubt


@pytest.mark.parametrize(
    ("like", "controls", "expected"),
    [
        ("{{ ref('x') }}", True, "{{ source('core', 'users_v2') }}"),
        ('{{ref("x")}}', True, '{{source("core", "users_v2")}}'),
        ("{{- source('x','y') -}}", True, "{{- source('core','users_v2') -}}"),
        ("{{- source('x','y') -}}", False, "{{ source('core','users_v2') }}"),
        ("{{\n  source('x',\n 'y')\n}}", True, "{{ source('core', 'users_v2') }}"),
        (None, False, "{{ source('core', 'users_v2') }}"),
    ],
)
def test_new_calls_are_written_in_the_manner_of_the_old(
    like: str | None, controls: bool, expected: str
) -> None:
    assert write_call(DbtName(kind="source", args=("core", "users_v2")), like, controls=controls) == expected


@pytest.mark.parametrize("code", ["12", "loop.index", "limit"])
def test_what_is_always_a_number_is_masked_by_one(code: str) -> None:
    text = "{% set limit = 3 %}{% set other = var('x') %}a > {{ " + code + " }}"
    (item,) = masked(text).placeholders
    assert item.role is Role.NUMBER
    assert item.text.isdecimal() and len(item.text) == item.span.end - item.span.start


def test_what_may_be_a_number_is_not() -> None:
    (item,) = masked("{% set limit = var('x') %}a > {{ limit }}").placeholders
    assert item.role is Role.OPAQUE
