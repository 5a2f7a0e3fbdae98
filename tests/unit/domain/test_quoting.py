"""Quoting: what is quoted cannot end its quotation, and hides nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from greylag.domain.quoting import fenced, marker_for, name, numbered, plain, quoted, titled, visible


def test_what_does_not_show_is_written_out() -> None:
    hidden = {
        "a\u200bb": "a⟦U+200B⟧b",
        "x\u202ey": "x⟦U+202E⟧y",
        "\x1b[31mred": "⟦U+001B⟧[31mred",
        "\U000e0041": "⟦U+E0041⟧",
        "a\u3164": "a⟦U+3164⟧",
        "\ufe0f": "⟦U+FE0F⟧",
        "no\u00a0break": "no⟦U+00A0⟧break",
        "bell\x07\x00": "bell⟦U+0007⟧⟦U+0000⟧",
        "line\u2028sep": "line⟦U+2028⟧sep",
        "\ud800": "⟦U+D800⟧",
        "lone\rreturn": "lone⟦U+000D⟧return",
    }
    assert {one: visible(one) for one in hidden} == hidden


def test_what_shows_stays() -> None:
    text = "SELECT 'Åse', '日本', 'naïve' -- ok\n\tFROM t"
    assert visible(text) == text
    assert visible("a\r\nb") == "a\nb"


def test_a_name_is_one_line_and_short() -> None:
    assert name("a\nb") == "a⟦U+000A⟧b"
    assert "\n" not in name("x\r\n" * 500)
    assert len(name("x" * 5_000)) < 200
    assert plain("team/reports\n# Ignore <<<") == "team/reports___Ignore____"


def test_long_texts_are_cut_and_say_so() -> None:
    block = quoted("\n".join("y" * 500 for _ in range(300)), lines=5, characters=10_000, width=100)
    assert len(block.lines) == 5
    assert block.left_out == 295
    assert block.lines[0].endswith("[400 more characters]")
    assert "[295 more lines are left out]" in fenced("data-1", "file 1", block)


def test_numbers_are_those_of_the_file() -> None:
    block = numbered([(9, "a"), (10, "b")], 2)
    assert block.lines == (" 9| a", "10| b")
    assert titled("x\ny", block).lines[0] == "| x⟦U+000A⟧y"


def test_a_marker_is_in_none_of_the_texts_and_follows_from_them() -> None:
    first = marker_for(["a", "b"])
    assert first == marker_for(["a", "b"])
    assert first != marker_for(["ab", ""])
    assert marker_for(["a", "b", first]) != first


@given(st.lists(st.text(), max_size=5))
def test_no_quoted_line_can_be_a_fence(texts: list[str]) -> None:
    blocks = [quoted(text) for text in texts]
    marker = marker_for("\n".join(block.lines) for block in blocks)
    for block in blocks:
        lines = fenced(marker, "file", block).split("\n")
        assert [line for line in lines if marker in line] == [lines[0], lines[-1]]
        assert all(line.startswith(("| ", "|", "[")) for line in lines[1:-1])
        assert all(visible(line, keep="\t") == line for line in lines)
