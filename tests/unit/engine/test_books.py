"""The money on our tables: what is reserved counts, what is settled counts once, and a limit is a limit."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greylag.agent.proxy.books import OverBudget
from greylag.domain.agent import AttemptEnd, AttemptKey, Usage
from greylag.domain.target import TargetState
from greylag.engine import agent_runs
from greylag.engine.books import Budget, SqlBooks
from greylag.engine.clock import LeapClock
from greylag.engine.database import connect, prepare
from greylag.engine.store import Store
from greylag.engine.world import Target

ONE = AttemptKey(migration="m", repository="r1")
OTHER = AttemptKey(migration="m", repository="r2")
ELSEWHERE = AttemptKey(migration="n", repository="r1")


@pytest.fixture
def books(tmp_path: Path) -> SqlBooks:
    engine = connect(f"sqlite:///{tmp_path / 'db.sqlite'}")
    prepare(engine)
    clock = LeapClock(datetime(2026, 3, 2, 22, 0, tzinfo=UTC))
    return SqlBooks(store=Store(engine), clock=clock, budget=Budget(target=1.0, campaign=1.5, day=2.0))


def test_a_reservation_counts_until_it_is_settled(books: SqlBooks) -> None:
    call = books.reserve(ONE, "model", 0.9, "r")
    with pytest.raises(OverBudget) as refused:
        books.reserve(ONE, "model", 0.2, "r")
    assert refused.value.which == "target"
    assert books.refused(ONE) == "target"
    books.settle(call, Usage(calls=1, input_tokens=10, output_tokens=2, cost=0.1), "ok")
    books.settle(call, Usage(calls=1, cost=0.9), "ok")
    assert books.reserve(ONE, "model", 0.9, "r") > call


def test_the_campaign_and_the_day_have_limits_of_their_own(books: SqlBooks) -> None:
    books.reserve(ONE, "model", 0.9, "r")
    with pytest.raises(OverBudget) as refused:
        books.reserve(OTHER, "model", 0.7, "r")
    assert refused.value.which == "campaign"
    books.reserve(ELSEWHERE, "model", 0.9, "r")
    with pytest.raises(OverBudget) as refused:
        books.reserve(OTHER, "model", 0.3, "r")
    assert refused.value.which == "day"
    assert isinstance(books.clock, LeapClock)
    books.clock.sleep_until(books.clock.now() + timedelta(hours=3), threading.Event())
    books.reserve(OTHER, "model", 0.3, "r")


def test_what_a_run_took_is_what_was_settled(books: SqlBooks) -> None:
    first, second = (books.reserve(ONE, "model", 0.3, "r") for _ in range(2))
    books.settle(first, Usage(calls=1, input_tokens=7, output_tokens=2, cached_tokens=3, cost=0.01), "ok")
    spent = books.spent(ONE)
    assert (spent.input_tokens, spent.output_tokens, spent.cached_tokens) == (7, 2, 3)
    assert spent.cost == pytest.approx(0.31)  # the second may still cost what it reserved
    books.settle(second, Usage(calls=1), "failed")
    assert books.spent(ONE).cost == pytest.approx(0.01)


def test_what_is_only_reserved_is_told_apart(books: SqlBooks) -> None:
    settled = books.reserve(ONE, "model", 0.3, "r")
    books.settle(settled, Usage(calls=1, cost=0.2), "ok")
    books.reserve(ONE, "model", 0.7, "r")
    with pytest.raises(OverBudget) as refused:
        books.reserve(ONE, "model", 0.2, "r")
    assert refused.value.spent == pytest.approx(0.9)
    assert refused.value.reserved == pytest.approx(0.7)
    assert refused.value.may_pass_later
    with pytest.raises(OverBudget) as refused:
        books.reserve(ONE, "model", 0.9, "r")
    assert not refused.value.may_pass_later


def test_a_refusal_is_forgotten_when_a_call_passes_again(books: SqlBooks) -> None:
    call = books.reserve(ONE, "model", 0.9, "r")
    with pytest.raises(OverBudget):
        books.reserve(ONE, "model", 0.2, "r")
    books.settle(call, Usage(calls=1, cost=0.1), "ok")
    books.reserve(ONE, "model", 0.2, "r")
    assert books.refused(ONE) is None


def test_calls_that_a_killed_process_left_open_count_in_full_when_their_run_ends(books: SqlBooks) -> None:
    target = Target(repository=ONE.repository, state=TargetState.AGENT)
    now = books.clock.now()
    with books.store.write() as session:
        run = agent_runs.begin(session, ONE.migration, target, now, brief="b", agent="a", model="m")
    call = books.reserve(run.key, "model", 0.4, "r")
    other = books.reserve(OTHER, "model", 0.1, "r")
    with books.store.write() as session:
        agent_runs.end(session, run, now, AttemptEnd.ERRORED, "it was cut off")
        assert session.spent(migration="m", repository="r1") == pytest.approx(0.4)
        # Nobody waits for it any more, as for one that is under way.
        assert session.spent(migration="m", reserved=True) == pytest.approx(0.1)
    books.settle(call, Usage(calls=1, cost=0.05), "recovered")
    books.settle(call, Usage(calls=1, cost=0.3), "recovered")
    books.settle(other, Usage(calls=1, cost=0.01), "ok")
    with books.store.read() as session:
        assert session.spent(migration="m") == pytest.approx(0.06)
