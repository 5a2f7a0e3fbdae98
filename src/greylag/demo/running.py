"""The campaign of the demo: the real engine on the stage, its clock compressed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from ruamel.yaml import YAML

from greylag.app.agent_settings import AgentSettings
from greylag.app.build import App, build
from greylag.app.settings import HealthSettings, Settings, load_settings
from greylag.demo.build import EPOCH
from greylag.demo.pipelines import PipelineRunner, Run
from greylag.demo.schedule import Schedule, ScheduledClock
from greylag.demo.stage import Stage
from greylag.demo.telling import Teller
from greylag.demo.templating import TEMPLATES
from greylag.engine import ledger, questions
from greylag.engine.campaign import Campaign
from greylag.engine.events import Event, EventKind
from greylag.engine.ledger import LedgerRow

ENDINGS = frozenset({EventKind.DONE, EventKind.SKIPPED, EventKind.HANDED_OVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A campaign that can be run, with who tells it and by which clock."""

    app: App
    campaign: Campaign
    clock: ScheduledClock
    teller: Teller

    @property
    def hours(self) -> float:
        """How long the campaign took by its own clock."""
        return round((self.clock.now() - EPOCH).total_seconds() / 3600, 1)

    def rows(self) -> list[LedgerRow]:
        """The ledger as it stands."""
        with self.app.store.read() as session:
            return ledger.read(session, self.campaign.name)


def open_campaign(
    stage: Stage,
    runner: PipelineRunner,
    before: Mapping[str, Run],
    console: Console,
    agent: AgentSettings | None = None,
) -> Running:
    """Wire the engine to the stage; pipelines run by their schedules while its clock leaps.

    With `agent`, it works on what the codemods leave over.
    """
    teller = Teller(console)
    schedule = Schedule(
        runner,
        stage.specs.values(),
        stage.paths,
        status=stage.runs,
        told=lambda run, at: _tell_failure(teller, run, at),
    )
    schedule.before(stage.warehouse, before, EPOCH)
    clock = ScheduledClock(EPOCH, schedule)
    app = build(_settings(stage, agent or AgentSettings.model_validate({})), clock=clock)
    app.subscribe(teller)
    return Running(app=app, campaign=app.campaign(str(stage.migration_file)), clock=clock, teller=teller)


def _tell_failure(teller: Teller, run: Run, at: datetime) -> None:
    if not run.ok:
        teller.say(at, f"its pipeline fails: {run.error}", "red", run.repository)


def _settings(stage: Stage, agent: AgentSettings) -> Settings:
    """The stage's own settings: nothing of the user's environment reaches into the demo."""
    return load_settings(stage.settings_file).model_copy(
        update={
            "fleet": stage.folder / "fleet",
            "database": f"sqlite:///{stage.folder / '.greylag' / 'greylag.db'}",
            "agent": agent,
            "health": HealthSettings.model_validate({"status_dir": stage.runs}),
        }
    )


def answers_by_column() -> dict[str, str]:
    """What the demo's person answers: question to SQL expression."""
    return _answers("fleet.yaml")


def answers_to_agents() -> dict[str, str]:
    """What the demo's person says to agents: a word of the question, to the answer."""
    return _answers("agent.yaml")


def _answers(template: str) -> dict[str, str]:
    with (TEMPLATES / template).open(encoding="utf-8") as handle:
        return {str(key): str(value) for key, value in YAML(typ="safe").load(handle)["answers"].items()}


def answers_to(running: Running) -> dict[str, str]:
    """Open questions that the demo's person can answer, by key: of columns, and of agents."""
    known = answers_by_column()
    with running.app.store.read() as session:
        asked = questions.every(session, running.campaign.name)
    found: dict[str, str] = {}
    for key, one in asked.items():
        if one.answer is not None:
            continue
        answer = known.get(key) or next(
            (said for word, said in answers_to_agents().items() if word in one.text), None
        )
        if answer is not None:
            found[key] = answer
    return found


@contextmanager
def bar(teller: Teller, total: int, stream: TextIO) -> Iterator[None]:
    """How many of `total` targets have come to an end, on `stream`: a bar on a terminal, nothing elsewhere.

    The story may go to the same terminal by another stream: the bar makes way for each of its lines.
    """
    if not stream.isatty():
        yield
        return
    columns = (TextColumn("  targets"), BarColumn(), MofNCompleteColumn())
    # Drawn by whoever tells something, under the teller's lock: a thread of its own would draw over a line.
    progress = Progress(
        *columns,
        console=Console(file=stream),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    task = progress.add_task("", total=total)
    ended: set[str] = set()

    def heard(event: Event) -> None:
        if event.repository and event.kind in ENDINGS:
            ended.add(event.repository)
            progress.update(task, completed=len(ended), refresh=True)

    @contextmanager
    def aside() -> Iterator[None]:
        progress.stop()
        try:
            yield
        finally:
            progress.start()

    with progress, teller.shown_with(heard, aside):
        yield
