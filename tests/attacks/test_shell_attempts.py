"""A whole attempt of an agent with a shell in its cage, whose model an attacker has taken over.

All attacks share one session, each in a round of its own: the host collects and judges after each.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.attacks.hosting import SOURCE, Host, Tried, hosting, untouched
from tests.attacks.shell_cases import MONEY, SHELL, SWAP, Shell
from tests.attacks.world import sandbox
from tests.e2e.test_agents import MOVED

from greylag.agent.base import Runner
from greylag.agent.runners import make_runner
from greylag.domain.agent import AttemptEnd
from greylag.testing.model import (
    Run,
    Script,
    ScriptedModel,
    Seen,
    Step,
    Tokens,
    after,
    apply_patch,
    played,
    steps,
)
from greylag.testing.model.scripts import Play

AGENT = (sys.executable, "-m", "greylag.testing.acp_agent")
ALLOW = ("read", "search", "think", "edit", "delete", "move", "execute")
SAVE = "mkdir /tmp/base && cp -r job.py test_job.py README.md /tmp/base/"
BACK = "find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +; cp -r /tmp/base/. . 2>/dev/null; :"


def runner() -> Runner:
    """An agent that speaks ACP and has a shell."""
    return make_runner("acp", {"command": AGENT, "folders": (SOURCE,), "allow": ALLOW})


def one_after_the_other(facts: Mapping[str, str]) -> Script:
    """Each attack in a turn of its own; before each the folder is put back."""

    @played
    def script(seen: Seen) -> Play:
        if not seen.tools:
            yield Step("hi", tokens=Tokens(10, 2))
            return
        yield Step("I keep a copy.", (Run(SAVE),))
        for attack in SHELL:
            yield Step("I put it back.", (Run(BACK),))
            yield Step("I try.", (Run(attack.filled(facts)),))
            yield Step("That is done.")

    return script


@dataclass(frozen=True, kw_only=True)
class Played:
    """The attempt: `outputs` are what each command wrote, `rounds` what was written down of each round."""

    host: Host
    tried: Tried
    before: Mapping[str, str]
    bodies: str
    outputs: list[str]
    rounds: list[str]
    lived: set[str]


@pytest.fixture(scope="module")
def played_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    root = tmp_path_factory.mktemp("shell")
    scripts: dict[str, Script] = {}

    def script(seen: Seen) -> Step:
        return scripts["all"](seen)

    with (
        ScriptedModel(script) as model,
        hosting(root, sandbox(), {"main": model.url}) as host,
    ):
        scripts["all"] = one_after_the_other(host.facts)
        before = host.tree()
        tried = host.attempt(runner(), rounds=len(SHELL) + 1, turns=300)
        last = max((one.seen for one in model.requests if one.seen), key=lambda seen: seen.turn)
        bodies = json.dumps([one.body for one in model.requests], default=str)
        yield Played(
            host=host,
            tried=tried,
            before=before,
            bodies=bodies,
            outputs=_outputs(last),
            rounds=_rounds(tried),
            lived=_processes("31415.9"),
        )


def _outputs(last: Seen) -> list[str]:
    tries = [one for one in last.exchanges if one.said == "I try."]
    return ["\n".join(one.results) for one in tries]


def _rounds(tried: Tried) -> list[str]:
    found, lines = [], list[str]()
    for record in tried.records:
        lines.append(f"{record.kind} {json.dumps(record.data, ensure_ascii=False)}")
        if record.kind == "round":
            found.append("\n".join(lines))
            lines = []
    return found


def _processes(word: str) -> set[str]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found |= {str(path)} if word.encode() in path.read_bytes() else set()
        except OSError:
            continue  # it has ended
    return found


@pytest.mark.parametrize("number", range(len(SHELL)), ids=lambda number: SHELL[number].named.name)
def test_nothing_comes_of_it(played_once: Played, number: int) -> None:
    attack: Shell = SHELL[number]
    asked = number == len(SHELL) - 1
    if not asked or number < len(played_once.outputs):
        assert re.search(attack.says, played_once.outputs[number], re.MULTILINE), played_once.outputs[number]
        assert "REACHED" not in played_once.outputs[number]
    assert re.search(attack.reported, played_once.rounds[number]), played_once.rounds[number][-6000:]
    assert '"accepted": true' not in played_once.rounds[number]


def test_the_host_is_as_it_was(played_once: Played) -> None:
    tried = played_once.tried
    untouched(played_once.host, played_once.before, tried, played_once.bodies)
    assert (tried.result.end, tried.result.changes) == (AttemptEnd.ASKED, {})
    assert 1 <= len(tried.result.asked) <= 5
    assert played_once.lived == set()
    tools = [tool for body in json.loads(played_once.bodies) for tool in body.get("tools", ())]
    assert {tool.get("type", "custom") for tool in tools} == {"custom"}
    assert all({"container", "metadata", "mcp_servers"}.isdisjoint(b) for b in json.loads(played_once.bodies))
    transcript = (tried.folder / "transcript.jsonl").read_bytes()
    assert b"\x1b" not in transcript
    assert transcript.isascii()
    assert sum(record.kind == "denied" for record in tried.records) <= 500
    assert "forged" not in (tried.folder / "resume.json").read_text().replace('{\\"forged', "")
    assert {path.name for path in tried.folder.iterdir()} >= {"transcript.jsonl", "resume.json", "work"}
    assert not list(tried.folder.glob("replies"))


def test_calls_side_by_side_stay_within_the_budget(tmp_path: Path) -> None:
    scripts: dict[str, Script] = {}

    def script(seen: Seen) -> Step:
        return scripts["all"](seen) if seen.tools else Step("hi", tokens=Tokens(500, 10))

    with (
        ScriptedModel(script) as model,
        hosting(tmp_path, sandbox(), {"main": model.url}, target=0.015) as host,
    ):
        scripts["all"] = steps(Step("I try.", (Run(MONEY.filled(host.facts)),)), Step("Done."))
        before = host.tree()
        tried = host.attempt(runner(), rounds=1)
        bodies = json.dumps([one.body for one in model.requests], default=str)
        untouched(host, before, tried, bodies)
        assert 0 < host.books.spent(tried.key).cost + host.books.open(tried.key) <= 0.015
        assert '"over_budget"' in tried.told("denied")
        assert tried.result.end in {AttemptEnd.OVER_BUDGET, AttemptEnd.REJECTED}


def test_what_is_accepted_is_what_was_judged(tmp_path: Path) -> None:
    with (
        ScriptedModel(
            after(
                apply_patch({"job.py": MOVED}, verify=False), 1, steps(Step("I swap.", (Run(SWAP.command),)))
            )
        ) as model,
        hosting(tmp_path, sandbox(), {"main": model.url}) as host,
    ):
        tried = host.attempt(runner(), rounds=4)
        assert len(model.requests) >= 3
        assert tried.result.changes in ({}, {"job.py": MOVED.encode()})
        assert (tried.result.end is AttemptEnd.ACCEPTED) == bool(tried.result.changes)
