"""Finding Jinja in a text, and the ways through its branches."""

from __future__ import annotations

import pytest

from greylag.rewrite.dbt.blocks import TooManyVariants, blocks, variants
from greylag.rewrite.dbt.jinja import JinjaError, SpanKind, spans
from greylag.rewrite.dbt.literals import known_values

TEXTS = [
    "select 1",
    "",
    "a {# c\nx #}  {{- ref('x') -}}\n{%- if x -%}\r\n  y{% endif %}\r\nz",
    "{{ '}}' }} {%- raw -%} {{ x }} {%- endraw %} z\r\nq  ",
    "{{\n config(\n a=1\n)\n}}{%- set x = '{% if %}' %} {% do f(1) %}\n\n",
    "é '{{ var(\"ü\") }}' -- ☃ {{- x }}",
    "  {%- if a %} x {%- elif b %} y {% else -%} z {%- endif -%}  ",
]


@pytest.mark.parametrize("text", TEXTS)
def test_spans_cover_the_text_without_a_gap(text: str) -> None:
    found = spans(text)
    assert "".join(text[span.start : span.end] for span in found) == text
    for span in found:
        piece = text[span.start : span.end]
        if span.kind is SpanKind.EXPRESSION:
            assert piece.startswith("{{") and piece.endswith("}}")
        elif span.kind is SpanKind.STATEMENT:
            assert piece.startswith("{%") and piece.endswith("%}")
        elif span.kind is SpanKind.COMMENT:
            assert piece.startswith("{#") and piece.endswith("#}")
        assert span.line == text.count("\n", 0, span.start) + 1


def test_code_is_what_stands_between_the_delimiters() -> None:
    found = [
        span for span in spans("{{- ref('a') -}} {%+ if x %}{% endif %}") if span.kind is not SpanKind.DATA
    ]
    assert [span.code for span in found] == ["ref('a')", "if x", "endif"]
    assert [span.keyword for span in found] == ["", "if", "endif"]


@pytest.mark.parametrize(("text", "line"), [("a\n{{ b", 2), ("a\n\n{{ ) }}", 3), ("{% if x", 1)])
def test_a_broken_template_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(JinjaError) as refused:
        spans(text)
    assert refused.value.line == line


@pytest.mark.parametrize("text", ["{% if x %}a", "a{% endif %}", "{% for x in y %}{% endif %}", "{% else %}"])
def test_tags_that_do_not_pair_up_are_refused(text: str) -> None:
    with pytest.raises(JinjaError):
        blocks(spans(text))


def shown(text: str) -> list[str]:
    """What each variant leaves of the data, white space apart."""
    found = spans(text)
    return [
        "".join(
            "".join(span.code.split())
            for span in found
            if span.kind is SpanKind.DATA and way.shows(span.start, span.end)
        )
        for way in variants(blocks(found), found)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["a"]),
        ("a{% if x %}b{% endif %}c", ["abc", "ac"]),
        ("a{% if x %}b{% elif y %}c{% else %}d{% endif %}", ["ab", "ac", "ad"]),
        # One condition, one answer, wherever it is asked.
        ("{% if x() %}a{% endif %}{% if not x() %}b{% endif %}{% if x() %}c{% endif %}", ["ac", "b"]),
        ("{% if x %}a{% if x %}b{% else %}c{% endif %}{% endif %}", ["ab", ""]),
        # ... unless the file changes it on the way.
        ("{% if x %}a{% endif %}{% set x = 1 %}{% if x %}b{% endif %}", ["ab", "a", "b", ""]),
        ("{% for x in y %}a{% if not loop.last %},{% endif %}{% endfor %}b", ["ab", "b"]),
        ("{% for x in y %}a{% else %}b{% endfor %}", ["a", "b"]),
        ("{% macro m() %}a{% endmacro %}b{% set x %}c{% endset %}{% set y = 1 %}d", ["bd"]),
        ("{% snapshot s %}a{% endsnapshot %}", ["a"]),
        ("{% call f() %}a{% endcall %}b", ["b"]),
        ("{% unknown %}a", ["a"]),
    ],
)
def test_variants_are_the_ways_through_the_branches(text: str, expected: list[str]) -> None:
    assert shown(text) == expected


def test_no_rounds_of_a_loop_may_be_no_sql() -> None:
    found = spans("select {% for x in y %}a{% endfor %}")
    ways = variants(blocks(found), found)
    assert [way.optional for way in ways] == [False, True]


def test_branches_are_looked_at_up_to_a_limit() -> None:
    found = spans("".join(f"{{% if x{number} %}}a{{% endif %}}" for number in range(7)))
    with pytest.raises(TooManyVariants):
        variants(blocks(found), found)


def test_values_of_variables_that_the_file_spells_out() -> None:
    text = (
        "{% set names = ['a', 'b'] %}{% set n = 3 %}{% set other = var('x') %}"
        "{% for name in names %}{% endfor %}{% for k, v in pairs %}{% endfor %}"
        "{% for item in ['c'] %}{% if item == 'c' %}{% endif %}{% endfor %}{% for z in other %}{% endfor %}"
        "{% set twice = 'd' %}{% set twice = 'e' %}{% set lost = 'f' %}{% set lost = g() %}"
    )
    values = known_values(spans(text))
    assert values == {
        "n": {"3"},
        "name": {"a", "b"},
        "item": {"c"},
        "twice": {"d", "e"},
    }
