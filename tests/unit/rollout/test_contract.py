"""One contract for every health source: healthy, failed, errored and inconclusive, and whose fault it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.rollout.benches import BY_HTTP, KINDS, MERGED, WITH_CLOCKS, WITH_HISTORY, Bench, Told, bench

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Health, Reading, Subject, assess

P, F, E, I = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE  # noqa: E741
BEFORE = Subject(migration="m", repository="team/r", base="base")
AFTER = Subject(migration="m", repository="team/r", base="base", merged_commit="new", merged_at=MERGED)
MINUTE = timedelta(minutes=1)
NOW = MERGED + 60 * MINUTE


def at(minutes: float, *, good: bool = True, took: float = 5, rows: int = 100) -> Told:
    """A run that began so many minutes after the merge."""
    return Told(started=MERGED + minutes * MINUTE, good=good, minutes=took, rows=rows)


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench(request.param, tmp_path) as one:
        yield one


def over(*kinds: str) -> pytest.MarkDecorator:
    """Run a test over these sources."""
    return pytest.mark.parametrize("made", kinds, indirect=True)


def before(made: Bench) -> Reading:
    """The baseline."""
    made.clock = MERGED
    return made.source().read(BEFORE, MERGED)


def after(made: Bench, minutes: float = 60) -> Reading:
    """A reading so long after the merge."""
    made.clock = MERGED + minutes * MINUTE
    return made.source().read(AFTER, made.clock)


@over(*KINDS)
def test_a_consumer_that_works(made: Bench) -> None:
    made.tell(at(-30))
    assert before(made).status is P
    made.tell(at(-30), at(20))
    found = after(made)
    assert (found.status, found.at) == (P, NOW)


@over(*KINDS)
def test_a_consumer_that_the_merge_broke(made: Bench) -> None:
    made.tell(at(-30))
    baseline = before(made).status
    made.tell(at(-30), at(20, good=False))
    found = after(made)
    assert found.status is F
    told = assess([found], baseline=baseline, merged_at=MERGED, bake=3 * MINUTE, now=NOW)
    assert told.health is Health.UNHEALTHY
    made.tell(at(-30), at(20, good=False), at(40))
    assert after(made).status is P


@over(*KINDS)
def test_no_run_since_the_merge_tells_nothing(made: Bench) -> None:
    for good in (True, False):
        made.clock = NOW
        made.tell(at(-30, good=good))
        # A query of the last 70 minutes would see the run before the merge, but it asks since the merge.
        assert after(made).status is I


@over(*(kind for kind in WITH_CLOCKS if kind not in ("prometheus",)))
def test_a_run_that_began_before_the_merge_tells_nothing_of_it(made: Bench) -> None:
    """It had loaded the old code, whenever it ended; and clocks differ by seconds."""
    for started in (-2, 0.2):
        made.tell(at(-60), at(started, took=10, good=False))
        assert after(made).status is I, started


@over(*BY_HTTP)
@pytest.mark.parametrize("fault", ["500", "timeout", "json"])
def test_a_server_that_does_not_answer_is_errored(made: Bench, fault: str) -> None:
    made.tell(at(-30), at(20))
    made.fault = fault
    for found in (before(made), after(made)):
        assert found.status is E
        assert "s3cret" not in found.detail
    assert set(made.seen) == {"Bearer s3cret"}
    assert len(made.seen) == (2 if fault == "json" else 4), "what passes is tried again"
    made.fault = None
    assert after(made).status is P


@over(*BY_HTTP)
def test_no_server_and_no_token_are_errored(made: Bench) -> None:
    made.tell(at(20))
    source = made.source()
    (made.folder / "token").unlink()
    found = source.read(AFTER, NOW)
    assert found.status is E and "token" in found.detail
    assert made.seen == []
    address, made.address = made.address, "http://127.0.0.1:1"
    assert made.source().read(AFTER, NOW).status is E
    made.address = address


@pytest.mark.parametrize(
    ("kind", "file", "text"),
    [
        ("dbt folder", "results/x.json", '{"metadata": '),
        ("dbt folder", "results/x.json", "[]"),
        ("dbt folder", "results/x.json", '{"metadata": {"generated_at": "at dawn"}, "results": []}'),
        ("openlineage folder", "events/x.json", "{"),
        ("openlineage folder", "events/x.ndjson", '{"half\n{}\n'),
        ("sql", "w.duckdb", "no database"),
    ],
)
def test_files_that_cannot_be_read_are_errored(kind: str, file: str, text: str, tmp_path: Path) -> None:
    with bench(kind, tmp_path) as made:
        made.tell(at(20))
        assert after(made).status is P
        (tmp_path / file).write_text(text)
        assert after(made).status is E


@over(*KINDS)
def test_what_was_broken_before_is_not_our_failure(made: Bench) -> None:
    made.tell(at(-50), at(-30, good=False))
    baseline = before(made).status
    assert baseline is F
    made.tell(at(-50), at(-30, good=False), at(20, good=False))
    found = after(made)
    told = assess([found], baseline=baseline, merged_at=MERGED, bake=3 * MINUTE, now=NOW)
    assert told.health is Health.INCONCLUSIVE
    if made.kind in WITH_HISTORY:
        assert found.status is I and "before" in found.detail
    made.tell(at(-50), at(-30, good=False), at(20))
    assert after(made).status is P


@over(*WITH_CLOCKS)
def test_a_clock_that_is_far_ahead_never_decides(made: Bench) -> None:
    """Two hours ahead: a run from before the merge seems to be one of after it."""
    for good in (True, False):
        made.tell(at(-45 + 120, good=good))
        made.clock = NOW + 120 * MINUTE
        found = made.source().read(AFTER, NOW)
        assert found.status in (E, I)


@over(*BY_HTTP)
def test_a_server_whose_clock_is_behind_is_errored(made: Bench) -> None:
    made.tell(at(-60))
    made.clock = NOW - 10 * MINUTE
    found = made.source().read(AFTER, NOW)
    assert found.status is E and "10m behind" in found.detail


@over(*WITH_HISTORY)
def test_what_is_usual_is_told_by_the_runs_before(made: Bench) -> None:
    usual = [at(-30 * number, took=5 + number % 2) for number in range(1, 11)]
    made.rules = {"duration": 6, "at_least": 10}
    for took, status in ((6, P), (12, F)):
        made.tell(*usual, at(20, took=took))
        found = after(made)
        assert found.status is status
        assert "before the merge 330 (median of 10, spread 44.478)" in found.detail
    made.tell(*usual[1:], at(20))
    found = after(made)
    assert found.status is I and "9 runs before the merge, 10 needed" in found.detail


@over("dbt folder", "openlineage folder", "openlineage web")
def test_rows_are_held_against_those_before(made: Bench) -> None:
    made.rules = {"rows": 6, "slack": 0.2}
    usual = [at(-30 * number, rows=1000 + number) for number in range(1, 11)]
    for rows, status in ((1100, P), (700, F), (1300, F), (0, F)):
        made.tell(*usual, at(20, rows=rows))
        assert after(made).status is status, rows


@over(*WITH_HISTORY)
def test_a_success_that_is_overdue(made: Bench) -> None:
    made.rules = {"freshness": 4}
    usual = [at(-10 * number) for number in range(1, 11)]
    made.tell(*usual)
    assert after(made, 4).status is I
    found = after(made, 40)
    assert found.status is F and "no success for 50m" in found.detail
    # It had stopped before.
    made.tell(*[at(-10 * number) for number in range(5, 15)])
    assert after(made, 40).status is I


@over(*WITH_HISTORY)
def test_failures_that_are_usual(made: Bench) -> None:
    made.rules = {"failure_rate": 0.2}
    usual = [at(-10 * number, good=number % 2 == 1) for number in range(1, 11)]
    made.tell(*usual, at(10), at(20, good=False))
    assert after(made).status is I
    made.tell(*usual, at(10, good=False), at(20, good=False))
    assert after(made).status is F
    made.tell(*usual, at(10, good=False), at(20))
    assert after(made).status is P
