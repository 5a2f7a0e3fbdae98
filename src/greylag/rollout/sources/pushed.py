"""Runs that pipelines tell of: plain ones, and OpenLineage's run events, sent to `greylag serve`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Reading, Subject
from greylag.rollout.runs import Run, RunRules, RunState, judge
from greylag.rollout.sources.base import PerRepository, SourceSettings, Unanswered, names_for
from greylag.rollout.sources.openlineage import put_together

OPENLINEAGE = "openlineage"
"""The name of the source that OpenLineage's events go to."""

PushedRuns = Callable[[str, str, Sequence[str]], Sequence[Mapping[str, Any]]]
"""What a source was told of a repository, or of jobs whose names begin with one of these; oldest first."""

_WILD = re.compile(r"[*?\[]")


class PushedSettings(SourceSettings):
    """What was sent to `/health/{source}`, or, for `openlineage`, to `/api/v1/lineage`.

    `jobs` are globs: of the names of consumers, or of `namespace/name` for OpenLineage, whose events name no
    repository.
    """

    kind: Literal["pushed"] = "pushed"
    source: str = Field("pipelines", pattern=r"^[a-z0-9][a-z0-9-]*$", description="the name it is sent to")
    jobs: PerRepository = Field(default_factory=dict, description="the jobs that a repository builds")
    rules: RunRules = Field(default_factory=lambda: RunRules.model_validate({}))

    @model_validator(mode="after")
    def _jobs(self) -> PushedSettings:
        if self.source == OPENLINEAGE and not self.jobs:
            raise ValueError("OpenLineage names no repositories: say under `jobs` which jobs are whose")
        return self


def _zoned(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Told = Annotated[AwareDatetime, BeforeValidator(_zoned)]
"""A time in ISO 8601; UTC where it names no zone."""


class RunDocument(BaseModel):
    """A run as a pipeline tells it: who ran, how it stands, and what is known besides.

    `commit` is the commit of the repository that ran; with it a run counts at once, whatever the clocks say.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: str | None = Field(None, min_length=1, max_length=500)
    consumer: str | None = Field(
        None, min_length=1, max_length=500, description="the job, where it has a name"
    )
    state: Literal["success", "failed", "running", "unknown"]
    run: str = Field(min_length=1, max_length=500, description="the run's own id")
    started: Told | None = None
    ended: Told | None = None
    commit: str | None = Field(None, max_length=100)
    rows: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _whose(self) -> RunDocument:
        if self.repository is None and self.consumer is None:
            raise ValueError("give `repository`, or `consumer`: whose run is it?")
        if self.started is None and self.ended is None:
            raise ValueError("give `started`, or at least `ended`: when was it?")
        return self

    @property
    def job(self) -> str:
        """What ran."""
        return self.consumer or self.repository or ""

    @property
    def key(self) -> str:
        """The same, told again, is the same; a run that ended is another piece of news than its start."""
        return f"{self.job}\n{self.run}\n{self.state}"


@dataclass(frozen=True, slots=True)
class PushedHealth:
    """See `HealthSource`. What nobody told of is inconclusive, never passed."""

    settings: PushedSettings
    runs: PushedRuns

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Look at what came so far."""
        settings = self.settings
        try:
            patterns = names_for(settings.jobs, subject.repository)
            found = self.runs(settings.source, subject.repository, [literal(one) for one in patterns])
            jobs = _jobs(found, patterns, subject.repository)
        except Unanswered as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"{settings.source}: {error}", at=now)
        missing = [one for one in patterns if not any(fnmatchcase(job, one) for job in jobs)]
        known = {**{one: () for one in missing}, **jobs}
        if not known:
            known = {subject.repository: ()}
        return judge(known, subject, now, skew=settings.skew, rules=settings.rules)


def literal(pattern: str) -> str:
    """What every name that fits a glob begins with."""
    return _WILD.split(pattern, maxsplit=1)[0]


def _jobs(
    found: Iterable[Mapping[str, Any]], patterns: Sequence[str], repository: str
) -> dict[str, tuple[Run, ...]]:
    events = [one for one in found if "eventType" in one]
    plain = [RunDocument.model_validate(one) for one in found if "eventType" not in one]
    jobs = put_together(events, patterns)
    runs: dict[str, dict[str, Run]] = {}
    for one in plain:
        if one.repository == repository or any(fnmatchcase(one.job, pattern) for pattern in patterns):
            of_job = runs.setdefault(one.job, {})
            of_job[one.run] = _later(of_job.get(one.run), one)
    return {**jobs, **{job: tuple(of_job.values()) for job, of_job in runs.items()}}


def _later(known: Run | None, told: RunDocument) -> Run:
    """A run, told of once more: what it was told before stays where it says nothing new."""
    state = RunState(told.state)
    if known is None:
        known = Run(id=told.run, state=state, started=None)
    return Run(
        id=told.run,
        # Told late, and out of order: a run that ended does not begin to run again.
        state=known.state if state is RunState.RUNNING else state,
        started=told.started or known.started,
        ended=told.ended or known.ended,
        commit=told.commit or known.commit,
        rows=known.rows if told.rows is None else told.rows,
    )


def concerned(
    sources: Iterable[PushedSettings], source: str, job: str, repositories: Iterable[str]
) -> tuple[str, ...]:
    """Which of these repositories a run of the job is about, as far as the settings say."""
    asked = [one for one in sources if one.source == source and one.jobs]
    return tuple(name for name in repositories if any(_builds(one, name, job) for one in asked))


def _builds(settings: PushedSettings, repository: str, job: str) -> bool:
    try:
        patterns = names_for(settings.jobs, repository)
    except Unanswered:
        return False
    return settings.concerns(repository) and any(fnmatchcase(job, one) for one in patterns)
