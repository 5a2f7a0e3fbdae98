"""Every health source, set up to tell of the same runs: what the contract suite is run over."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from tests.unit.rollout.servers import serve

from greylag.app.health_settings import AnySource, built
from greylag.rollout.health import HealthSource
from greylag.rollout.sources.openlineage import slim
from greylag.rollout.sources.pushed import OPENLINEAGE, PushedHealth, PushedSettings, RunDocument

MERGED = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A run that a source is to tell of."""

    started: datetime
    good: bool = True
    minutes: float = 5
    rows: int = 100

    @property
    def ended(self) -> datetime:
        """When it ended."""
        return self.started + timedelta(minutes=self.minutes)


@dataclass(kw_only=True)
class Bench:
    """A source and the world that it looks at. `fault`: 500, timeout or json; `clock` is the server's."""

    kind: str
    folder: Path
    runs: list[Told] = field(default_factory=list)
    fault: str | None = None
    clock: datetime = MERGED
    address: str = ""
    seen: list[str] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)

    def source(self) -> HealthSource:
        """The source, built from settings as they stand in a file."""
        settings = TypeAdapter(AnySource).validate_python(_SETTINGS[self.kind](self))
        if isinstance(settings, PushedSettings):
            return PushedHealth(settings, self.pushed)
        return built(settings, self.folder)

    def pushed(self, source: str, repository: str, prefixes: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """What was told of these runs, oldest first, as it is kept."""
        if source == OPENLINEAGE:
            assert [*prefixes] == ["team/r."]
            return [slim(event) for event in _events(self)]
        return [
            RunDocument(
                repository=repository,
                state=state,
                run=run.started.isoformat(),
                started=run.started,
                ended=None if state == "running" else run.ended,
                rows=run.rows,
            ).model_dump(mode="json", exclude_none=True)
            for run in self.runs
            for state in ("running", "success" if run.good else "failed")
        ]

    def tell(self, *runs: Told) -> None:
        """These are the runs so far."""
        self.runs = sorted(runs, key=lambda run: run.started)
        write = _FILES.get(self.kind)
        if write is not None:
            write(self)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The server."""
        request = Request(scope, receive)
        self.seen.append(request.headers.get("authorization", ""))
        if self.fault == "500":
            response = Response("s3cret stack trace", 500)
        elif self.fault == "json":
            response = Response('{"half": ')
        else:
            if self.fault == "timeout":
                await asyncio.sleep(1)
            status, document = _ANSWERS[self.kind](self, request)
            response = Response(json.dumps(document), status, media_type="application/json")
        response.headers["Date"] = format_datetime(self.clock, usegmt=True)
        await response(scope, receive, send)


@contextmanager
def bench(kind: str, folder: Path) -> Iterator[Bench]:
    """A bench, with its server where the source asks one."""
    made = Bench(kind=kind, folder=folder)
    if kind in _ANSWERS:
        with serve(made) as made.address:
            yield made
    else:
        yield made


def _web(made: Bench, path: str = "") -> dict[str, Any]:
    (made.folder / "token").write_text("s3cret\n")
    token = {"file": str(made.folder / "token")}
    return {"url": made.address + path, "token": token, "timeout": 0.4, "tries": 2, "pause": 0}


def _airflow(version: int) -> Any:
    return lambda made: {
        "kind": "airflow", "api": version, "web": _web(made), "dags": {"team/*": "{name}"},
        "rules": made.rules,
    }  # fmt: skip


def _airflow_answers(made: Bench, request: Request) -> tuple[int, object]:
    """Only what both versions document: an unknown parameter is a fault, as on the real server."""
    parts = request.url.path.split("/")
    params = dict(request.query_params)
    if parts[3:] != ["dags", "r", "dagRuns"]:
        return 404, {"detail": "not found"}
    since = datetime.fromisoformat(params.pop("start_date_gte", "2000-01-01T00:00:00+00:00"))
    until = datetime.fromisoformat(params.pop("start_date_lte", "2100-01-01T00:00:00+00:00"))
    limit = int(params.pop("limit"))
    if params != {"order_by": "-start_date"}:
        return 400, {"detail": str(params)}
    found = [run for run in reversed(made.runs) if since <= run.started <= until][:limit]
    documents = [
        {
            "dag_run_id": f"scheduled__{run.started.isoformat()}",
            "run_type": "scheduled",
            "state": "success" if run.good else "failed",
            "start_date": run.started.isoformat().replace("+00:00", "Z"),
            "end_date": run.ended.isoformat(),
        }
        for run in found
    ]
    return 200, {"dag_runs": documents, "total_entries": len(documents)}


def _run_results(run: Told) -> dict[str, Any]:
    status = "success" if run.good else "error"
    node = {"unique_id": "model.p.m", "status": status, "adapter_response": {"rows_affected": run.rows}}
    return {
        "metadata": {
            "generated_at": run.ended.isoformat(),
            "invocation_id": run.started.isoformat(),
            "env": {},
        },
        "args": {"which": "build"},
        "elapsed_time": run.minutes * 60,
        "results": [node],
    }


def _write_dbt(made: Bench) -> None:
    folder = made.folder / "results"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for number, run in enumerate(made.runs):
        (folder / f"{number}.json").write_text(json.dumps(_run_results(run)))


def _dbt_answers(made: Bench, _: Request) -> tuple[int, object]:
    return (200, _run_results(made.runs[-1])) if made.runs else (404, {})


def _events(made: Bench) -> list[dict[str, Any]]:
    job = {"namespace": "team", "name": "r.load"}
    events: list[dict[str, Any]] = []
    for number, run in enumerate(made.runs):
        one = {"run": {"runId": str(number)}, "job": job, "producer": "p"}
        output = {"outputFacets": {"outputStatistics": {"rowCount": run.rows}}}
        end = {"eventType": "COMPLETE" if run.good else "FAIL", "eventTime": run.ended.isoformat()}
        events.append({**one, "eventType": "START", "eventTime": run.started.isoformat()})
        events.append({**one, **end, "outputs": [output]})
    return events


def _write_events(made: Bench) -> None:
    folder = made.folder / "events"
    folder.mkdir(exist_ok=True)
    (folder / "log.ndjson").write_text("".join(json.dumps(one) + "\n" for one in _events(made)))


def _prometheus_answers(made: Bench, request: Request) -> tuple[int, object]:
    """`last_over_time(failed{…}[<since>s])`: of the runs that ended in that time, the last."""
    params = request.query_params
    assert request.url.path == "/api/v1/query", request.url.path
    now = float(params["time"])
    window = float(params["query"].split("[")[1].split("s]")[0])
    found = [run for run in made.runs if now - window < run.ended.timestamp() <= now]
    value = [{"metric": {}, "value": [now, "0" if found[-1].good else "1"]}] if found else []
    return 200, {"status": "success", "data": {"resultType": "vector", "result": value}}


def _http_answers(made: Bench, request: Request) -> tuple[int, object]:
    assert request.url.path == "/health/team/r", request.url.path
    if not made.runs:
        return 200, {"last": {"state": "none", "started": None}}
    last = made.runs[-1]
    return 200, {"last": {"state": "ok" if last.good else "failed", "started": last.started.isoformat()}}


def _write_table(made: Bench) -> None:
    file = made.folder / "w.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE runs (repository TEXT, began TIMESTAMPTZ, bad INT)")
        for run in made.runs:
            row = ["team/r", run.started, 0 if run.good else 1]
            connection.execute("INSERT INTO runs VALUES (?, ?, ?)", row)


def _write_status(made: Bench) -> None:
    file = made.folder / "status" / "team" / "r.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if made.runs:
        last = made.runs[-1]
        status = {"status": "success" if last.good else "failed", "finished_at": last.ended.isoformat()}
        file.write_text(json.dumps(status))


_SCRIPT = """
import json, pathlib, sys
runs = json.loads(pathlib.Path(sys.argv[1]).read_text())
sys.exit(runs if isinstance(runs, int) else 1)
"""


def _write_command(made: Bench) -> None:
    (made.folder / "check.py").write_text(_SCRIPT)
    late = [run for run in made.runs if run.started > MERGED] or made.runs
    old = bool(made.runs) and made.runs[-1].started < MERGED < made.clock
    (made.folder / "code.json").write_text("75" if old or not late else "0" if late[-1].good else "1")


_SETTINGS: dict[str, Any] = {
    "airflow 1": _airflow(1),
    "airflow 2": _airflow(2),
    "dbt folder": lambda made: {"kind": "dbt", "path": "results", "rules": made.rules},
    "dbt web": lambda made: {"kind": "dbt", "web": _web(made, "/runs/{name}/run_results.json")},
    "openlineage folder": lambda made: {
        "kind": "openlineage", "folder": "events", "jobs": "team/{name}.*", "rules": made.rules,
    },
    "openlineage web": lambda made: {
        "kind": "openlineage", "web": _web(made), "jobs": "team/{name}.*", "rules": made.rules,
    },
    "pushed": lambda made: {"kind": "pushed", "rules": made.rules},
    "pushed openlineage": lambda made: {
        "kind": "pushed", "source": "openlineage", "jobs": "team/{name}.*", "rules": made.rules,
    },
    "prometheus": lambda made: {
        "kind": "prometheus", "web": _web(made), "rules": {"max": 0},
        "query": 'last_over_time(failed{repo="{repository}"}[{since}s])',
    },
    "sql": lambda made: {
        "kind": "sql", "url": str(made.folder / "w.duckdb"), "rules": {"max": 0},
        "query": "SELECT began, bad FROM runs WHERE repository = '{repository}'",
    },
    "http": lambda made: {
        "kind": "http", "web": _web(made, "/health/{repository}"), "path": "last.state",
        "started_path": "last.started",
    },
    "status_dir": lambda made: {"kind": "status_dir", "path": "status"},
    "command": lambda made: {
        "kind": "command",
        "command": f"{sys.executable} {made.folder / 'check.py'} {made.folder / 'code.json'}",
    },
}  # fmt: skip
_ANSWERS: dict[str, Any] = {
    "airflow 1": _airflow_answers,
    "airflow 2": _airflow_answers,
    "dbt web": _dbt_answers,
    "openlineage web": lambda made, _: (200, {"events": _events(made), "totalCount": 0}),
    "prometheus": _prometheus_answers,
    "http": _http_answers,
}
_FILES: dict[str, Any] = {
    "dbt folder": _write_dbt,
    "openlineage folder": _write_events,
    "sql": _write_table,
    "status_dir": _write_status,
    "command": _write_command,
}
KINDS = tuple(_SETTINGS)
BY_HTTP = tuple(_ANSWERS)
WITH_CLOCKS = tuple(kind for kind in KINDS if kind not in ("status_dir", "command"))
"""The sources that compare times of another clock with ours."""
WITH_HISTORY = (
    "airflow 1", "airflow 2", "dbt folder", "openlineage folder", "openlineage web", "pushed",
    "pushed openlineage",
)  # fmt: skip
"""The sources that know the runs before the merge."""
