"""What `greylag serve` answers, over real HTTP: who is believed, what is kept, and what is said of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from greylag.app import Settings
from greylag.app.serving import Serving, open_serving
from greylag.domain.errors import UsageError
from greylag.domain.target import TargetState
from greylag.engine import hooks
from greylag.engine.hooks import ANYWHERE, Delivery
from greylag.engine.tables import deliveries, pushed_runs, targets
from greylag.rollout.health import Subject
from greylag.rollout.sources.pushed import PushedHealth
from greylag.web.intake import Full, Intake
from greylag.web.server import listening

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOKEN = {"Authorization": "Bearer 0123456789abcdef"}
RUN = {"repository": "shop/etl", "state": "failed", "run": "7", "started": NOW.isoformat()}
EVENT = {
    "eventType": "FAIL",
    "eventTime": NOW.isoformat(),
    "run": {"runId": "r-1"},
    "job": {"namespace": "prod", "name": "etl.daily"},
    "producer": "x" * 1000,
}


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """A database with one target that is watched."""
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("GREYLAG_TEST_PUSH", "0123456789abcdef")
    document: dict[str, Any] = {
        "database": f"sqlite:///{tmp_path / 'greylag.db'}",
        "serve": {
            "token": {"env": "GREYLAG_TEST_PUSH"},
            "hooks": {"github": {"file": str(tmp_path / "secret")}},
            "largest": 10_000,
        },
        "health": {
            "sources": [
                {"kind": "pushed", "source": "nightly"},
                {"kind": "pushed", "source": "openlineage", "jobs": {"shop/*": "prod/{name}.*"}},
            ]
        },
    }
    made = open_serving(Settings(**document))
    row = {"migration": "m", "repository": "shop/etl", "state": TargetState.BAKING.value}
    with made.store.write() as session:
        values = row | {"reason": "", "context": "", "updated_at": NOW}
        session.connection.execute(targets.insert().values(values))
    return made


@pytest.fixture
def client(serving: Serving) -> Iterator[httpx.Client]:
    with (
        listening(serving, "127.0.0.1", 0) as (address, _),
        httpx.Client(base_url=address, trust_env=False) as made,
    ):
        yield made


def signed(body: bytes, name: str, event: str = "pull_request", secret: str = "s3cret") -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": name, "X-Hub-Signature-256": f"sha256={digest}"}


def kept(serving: Serving, table: sa.Table) -> list[dict[str, Any]]:
    with serving.store.read() as session:
        return session.rows(sa.select(table).order_by(table.c.id))


def test_webhooks(serving: Serving, client: httpx.Client) -> None:
    body = json.dumps({"repository": {"full_name": "shop/etl"}}).encode()

    def post(headers: dict[str, str], content: bytes = body, forge: str = "github") -> httpx.Response:
        return client.post(f"/hooks/{forge}", content=content, headers=headers)

    assert post(signed(body, "1")).json() == {"kept": "pull", "repository": "shop/etl"}
    assert post(signed(body, "1")).status_code == 200, "told twice"
    assert post(signed(body, "2", "issue_comment")).status_code == 200
    assert post(signed(body, "3", "star")).status_code == 202
    refused = [
        (post(signed(body, "4", secret="other")), 401, "does not fit"),
        (post({}), 401, "x-hub-signature-256"),
        (post(signed(body, "5"), forge="gitlab"), 403, "serve.hooks.gitlab"),
        (post(signed(body, "6"), forge="svn"), 404, "expected github"),
        (post(signed(b"x" * 20_000, "7"), b"x" * 20_000), 413, "serve.largest"),
    ]
    for answer, status, words in refused:
        assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
        assert "s3cret" not in answer.text
    assert client.get("/hooks/github").status_code == 405
    rows = kept(serving, deliveries)
    assert [(row["repository"], row["kind"]) for row in rows] == [
        (ANYWHERE, "missed"),
        ("shop/etl", "pull"),
        ("shop/etl", "remark"),
    ]
    text = client.get("/metrics").text.splitlines()
    assert 'greylag_hooks_total{source="github",outcome="kept"} 3' in text
    assert 'greylag_hooks_total{source="github",outcome="refused"} 2' in text
    assert 'greylag_targets{migration="m",state="baking"} 1' in text
    assert "greylag_deliveries_waiting 3" in text


def test_runs(serving: Serving, client: httpx.Client) -> None:
    def post(document: Any, source: str = "nightly", **headers: str) -> httpx.Response:
        return client.post(f"/health/{source}", json=document, headers=headers or TOKEN)

    assert post(RUN).json() == {"kept": 1}
    assert post([RUN, RUN | {"run": "8", "state": "success"}]).json() == {"kept": 2}
    refused = [
        (post(RUN, Authorization="Bearer wrong"), 401, "Bearer"),
        (post(RUN, source="other"), 404, "no health source listens"),
        (post(RUN | {"state": "ok"}), 422, "state"),
        (post({name: RUN[name] for name in ("run", "state", "started")}), 422, "whose run"),
        (post(RUN | {"more": 1}), 422, "more"),
        (
            client.post("/health/nightly", content=json.dumps(RUN | {"run": "\ud800"}), headers=TOKEN),
            422,
            "unicode",
        ),
        (client.post("/health/nightly", content=b"{", headers=TOKEN), 400, "no JSON"),
    ]
    for answer, status, words in refused:
        assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
    assert [row["repository"] for row in kept(serving, pushed_runs)] == ["shop/etl"] * 2, "each run once"
    source = PushedHealth(serving.sources[0], hooks.runs_of(serving.store))
    subject = Subject(migration="m", repository="shop/etl", base="b")
    assert source.read(subject, NOW).detail == "shop/etl: run 8 succeeded"


def test_openlineage(serving: Serving, client: httpx.Client) -> None:
    dataset = {"eventTime": NOW.isoformat(), "dataset": {"namespace": "n", "name": "d"}}
    foreign = EVENT | {"job": {"namespace": "dev", "name": "etl.daily"}}
    answers = [
        client.post("/api/v1/lineage", json=document, headers=TOKEN)
        for document in (EVENT, EVENT, [foreign], dataset)
    ]
    assert [one.status_code for one in answers] == [201, 201, 201, 202]
    assert client.post("/api/v1/lineage", json=EVENT).status_code == 401
    half = json.dumps(EVENT | {"run": {"runId": "\ud800"}})
    assert client.post("/api/v1/lineage", content=half, headers=TOKEN).status_code == 422
    wrong = client.post("/api/v1/lineage", json=EVENT | {"eventType": "NO"}, headers=TOKEN)
    assert (wrong.status_code, "eventType" in wrong.text) == (422, True)
    rows = kept(serving, pushed_runs)
    assert [(row["job"], row["repository"]) for row in rows] == [
        ("prod/etl.daily", "shop/etl"),
        ("dev/etl.daily", ""),
    ]
    assert all("producer" not in row["document"] for row in rows), "only what is read of it is kept"
    source = PushedHealth(serving.sources[1], hooks.runs_of(serving.store))
    reading = source.read(Subject(migration="m", repository="shop/etl", base="b"), NOW)
    assert reading.detail == "prod/etl.daily: run r-1 failed"


def test_a_storm_is_written_down_once(serving: Serving) -> None:
    intake = Intake(serving)
    intake.start()
    told = [
        intake.keep(Delivery(forge="github", id=str(number % 4000), repository="shop/etl", kind="push"))
        for number in range(5000)
    ]
    wait(told, timeout=60)
    intake.end()
    assert [one.exception() for one in told if one.exception()] == []
    assert len(kept(serving, deliveries)) == 4001


def test_what_is_not_kept_is_not_confirmed_and_leaves_a_gap(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake = Intake(serving)
    one = Delivery(forge="github", id="1", repository="shop/etl", kind="push")
    monkeypatch.setattr("greylag.web.intake.MOST_WAITING", 1)
    small = Intake(serving)
    small.keep(one)
    with pytest.raises(Full):
        small.keep(one)
    intake.start()
    with serving.store.write() as session:
        session.connection.exec_driver_sql("ALTER TABLE deliveries RENAME TO away")
    told = intake.keep(one)
    assert told.exception(timeout=20) is not None
    with serving.store.write() as session:
        session.connection.exec_driver_sql("ALTER TABLE away RENAME TO deliveries")
    assert intake.keep(one).result(timeout=20) is None
    intake.end()
    assert sorted(row["kind"] for row in kept(serving, deliveries)) == ["missed", "missed", "push"]
    assert "s3cret" not in repr(serving) and "0123456789" not in repr(serving)


def test_ready_and_alive(serving: Serving, client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "leaders": {}}
    with serving.store.write() as session:
        session.connection.exec_driver_sql(
            "INSERT INTO migrations (name, path, text, source, mode, started_at)"
            " VALUES ('m', '', '', '', 'active', '2026-03-02T09:00:00+00:00')"
        )
    assert client.get("/readyz").json()["leaders"] == {"m": False}
    assert client.get("/readyz?leader=1").status_code == 503


@pytest.mark.parametrize(
    ("serve", "words"),
    [
        ({}, "nobody could be believed"),
        ({"token": {"env": "GREYLAG_TEST_NOT_SET"}}, "GREYLAG_TEST_NOT_SET is not set"),
        ({"hooks": {"github": {"file": "/does/not/exist"}}}, "the secret of github's webhooks"),
    ],
)
def test_without_secrets_it_does_not_start(tmp_path: Path, serve: dict[str, Any], words: str) -> None:
    document: dict[str, Any] = {"database": f"sqlite:///{tmp_path / 'greylag.db'}", "serve": serve}
    with pytest.raises(UsageError, match=words):
        open_serving(Settings(**document))


def test_an_address_that_is_taken(serving: Serving) -> None:
    with (
        listening(serving, "127.0.0.1", 0) as (address, _),
        pytest.raises(UsageError, match="cannot be listened on"),
        listening(serving, "127.0.0.1", int(address.rpartition(":")[2])),
    ):
        pass


def test_one_that_cannot_be_kept_takes_no_other_along(serving: Serving) -> None:
    intake = Intake(serving)
    good, odd = (
        Delivery(forge="github", id=name, repository=name, kind="push") for name in ("fine", "half \ud800")
    )
    told = [intake.keep(one) for one in (good, odd, good)]
    intake.start()
    assert told[0].result(timeout=20) is None
    assert isinstance(told[1].exception(timeout=20), UnicodeEncodeError)
    intake.end()
    assert [row["repository"] for row in kept(serving, deliveries) if row["repository"]] == ["fine"]


def test_who_waits_no_more_stops_nobody(serving: Serving) -> None:
    """A request that is broken off at the end (its time was up) is written down, and what comes behind it."""
    intake = Intake(serving)
    gone, other = (
        intake.keep(Delivery(forge="github", id=name, repository=name, kind="push")) for name in ("a", "b")
    )
    assert gone.cancel()
    intake.start()
    assert other.result(timeout=20) is None
    assert intake.alive
    intake.end()
    assert {row["repository"] for row in kept(serving, deliveries)} >= {"a", "b"}
