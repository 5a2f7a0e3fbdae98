"""The page of attacks says what is tried."""

from __future__ import annotations

from collections import Counter

from tests.attacks.table import PAGE, groups, page


def test_the_page_is_made_from_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.attacks.table`"


def test_attacks_have_names_of_their_own_and_say_what_stops_them() -> None:
    for title, attacks in groups():
        assert [name for name, times in Counter(one.name for one in attacks).items() if times > 1] == [], (
            title
        )
        assert all(one.name and one.seen and one.stopped for one in attacks), title
    assert sum(len(attacks) for _, attacks in groups()) >= 45
