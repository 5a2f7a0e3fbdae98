"""OpenLineage: run events from a folder of files, or from an HTTP endpoint that lists them (Marquez, …).

https://openlineage.io/docs/spec/run-cycle
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Reading, Subject
from greylag.rollout.runs import Run, RunRules, RunState, judge
from greylag.rollout.sources.base import (
    PerRepository,
    SourceSettings,
    Unanswered,
    fill,
    instant,
    is_list,
    is_map,
    names_for,
    words,
)
from greylag.rollout.sources.web import MOST_BYTES, Web, WebSettings, check_clock

_SUFFIXES = {".json", ".ndjson", ".jsonl"}
_ENDS = {"COMPLETE": RunState.SUCCESS, "FAIL": RunState.FAILED, "ABORT": RunState.UNKNOWN}
_GOING_ON = frozenset({"START", "RUNNING", "OTHER", None})


class OpenLineageSettings(SourceSettings):
    """One of `folder` and `web`; `jobs` are globs of `namespace/name`.

    Of a folder, *.json (an event, or a list), *.ndjson and *.jsonl are read. The endpoint answers a list, or
    `{"events": […]}`, or a line an event; `{repository}` and `{name}` are replaced in `params`.
    """

    kind: Literal["openlineage"] = "openlineage"
    folder: Path | None = None
    web: WebSettings | None = None
    params: Mapping[str, str] = Field(
        default_factory=lambda: {"limit": "1000", "sortDirection": "desc"}, description="of the request"
    )
    jobs: PerRepository = Field(description="the jobs that a repository builds: globs of namespace/name")
    rules: RunRules = Field(default_factory=lambda: RunRules.model_validate({}))

    @model_validator(mode="after")
    def _one(self) -> OpenLineageSettings:
        if (self.folder is None) == (self.web is None):
            raise ValueError("give one of `folder` and `web`")
        return self


@dataclass(frozen=True, slots=True)
class OpenLineageHealth:
    """See `HealthSource`: the runs of jobs, put together from their events."""

    settings: OpenLineageSettings

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Read the events once."""
        settings = self.settings
        try:
            patterns = names_for(settings.jobs, subject.repository)
            jobs = put_together(self._events(subject, now), patterns)
        except Unanswered as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"OpenLineage: {error}", at=now)
        # A job that never told anything is one that is not watched: it stays open.
        missing = [one for one in patterns if not any(fnmatchcase(job, one) for job in jobs)]
        known = {**{one: () for one in missing}, **jobs}
        return judge(known, subject, now, skew=settings.skew, rules=settings.rules)

    def _events(self, subject: Subject, now: datetime) -> list[Mapping[str, Any]]:
        settings = self.settings
        if settings.web is None:
            return list(_of_folder(Path(str(settings.folder)).expanduser()))
        values = words(subject.repository)
        params = {key: fill(value, values) for key, value in settings.params.items()}
        answer = Web(settings.web).get("", params)
        check_clock(answer, now, settings.skew)
        return list(_of_text(answer.text(), answer.place))


def _of_folder(folder: Path) -> Iterable[Mapping[str, Any]]:
    try:
        files = [one for one in folder.rglob("*") if one.suffix in _SUFFIXES and one.is_file()]
        # The newest first: what does not fit any more is the oldest.
        sizes = sorted(((one.stat().st_mtime, one.stat().st_size, one) for one in files), reverse=True)
    except OSError as error:
        raise Unanswered(f"{folder} cannot be read: {type(error).__name__}") from error
    if not folder.is_dir():
        raise Unanswered(f"{folder}: there is no such folder")
    left = MOST_BYTES
    for _, size, file in sizes:
        if size > MOST_BYTES:
            raise Unanswered(f"{file.name}: more than {MOST_BYTES // 1024**2} MB")
        left -= size
        if left < 0:
            return
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Unanswered(f"{file.name} cannot be read: {type(error).__name__}") from error
        yield from _of_text(text, file.name)


def _of_text(text: str, what: str) -> Iterable[Mapping[str, Any]]:
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise Unanswered(f"{what}: nested too deeply") from error
    except ValueError:
        yield from _of_lines(text, what)
        return
    if isinstance(document, dict) and "events" in document:
        document = document["events"]
    listed = is_list(document, what) if not isinstance(document, dict) else [document]
    for one in listed:
        yield is_map(one, what)


def _of_lines(text: str, what: str) -> Iterable[Mapping[str, Any]]:
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield is_map(json.loads(line), f"{what}:{number}")
        except (ValueError, RecursionError) as error:
            if number > 1 and number == len(lines):
                return  # its end is not there yet: it is being written
            raise Unanswered(f"{what}:{number}: that is no JSON") from error


def put_together(events: Iterable[Mapping[str, Any]], patterns: Iterable[str]) -> dict[str, tuple[Run, ...]]:
    """The runs of the jobs that fit one of the patterns, by `namespace/name`. Raises Unanswered."""
    wanted = tuple(patterns)
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for event in events:
        if "run" not in event:
            continue  # an event about a job or a dataset
        job = is_map(event.get("job"), "an event: job")
        name = f"{job.get('namespace')}/{job.get('name')}"
        if any(fnmatchcase(name, pattern) for pattern in wanted):
            run = str(is_map(event["run"], f"an event of {name}: run").get("runId"))
            found.setdefault(name, {}).setdefault(run, []).append(event)
    return {
        name: tuple(_run(id_, of_run, name) for id_, of_run in runs.items()) for name, runs in found.items()
    }


def slim(event: Mapping[str, Any]) -> dict[str, Any]:
    """A run event with only what is read of it here. Raises Unanswered for one that is none."""
    put_together([event], ("*",))
    job, facet = is_map(event.get("job"), "job"), "outputStatistics"
    commit = _commit(event)
    rows = _rows(event)
    return {
        "eventType": event.get("eventType"),
        "eventTime": event.get("eventTime"),
        "run": {"runId": str(is_map(event.get("run"), "run").get("runId"))},
        "job": {
            "namespace": job.get("namespace"),
            "name": job.get("name"),
            **({} if commit is None else {"facets": {"sourceCodeLocation": {"version": commit}}}),
        },
        "outputs": [] if rows is None else [{"outputFacets": {facet: {"rowCount": rows}}}],
    }


def _run(id_: str, events: list[Mapping[str, Any]], name: str) -> Run:
    what = f"an event of {name}"
    times: dict[str | None, datetime] = {}
    rows: int | None = None
    commit: str | None = None
    for event in events:
        kind = event.get("eventType")
        if not isinstance(kind, str | None) or (kind not in _GOING_ON and kind not in _ENDS):
            raise Unanswered(f"{what}: unknown eventType {str(kind)[:40]!r}")
        time = instant(event.get("eventTime"), f"{what}: eventTime")
        if time is None:
            raise Unanswered(f"{what}: eventTime is missing")
        times[kind] = max(time, times.get(kind, time)) if kind in _ENDS else min(time, times.get(kind, time))
        rows = _rows(event) if rows is None else rows
        commit = _commit(event) or commit
    ends = [(time, kind) for kind, time in times.items() if kind in _ENDS]
    ended, end = max(ends) if ends else (None, None)
    return Run(
        id=id_,
        state=RunState.RUNNING if end is None else _ENDS[end],
        # A run whose start was not told may have begun before the merge: it has no start.
        started=times.get("START", times.get("RUNNING")),
        ended=ended,
        commit=commit,
        rows=rows,
    )


def _rows(event: Mapping[str, Any]) -> int | None:
    told = [
        count
        for output in event.get("outputs") or ()
        if isinstance(output, dict)
        and isinstance(count := _dig(output, "outputFacets", "outputStatistics", "rowCount"), int)
    ]
    return sum(told) if told else None


def _commit(event: Mapping[str, Any]) -> str | None:
    found = _dig(event, "job", "facets", "sourceCodeLocation", "version")
    return found if isinstance(found, str) and found else None


def _dig(document: Any, *names: str) -> object:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    found: object = document
    return found
