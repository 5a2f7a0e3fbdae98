"""HTTP: the status of an address, and what its JSON says at a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Reading, Subject
from greylag.rollout.sources.base import SourceSettings, Unanswered, fill, instant, since_of, words
from greylag.rollout.sources.numbers import Found, NumberRules, by_limits
from greylag.rollout.sources.web import Answer, Web, WebSettings, check_clock


class HttpSettings(SourceSettings):
    """`{repository}` and `{name}` are replaced in the address.

    A path is names (and positions in lists) with dots between: `checks.0.state`. What stands at `path` is
    healthy when it is one of `healthy`, failed when it is one of `failed`, and inconclusive otherwise; or a
    number, judged by `rules`. `started_path` names when the last run began, `commit_path` what it was of: a
    run that does not show the merge is inconclusive. Without them an answer of any time after it counts.
    """

    kind: Literal["http"] = "http"
    web: WebSettings
    path: str | None = None
    healthy: tuple[str, ...] = ("ok", "pass", "passed", "success", "healthy", "true")
    failed: tuple[str, ...] = ("fail", "failed", "failing", "error", "unhealthy", "false")
    rules: NumberRules | None = None
    started_path: str | None = None
    commit_path: str | None = None
    statuses: frozenset[int] = Field(frozenset({200}), description="that are an answer")
    failed_statuses: frozenset[int] = Field(frozenset(), description="that say: it is sick")

    @model_validator(mode="after")
    def _sense(self) -> HttpSettings:
        if self.rules is not None and (self.path is None or self.rules.spreads is not None):
            raise ValueError("`rules` takes a `path`, and `min` or `max` (an answer has no values before)")
        if self.path is None and (self.started_path or self.commit_path):
            raise ValueError("`started_path` and `commit_path` need a `path`")
        return self


@dataclass(frozen=True, slots=True)
class HttpHealth:
    """See `HealthSource`: one request a reading."""

    settings: HttpSettings

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Ask once."""
        try:
            told = self._asked(subject, now)
        except Unanswered as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"HTTP: {error}", at=now)
        return Reading(status=told.status, detail=f"HTTP: {told.detail}"[:500], at=now)

    def _asked(self, subject: Subject, now: datetime) -> Found:
        settings = self.settings
        url = fill(settings.web.url, words(subject.repository))
        web = Web(settings.web.model_copy(update={"url": url}))
        answer = web.get(statuses=settings.statuses | settings.failed_statuses)
        check_clock(answer, now, settings.skew)
        if answer.status in settings.failed_statuses:
            return Found(status=CheckStatus.FAILED, detail=f"{answer.place}: HTTP {answer.status}")
        if settings.path is None:
            return Found(status=CheckStatus.PASSED, detail=f"{answer.place}: HTTP {answer.status}")
        document = answer.json()
        stale = self._stale(document, answer, subject, now)
        return stale or _judged(dig(document, settings.path, answer.place), settings)

    def _stale(self, document: Any, answer: Answer, subject: Subject, now: datetime) -> Found | None:
        """Why what the answer tells is not of the code that is asked about; None when it is."""
        settings = self.settings
        commit = None
        if settings.commit_path is not None:
            commit = str(dig(document, settings.commit_path, answer.place))
        if subject.merged_at is None:
            ours = commit is None and subject.retried
            return _no_run("of the present commit") if ours or commit not in (None, subject.base) else None
        if commit is not None and commit == subject.merged_commit:
            return None
        if commit is not None and (commit == subject.base or settings.started_path is None):
            return _no_run("of the merged commit")
        if settings.started_path is None:
            return None
        what = f"{answer.place}: {settings.started_path}"
        started = instant(dig(document, settings.started_path, answer.place), what)
        if started is not None and started > now + settings.skew:
            raise Unanswered(f"{what}: a run of the future: its clock is ahead of ours")
        since = since_of(subject, settings.skew)
        assert since is not None
        return _no_run("since the merge") if started is None or started < since else None


def _no_run(what: str) -> Found:
    return Found(status=CheckStatus.INCONCLUSIVE, detail=f"no run {what} yet")


def _judged(value: object, settings: HttpSettings) -> Found:
    if settings.rules is not None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unanswered(f"{settings.path}: expected a number, got {str(value)[:40]!r}")
        told = by_limits(float(value), settings.rules)
        return Found(status=told.status, detail=f"{settings.path} is {told.detail}")
    word = str(value).casefold() if isinstance(value, str | bool | int | float) else None
    text = f"{settings.path} is {str(value)[:100]!r}"
    if word in {one.casefold() for one in settings.healthy}:
        return Found(status=CheckStatus.PASSED, detail=text)
    if word in {one.casefold() for one in settings.failed}:
        return Found(status=CheckStatus.FAILED, detail=text)
    return Found(status=CheckStatus.INCONCLUSIVE, detail=text)


def dig(document: Any, path: str, what: str) -> object:
    """What stands at a path. Raises Unanswered when nothing does."""
    for part in path.split("."):
        match document:
            case Mapping() if part in document:
                document = document[part]
            case list() if part.isdecimal() and int(part) < len(document):
                document = document[int(part)]
            case _:
                raise Unanswered(f"{what}: there is nothing at {path!r}")
    found: object = document
    return found
