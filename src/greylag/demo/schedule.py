"""The fleet's scheduler under a compressed clock: when time leaps, what was due in between is run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from croniter import croniter

from greylag.demo.fleet import RepositorySpec
from greylag.demo.pipelines import Job, PipelineRunner, Run, keep_dbt_state, write_status
from greylag.demo.warehouse import Warehouse
from greylag.engine.clock import LeapClock
from greylag.workspace import Repository

LIVE = "live"
"""The schema of `Warehouse.out` that the scheduler's runs write into."""


class Schedule:
    """Runs each repository's pipelines by its cron, and writes the status of each run to a file.

    A run whose commit was run already is not run again: the same commit on the same data gives the same.
    """

    def __init__(
        self,
        runner: PipelineRunner,
        specs: Iterable[RepositorySpec],
        paths: Mapping[str, Path],
        *,
        status: Path,
        told: Callable[[Run, datetime], None] = lambda run, at: None,
    ) -> None:
        self._runner = runner
        self._crons = {spec.name: spec.cron for spec in specs}
        self._paths = paths
        self._status = status
        self._told = told
        self._ran: dict[str, str] = {}

    def before(self, warehouse: Warehouse, runs: Mapping[str, Run], at: datetime) -> None:
        """Take over the runs from before the change, as the last runs of every repository."""
        keep_dbt_state(warehouse, "before", LIVE)
        for name, run in runs.items():
            self._ran[name] = run.commit
            write_status(self._status, run, at, cron=self._crons[name])

    def run_due(self, since: datetime, until: datetime) -> None:
        """Run what was due in between, where the commit is another one than at the last run."""
        due: dict[str, datetime] = {}
        jobs: list[Job] = []
        for name, path in self._paths.items():
            head = Repository.open(path).head()
            if name not in self._ran or self._ran[name] == head:
                continue
            next_run = croniter(self._crons[name], since).get_next(datetime)
            if next_run <= until:
                due[name] = next_run
                jobs.append(Job(repository=name, path=path, commit=head, with_old=True, schema=LIVE))
        for name, run in self._runner.run(jobs).items():
            self._ran[name] = run.commit
            write_status(self._status, run, due[name], cron=self._crons[name])
            self._told(run, due[name])


class ScheduledClock(LeapClock):
    """Leaps over waits like its parent; the pipelines that were due in between have run when it lands."""

    def __init__(self, start: datetime, schedule: Schedule) -> None:
        super().__init__(start)
        self._schedule = schedule

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """Run what is due until `when`, then be there."""
        if wake.is_set():
            return
        self._schedule.run_due(self.now(), when)
        super().sleep_until(when, wake)
