"""A campaign's loop outlives a database that goes away, in whatever moment."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from tests.e2e.campaigns import START, make_app, make_fleet, query, write_migration

from greylag.domain.target import TargetState
from greylag.engine import loop
from greylag.engine.actions import Decision
from greylag.engine.clock import LeapClock
from greylag.engine.work import InlineWork

CUT = "consuming input failed: server closed the connection unexpectedly"


def cut(orig: Exception) -> sa.exc.OperationalError:
    return sa.exc.OperationalError("SELECT 1", {}, orig)


class Faulty:
    """Raises at one of the moments when the loop has to do with the database, some times."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left = error, times

    def __call__(self, *_: object, **__: object) -> None:
        if self.left:
            self.left -= 1
            raise self.error


@pytest.mark.parametrize("moment", ["busy", "leads", "submit", "on_tick", "sleep", "finish"])
def test_a_database_that_goes_away_is_waited_for(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_AWAY_SECONDS", 0.0)
    faulty = Faulty(cut(psycopg.OperationalError(CUT)), 3)
    told = run(tmp_path, moment, faulty, monkeypatch)
    assert faulty.left == 0, "it was there"
    assert told == (True, {"a": TargetState.DONE})


def test_another_error_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = sa.exc.ProgrammingError("SELECT 1", {}, psycopg.errors.UndefinedTable("no such table"))
    with pytest.raises(sa.exc.ProgrammingError):
        run(tmp_path, "busy", Faulty(wrong, 1), monkeypatch)


def run(
    folder: Path, moment: str, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> tuple[bool, dict[str, TargetState]]:
    """How a campaign ends that meets these errors."""
    make_fleet(folder / "fleet", {"a": {"q.sql": query(1)}})
    clock = LeapClock(START)
    campaign = make_app(folder, clock=clock, work=InlineWork).campaign(write_migration(folder))

    def before(owner: object, name: str) -> None:
        does = getattr(owner, name)

        def failing(*given: object, **named: object) -> object:
            faulty()
            return does(*given, **named)

        monkeypatch.setattr(owner, name, failing)

    match moment:
        case "sleep":
            before(clock, "sleep_until")
        case "finish":
            before(loop.Loop, "_finish")
        case "on_tick":
            pass
        case _:
            before(InlineWork, moment)

    def on_tick(_: Decision) -> None:
        if moment == "on_tick":
            faulty()

    outcome = campaign.run(on_tick=on_tick)
    return outcome.over, {one.repository: one.state for one in campaign.world().targets}
