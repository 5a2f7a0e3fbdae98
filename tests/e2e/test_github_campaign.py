"""A whole campaign over the GitHub-shaped server: real git over HTTP, real merges, answers that get lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.campaigns import MIGRATION, START, ScriptedHealth, query, write_migration
from tests.e2e.hosted import BOT, NAMES, TOKEN, fill, head_of, make_app, run, states

from greylag.app import App
from greylag.domain.target import TargetState
from greylag.engine.clock import LeapClock
from greylag.engine.events import EventKind
from greylag.engine.report import events, ledger_rows, questions
from greylag.engine.retire import retire
from greylag.testing.github import GitHubServer
from greylag.testing.github.front import Limits


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    """Three repositories that read the old dataset, one that does not, one of somebody else's."""
    with GitHubServer(tmp_path / "server") as made:
        access = {BOT: "write", "ann": "admin", "@data": "read"}
        fill(made, {".github/CODEOWNERS": b"* @shop/data\n"}, access)
        monkeypatch.setenv(TOKEN, made.hub.token(BOT))
        yield made


def make_github_app(folder: Path, url: str, **more: Any) -> App:
    """The application over GitHub's server."""
    return make_app(folder, url, kind="github", **more)


def test_find_propose_check_merge_done(tmp_path: Path, server: GitHubServer) -> None:
    app = make_github_app(tmp_path, server.url)
    campaign = run(tmp_path, app)
    assert states(campaign) == dict.fromkeys(NAMES, TargetState.DONE)
    for number, name in enumerate(NAMES):
        assert "account_id AS user_id" in head_of(server, name, f"q{number}.sql")
        repo = server.hub.repos[name]
        (pull,) = repo.pulls.values()
        assert (pull.state, pull.merged_at is not None) == ("closed", True)
        assert pull.labels == ["greylag", "users-v2"]
        assert pull.teams == ["data"], "CODEOWNERS is asked"
        assert [(one.context, one.state) for one in repo.statuses] == [("greylag/equivalence", "success")]
    assert server.hub.repos["shop/other"].pulls == {}
    assert server.hub.repos["else/where"].pulls == {}
    assert [row.state for row in ledger_rows(campaign)] == ["migrated"] * 3
    assert retire(campaign).unread


def test_answers_that_get_lost_make_nothing_twice(tmp_path: Path, server: GitHubServer) -> None:
    for method, path in (
        ("POST", r"/pulls$"),
        ("POST", r"/pulls$"),
        ("POST", r"/statuses/"),
        ("POST", r"/labels$"),
        ("PUT", r"/merge$"),
        ("POST", r"/requested_reviewers$"),
    ):
        server.fault(method=method, path=path, status=502, after=True)
    server.fault(method="GET", path=r"/pulls/\d+$", status=503, times=2)
    campaign = run(tmp_path, make_github_app(tmp_path, server.url))
    assert states(campaign) == dict.fromkeys(NAMES, TargetState.DONE)
    assert [len(server.hub.repos[name].pulls) for name in NAMES] == [1, 1, 1]
    assert sum(1 for one in server.requests if one.status in (502, 503)) == 8


def test_secondary_limits_are_waited_for(tmp_path: Path, server: GitHubServer) -> None:
    server.front.limits = Limits(hourly=1_000_000, mutations=4, window=2.0, retry_after=1)
    campaign = run(tmp_path, make_github_app(tmp_path, server.url))
    assert states(campaign) == dict.fromkeys(NAMES, TargetState.DONE)
    assert sum(1 for one in server.requests if one.status == 403) >= 1
    assert [len(server.hub.repos[name].pulls) for name in NAMES] == [1, 1, 1]


def test_what_breaks_is_taken_back_to_the_very_bytes(tmp_path: Path, server: GitHubServer) -> None:
    server.hub.protect("shop/r0", "main", "greylag/equivalence")
    app = make_github_app(tmp_path, server.url, health=ScriptedHealth(sick={"shop/r0"}), topic="pipelines")
    campaign = run(tmp_path, app, MIGRATION.replace("bake: 10m", "bake: 10m\n  max_reverts: 9"))
    assert head_of(server, "shop/r0", "q0.sql") == query(0)
    assert states(campaign)["shop/r0"] is TargetState.HANDED_OVER
    assert states(campaign)["shop/r1"] is TargetState.DONE, (
        "it failed in both forms: not for its kind of edit"
    )
    merged = Counter(pull.title.startswith("Revert") for pull in server.hub.repos["shop/r0"].pulls.values())
    assert merged[True] == merged[False] >= 1


class QueueClock(LeapClock):
    """While we sleep, a merge queue works: its first is thrown out once; then the base moves."""

    def __init__(self, server: GitHubServer, name: str) -> None:
        super().__init__(START)
        self._server, self._name, self._turn = server, name, 0

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """See `Clock`."""
        if self._server.hub.repos[self._name].queues["main"].entries:
            self._turn += 1
            if self._turn == 2:
                self._server.hub.push(self._name, "main", {"other.sql": b"SELECT 2\n"})
            elif self._turn != 3:
                self._server.hub.advance(self._name, passed=self._turn > 1)
        super().sleep_until(when, wake)


def test_a_merge_queue_is_waited_for(tmp_path: Path, server: GitHubServer) -> None:
    server.hub.queue("shop/r0", "main")
    clock = QueueClock(server, "shop/r0")
    app = make_github_app(tmp_path, server.url, clock=clock, org=None, repositories=("shop/r0",))
    campaign = run(tmp_path, app)
    assert states(campaign) == {"shop/r0": TargetState.DONE}
    repo = server.hub.repos["shop/r0"]
    assert [pull.merged_at is not None for pull in repo.pulls.values()] == [True], "one, and no other attempt"
    assert len(repo.queues["main"].removed) == 1
    assert "account_id AS user_id" in head_of(server, "shop/r0", "q0.sql")
    assert head_of(server, "shop/r0", "other.sql") == "SELECT 2\n"
    told = [event.message for event in events(campaign) if event.kind in (EventKind.WAITING, EventKind.ERROR)]
    assert any("merge queue" in one for one in told)
    assert any("failed checks" in one for one in told)


def test_a_question_is_answered_by_a_comment_of_somebody_who_may(
    tmp_path: Path, server: GitHubServer
) -> None:
    text = query(0) + "-- inconclusive\n"
    server.hub.push("shop/r0", "main", {"q0.sql": text.encode()})
    scored = query(7).replace("user_id,", "user_id, score,")
    server.hub.push("shop/r1", "main", {"extra.sql": scored.encode()})
    app = make_github_app(tmp_path, server.url)
    campaign = run(tmp_path, app)
    assert [one.key for one in questions(campaign)] == ["prod.core.users_v1.score"]
    (number,) = server.hub.repos["shop/r0"].pulls
    server.hub.repos["shop/r0"].access["eve"] = "read"
    server.hub.say("shop/r0", number, "/greylag answer prod.core.users_v1.score 0", "eve")
    campaign = run(tmp_path, app)
    assert questions(campaign)[0].answer is None
    server.hub.say("shop/r0", number, "/greylag answer prod.core.users_v1.score NULL", "ann")
    campaign = run(tmp_path, app)
    assert questions(campaign)[0].answer == "NULL"
    replies = [one.body for one in server.hub.repos["shop/r0"].comments.values() if one.user == BOT]
    assert len([one for one in replies if "may write" in one]) == 1


def test_find_looks_at_the_forge_and_not_around_itself(tmp_path: Path, server: GitHubServer) -> None:
    here = tmp_path / "here"
    here.mkdir()
    write_migration(here)
    (here / "mine.sql").write_text(query(1))
    text = f"forge: {{kind: github, url: '{server.url}', token_env: {TOKEN}, org: shop}}\n"
    (here / "greylag.yaml").write_text(text)
    server.fault(path="/repos/shop/r2$", status=403, times=9, message="Forbidden")
    command = [sys.executable, "-m", "greylag", "find", "users-v2.migration.yaml", "--json"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    found = {one["repository"] for one in json.loads(done.stdout)["consumers"]}
    assert found == {"shop/r0", "shop/r1"}
    assert "shop/r2: could not be brought up to date" in done.stderr


def campaign_process(folder: str, url: str) -> None:
    """One `greylag run`, in a process of its own."""
    run(Path(folder), make_github_app(Path(folder), url))


def test_killed_in_between_it_goes_on(tmp_path: Path, server: GitHubServer) -> None:
    context = multiprocessing.get_context("spawn")
    for more in (1, 4, 9, 15):
        mutations = sum(1 for one in server.requests if one.method != "GET")
        process = context.Process(target=campaign_process, args=(str(tmp_path), server.url))
        process.start()
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline:
            if sum(1 for one in server.requests if one.method != "GET") >= mutations + more:
                break
            time.sleep(0.005)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
        process.join()
    campaign = run(tmp_path, make_github_app(tmp_path, server.url))
    assert states(campaign) == dict.fromkeys(NAMES, TargetState.DONE)
    assert [len(server.hub.repos[name].pulls) for name in NAMES] == [1, 1, 1]
    assert [len(server.hub.repos[name].statuses) >= 1 for name in NAMES] == [True] * 3
