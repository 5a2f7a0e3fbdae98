"""The money on our tables: what is reserved counts, what is settled counts once, and a limit is a limit."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greylag.agent.proxy.books import OverBudget
from greylag.domain.agent import AttemptKey, Usage
from greylag.engine.books import Budget, SqlBooks
from greylag.engine.clock import LeapClock
from greylag.engine.database import connect, prepare
from greylag.engine.store import Store

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
