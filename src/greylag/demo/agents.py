"""A coding agent in the demo: the real loop, cage, proxy and gate, with a scripted model for a real one."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from greylag.agent.transcript import Summary, attempts, read_transcript, summary
from greylag.app.agent_settings import AgentSettings
from greylag.demo.compare import compare_runs
from greylag.demo.pipelines import Job, PipelineRunner, Run
from greylag.demo.stage import Stage
from greylag.domain.target import TargetState
from greylag.engine.ledger import LedgerRow
from greylag.engine.leftovers import AGENT_FORM
from greylag.engine.permits import approval_missing
from greylag.engine.world import Target, World
from greylag.workspace import write_atomic

MODEL = "scripted-model"
BRANCH = "branch"
"""The schema that a person's own run of a pull request writes into."""


def import_agent() -> None:
    """Import what an agent takes: only who asks for one pays for that.

    Raises ModuleNotFoundError, from which the user learns what to install, before anything was built.
    """
    for name in ("greylag.app.agents", "greylag.demo.scripted"):
        importlib.import_module(name)


@contextmanager
def scripted_agent(scratch: Path) -> Iterator[AgentSettings]:
    """Settings of an agent whose model follows `agent.yaml`, as long as the context lasts.

    `scratch` gets the file with the model's key: the agent itself never sees it, as with a real one.
    """
    from greylag.demo.scripted import model
    from greylag.testing.model import ScriptedModel

    key = secrets.token_hex(16)
    file = scratch / "model.key"
    write_atomic(file, key.encode())
    with ScriptedModel(model, key=key) as served:
        yield AgentSettings.model_validate(
            {
                "runner": "own",
                "model": MODEL,
                "upstream": {"url": served.url, "key_file": file, "per_minute": 6000},
                "prices": {MODEL: {"input": 3, "output": 15, "cached": 0.3}},
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What agents did, added up over all runs: how each ended, and what they took."""

    runs: Mapping[str, Summary]

    def ended(self, how: str) -> int:
        """How many runs ended so."""
        return sum(one.end == how for one in self.runs.values())

    @property
    def cost(self) -> float:
        """US dollars of all calls, at the prices of the demo."""
        return round(sum(one.usage.cost for one in self.runs.values()), 4)


def worked(folder: Path, migration: str) -> Worked:
    """Read what the transcripts below `folder` say."""
    return Worked(
        runs={
            one.key.id.removeprefix(f"{migration}/"): summary(read_transcript(one.transcript).records)
            for one in attempts(folder, migration)
            if one.transcript.is_file()
        }
    )


def for_approval(world: World, rows: list[LedgerRow]) -> tuple[Target, ...]:
    """Open pull requests that wait for a person because an agent's part of them could not be proven."""
    by_agents = {row.repository for row in rows if row.form == AGENT_FORM}
    return tuple(
        target
        for target in world.targets
        if target.state is TargetState.PROPOSED
        and target.repository in by_agents
        and approval_missing(world, target) is not None
    )


def tried_out(stage: Stage, runner: PipelineRunner, before: Mapping[str, Run], target: Target) -> str | None:
    """Run a pull request's branch where the old datasets are gone; how its tables differ, None if not.

    This is what a person does before they approve what no proof covers.
    """
    if target.commit is None or target.repository not in before:
        return "it could not be run"
    name = target.repository
    job = Job(repository=name, path=stage.paths[name], commit=target.commit, with_old=False, schema=BRANCH)
    after = runner.run([job])
    (found,) = compare_runs(stage.warehouse, {name: before[name]}, after, schemas=("before", BRANCH))
    return found.fault
