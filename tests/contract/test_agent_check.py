"""What `greylag agent check` finds out: an agent that works, one that does not, a cage that is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.contract.stage import MODEL, kinds

from greylag.agent.proxy import MemoryBooks, ModelProxy, Upstream, read_price
from greylag.agent.runners import make_runner
from greylag.agent.runners.checking import AgentReport, check_runner, probe
from greylag.testing.model import ScriptedModel, Scripts, apply_patch, lie
from greylag.workspace.cage import Cage, CageLimits, NoSandbox, choose_cage, unsafe_cage

PATH = "queries/daily.sql"
RIGHT = {PATH: [("users_v1", "users_v2")]}
ACP = next(kind for kind in kinds() if kind.name == "acp")


@pytest.fixture(scope="module")
def cage() -> Cage:
    try:
        return choose_cage()
    except NoSandbox as error:
        pytest.skip(f"no sandbox works here: {error}")


@contextmanager
def proxied(scripts: Scripts) -> Iterator[Callable[[Cage], AgentReport]]:
    with ScriptedModel(scripts) as model:
        upstream = Upstream(api="anthropic", url=model.url, model=MODEL, key=SecretStr("k"))
        books = MemoryBooks()
        prices = {MODEL: read_price({"input": 1.0, "output": 2.0})}
        with ModelProxy([upstream], books, prices=prices) as proxy:
            runner = make_runner(ACP.runner, ACP.settings)
            yield lambda cage: check_runner(
                runner, cage, proxy, spent=books.spent, limits=CageLimits(wall=60)
            )


def test_an_agent_that_works(cage: Cage) -> None:
    with proxied(apply_patch(RIGHT)) as check:
        report = check(cage)
    assert report.works, report
    assert (report.runner, report.cage) == ("acp", cage.name)
    assert report.reached == ()
    assert report.usage.calls == 4 and report.usage.cost > 0 and report.usage.input_tokens > 100
    assert report.seconds > 0 and report.version and report.profile["cage"] == cage.name


@pytest.mark.parametrize("script", [lie(), apply_patch({**RIGHT, "more.txt": "x\n"})])
def test_an_agent_that_does_something_else(cage: Cage, script: Scripts) -> None:
    with proxied(script) as check:
        assert not check(cage).works


def test_without_a_cage_the_probe_gets_through(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    reached = probe(unsafe_cage(), tmp_path / "work", CageLimits())
    assert [words.split(" ")[1] for words in reached] == ["read", "wrote", "connected"]


def test_in_a_cage_it_does_not(cage: Cage, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert probe(cage, tmp_path / "work", CageLimits()) == ()
