"""The demo, act by act: a fleet, a change, a campaign, and every pipeline compared with itself."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape

from greylag.demo import finale, show
from greylag.demo.agents import for_approval, import_agent, scripted_agent, tried_out, worked
from greylag.demo.changes import schema_changes
from greylag.demo.dbt_projects import DbtProjects, dbt_installed
from greylag.demo.example import pick
from greylag.demo.figures import Figures, summarise
from greylag.demo.fleet import Kind
from greylag.demo.left import left_for_people
from greylag.demo.pipelines import PipelineRunner, Run
from greylag.demo.running import Running, answers_to, bar, open_campaign
from greylag.demo.stage import Stage, set_up
from greylag.domain.check import Verdict
from greylag.domain.words import count
from greylag.engine.actions import Decision
from greylag.engine.events import EventKind
from greylag.engine.leftovers import AGENT_FORM
from greylag.engine.overrides import Overrides
from greylag.engine.plan_words import policy_words
from greylag.engine.retire import retire
from greylag.verify import prove

Step = Callable[[str], None]
PERSON = "demo"
"""Who answers in the story, as the ledger knows them."""

Progress = Callable[[str, int, str], AbstractContextManager[Step]]
"""Label, number of items and their unit; gives a function to call once an item."""


HARMLESS = frozenset({Kind.UNTOUCHED, Kind.PRODUCER})
"""Repositories that read no old dataset, whatever they mention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose.

    `keep` is a folder that stays afterwards; `agent` works on what the codemods leave over.
    """

    repos: int = 70
    seed: int = 1
    keep: Path | None = None
    agent: Literal["scripted"] | None = None


def play(options: Options, console: Console, progress: Progress) -> Figures:
    """Play the whole demo on `console`; returns what was measured.

    Raises UsageError when `options.keep` holds something already. Whatever happens, a temporary stage is
    removed and the dbt process is ended.
    """
    began = time.monotonic()
    if options.agent:
        import_agent()
    with ExitStack() as stack:
        stage = stack.enter_context(set_up(options.repos, options.seed, options.keep))
        # Ended before the stage is removed: it writes there.
        dbt = stack.enter_context(DbtProjects()) if dbt_installed() else None
        figures = Figures(
            seed=options.seed,
            repositories=len(stage.specs),
            folder=str(stage.folder) if options.keep else None,
        )
        runner = PipelineRunner(stage.warehouse, stage.folder / "scratch", dbt)
        story = Story(stage=stage, console=console, progress=progress, runner=runner, figures=figures)
        before = story.fleet()
        story.change()
        agent = stack.enter_context(scripted_agent(stage.folder / "scratch")) if options.agent else None
        running = open_campaign(stage, runner, before, console, agent)
        with running.app.lock():
            story.plan(running)
            decision = story.campaign(running, before)
            if agent is not None:
                story.agents(running)
            story.example(running)
            story.ledger(running, decision)
        story.afterwards(running, before)
        figures.seconds = round(time.monotonic() - began, 1)
        story.curtain()
    return figures


@dataclass(slots=True, kw_only=True)
class Story:
    """The acts. Each prints its part and writes down its figures."""

    stage: Stage
    console: Console
    progress: Progress
    runner: PipelineRunner
    figures: Figures
    act: int = field(default=0)

    def fleet(self) -> dict[str, Run]:
        """Show the fleet, and run all of it once: the reference for the end."""
        self._heading("A fleet of repositories, and a warehouse that they read")
        specs = self.stage.specs.values()
        kinds = Counter("dbt" if spec.kind is Kind.DBT else "sql" for spec in specs)
        teams = len({spec.owner for spec in specs})
        self._line(
            f"{len(specs)} bare git repositories of {teams} teams: scheduled SQL in {kinds['sql']}, "
            f"a dbt project in {kinds['dbt']}"
        )
        with self.progress("running pipelines", len(specs), "pipelines") as step:
            runs = finale.run_before(self.stage, self.runner, lambda run: step(run.repository))
        tables = sum(len(run.tables) for run in runs.values() if run.ok)
        self._line(f"{len(runs)} pipelines ran once and wrote {tables} tables: the reference for the end")
        for run in runs.values():
            if not run.ok:
                self._line(f"[red]already broken[/] {run.repository}: {escape(run.error or '')}")
        if len(runs) < len(specs):
            self._line(
                f"[yellow]dbt is not installed, so {len(specs) - len(runs)} of the pipelines do not run[/] "
                "(pip install 'greylag\\[demo]')"
            )
        return runs

    def change(self) -> None:
        """Show what changes, and the mapping that says so."""
        self._heading("The datasets change")
        changes = schema_changes(self.stage.migration)
        self.figures.changes = len(changes)
        show.schema_changes(self.console, changes)
        self.console.print()
        mapping = self.stage.migration.mappings[0]
        self._line(f"{self.stage.migration_file.name} says it once: {mapping.dataset} is this view")
        show.sql(self.console, mapping.sql.strip())

    def plan(self, running: Running) -> None:
        """Show who reads the old datasets, and what would be done."""
        self._heading("The plan")
        entries = running.campaign.survey()
        by_outcome = Counter(entry.outcome for entry in entries)
        forms = Counter(entry.form for entry in entries if entry.form)
        repositories = {entry.consumer.repository for entry in entries}
        self.figures.targets = len(repositories)
        self._line(
            f"{count(len(entries), 'consumer')} in {len(repositories)} of {len(self.stage.specs)} "
            "repositories, found by name, then by parsing"
        )
        told = ", ".join(f"{number} {form}" for form, number in forms.most_common())
        self._line(f"{by_outcome['edited']} can be rewritten by rule ({told})")
        self._line(
            f"{by_outcome['question']} wait for an answer, "
            f"{by_outcome['skipped'] + by_outcome['failed']} are left to people"
        )
        for words in policy_words(self.stage.migration.rollout):
            self._line(f"[dim]{escape(words)}[/]")

    def campaign(self, running: Running, before: Mapping[str, Run]) -> Decision:
        """Run it until only people can bring it further; they answer and approve; run on."""
        self._heading("The campaign, by a clock that leaps over waiting")
        with bar(running.teller, self.figures.targets, sys.stderr):
            outcome = running.campaign.run()
            running.teller.flush()
        for decide in (self._answer, partial(self._approve, before=before)):
            if waiting := decide(running):
                with bar(running.teller, waiting, sys.stderr):
                    outcome = running.campaign.run(scan=False)
                    running.teller.flush()
        figures, teller = self.figures, running.teller
        figures.simulated_hours = running.hours
        figures.waves = len(running.campaign.world().waves)
        figures.merges = len(teller.of(EventKind.MERGED))
        figures.reverts = [
            {"repository": event.repository or "", "reason": event.message}
            for event in teller.of(EventKind.REVERTED)
        ]
        return outcome.decision

    def _answer(self, running: Running) -> int:
        """A person answers what can be answered; returns how many targets waited for that."""
        answers = answers_to(running)
        total = 0
        for key in sorted(answers):
            self._typed(f'greylag answer {running.campaign.name} {key} "{answers[key]}"')
            waiting = sum(key in target.questions for target in running.campaign.world().targets)
            Overrides(running.campaign, PERSON).answer(key, answers[key])
            self.figures.answers[key] = {"answer": answers[key], "targets": waiting}
            total += waiting
        return total

    def _approve(self, running: Running, before: Mapping[str, Run]) -> int:
        """A person runs what an agent wrote and no proof covers, and approves what returns the same rows."""
        waiting = for_approval(running.campaign.world(), running.rows())
        approved = 0
        for target in waiting:
            fault = tried_out(self.stage, self.runner, before, target)
            self._line(
                f"[dim]a person runs the branch of[/] {target.repository}: "
                f"{'the same rows as before' if fault is None else escape(fault)}"
            )
            if fault is None:
                self._typed(f"greylag approve {running.campaign.name} {target.repository}")
                Overrides(running.campaign, PERSON).approve(target.repository)
                approved += 1
        self.figures.approved = approved
        return approved

    def agents(self, running: Running) -> None:
        """What the agent did, run by run."""
        self._heading("What codemods left over, and an agent worked on")
        found = worked(self.stage.folder / ".greylag" / "agents", running.campaign.name)
        show.agent_runs(self.console, found.runs)
        files = sum(row.form == AGENT_FORM for row in running.rows())
        self._line(f"{count(files, 'consumer')} migrated by the agent, each judged like every other patch")
        self.figures.agent = {
            "runs": len(found.runs),
            "cost": found.cost,
            "consumers": files,
            "ends": dict(Counter(one.end or "open" for one in found.runs.values())),
        }

    def example(self, running: Running) -> None:
        """One diff, its proof, and a wrong patch."""
        self._heading("One of the changes, and its proof")
        example = pick(self.stage, running.rows(), running.campaign.world().targets)
        if example is None:
            self._line("no single-file change was merged")
            return
        migration, _ = running.campaign.compiled()
        self._line(f"[bold]{example.repository}[/] {example.path} ({example.form}, {escape(example.pull)})")
        show.diff(self.console, example.diff)
        self.console.print()
        self._line("the old query over the mapping, and the new query, on generated tables:")
        show.proof(self.console, prove(example.before, example.after, migration))
        self.console.print()
        self._line("the same change by somebody in a hurry, without [bold]device = 'ALL'[/]:")
        refuted = prove(example.before, example.wrong, migration)
        self.figures.refuted = refuted.verdict is Verdict.REFUTED
        show.proof(self.console, refuted)

    def ledger(self, running: Running, decision: Decision) -> None:
        """The ledger, and what is left for people."""
        self._heading("The ledger: every consumer, and where it stands")
        rows = running.rows()
        self.figures.ledger = summarise(rows)
        show.ledger(self.console, self.figures.ledger)
        self.figures.left = left_for_people(running.campaign.name, decision, rows)
        if self.figures.left:
            self.console.print()
            self._line(f"left for people, {len(self.figures.left)} in all:")
            show.left_for_people(self.console, self.figures.left)

    def afterwards(self, running: Running, before: dict[str, Run]) -> None:
        """Run everything once more, where the old datasets are gone, and compare."""
        self._heading("Every pipeline once more, compared with itself before the change")
        scan = retire(running.campaign)
        still_old = {reader.repository for reader in scan.readers}
        self.figures.retired = scan.retired
        self._line(
            f"a fresh scan of the code retires {count(scan.retired, 'consumer')}; {len(scan.readers)} in "
            f"{count(len(still_old), 'repository')} may still read the old datasets, and keep them "
            "for this run"
        )
        with self.progress("running pipelines", len(before), "pipelines") as step:
            found = finale.run_after(
                self.stage, self.runner, before, still_old=still_old, done=lambda run: step(run.repository)
            )
        self.figures.equality = found
        self._line(f"{found.tables} tables with {found.rows} rows compared: columns, types and every row")
        touched = finale.touched(self.stage, HARMLESS)
        self.figures.harmless = sum(spec.kind in HARMLESS for spec in self.stage.specs.values())
        self.figures.touched = touched
        self._line(
            f"{count(self.figures.harmless, 'repository')} with the old names only in a comment, a text or a "
            f"CTE, or as what is written: {len(touched) or 'none'} changed"
        )
        for name, fault in found.unequal.items():
            self._line(f"[bold red]differs[/] {name}: {escape(fault.splitlines()[0])}")

    def curtain(self) -> None:
        """Where to look further, and the last line."""
        figures = self.figures
        self.console.print()
        self._line(
            f"[dim]{figures.simulated_hours:.0f} hours of campaign in {figures.seconds:.0f} seconds, "
            f"seed {figures.seed}[/]"
        )
        if figures.folder:
            self._line(
                f"Explore it: cd {escape(figures.folder)} && greylag ledger {self.stage.migration.name}"
            )
        if figures.equality is not None:
            colour = "bold green" if figures.equality.all_equal else "bold red"
            sentence = escape(figures.equality.sentence())
            self.console.print(f"[{colour}]{sentence}[/]", soft_wrap=True)

    def _typed(self, command: str) -> None:
        self._line(f"[dim]a person types[/]  [bold]{escape(command)}[/]")

    def _heading(self, text: str) -> None:
        self.act += 1
        show.heading(self.console, self.act, text)

    def _line(self, text: str) -> None:
        show.line(self.console, text)
