"""Numbers against the consumer's own before the merge: SQL, and Prometheus over a range."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.unit.rollout.servers import serve

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Subject
from greylag.rollout.sources.prometheus import PrometheusHealth, PrometheusSettings
from greylag.rollout.sources.sql import SqlHealth, SqlSettings

MERGED = datetime(2026, 1, 20, 12, tzinfo=UTC)
BEFORE = Subject(migration="m", repository="team/r", base="b")
AFTER = Subject(migration="m", repository="team/r", base="b", merged_commit="n", merged_at=MERGED)
HOUR = timedelta(hours=1)
P, F, E, I = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE  # noqa: E741


def sql(folder: Path, rows: list[tuple[datetime, int]], **settings: Any) -> SqlHealth:
    """A table of rows a day."""
    file = folder / "w.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE days (loaded TIMESTAMPTZ, n INT)")
        for row in rows:
            connection.execute("INSERT INTO days VALUES (?, ?)", list(row))
    return SqlHealth(SqlSettings.model_validate({"url": str(file), **settings}))


@pytest.mark.parametrize(
    ("youngest", "hours", "status"),
    [
        (-2, 1, I),  # nothing since the merge, and not overdue yet
        (-2, 30, F),
        (1, 2, P),
        (1, 28, F),
        (9, 2, E),  # of the future
    ],
)
def test_freshness(tmp_path: Path, youngest: float, hours: float, status: CheckStatus) -> None:
    query = "SELECT max(loaded) FROM days"
    source = sql(tmp_path, [(MERGED + youngest * HOUR, 1)], query=query, freshness="26h")
    assert source.read(AFTER, MERGED + hours * HOUR).status is status


@pytest.mark.parametrize(("value", "status"), [(1010, P), (600, F), (0, F), (1500, F)])
def test_rows_a_day(tmp_path: Path, value: int, status: CheckStatus) -> None:
    days = [(MERGED - day * 24 * HOUR, 1000 + day) for day in range(1, 11)]
    rules = {"spreads": 6, "slack": 0.3, "at_least": 10}
    source = sql(tmp_path, [*days, (MERGED + HOUR, value)], query="SELECT loaded, n FROM days", rules=rules)
    found = source.read(AFTER, MERGED + 2 * HOUR)
    assert found.status is status
    assert "median of 10" in found.detail


def test_too_few_values_before_say_nothing(tmp_path: Path) -> None:
    rows = [(MERGED - HOUR, 10), (MERGED + HOUR, 10)]
    source = sql(tmp_path, rows, query="SELECT loaded, n FROM days", rules={"spreads": 6})
    assert source.read(AFTER, MERGED + 2 * HOUR).status is I


@pytest.mark.parametrize(
    "query", ["SELECT 1", "DROP TABLE days", "SELECT n, n FROM days", "SELECT loaded FROM no"]
)
def test_queries_that_do_not_answer_are_errored(tmp_path: Path, query: str) -> None:
    source = sql(tmp_path, [(MERGED, 1)], query=query, rules={"max": 1})
    assert source.read(AFTER, MERGED + HOUR).status is E


def ranged(value: str) -> Any:
    """A server that answers a range: 10 until the merge, and then `value`."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        params = request.query_params
        assert request.url.path == "/api/v1/query_range"
        assert params["query"] == 'lag{repo="team/r"}'
        times: list[float] = []
        time = float(params["start"])
        while time <= float(params["end"]):
            times.append(time)
            time += float(params["step"])
        values = [[time, "10" if time <= MERGED.timestamp() else value] for time in times]
        data = {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
        await Response(json.dumps({"status": "success", "data": data}))(scope, receive, send)

    return answer


@pytest.mark.parametrize(
    ("value", "minutes", "status"),
    [("12", 60, P), ("16", 60, F), ("2", 60, F), ("NaN", 60, I), ("99", 1, I), ("much", 60, E)],
)
def test_prometheus_over_a_range(value: str, minutes: float, status: CheckStatus) -> None:
    with serve(ranged(value)) as address:
        web = {"url": address, "tries": 1}
        query = 'lag{repo="{repository}"}'
        settings = {"web": web, "query": query, "rules": {"spreads": 6}, "baseline": "6h"}
        source = PrometheusHealth(PrometheusSettings.model_validate(settings))
        found = source.read(AFTER, MERGED + minutes / 60 * HOUR)
        assert found.status is status, found.detail
        if status is not E:
            assert source.read(BEFORE, MERGED).status is P


@pytest.mark.parametrize(
    "document",
    [
        {"status": "error", "error": "parse error"},
        {"status": "success", "data": {"resultType": "string", "result": [1, "x"]}},
        {"status": "success", "warnings": ["a store did not answer"], "data": {}},
        {"status": "success", "data": {"resultType": "vector", "result": [{"value": 3}]}},
        [],
    ],
)
def test_prometheus_answers_that_are_none(document: object) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await Response(json.dumps(document))(scope, receive, send)

    with serve(answer) as address:
        settings = {"web": {"url": address, "tries": 1}, "query": "up", "rules": {"min": 1}}
        source = PrometheusHealth(PrometheusSettings.model_validate(settings))
        assert source.read(AFTER, MERGED + HOUR).status is E
