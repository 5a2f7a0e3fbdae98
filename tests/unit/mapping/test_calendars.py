"""Freezes, holidays and waves by what targets are, in a migration file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.domain.errors import FileFaults
from greylag.domain.migration import Criticality, Freeze, Grouping, HolidayCalendar, Rollout, WaveSize
from greylag.mapping import load_migration_text

FILE = """\
name: m
dialect: bigquery
replaces:
  - dataset: p.c.old
    columns: {a: INT64}
    to: p.c.new
provides:
  - dataset: p.c.new
    columns: {a: INT64}
rollout:
"""


def rollout(text: str) -> Rollout:
    """The policy of a file with this text below `rollout`."""
    return load_migration_text(FILE + text, path="m.yaml", base=Path()).rollout


def test_everything_that_may_be_said() -> None:
    found = rollout("""\
  waves: [1, {criticality: low}, 10%, {owner: ["@a", "@b"]}, {each: owner}, {depth: 1}, {each: depth}]
  freezes:
    - {from: 2026-12-18, until: 2027-01-04, timezone: Europe/Stockholm, because: year end, owners: ["@a"]}
    - {from: 2026-06-01T08:00, until: "2026-06-01T12:00:00+02:00", because: fair, repositories: [pay-*]}
  holidays: [se, DE-BY, {country: FR, timezone: Europe/Paris}]
  max_open: 50
  merges_per_hour: 20
""")
    assert found.waves == (
        WaveSize(count=1),
        WaveSize(criticality=(Criticality.LOW,)),
        WaveSize(share=0.1),
        WaveSize(owners=("@a", "@b")),
        WaveSize(each=Grouping.OWNER),
        WaveSize(depth=1),
        WaveSize(each=Grouping.DEPTH),
    )
    assert found.freezes == (
        Freeze(
            start=datetime(2026, 12, 17, 23, tzinfo=UTC),
            end=datetime(2027, 1, 4, 23, tzinfo=UTC),
            because="year end",
            owners=("@a",),
        ),
        Freeze(
            start=datetime(2026, 6, 1, 8, tzinfo=UTC),
            end=datetime(2026, 6, 1, 10, tzinfo=UTC),
            because="fair",
            repositories=("pay-*",),
        ),
    )
    assert found.holidays == (
        HolidayCalendar(country="SE"),
        HolidayCalendar(country="DE", region="BY"),
        HolidayCalendar(country="FR", timezone="Europe/Paris"),
    )
    assert (found.max_open, found.merges_per_hour) == (50, 20)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("  holidays: [XX]", "m.yaml:11:14: `XX` is not a country whose holidays are known"),
        ("  holidays: [DE-XX]", "`XX` is not a region of DE"),
        ("  holidays: [7]", "expected a country, like SE or DE-BY"),
        ("  holidays: [{country: SE, timezon: UTC}]", "unknown key `timezon`"),
        ("  freezes: [{from: soon, until: 2026-01-02, because: x}]", "`soon` is not a time"),
        ("  freezes: [{from: 2026-01-02, until: 2026-01-01, because: x}]", "before it begins"),
        ("  freezes: [{from: 2026-01-01, until: 2026-01-02}]", "`because` is missing"),
        ("  freezes: [{from: 2026-01-01, until: 2026-01-02, because: x, owner: y}]", "unknown key `owner`"),
        ("  waves: [{owner: a, each: owner}]", "expected exactly one of owner, criticality, depth and each"),
        ("  waves: [{}]", "expected exactly one of owner, criticality, depth and each"),
        ("  waves: [{criticality: huge}]", "huge"),
        ("  waves: [{depth: -1}]", "expected 0 or more"),
        ("  waves: [10%, {owner: a}, 5%]", "waves must grow: `5%` cannot follow `10%`"),
        ("  max_open: 0", "`max_open` is 0; expected 1 or more"),
    ],
)
def test_faults(text: str, fault: str) -> None:
    with pytest.raises(FileFaults) as caught:
        rollout(text + "\n")
    assert fault in str(caught.value)
