"""What SQLite gives for nothing, on PostgreSQL: one writer at a time, whole pictures, the order of bytes."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.postgresql import Server

from greylag.agent.proxy.books import OverBudget
from greylag.domain.agent import AttemptKey
from greylag.domain.check import Verdict
from greylag.domain.errors import UsageError
from greylag.domain.target import TargetState
from greylag.engine import hearts, hooks, questions, tables
from greylag.engine.books import Budget, SqlBooks
from greylag.engine.clock import ServerClock, SystemClock
from greylag.engine.database import DatabaseAway, connect, passes, prepare
from greylag.engine.events import EventKind
from greylag.engine.hooks import SEVERAL, Delivery, PushedRun
from greylag.engine.store import Store

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LIFE = timedelta(seconds=30)


@pytest.fixture
def store(server: Server) -> Store:
    engine = connect(server.fresh())
    prepare(engine)
    return Store(engine)


def at_once(*work: Callable[[], object]) -> list[object]:
    """What each returned or raised, all begun at the same moment."""
    gate = threading.Barrier(len(work))
    found: list[object] = [None] * len(work)

    def run(number: int, one: Callable[[], object]) -> None:
        gate.wait()
        try:
            found[number] = one()
        except Exception as error:  # noqa: BLE001 - what a caller would see
            found[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_several_make_the_tables_at_once(server: Server) -> None:
    url = server.fresh()
    assert at_once(*(lambda: prepare(connect(url)) for _ in range(4))) == [None] * 4
    with connect(url).begin() as connection:
        assert connection.exec_driver_sql("SELECT version FROM schema_version").all() == [
            (tables.SCHEMA_VERSION,)
        ]


def test_a_later_one_is_refused(server: Server) -> None:
    engine = connect(server.fresh())
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER)")
        connection.exec_driver_sql(f"INSERT INTO schema_version VALUES ({tables.SCHEMA_VERSION + 1})")
    with pytest.raises(UsageError, match="written by a later version"):
        prepare(engine)
    assert sa.inspect(engine).get_table_names() == ["schema_version"]


def test_an_upgraded_one_is_the_same_as_a_new_one(store: Store) -> None:
    with store.read() as session:
        inspector = sa.inspect(session.connection)
        new = {name: str(inspector.get_columns(name)) for name in inspector.get_table_names()}
    with store.write() as session:
        second = importlib.import_module("greylag.engine.upgrades.versions.0002_agents").TABLES
        for name in new.keys() - {*second, "schema_version", "schema_upgrades"}:
            session.connection.exec_driver_sql(f"DROP TABLE {name}")
        session.connection.exec_driver_sql("UPDATE schema_version SET version = 2")
        session.connection.exec_driver_sql("UPDATE schema_upgrades SET version_num = '0002'")
    engine = session.connection.engine
    assert at_once(*(lambda: prepare(engine) for _ in range(3))) == [None] * 3
    with store.read() as session:
        inspector = sa.inspect(session.connection)
        assert {name: str(inspector.get_columns(name)) for name in inspector.get_table_names()} == new


def test_a_budget_is_never_overdrawn(store: Store) -> None:
    books = SqlBooks(store=store, clock=SystemClock(), budget=Budget(target=9.0, campaign=5.0, day=99.0))

    def spend(number: int) -> Callable[[], object]:
        key = AttemptKey(migration="m", repository=f"r{number}", attempt=1, run=1)
        return lambda: books.reserve(key, "model", 1.0, f"request{number}")

    found = at_once(*(spend(number) for number in range(12)))
    assert sorted(type(one).__name__ for one in found) == ["OverBudget"] * 7 + ["int"] * 5
    assert all(isinstance(one, int | OverBudget) for one in found)


def test_a_repository_is_leased_once(store: Store) -> None:
    def take(name: str) -> Callable[[], object]:
        def run() -> str:
            with store.write() as session:
                return session.take_lease(name, "r", NOW)

        return run

    found = at_once(*(take(f"m{number}") for number in range(8)))
    assert len(set(found)) == 1, "everybody is told the same holder"


def test_a_question_is_asked_once(store: Store) -> None:
    def ask(number: int) -> Callable[[], object]:
        def run() -> object:
            with store.write() as session:
                return questions.remember(
                    session, "m", "a.b", "Gone?", NOW, kind="column", asked_by=f"r{number}"
                )

        return run

    assert at_once(*(ask(number) for number in range(8))) == [None] * 8
    with store.read() as session:
        (one,) = questions.every(session, "m").values()
    assert len(one.asked_by) == 8, "no place is lost"


def test_events_are_numbered_in_the_order_in_which_they_are_seen(store: Store) -> None:
    def tell(number: int) -> Callable[[], object]:
        def run() -> None:
            for _ in range(10):
                with store.write() as session:
                    session.event("m", EventKind.FOUND, f"{number}", at=NOW)

        return run

    seen: list[int] = []
    ends = threading.Event()

    def follow() -> None:
        while not ends.is_set() or len(seen) < 40:
            with store.read() as session:
                query = sa.select(tables.events.c.id).where(tables.events.c.id > (seen[-1] if seen else 0))
                seen.extend(row["id"] for row in session.rows(query.order_by(tables.events.c.id)))

    reader = threading.Thread(target=follow)
    reader.start()
    assert at_once(*(tell(number) for number in range(4))) == [None] * 4
    ends.set()
    reader.join(30)
    assert len(seen) == 40, "who reads on from the last number misses nothing"


def test_one_executor_leads(store: Store) -> None:
    for name in ("a", "b", "c"):
        hearts.beat(store, name)
    found = at_once(*(lambda name=name: hearts.take_lead(store, "m", name, LIFE) for name in ("a", "b", "c")))
    assert sorted(found) == [False, False, True]  # type: ignore[type-var]
    with store.read() as session:
        leads = hearts.leader(session, "m")
    assert leads is not None
    with store.write() as session:
        old = session.now() - 2 * LIFE
        session.connection.execute(
            tables.heartbeats.update().where(tables.heartbeats.c.executor == leads).values(beat_at=old)
        )
    other = next(name for name in ("a", "b", "c") if name != leads)
    assert hearts.take_lead(store, "m", other, LIFE), "its heart beats no more"
    assert not hearts.take_lead(store, "m", leads, LIFE), "it wakes up late"


def test_a_reader_sees_one_picture(store: Store) -> None:
    with store.write() as session:
        session.take_lease("m", "r1", NOW)
    with store.read() as session:
        before = session.leases()
        with store.write() as other:
            other.take_lease("m", "r2", NOW)
        assert session.leases() == before
    with store.read() as session:
        assert len(session.leases()) == 2


def test_a_heart_beats_while_somebody_writes(store: Store) -> None:
    with store.write():
        began = time.monotonic()
        hearts.beat(store, "a")
        assert time.monotonic() - began < 5


def test_who_stops_in_the_middle_of_a_write_is_cut_off(store: Store) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught, store.write() as session:
        session.connection.exec_driver_sql("SET idle_in_transaction_session_timeout = '200ms'")
        session.take_lease("m", "r", NOW)
        time.sleep(1)  # stopped; meanwhile the others go on
        with store.write() as other:
            assert other.take_lease("n", "r", NOW) == "n"
        session.leases()
    assert passes(caught.value)
    with store.read() as session:
        assert session.leases() == {"r": "n"}


def test_text_is_kept_and_ordered_as_on_sqlite(store: Store) -> None:
    names = ["Z", "a", "B", "_", "é"]
    with store.write() as session:
        for name in names:
            values = {"migration": "m", "repository": name, "state": TargetState.FOUND, "updated_at": NOW}
            more = {"reason": "a\x00b", "context": "", "verdict": Verdict.PROVEN}
            session.connection.execute(tables.targets.insert().values(**values, **more))
    with store.read() as session:
        found = session.targets("m")
    assert [one.repository for one in found] == sorted(names)
    assert {(one.state, one.verdict, one.reason) for one in found} == {
        (TargetState.FOUND, Verdict.PROVEN, "a␀b")
    }


def test_a_server_that_restarts_is_waited_for(server: Server, store: Store) -> None:
    store.patience = 30
    with store.write() as session:
        session.take_lease("m", "r", NOW)
    server.stop("fast")
    starts = threading.Timer(1.0, server.start)
    starts.start()
    with store.read() as session:
        assert session.leases() == {"r": "m"}
    starts.join()
    store.patience = 0


def test_without_patience_it_is_said_at_once() -> None:
    engine = connect("postgresql://nobody@127.0.0.1:1/none")
    with (
        pytest.raises(DatabaseAway, match=r"cannot be reached: .*127\.0\.0\.1") as caught,
        Store(engine).read(),
    ):
        pass
    assert passes(caught.value)
    with pytest.raises(DatabaseAway):
        prepare(engine)


def test_the_clock_is_the_servers_and_never_runs_back(store: Store) -> None:
    told = iter([NOW, NOW - timedelta(hours=1)])
    clock = ServerClock(lambda: next(told))
    first = clock.now()
    assert timedelta(0) <= first - NOW < timedelta(seconds=5)
    clock._known = None  # time to ask again: the server's clock was set back
    assert clock.now() >= first
    with store.aside() as session:
        assert abs(session.now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite://"])
def test_what_is_no_database_of_ours(url: str) -> None:
    with pytest.raises(UsageError, match="database: "):
        connect(url)


def test_an_address_that_is_wrong_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        connect("user:secret@host")
    assert "secret" not in str(caught.value)


def test_what_comes_in_is_kept_once_and_counted(store: Store) -> None:
    now, day, life = datetime.now(UTC), timedelta(days=1), timedelta(seconds=30)
    storm = [Delivery(forge="f", id=str(n % 900), repository="r", kind="push") for n in range(1000)]
    job = PushedRun(source="s", key="1", repository="r", job="a/b_c%", document={"state": "x"})
    shared = PushedRun(source="s", key="2", repository=SEVERAL, job="z", document={"state": "y"})
    with store.write() as session:
        assert hooks.keep_deliveries(session, storm, now) == 900
        assert hooks.keep_runs(session, [job, shared, job], now) == 2
        hooks.beat(session, "serve-1")
    with store.read() as session:
        assert hooks.counted(session) == (900, 2)
        assert [hooks.last_run(session, one) for one in ("r", "q")] == [2, 2]
        assert hooks.delivered_after(session, 0) == (900, frozenset({("r", "push")}))
        assert hooks.received(session, life)
    assert hooks.runs_of(store)("s", "nobody", ["a/b_"]) == [{"state": "x"}]
    with store.write() as session:
        hooks.take(session, 900, now)
        assert hooks.forget_old(session, now + 9 * day, deliveries_for=day, runs_for=day) == 900
        hooks.leave(session, "serve-1", life)
        assert not hooks.received(session, life)
