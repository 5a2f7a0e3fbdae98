"""Whole attempts of our own agent: scripted model, real proxy, real cage, real worker, real loop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.attempts import APIS, BEFORE, RIGHT, Attempt, Hosted, workers_below

from greylag.domain.agent import AttemptEnd, AttemptKey, Usage
from greylag.testing.model import (
    Call,
    Read,
    Replace,
    Run,
    ScriptedModel,
    Write,
    apply_patch,
    asking,
    attempts,
    endless,
    giving_up,
    lie,
    overloaded,
    weakened_test,
    wrong_then_right,
)
from greylag.testing.model.scripts import faulty
from greylag.workspace.cage import NoSandbox, choose_cage

OLD = BEFORE["jobs/report.py"].decode()
JOB = "jobs/report.py"
CHANGED = {JOB: RIGHT.encode()}
FIX = apply_patch({JOB: RIGHT}, {JOB: OLD})
WRONG_THEN_RIGHT = wrong_then_right(
    {JOB: [("users_v1", "users_v2")]},
    {JOB: [("user_id FROM", "account_id AS user_id FROM")]},
)
WEAKENED = weakened_test(
    {JOB: RIGHT}, {"tests/test_report.py": [("    assert 'user_id' in SQL", "    assert True")]}, {JOB: OLD}
)
ATTACKS = attempts(
    Read("/etc/passwd"),
    Read("../../etc/passwd"),
    Read("/proc/self/environ"),
    Read(".git/config"),
    Call("edit", {"path": ".git/config", "old": "[core]", "new": "[core]\n\tfsmonitor = id"}),
    Call("edit", {"path": "../README.md", "old": "#", "new": "##"}),
    Call("search", {"text": "root", "path": "/etc"}),
    Call("bash", {"command": "id"}),
    Call("read", {"path": ["a"], "start": "x"}),
    Run("id"),
    Write(".github/workflows/ci.yml", "on: push\n"),
    Replace("README.md", "# Reports", "# Owned"),
    then=lie(),
)
SCRIPTS = {
    "MARK-right": FIX,
    "MARK-wrong-then-right": WRONG_THEN_RIGHT,
    "MARK-killed": WRONG_THEN_RIGHT,
    "MARK-lie": lie(),
    "MARK-weakened": WEAKENED,
    "MARK-endless": endless(),
    "MARK-asking": asking("Is user_id still needed?", FIX),
    "MARK-giving-up": giving_up("six classes thread it through"),
    "MARK-busy": faulty(FIX, {0: [overloaded(), overloaded()]}),
    "MARK-attacks": ATTACKS,
}


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    try:
        choose_cage()
    except NoSandbox as error:
        pytest.skip(str(error))
    with ScriptedModel(SCRIPTS) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def hosted(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with Hosted(model.url, tmp_path_factory.mktemp("slots"), workers=3) as one:
        yield one


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Attempt]:
    def one(name: str, **more: object) -> Attempt:
        root = tmp_path / "attempt"
        root.mkdir(exist_ok=True)
        key = AttemptKey(migration="users-v2", repository=f"team/{name}")
        return Attempt(root=root, brief=f"MARK-{name}: move the report.", key=key, **more)  # type: ignore[arg-type]

    return one


Start = Callable[..., Attempt]


def paid(model: ScriptedModel, since: int) -> Counter[str]:
    """The requests that reached the model, each with how often it did."""
    return Counter(json.dumps(one.body, sort_keys=True) for one in model.requests[since:])


@pytest.mark.parametrize("api", APIS)
def test_a_right_fix(hosted: Hosted, start: Start, api: str) -> None:
    attempt = start("right")
    attempt.key = AttemptKey(migration="users-v2", repository=f"team/{api}")
    result = hosted.run(attempt, api=api)
    assert (result.end, result.changes, result.rounds) == (AttemptEnd.ACCEPTED, CHANGED, 1)
    assert result.usage.calls == attempt.calls > 2
    assert result.usage.cost > 0
    kinds = Counter(kind for kind, _ in attempt.notes)
    assert kinds["tool_call"] == kinds["tool_result"] > 1


def test_wrong_then_right_after_the_failure(hosted: Hosted, model: ScriptedModel, start: Start) -> None:
    result = hosted.run(start("wrong-then-right"))
    assert (result.end, result.changes, result.rounds) == (AttemptEnd.ACCEPTED, CHANGED, 2)
    last = model.requests[-1].seen
    assert last is not None
    assert "account_id AS user_id of users_v2 is expected" in json.dumps(model.requests[-1].body)


def test_a_lie(hosted: Hosted, start: Start) -> None:
    result = hosted.run(start("lie"), rounds=2)
    assert (result.end, result.changes, result.rounds) == (AttemptEnd.REJECTED, {}, 2)
    assert result.reason == "not right after 2 rounds; it changed nothing"


def test_a_weakened_test(hosted: Hosted, start: Start) -> None:
    result = hosted.run(start("weakened"), rounds=2)
    assert (result.end, result.changes) == (AttemptEnd.REJECTED, {})
    assert "tests/test_report.py: may not change" in result.reason


@pytest.mark.parametrize(("ours", "proxys"), [(4, 30), (30, 4)])
def test_endless_turns(hosted: Hosted, start: Start, ours: int, proxys: int) -> None:
    attempt = start("endless", turns=ours)
    result = hosted.run(attempt, turns=proxys)
    assert (result.end, attempt.calls) == (AttemptEnd.REJECTED, 4)
    assert result.reason == "all turns are used up; it changed nothing"


def test_a_question(hosted: Hosted, start: Start) -> None:
    result = hosted.run(start("asking"))
    assert result.end is AttemptEnd.ASKED
    assert result.asked == {"q-Is user_id still needed?": "Is user_id still needed?"}


def test_a_question_that_was_answered(hosted: Hosted, start: Start) -> None:
    result = hosted.run(start("asking", answers={"Is user_id still needed?": "Yes, keep its name."}))
    assert (result.end, result.changes) == (AttemptEnd.ACCEPTED, CHANGED)


def test_giving_up(hosted: Hosted, start: Start) -> None:
    result = hosted.run(start("giving-up"))
    assert (result.end, result.changes) == (AttemptEnd.GAVE_UP, {})
    assert "six classes thread it through" in result.reason


def test_a_model_that_is_busy(hosted: Hosted, start: Start) -> None:
    assert hosted.run(start("busy")).end is AttemptEnd.ACCEPTED


def test_no_money(hosted: Hosted, model: ScriptedModel, start: Start) -> None:
    attempt = start("right")
    attempt.key = AttemptKey(migration="users-v2", repository="team/poor")
    earlier = hosted.books.reserve(attempt.key, "m", 4.9999, "earlier")
    hosted.books.settle(earlier, Usage(calls=1, cost=4.9999), "done")
    since = len(model.requests)
    result = hosted.run(attempt)
    assert (result.end, result.changes) == (AttemptEnd.OVER_BUDGET, {})
    assert "budget" in result.reason
    assert len(model.requests) == since


def test_no_time(hosted: Hosted, start: Start) -> None:
    attempt = start("endless", wall=0.4, turns=1000)
    result = hosted.run(attempt)
    assert result.end is AttemptEnd.REJECTED
    assert result.reason == "the time is up; it changed nothing"


def test_attacks_come_to_nothing(hosted: Hosted, model: ScriptedModel, start: Start) -> None:
    attempt = start("attacks")
    result = hosted.run(attempt, rounds=1)
    assert (result.end, result.changes) == (AttemptEnd.REJECTED, {})
    assert "README.md: may not change" in result.reason
    told = json.dumps([data for kind, data in attempt.notes if kind == "tool_result"], default=str)
    assert "root:" not in told
    assert "uid=" not in told
    assert b"fsmonitor" not in (attempt.root / "work/.git/config").read_bytes()
    assert "root:x:" not in json.dumps(model.requests[-1].body)


def test_a_worker_killed_in_a_turn_costs_nothing_twice(
    hosted: Hosted, model: ScriptedModel, start: Start
) -> None:
    def kill(number: int) -> None:
        if number == 5:
            for pid in workers_below(os.getpid()):
                os.kill(pid, signal.SIGKILL)

    since = len(model.requests)
    attempt = start("wrong-then-right", at_call=kill)
    result = hosted.run(attempt)
    assert (result.end, result.changes, result.rounds) == (AttemptEnd.ERRORED, {}, 2)
    assert "its process ended" in result.reason
    again = start("wrong-then-right")
    result = hosted.run(again)
    assert (result.end, result.changes, result.rounds) == (AttemptEnd.ACCEPTED, CHANGED, 2)
    assert set(paid(model, since).values()) == {1}
    # The first round was not played again.
    assert again.calls < 6


@pytest.mark.parametrize("call", [2, 5])
def test_a_host_killed_in_a_turn_pays_nothing_twice(model: ScriptedModel, tmp_path: Path, call: int) -> None:
    def run(kill: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.e2e.attempts", str(tmp_path), model.url, str(kill)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, cwd=Path(__file__).parents[2]
        )

    since = len(model.requests)
    killed = run(call)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    workers = json.loads((tmp_path / "workers.json").read_text())
    assert len(workers) >= 1
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    before = sum(paid(model, since).values())
    done = run(0)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["end"], result["rounds"]) == ("accepted", 2)
    assert set(paid(model, since).values()) == {1}
    assert sum(paid(model, since).values()) == 6 > before >= call
