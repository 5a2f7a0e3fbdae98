"""Literals stand for what Python says they stand for, character by character."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.rewrite.python.literals import CannotEncode, Style, decoded, opening

BODIES = [
    r"a\n\tb",
    r"\x41\u00e5\U0001f9a2\N{GREEK SMALL LETTER ALPHA}",
    r"\101\7 \0",
    r"\q\\ \"",
    "a\\\nb",
    "a\r\nb",
]


@pytest.mark.parametrize("body", BODIES)
def test_escapes_are_read_as_python_reads_them(body: str) -> None:
    text, offsets = decoded(body, 3, raw=False)
    with pytest.warns() if "\\q" in body else _nothing():
        assert text == ast.literal_eval(f'"""{body}"""')
    assert len(offsets) == len(text) + 1
    assert offsets[-1] == 3 + len(body)
    assert list(offsets) == sorted(offsets)


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("ab'\"\\{}\n ;%(")),
    st.sampled_from(["'", '"', "'''", '"""']),
    st.booleans(),
)
def test_what_is_written_is_read_again(text: str, quote: str, doubled: bool) -> None:
    style = Style(quote=quote, doubled="{}" if doubled else "", dialect="duckdb")
    written = style.encode(text)
    read = ast.literal_eval(f"{quote}{written}{quote}")
    if doubled:
        read = read.replace("{{", "{").replace("}}", "}")
    if len(quote) == 1:
        assert read.split() == text.split() or read.replace(" ", "") == text.replace(" ", "").replace(
            "\n", ""
        )
    else:
        assert read == text


@pytest.mark.parametrize("text", ['a"""b', "ends in \\", 'ends in "'])
def test_a_raw_string_cannot_hold_everything(text: str) -> None:
    with pytest.raises(CannotEncode):
        Style(quote='"""', raw=True).encode(text)


def test_prefixes() -> None:
    assert opening("rF'''x'''") == ("rf", "'''")
    assert opening('"x"') == ("", '"')
