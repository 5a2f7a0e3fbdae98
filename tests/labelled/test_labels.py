"""The labels hold: each wrong rewrite is really wrong on its witness, each right one is not shown wrong.

Judged by `tests/execution.py` alone, which shares nothing with the verifier.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from tests.execution import Result, Tables, differences
from tests.labelled.loader import Labelled, every, labelled, migration, migrations, tables


@cache
def made(name: str, *, old: bool) -> Tables:
    return Tables(tables(name), migration(name), old=old)


@cache
def before(name: str, data: str, old: str) -> list[Result]:
    return made(name, old=True).run(old, data)


def difference(entry: Labelled, data: str | None = None) -> list[str]:
    more = entry.data if data is None else data
    new = made(entry.migration, old=False).run(entry.new, more)
    return differences(before(entry.migration, more, entry.old), new)


@pytest.mark.parametrize("name", migrations())
def test_every_wrong_rewrite_differs_on_its_witness(name: str) -> None:
    wrong = [entry for entry in labelled(name) if not entry.right]
    assert wrong
    assert [str(entry) for entry in wrong if not difference(entry)] == []


@pytest.mark.parametrize("name", migrations())
def test_no_right_rewrite_differs(name: str) -> None:
    right = [entry for entry in labelled(name) if entry.right]
    assert right
    for entry in right:
        # The tables on which wrong rewrites of the same text were told apart, too.
        beside = {other.data for other in labelled(name) if other.old == entry.old}
        assert [line for data in sorted({"", *beside}) for line in difference(entry, data)] == [], entry
        assert any(result.rows for result in before(name, "", entry.old)), entry


def test_the_set_is_large_and_varied() -> None:
    wrong = [entry for entry in every() if not entry.right]
    right = [entry for entry in every() if entry.right]
    kinds = Counter(entry.kind for entry in wrong)
    assert len(wrong) >= 900 and len(right) >= 250, (len(wrong), len(right))
    assert sum(count >= 5 for count in kinds.values()) >= 25, kinds
    assert len({(entry.migration, entry.old, entry.new) for entry in every()}) == len(every())
