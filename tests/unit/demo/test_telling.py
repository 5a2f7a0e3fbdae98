"""What the story says: events counted and told, reasons shortened, changes named, numbers never invented."""

from __future__ import annotations

import io
import os
import pty
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from rich.console import Console
from tests.unit.demo.world import World

from greylag.demo import show
from greylag.demo.changes import schema_changes
from greylag.demo.compare import Comparison
from greylag.demo.figures import equality, summarise
from greylag.demo.left import left_for_people
from greylag.demo.pipelines import Run
from greylag.demo.running import bar
from greylag.demo.telling import Teller
from greylag.domain.change import ChangeKind
from greylag.domain.check import Counterexample
from greylag.engine.actions import Decision, Wait, WaitKind
from greylag.engine.events import Event, EventKind
from greylag.engine.ledger import LedgerRow

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _console() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, width=100, highlight=False), stream


def _everything(terminal: int) -> str:
    """What was written to a terminal whose other end is closed: the kernel hands it over in pieces."""
    pieces: list[bytes] = []
    with suppress(OSError):  # Linux says so at the end, instead of nothing
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    os.close(terminal)
    return b"".join(pieces).decode()


def _event(kind: EventKind, message: str, repository: str | None = None) -> Event:
    return Event(migration="m", kind=kind, message=message, at=NOON, repository=repository)


def _row(
    path: str = "sql/a/b/query.sql", state: str = "skipped", reason: str = "", form: str | None = None
) -> LedgerRow:
    return LedgerRow(
        repository="shop",
        path=path,
        dataset="prod.core.users_v1",
        line=1,
        column=1,
        columns=(),
        framework="sql",
        owner=None,
        state=state,
        reason=reason,
        form=form,
        verdict="tested" if form else None,
        wave=None,
        pull=None,
        evidence=(),
    )


def test_what_is_alike_is_counted_and_told_when_something_else_happens() -> None:
    console, stream = _console()
    teller = Teller(console)
    for name in ("a", "b"):
        teller(_event(EventKind.MERGED, f"{name}: merged", name))
    teller(_event(EventKind.PROPOSED, "a: opened", "a"))
    assert stream.getvalue() == ""
    teller(_event(EventKind.REVERTED, "a: reverted: it fails", "a"))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines == ["  Mon 12:00  2 merged, 1 pull request opened", "  Mon 12:00  a: reverted: it fails"]
    teller(_event(EventKind.DONE, "b: healthy", "b"))
    teller.flush()
    assert stream.getvalue().rstrip().endswith("1 healthy after the merge")
    assert [event.repository for event in teller.of(EventKind.MERGED)] == ["a", "b"]


def test_who_gets_what_was_tried_in_vain_is_said() -> None:
    console, stream = _console()
    Teller(console)(_event(EventKind.HANDED_OVER, "a: reverted 2 times: it fails", "a"))
    assert stream.getvalue().rstrip().endswith("a: handed over to a person: reverted 2 times: it fails")


def test_the_bar_is_drawn_beside_the_results_and_makes_way_for_them() -> None:
    console, stream = _console()
    teller = Teller(console)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, bar(teller, 2, terminal):
        teller(_event(EventKind.DONE, "a: healthy", "a"))
        teller(_event(EventKind.HANDED_OVER, "b: reverted 2 times", "b"))
    shown = _everything(ours)
    assert "1/2" in shown
    assert "2/2" in shown
    assert "healthy" not in shown
    assert "\x1b" not in stream.getvalue()
    assert "targets" not in stream.getvalue()
    teller(_event(EventKind.HANDED_OVER, "c: later", "c"))
    assert "c: handed over to a person: later" in stream.getvalue()


def test_there_is_no_bar_without_a_terminal() -> None:
    console, _ = _console()
    teller, plain = Teller(console), io.StringIO()
    with bar(teller, 2, plain):
        teller(_event(EventKind.DONE, "a: healthy", "a"))
    assert plain.getvalue() == ""


def test_long_lines_go_on_below_their_own_start() -> None:
    console, stream = _console()
    Teller(console).say(NOON, "word " * 40, repository="shop")
    lines = stream.getvalue().splitlines()
    assert len(lines) > 1
    assert all(line.startswith(" " * 13) for line in lines[1:])


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("sql/a/b/query.sql:3: sql/a/b/query.sql:3:7: not understood", "line 3: not understood"),
        ("sql/a/b/query.sql: too large", "too large"),
        ("a person took it", "a person took it"),
        ("sql/a/b/query.sql:3: one; sql/a/b/query.sql:9: two", "line 3: one (and 1 more)"),
    ],
)
def test_reasons_are_told_beside_their_place(reason: str, told: str) -> None:
    decision = Decision(actions=(), waits=(), over=True, wake=None)
    (left,) = left_for_people("users-v2", decision, [_row(reason=reason)])
    assert (left.where, left.reason) == ("b/query.sql", told)
    assert left.command == "greylag retry users-v2 shop"


def test_people_are_told_what_the_engine_waits_for_but_not_what_time_brings() -> None:
    waits = (
        Wait(kind=WaitKind.PERSON, repository="shop", reason="unanswered", command="greylag answer m k V"),
        Wait(kind=WaitKind.TIME, repository="other", reason="bakes"),
    )
    decision = Decision(actions=(), waits=waits, over=False, wake=None)
    left = left_for_people("m", decision, [_row(state="migrated")])
    assert [(item.repository, item.command) for item in left] == [("shop", "greylag answer m k V")]


def test_schema_changes_are_named_by_the_mapping(world: World) -> None:
    named = {(change.dataset.name, change.column): change for change in schema_changes(world.migration)}
    assert named["users_v1", "user_id"].kind is ChangeKind.RENAMED
    assert named["users_v1", "country"].kind is ChangeKind.REPLACED
    assert named["users_v1", "plan"].kind is ChangeKind.REPLACED
    assert named["users_v1", "referrer"].kind is ChangeKind.REMOVED
    assert named["users_v1", "device"].kind is ChangeKind.ADDED
    assert named["users_v1", "device"].breaking
    assert ("users_v1", "sessions") not in named
    assert named["devices_v1", "model"].after == "model_name"


def test_the_last_line_counts_what_was_compared() -> None:
    before = {name: Run(repository=name, commit="c", ok=name != "sick") for name in ("a", "b", "sick")}
    compared = [
        Comparison(repository="a", tables=1, rows=2, fault=None),
        Comparison(repository="b", tables=1, rows=3, fault="1 rows are missing"),
    ]
    found = equality(compared, before, still_old=["a"], not_run=["dbt-one"])
    assert (found.equal, found.compared, found.rows, found.unequal) == (1, 2, 5, {"b": "1 rows are missing"})
    assert not found.all_equal
    assert found.sentence() == (
        "1 of 2 pipelines return the same rows as before (1 failed before the change, and are not counted; "
        "1 did not run, dbt is not installed)"
    )
    nothing = equality([], {}, still_old=[], not_run=[])
    assert not nothing.all_equal


def test_the_ledger_adds_up() -> None:
    rows = [_row(state="migrated", form="inline"), _row(state="retired", form="inline"), _row()]
    summary = summarise(rows)
    assert summary.consumers == 3
    assert summary.states == {"migrated": 1, "retired": 1, "skipped": 1}
    assert summary.forms == {"inline": 2}


def test_a_counterexample_shows_its_rows_and_names_its_empty_tables() -> None:
    console, stream = _console()
    found = Counterexample(
        tables={"users": ({"id": 1, "plan": None},), "orders": ()},
        old_columns=("n",),
        new_columns=("n",),
        old=(),
        new=((7,),),
    )
    show.counterexample(console, found)
    text = stream.getvalue()
    assert "with users" in text
    assert "NULL" in text
    assert "and no row in orders" in text
    assert "(no row)" in text
    assert "7" in text


def test_what_agents_do_is_counted_and_their_questions_are_told() -> None:
    console, stream = _console()
    teller = Teller(console)
    teller(_event(EventKind.AGENT, "shop: codemods left 2 files over", "shop"))
    for name in ("shop", "bank"):
        run = {"run": f"m/{name}/1.1"}
        teller(
            Event(migration="m", kind=EventKind.AGENT, message="works", at=NOON, repository=name, data=run)
        )
    teller(_event(EventKind.WAVES, "late arrivals: wave 3: 1"))
    assert stream.getvalue() == ""
    teller(_event(EventKind.QUESTION, "shop: the agent asks: which rows?", "shop"))
    teller.flush()
    told = stream.getvalue()
    assert "the agent asks: which rows?" in told
    assert "2 runs of the agent" in told
    assert "codemods left" not in told
    assert "late arrivals" not in told
    assert len(teller.of(EventKind.AGENT)) == 3
