"""Quiet hours learned from traffic."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from greylag.rollout.quiet import HOURS, Lesson, count_up, learn, spans
from greylag.rollout.traffic import TrafficFile
from greylag.rollout.windows import opening

NOW = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


def daily(hour: int, days: int = 42, minute: int = 0) -> list[datetime]:
    """A run a day, the last one yesterday."""
    return [NOW - timedelta(days=day) + timedelta(hours=hour, minutes=minute) for day in range(1, days + 1)]


def taught(times: list[datetime], timezone: str = "UTC", now: datetime = NOW) -> Lesson:
    """What these times teach."""
    return learn(count_up(times, about="runs of r", timezone=timezone, now=now), now)


def test_a_nightly_run_leaves_the_rest_of_the_day() -> None:
    lesson = taught(daily(3))
    assert lesson.hours == frozenset(hour for hour in range(HOURS) if hour % 24 != 3)
    assert lesson.words == (
        "quiet hours learned from runs of r, 42 runs, 2026-01-19 to 2026-03-01: "
        "Mon-Sun 00-02, 04-23 UTC (none in such an hour of the week)"
    )


def test_office_hours_leave_nights_and_weekends() -> None:
    times = [at for hour in range(8, 18) for at in daily(hour) if at.weekday() < 5]
    lesson = taught(times)
    assert lesson.hours is not None
    assert spans(lesson.hours) == "Mon-Fri 00-07, 18-23; Sat-Sun all day"
    noon = opening(None, NOW + timedelta(hours=12), lesson=lesson)
    assert not noon.open
    assert noon.until == NOW + timedelta(hours=18)
    assert noon.why.startswith("Mon 12:00-12:59 UTC is busy: 6 runs (quiet hours learned from runs of r")
    # The margin: half an hour before the office opens.
    assert opening(None, NOW + timedelta(hours=7, minutes=29), lesson=lesson).open
    assert not opening(None, NOW + timedelta(hours=7, minutes=30), lesson=lesson).open


def test_traffic_at_all_hours_never_closes_a_week() -> None:
    times = [NOW - timedelta(minutes=10 * n) for n in range(6 * 24 * 40)]
    lesson = taught(times)
    assert lesson.hours is not None
    assert len(lesson.hours) >= HOURS // 6


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([], "no run in the 56 days before 2026-03-02"),
        (daily(3, days=9), "9 runs in 8 days; at least 14 in 14 days are needed"),
        ([NOW - timedelta(days=3, minutes=n) for n in range(500)], "500 runs in 1 day; at least 14"),
        ([at - timedelta(days=20) for at in daily(3, days=30)], "the last run known is of 2026-02-09"),
    ],
)
def test_too_little_evidence_says_so_and_leaves_it_to_the_schedule(times: list[datetime], said: str) -> None:
    lesson = taught(times)
    assert lesson.hours is None
    assert said in lesson.words
    assert opening(None, NOW, lesson=lesson).open


def test_hours_are_those_of_the_wall_clock_also_across_a_change() -> None:
    """A run at 03:00 Stockholm is at 02:00 UTC in winter and 01:00 UTC in summer: one hour of the week."""
    now = datetime(2026, 4, 20, tzinfo=UTC)
    zone = ZoneInfo("Europe/Stockholm")
    times = [(now - timedelta(days=day)).replace(hour=3, tzinfo=zone) for day in range(1, 43)]
    lesson = taught(times, "Europe/Stockholm", now)
    assert lesson.hours == frozenset(hour for hour in range(HOURS) if hour % 24 != 3)


@pytest.mark.parametrize("ending", ["ndjson", "csv"])
def test_a_file_of_times(tmp_path: Path, ending: str) -> None:
    rows = [("web", at.isoformat()) for at in daily(3)]
    file = tmp_path / f"runs.{ending}"
    if ending == "csv":
        file.write_text("repository,at\n" + "".join(f"{name},{at}\n" for name, at in rows) + "web,soon\n")
    else:
        lines = [json.dumps({"repository": name, "at": at}) for name, at in rows]
        file.write_text("\n".join([*lines, '{"repository": "web", "a']))
    found = TrafficFile(file=file).lesson("web", ["p.c.old"], NOW)
    assert found.hours is not None
    assert "1 line of runs." in found.words
    assert ("the first is 44" if ending == "csv" else "the first is 43") in found.words
    other = TrafficFile(file=file).lesson("other", ["p.c.old"], NOW)
    assert other.hours is None


def test_reads_of_the_dataset_stand_in_for_runs_that_nobody_wrote_down(tmp_path: Path) -> None:
    file = tmp_path / "queries.ndjson"
    file.write_text(
        "\n".join(json.dumps({"dataset": "P.C.Old", "at": f"{at:%Y-%m-%dT%H:%M}"}) for at in daily(3))
    )
    found = TrafficFile(file=file).lesson("web", ["p.c.old"], NOW)
    assert "reads of p.c.old" in found.words


def test_a_file_that_is_missing_or_changes_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "runs.ndjson"
    source = TrafficFile(file=file)
    assert "cannot be read" in source.lesson("web", [], NOW).words
    file.write_text("\n".join(json.dumps({"repository": "web", "at": at.isoformat()}) for at in daily(3)))
    assert source.lesson("web", [], NOW).hours is not None
