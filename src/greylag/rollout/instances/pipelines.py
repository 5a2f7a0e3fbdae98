"""Pipelines as instances: an Airflow that parsed the DAG again, a dbt whose last invocation was of the
commit, or a command that knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, model_validator

from greylag.domain.check import CheckStatus
from greylag.rollout.durations import Duration
from greylag.rollout.health import Subject
from greylag.rollout.instances.base import Includes, Instance, Sight, runs_merge
from greylag.rollout.runs import Run, RunState
from greylag.rollout.sources.airflow import AirflowApi, AirflowSettings
from greylag.rollout.sources.base import SourceSettings, Unanswered, instant, names_for
from greylag.rollout.sources.dbt import DbtSettings, dbt_runs
from greylag.rollout.sources.local import CommandHealth


class AirflowInstanceSettings(AirflowSettings):
    """As the health source, and `sync`: how long after a merge the folder of DAGs may still be the old one.

    Where versions name their commit (a git bundle, API 2), `sync` is not used.
    """

    sync: Duration = Field(timedelta(minutes=5), ge=timedelta(0))


@dataclass(frozen=True, slots=True)
class AirflowInstances:
    """See `Instances`: a DAG follows when it was parsed after the merge and a run of it succeeded since."""

    settings: AirflowInstanceSettings
    includes: Includes

    def look(self, subject: Subject, now: datetime) -> Sight:
        """Two or three requests a DAG."""
        settings = self.settings
        api = AirflowApi(settings.web, settings.api)
        try:
            names = names_for(settings.dags, subject.repository)
            return Sight(instances=tuple(self._instance(api, name, subject, now) for name in names))
        except Unanswered as error:
            return Sight(error=f"Airflow: {error}")

    def _instance(self, api: AirflowApi, dag: str, subject: Subject, now: datetime) -> Instance:
        settings = self.settings
        document = api.dag(dag)
        if document.get("has_import_errors"):
            return Instance(name=dag, follows=False, detail="its file cannot be imported")
        assert subject.merged_at is not None
        read_at = subject.merged_at + max(settings.sync, settings.skew)
        version = api.latest_version(dag) if settings.api == 2 else None
        commit = None if version is None else version.get("bundle_version")
        if isinstance(commit, str):
            if not runs_merge(subject.repository, commit, subject.merged_commit, self.includes):
                return Instance(name=dag, follows=False, detail=f"its version is of {commit[:10]}")
            assert version is not None
            created = instant(version.get("created_at"), f"{dag}: created_at")
            read_at = max(created or read_at, subject.merged_at)
        else:
            parsed = instant(document.get("last_parsed_time"), f"{dag}: last_parsed_time")
            if parsed is None or parsed < read_at:
                return Instance(name=dag, follows=False, detail="it was not parsed since the merge")
        runs = api.runs(dag, now, settings, most=100, since=read_at)
        if not any(run.state is RunState.SUCCESS for run in runs):
            return Instance(name=dag, follows=False, detail="no run succeeded since it was parsed")
        return Instance(name=dag, follows=True, detail="parsed, and a run succeeded", since=read_at)


class DbtInstanceSettings(DbtSettings):
    """As the health source; `commit` must be given: it is what is compared."""

    @model_validator(mode="after")
    def _commit(self) -> DbtInstanceSettings:
        if self.commit is None:
            raise ValueError("an instance is told by its commit: give `commit`")
        return self


@dataclass(frozen=True, slots=True)
class DbtInstances:
    """See `Instances`: follows when the last invocation that counts was of the commit, and succeeded."""

    settings: DbtInstanceSettings
    includes: Includes

    def look(self, subject: Subject, now: datetime) -> Sight:
        """Read the artefacts once."""
        try:
            runs = dbt_runs(self.settings, subject, now)
        except Unanswered as error:
            return Sight(error=f"dbt: {error}")
        return Sight(instances=(self._instance(runs, subject),))

    def _instance(self, runs: list[Run], subject: Subject) -> Instance:
        ended = sorted((run for run in runs if run.ended), key=lambda run: str(run.ended))
        if not ended:
            return Instance(name="dbt", follows=False, detail="no invocation is known")
        last = ended[-1]
        if last.commit is None:
            return Instance(name="dbt", follows=False, detail="its last invocation names no commit")
        if not runs_merge(subject.repository, last.commit, subject.merged_commit, self.includes):
            return Instance(
                name="dbt", follows=False, detail=f"its last invocation was of {last.commit[:10]}"
            )
        if last.state is not RunState.SUCCESS:
            return Instance(name="dbt", follows=False, detail=f"its last invocation: {last.state}")
        return Instance(name="dbt", follows=True, detail=last.commit[:10], since=last.started)


class CommandInstanceSettings(SourceSettings):
    """A command, with the words of `health.command`: 0 everything follows, 75 not yet, anything else no."""

    kind: Literal["command"] = "command"
    command: str = Field(min_length=1)
    timeout: Duration = Field(timedelta(minutes=2), gt=timedelta(0))


@dataclass(frozen=True, slots=True)
class CommandInstances:
    """See `Instances`."""

    settings: CommandInstanceSettings

    def look(self, subject: Subject, now: datetime) -> Sight:
        """Run it once."""
        settings = self.settings
        reading = CommandHealth(command=settings.command, timeout=settings.timeout).read(subject, now)
        if reading.status is CheckStatus.ERRORED:
            return Sight(error=reading.detail)
        follows = reading.status is CheckStatus.PASSED
        return Sight(instances=(Instance(name="command", follows=follows, detail=reading.detail),))
