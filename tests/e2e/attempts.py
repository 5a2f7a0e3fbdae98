"""A host for whole attempts of our own agent: the real loop, cage, worker and proxy, with a scripted model.

`python -m tests.e2e.attempts ROOT URL KILL` runs one in a process that kills itself at the KILL-th call of
the model.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from greylag.agent.base import Job
from greylag.agent.loop import Desk, load_resume, run_attempt
from greylag.agent.own import OwnRunner
from greylag.agent.proxy import Budgets, MemoryBooks, ModelProxy, Upstream
from greylag.domain.agent import AttemptKey, AttemptResult, Changes
from greylag.domain.check import Check, CheckStatus
from greylag.workspace.cage import CageLimits, choose_cage
from greylag.workspace.cage.processes import snapshot, tree
from greylag.workspace.collect import collect, prepare_folder

MODEL = "claude-sonnet-4-5"
APIS = ("anthropic", "openai-chat", "openai-responses")
BEFORE = {
    "jobs/report.py": b"SQL = 'SELECT user_id FROM users_v1'\n",
    "tests/test_report.py": b"from jobs.report import SQL\n\n\ndef test_it():\n    assert 'user_id' in SQL\n",
    "README.md": b"# Reports\n",
}
RIGHT = "SQL = 'SELECT account_id AS user_id FROM users_v2'\n"

Kill = Callable[[int], None]


def check(changes: Changes) -> tuple[Check, ...]:
    """Only the job may change, and it must read the new dataset under the old name."""
    others = sorted(set(changes) - {"jobs/report.py"})
    now = (changes.get("jobs/report.py") or BEFORE["jobs/report.py"]).decode()
    return (
        _check("paths", not others, f"{', '.join(others)}: may not change"),
        _check("proof", now == RIGHT, "jobs/report.py:1: account_id AS user_id of users_v2 is expected"),
    )


def _check(name: str, good: bool, words: str) -> Check:
    status = CheckStatus.PASSED if good else CheckStatus.FAILED
    return Check(verifier=name, status=status, summary="fine" if good else words)


@dataclass
class Attempt:
    """One attempt's folder, and what was noted. `at_call` gets the number of each call of the model."""

    root: Path
    brief: str
    key: AttemptKey
    answers: Mapping[str, str] = field(default_factory=dict)
    turns: int = 30
    wall: float = 60.0
    at_call: Kill = lambda number: None
    calls: int = 0
    notes: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def note(self, kind: str, /, **data: object) -> None:
        """A note that counts calls."""
        self.notes.append((kind, data))
        if kind == "model_call":
            self.calls += 1
            self.at_call(self.calls)


class Hosted:
    """The proxy, the runner and the cage of one process."""

    def __init__(self, url: str, slots: Path, workers: int = 1, budget: float = 5.0) -> None:
        key = SecretStr("sk-test")
        upstreams = [Upstream(api=api, url=_base(api, url), model=MODEL, key=key, name=api) for api in APIS]  # type: ignore[arg-type]
        self.books = MemoryBooks(Budgets(target=budget))
        self.proxy = ModelProxy(upstreams, self.books)
        self.runner = OwnRunner(workers=workers, root=slots)
        self.cage = choose_cage()

    def __enter__(self) -> Hosted:
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.close()
        self.proxy.__exit__(None, None, None)

    def run(
        self, attempt: Attempt, *, api: str = "anthropic", rounds: int = 3, turns: int = 0
    ) -> AttemptResult:
        """One attempt, from where it was cut off if it was. `turns`: what the proxy allows (0: the job's)."""
        work = attempt.root / "work"
        shutil.rmtree(work, ignore_errors=True)
        prepare_folder(BEFORE, work)

        def look() -> object:
            return collect(work, BEFORE)

        desk = Desk(
            collect=look,  # type: ignore[arg-type]
            check=check,
            answer=lambda text, options: attempt.answers.get(text),
            key=lambda text: f"q-{text}",
            note=attempt.note,
        )
        allowed = turns or attempt.turns
        with self.proxy.grant(
            attempt.key, folder=attempt.root, host=desk, note=attempt.note, turns=allowed, upstream=api
        ) as access:
            job = Job(
                attempt=attempt.key,
                folder=work,
                system="You move readers to a new dataset.",
                access=access,
                host=desk,
                note=attempt.note,
                cage=self.cage,
                limits=CageLimits(wall=attempt.wall),
                turns=attempt.turns,
            )
            return run_attempt(
                runner=self.runner,
                job=job,
                brief=attempt.brief,
                collect=look,  # type: ignore[arg-type]
                check=check,
                rounds=rounds,
                resume=load_resume(attempt.root),
                note=attempt.note,
                usage=lambda: self.books.spent(attempt.key),
                keep=attempt.root,
            )


def _base(api: str, url: str) -> str:
    return url if api == "anthropic" else f"{url}/v1"


def workers_below(pid: int) -> list[int]:
    """The processes of our own agent that descend from a process."""
    found = []
    for process in tree(snapshot(), pid)[1:]:
        command = Path(f"/proc/{process.pid}/cmdline")
        if command.exists() and b"greylag.agent.own.worker" in command.read_bytes():
            found.append(process.pid)
    return found


def main(root: Path, url: str, kill: int) -> None:
    """Run one attempt; print its result as JSON, unless the process kills itself before."""

    def at_call(number: int) -> None:
        if number == kill:
            (root / "workers.json").write_text(json.dumps(workers_below(os.getpid())))
            os.kill(os.getpid(), signal.SIGKILL)

    key = AttemptKey(migration="users-v2", repository="team/killed")
    attempt = Attempt(root=root, brief="MARK-killed: move the report.", key=key, at_call=at_call)
    with Hosted(url, root / "slots") as hosted:
        result = hosted.run(attempt)
    print(json.dumps({"end": result.end, "rounds": result.rounds, "calls": attempt.calls}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
