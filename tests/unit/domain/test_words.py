"""Numbers and spans of time in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from greylag.domain.words import count, duration, times


@pytest.mark.parametrize(
    ("number", "what", "words"),
    [
        (0, "target", "0 targets"),
        (1, "target", "1 target"),
        (2, "revert", "2 reverts"),
        (1, "repository", "1 repository"),
        (3, "repository", "3 repositories"),
    ],
)
def test_counts(number: int, what: str, words: str) -> None:
    assert count(number, what) == words


def test_times() -> None:
    assert [times(1), times(2)] == ["once", "2 times"]


@pytest.mark.parametrize("words", ["0s", "1s", "90s", "30m", "90m", "1h", "36h", "2d"])
def test_spans_are_said_as_a_migration_file_says_them(words: str) -> None:
    size = {"s": 1, "m": 60, "h": 3600, "d": 86400}[words[-1]]
    assert duration(timedelta(seconds=int(words[:-1]) * size)) == words
