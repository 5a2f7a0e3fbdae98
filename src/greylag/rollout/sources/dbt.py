"""dbt: `run_results.json`, from a file, a folder of them, or a URL (dbt Cloud's artefacts).

An invocation is a run; what failed in it are its nodes. https://docs.getdbt.com/reference/artifacts/run-results-json
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Reading, Subject
from greylag.rollout.runs import Run, RunRules, RunState, judge
from greylag.rollout.sources.base import (
    SourceSettings,
    Unanswered,
    fill,
    instant,
    is_list,
    is_map,
    words,
)
from greylag.rollout.sources.web import MOST_BYTES, Web, WebSettings, check_clock

_FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
_FINE = frozenset({"success", "pass", "warn", "no-op", "reused"})
_SKIPPED = "skipped"
_SELECTORS = ("select", "models", "exclude", "selector", "selector_name")


class DbtSettings(SourceSettings):
    """One of `path` and `web`. In both, `{repository}` and `{name}` are replaced.

    A folder is read whole: every `*.json` in it is one invocation, so that durations have a baseline.
    """

    kind: Literal["dbt"] = "dbt"
    path: str | None = Field(None, description="run_results.json, or a folder of such files")
    web: WebSettings | None = Field(None, description="the artefact's address")
    commands: tuple[str, ...] = Field(("build", "run"), description="invocations that count")
    nodes: tuple[str, ...] = Field((), description="nodes that must have run (globs of unique_id)")
    commit: str | None = Field(
        None, description="name in `metadata.env` (DBT_ENV_CUSTOM_ENV_<name>) that holds the commit"
    )
    rules: RunRules = Field(default_factory=lambda: RunRules.model_validate({}))

    @model_validator(mode="after")
    def _one(self) -> DbtSettings:
        if (self.path is None) == (self.web is None):
            raise ValueError("give one of `path` and `web`")
        return self


@dataclass(frozen=True, slots=True)
class DbtHealth:
    """See `HealthSource`: what dbt says of its own last invocations."""

    settings: DbtSettings

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Read the artefacts once."""
        try:
            runs = dbt_runs(self.settings, subject, now)
        except Unanswered as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"dbt: {error}", at=now)
        jobs = {"dbt": runs}
        return judge(jobs, subject, now, skew=self.settings.skew, rules=self.settings.rules)


def dbt_runs(settings: DbtSettings, subject: Subject, now: datetime) -> list[Run]:
    """The invocations that count, in no order. Raises Unanswered."""
    values = words(subject.repository)
    if settings.web is not None:
        web = settings.web.model_copy(update={"url": fill(settings.web.url, values)})
        answer = Web(web).get()
        check_clock(answer, now, settings.skew)
        documents: Iterable[tuple[str, Any]] = [(answer.place, answer.json())]
    else:
        documents = _files(Path(fill(str(settings.path), values)).expanduser())
    return [run for what, one in documents if (run := _run(is_map(one, what), what, settings)) is not None]


def _files(path: Path) -> list[tuple[str, Any]]:
    try:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path] if path.exists() else []
        return [(one.name, _json(one)) for one in files]
    except OSError as error:
        raise Unanswered(f"{path} cannot be read: {type(error).__name__}") from error


def _json(file: Path) -> Any:
    if file.stat().st_size > MOST_BYTES:
        raise Unanswered(f"{file.name}: more than {MOST_BYTES // 1024**2} MB")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Unanswered(f"{file.name} is no JSON (still being written?)") from error


def _run(document: Mapping[str, Any], what: str, settings: DbtSettings) -> Run | None:
    metadata = is_map(document.get("metadata"), f"{what}: metadata")
    arguments = document.get("args") or {}
    command = arguments.get("which") if isinstance(arguments, dict) else None
    if command is not None and command not in settings.commands:
        return None
    ended = instant(metadata.get("generated_at"), f"{what}: metadata.generated_at")
    if ended is None:
        raise Unanswered(f"{what}: metadata.generated_at is missing")
    listed = is_list(document.get("results"), f"{what}: results")
    results = [is_map(one, f"{what}: results") for one in listed]
    states = {str(one.get("unique_id")): str(one.get("status")) for one in results}
    failed = frozenset(node for node, state in states.items() if _bad(node, state, what))
    environment = metadata.get("env") if isinstance(metadata.get("env"), dict) else {}
    commit = environment.get(settings.commit) if settings.commit and isinstance(environment, dict) else None
    return Run(
        id=str(metadata.get("invocation_id") or what),
        state=_state(states, failed),
        started=_started(document, ended, what),
        ended=ended,
        commit=str(commit) if commit else None,
        rows=_rows(results),
        parts=failed,
        partial=_partial(arguments, states, settings),
    )


def _bad(node: str, state: str, what: str) -> bool:
    if state not in _FAILED | _FINE | {_SKIPPED}:
        raise Unanswered(f"{what}: unknown status {state[:40]!r} of {node}")
    return state in _FAILED


def _state(states: Mapping[str, str], failed: frozenset[str]) -> RunState:
    if failed:
        return RunState.FAILED
    # Nothing selected, or everything skipped: that shows nothing.
    return RunState.SUCCESS if any(state in _FINE for state in states.values()) else RunState.UNKNOWN


def _started(document: Mapping[str, Any], ended: datetime, what: str) -> datetime | None:
    metadata = document["metadata"]
    told = instant(metadata.get("invocation_started_at"), f"{what}: metadata.invocation_started_at")
    if told is not None:
        return told
    elapsed = document.get("elapsed_time")
    return ended - timedelta(seconds=float(elapsed)) if isinstance(elapsed, int | float) else None


def _rows(results: Iterable[Mapping[str, Any]]) -> int | None:
    """Rows that the adapter says were written; None where it says nothing."""
    told = [
        response["rows_affected"]
        for one in results
        if isinstance(response := one.get("adapter_response"), dict)
        and isinstance(response.get("rows_affected"), int)
        and response["rows_affected"] >= 0
    ]
    return sum(told) if told else None


def _partial(arguments: Any, states: Mapping[str, str], settings: DbtSettings) -> bool:
    """Did it leave out what must have run?"""
    ran = [node for node, state in states.items() if state in _FINE]
    if settings.nodes:
        return not all(any(fnmatchcase(node, pattern) for node in ran) for pattern in settings.nodes)
    selected = isinstance(arguments, dict) and any(arguments.get(name) for name in _SELECTORS)
    return selected or any(state == _SKIPPED for state in states.values())
