"""Runs of what a repository builds, and what those since a merge say of it. Pure.

A run counts for a merge when it is of the merged commit; or, where runs name no commit, when it began after
the merge (and after the clocks' possible difference). What failed in its last run before the merge is not our
failure, and neither is it healthy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import assert_never

from pydantic import BaseModel, ConfigDict, Field

from greylag.domain.check import CheckStatus
from greylag.domain.words import count, duration
from greylag.rollout.baseline import usual
from greylag.rollout.health import Reading, Subject
from greylag.rollout.sources.base import since_of


class RunState(StrEnum):
    """How a run ended, if it did. `unknown`: it ended without an answer (cancelled, nothing selected)."""

    SUCCESS = "success"
    FAILED = "failed"
    RUNNING = "running"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a job. `parts` are the names of what failed in it, where the source tells them.

    `partial`: it ran a part of the job only; its success says nothing of the rest. `rows`: written by it.
    """

    id: str
    state: RunState
    started: datetime | None
    ended: datetime | None = None
    commit: str | None = None
    rows: int | None = None
    parts: frozenset[str] = frozenset()
    partial: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()


class RunRules(BaseModel):
    """What of a consumer's runs is compared with its own runs before the merge. Each is off unless given.

    `duration`, `rows` and `freshness` are numbers of spreads around the median of the last `baseline`
    successful runs (see `Usual`); `failure_rate` is the share of failed runs that is tolerated above the
    share before. One that is asked for and cannot be judged, as too few runs are known, is inconclusive.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    baseline: int = Field(20, ge=2, le=90, description="runs before the merge that are looked at")
    at_least: int = Field(5, ge=2, description="fewer of them say nothing")
    slack: float = Field(0.5, ge=0, description="share of the median that is always tolerated")
    duration: float | None = Field(None, gt=0, description="spreads that a run may take longer")
    rows: float | None = Field(None, gt=0, description="spreads of rows written, less or more")
    freshness: float | None = Field(None, gt=0, description="spreads that the next success may be late")
    failure_rate: float | None = Field(None, ge=0, le=1, description="share above the share before")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The runs of one job around a merge, oldest first; before the merge, all are `before`."""

    before: tuple[Run, ...] = ()
    since: tuple[Run, ...] = ()


@dataclass(slots=True)
class _Told:
    """What the jobs of a repository say, in words."""

    failed: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)


def judge(
    jobs: Mapping[str, Sequence[Run]], subject: Subject, now: datetime, *, skew: timedelta, rules: RunRules
) -> Reading:
    """One reading over all jobs of a repository: one that failed decides, and all must have passed."""
    if not jobs:
        return Reading(status=CheckStatus.INCONCLUSIVE, detail="no job is known of this repository", at=now)
    ahead = _from_the_future(jobs, now, skew)
    if ahead is not None:
        return Reading(status=CheckStatus.ERRORED, detail=ahead, at=now)
    told = _Told()
    for name, runs in sorted(jobs.items()):
        history = split(runs, subject, skew)
        if subject.merged_at is None:
            _before(name, history, subject, told)
        else:
            _after(name, history, now, subject.merged_at, rules, told)
    if told.failed:
        return Reading(status=CheckStatus.FAILED, detail="; ".join(told.failed)[:500], at=now)
    if told.open:
        return Reading(status=CheckStatus.INCONCLUSIVE, detail="; ".join(told.open)[:500], at=now)
    return Reading(status=CheckStatus.PASSED, detail="; ".join(told.passed)[:500], at=now)


def _from_the_future(jobs: Mapping[str, Sequence[Run]], now: datetime, skew: timedelta) -> str | None:
    for name, runs in jobs.items():
        times = [time for run in runs for time in (run.started, run.ended) if time is not None]
        if times and max(times) > now + skew:
            ahead = duration(max(times) - now)
            return f"{name}: its clock is {ahead} ahead of ours, more than the {duration(skew)} allowed"
    return None


def split(runs: Iterable[Run], subject: Subject, skew: timedelta) -> History:
    """Which runs are of the code before the merge, and which of the code after it; some are of neither."""
    ordered = sorted((run for run in runs if run.started or run.ended), key=_order)
    since = since_of(subject, skew)
    if since is None or subject.merged_at is None:
        return History(before=tuple(ordered))
    before = [run for run in ordered if _is_before(run, subject, subject.merged_at - skew)]
    after = [run for run in ordered if _is_after(run, subject, since)]
    return History(before=tuple(before), since=tuple(after))


def _order(run: Run) -> tuple[datetime, str]:
    time = run.started or run.ended
    assert time is not None, "runs without a time are left out"
    return time, run.id


def _is_before(run: Run, subject: Subject, until: datetime) -> bool:
    if run.commit is not None and run.commit == subject.merged_commit:
        return False
    return run.commit == subject.base or (run.started is not None and run.started < until)


def _is_after(run: Run, subject: Subject, since: datetime) -> bool:
    if run.commit is not None and run.commit == subject.merged_commit:
        return True
    if run.commit == subject.base:
        return False
    # Not when it ended: a run that began before the merge had loaded the old code.
    return run.started is not None and run.started >= since


def _ended(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if run.state in (RunState.SUCCESS, RunState.FAILED)]


def _good(runs: Iterable[Run], most: int) -> list[Run]:
    return [run for run in runs if run.state is RunState.SUCCESS and not run.partial][-most:]


def _before(name: str, history: History, subject: Subject, told: _Told) -> None:
    """The baseline: how the last run ended. After a revert, only a run of the commit as it is now counts."""
    ended = [run for run in _ended(history.before) if not subject.retried or run.commit == subject.base]
    if not ended:
        told.open.append(f"{name}: no run known before the merge")
    elif ended[-1].state is RunState.FAILED:
        told.failed.append(f"{name}: run {ended[-1].id} failed{_parts(ended[-1].parts)}")
    else:
        told.passed.append(f"{name}: run {ended[-1].id} succeeded")


def _parts(parts: frozenset[str]) -> str:
    if not parts:
        return ""
    shown = ", ".join(sorted(parts)[:3])
    return f" ({shown}, and {len(parts) - 3} more)" if len(parts) > 3 else f" ({shown})"


def _after(
    name: str, history: History, now: datetime, merged_at: datetime, rules: RunRules, told: _Told
) -> None:
    ended = _ended(history.since)
    late = _late(name, history, now, merged_at, rules)
    if late is not None:
        late.add(told)
        return
    if not ended:
        running = any(run.state is RunState.RUNNING for run in history.since)
        told.open.append(f"{name}: {'running' if running else 'no run since the merge yet'}")
        return
    rate = _rate(name, history, ended, rules)
    if rate is not None and rate.status is not CheckStatus.PASSED:
        rate.add(told)
    elif ended[-1].state is RunState.FAILED:
        _failed(name, history, ended[-1], tolerated=rate is not None).add(told)
    else:
        _succeeded(name, history, ended, rules, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    status: CheckStatus
    text: str

    def add(self, told: _Told) -> None:
        match self.status:
            case CheckStatus.PASSED:
                told.passed.append(self.text)
            case CheckStatus.FAILED:
                told.failed.append(self.text)
            case CheckStatus.INCONCLUSIVE | CheckStatus.ERRORED:
                told.open.append(self.text)
            case _:
                assert_never(self.status)


def _failed(name: str, history: History, run: Run, *, tolerated: bool) -> _Word:
    earlier = _ended(history.before)
    last = earlier[-1] if earlier else None
    if last is not None and last.state is RunState.FAILED:
        fresh = run.parts - last.parts if last.parts else frozenset()
        if not fresh:
            text = f"{name}: it was failing before the merge and still is{_parts(run.parts)}"
            return _Word(status=CheckStatus.INCONCLUSIVE, text=text)
        text = f"{name}: run {run.id} failed{_parts(fresh)}, which did not fail before"
        return _Word(status=CheckStatus.FAILED, text=text)
    if tolerated:
        text = f"{name}: run {run.id} failed, no oftener than before the merge"
        return _Word(status=CheckStatus.INCONCLUSIVE, text=text)
    return _Word(status=CheckStatus.FAILED, text=f"{name}: run {run.id} failed{_parts(run.parts)}")


def _rate(name: str, history: History, ended: list[Run], rules: RunRules) -> _Word | None:
    """The share of failed runs since the merge, against the share before."""
    if rules.failure_rate is None:
        return None
    earlier = _ended(history.before)[-rules.baseline :]
    if len(earlier) < rules.at_least:
        return _unjudged(name, "its failure rate", len(earlier), rules)
    before, after = _share(earlier), _share(ended)
    status = CheckStatus.FAILED if after > before + rules.failure_rate else CheckStatus.PASSED
    text = f"{name}: {after:.0%} of {count(len(ended), 'run')} since the merge failed; {before:.0%} of "
    return _Word(status=status, text=f"{text}{len(earlier)} before")


def _share(runs: Sequence[Run]) -> float:
    return sum(run.state is RunState.FAILED for run in runs) / len(runs)


def _unjudged(name: str, what: str, known: int, rules: RunRules) -> _Word:
    text = f"{name}: {what} cannot be judged: {count(known, 'run')} before the merge, {rules.at_least} needed"
    return _Word(status=CheckStatus.INCONCLUSIVE, text=text)


def _succeeded(name: str, history: History, ended: list[Run], rules: RunRules, told: _Told) -> None:
    whole = [run for run in ended if not run.partial]
    if not whole:
        told.open.append(f"{name}: only a part of it ran since the merge")
        return
    run = whole[-1]
    if run.state is RunState.FAILED:
        # A part of it ran well since, perhaps another one.
        _failed(name, history, run, tolerated=False).add(told)
        return
    usual_runs = _good(history.before, rules.baseline)
    seconds = [one.seconds for one in usual_runs]
    rows = [None if one.rows is None else float(one.rows) for one in usual_runs]
    words = [
        _measure(name, "seconds", run.seconds, seconds, rules.duration, rules, less=False),
        _measure(name, "rows", None if run.rows is None else float(run.rows), rows, rules.rows, rules),
    ]
    for word in words:
        if word is not None:
            word.add(told)
    if all(word is None for word in words):
        told.passed.append(f"{name}: run {run.id} succeeded")


def _measure(
    name: str,
    what: str,
    value: float | None,
    before: Sequence[float | None],
    spreads: float | None,
    rules: RunRules,
    *,
    less: bool = True,
) -> _Word | None:
    """A number of the last run against the same number of the runs before; `less`: too little is bad, too."""
    if spreads is None:
        return None
    known = [one for one in before if one is not None]
    found = usual(known, rules.at_least)
    if found is None:
        return _unjudged(name, f"its {what}", len(known), rules)
    if value is None:
        text = f"{name}: its {what} cannot be judged: the run does not tell them"
        return _Word(status=CheckStatus.INCONCLUSIVE, text=text)
    lowest, highest = found.limits(spreads, rules.slack)
    bad = value > highest or (less and value < lowest)
    text = (
        f"{name}: {value:g} {what}; before the merge {found.median:g} (median of {found.count}, "
        f"spread {found.spread:g}), so up to {highest:g}{f' and from {lowest:g}' if less else ''} is usual"
    )
    return _Word(status=CheckStatus.FAILED if bad else CheckStatus.PASSED, text=text)


def _late(name: str, history: History, now: datetime, merged_at: datetime, rules: RunRules) -> _Word | None:
    """Is the next success overdue, by how often successes came before the merge?"""
    if rules.freshness is None:
        return None
    good = [run.started for run in _good(history.before, rules.baseline + 1) if run.started is not None]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(good)]
    found = usual(gaps, rules.at_least)
    if found is None:
        return _unjudged(name, "how often it runs", len(good), rules)
    _, longest = found.limits(rules.freshness, rules.slack)
    limit = timedelta(seconds=longest)
    since = [run.started for run in _good(history.since, rules.baseline) if run.started is not None]
    last = max([*good, *since])
    if now - last <= limit:
        return None
    text = (
        f"{name}: no success for {_rough(now - last)}; before the merge one came every "
        f"{_rough(timedelta(seconds=found.median))} (median of {found.count}), "
        f"up to {_rough(limit)} is usual"
    )
    if not since and merged_at - last > limit:
        return _Word(status=CheckStatus.INCONCLUSIVE, text=f"{text}; it was overdue before the merge")
    return _Word(status=CheckStatus.FAILED, text=text)


def _rough(span: timedelta) -> str:
    """Spans of hours need no seconds."""
    step = 60 if span >= timedelta(hours=1) else 1
    return duration(timedelta(seconds=round(span.total_seconds() / step) * step))
