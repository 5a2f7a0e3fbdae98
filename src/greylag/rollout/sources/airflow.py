"""Airflow: the runs of the DAGs that a repository builds, over the stable REST API.

`api: 1` is Airflow 2 (/api/v1), `api: 2` Airflow 3 (/api/v2).
https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Reading, Subject
from greylag.rollout.runs import Run, RunRules, RunState, judge
from greylag.rollout.sources.base import (
    PerRepository,
    SourceSettings,
    Unanswered,
    instant,
    is_list,
    is_map,
    names_for,
)
from greylag.rollout.sources.web import Web, WebSettings, check_clock

_PAGE = 100
_STATES = {
    "success": RunState.SUCCESS,
    "failed": RunState.FAILED,
    "running": RunState.RUNNING,
    "queued": RunState.RUNNING,
}


class AirflowSettings(SourceSettings):
    """DAGs by repository. With `user` and `password`, version 2 of the API is asked for a token first."""

    kind: Literal["airflow"] = "airflow"
    web: WebSettings
    api: Literal[1, 2] = 2
    dags: PerRepository = Field(description="the DAGs that a repository builds")
    run_types: tuple[str, ...] = Field(
        ("scheduled", "manual", "dataset_triggered", "asset_triggered"),
        description="runs that count; a backfill is of other days, and takes its own time",
    )
    rules: RunRules = Field(default_factory=lambda: RunRules.model_validate({}))


@dataclass(frozen=True, slots=True)
class AirflowHealth:
    """See `HealthSource`: the last runs of each DAG, against its runs before the merge."""

    settings: AirflowSettings

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Two requests a DAG: what began before the merge, and what began since."""
        settings = self.settings
        try:
            names = names_for(settings.dags, subject.repository)
            api = AirflowApi(settings.web, settings.api)
            jobs = {name: self._runs(api, name, subject, now) for name in names}
        except Unanswered as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"Airflow: {error}", at=now)
        return judge(jobs, subject, now, skew=settings.skew, rules=settings.rules)

    def _runs(self, api: AirflowApi, dag: str, subject: Subject, now: datetime) -> list[Run]:
        settings = self.settings
        most = settings.rules.baseline + 10  # some are of other types, some did not end
        if subject.merged_at is None:
            return api.runs(dag, now, settings, most=most)
        before = api.runs(dag, now, settings, most=most, until=subject.merged_at)
        since = api.runs(dag, now, settings, most=_PAGE, since=subject.merged_at - settings.skew)
        return list({run.id: run for run in [*before, *since]}.values())


class AirflowApi:
    """What we ask of Airflow's API; both versions answer in the same shape."""

    def __init__(self, settings: WebSettings, version: int) -> None:
        self._settings = settings
        self._base = f"/api/v{version}"
        self._token: str | None = None
        by_password = version == 2 and settings.user is not None
        self._web = Web(settings, self._logged_in if by_password else None)

    def _logged_in(self, web: Web) -> str:
        if self._token is None:
            settings = self._settings
            assert settings.user is not None and settings.password is not None
            document = {"username": settings.user, "password": settings.password.read()}
            answer = web.post("/auth/token", document, statuses=frozenset({200, 201}))
            token = is_map(answer.json(), answer.place).get("access_token")
            if not isinstance(token, str):
                raise Unanswered(f"{answer.place}: no `access_token` in the answer")
            self._token = token
        return f"Bearer {self._token}"

    def dag(self, dag: str) -> Mapping[str, object]:
        """The DAG itself: `last_parsed_time`, `is_paused`, `has_import_errors`…"""
        answer = self._web.get(f"{self._base}/dags/{quote(dag, safe='')}")
        return is_map(answer.json(), answer.place)

    def latest_version(self, dag: str) -> Mapping[str, object] | None:
        """The newest version of a DAG (API 2): `bundle_version` is the commit of a git bundle."""
        params = {"limit": "1", "order_by": "-version_number"}
        answer = self._web.get(f"{self._base}/dags/{quote(dag, safe='')}/dagVersions", params)
        found = is_list(
            is_map(answer.json(), answer.place).get("dag_versions"), f"{answer.place}: dag_versions"
        )
        return is_map(found[0], answer.place) if found else None

    def runs(
        self,
        dag: str,
        now: datetime,
        settings: AirflowSettings,
        *,
        most: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Run]:
        """Runs that began in a span of time, newest first, at most `most`. Raises Unanswered."""
        params = {"limit": str(min(most, _PAGE)), "order_by": "-start_date"}
        if since is not None:
            params["start_date_gte"] = since.isoformat()
        if until is not None:
            params["start_date_lte"] = until.isoformat()
        answer = self._web.get(f"{self._base}/dags/{quote(dag, safe='')}/dagRuns", params)
        check_clock(answer, now, settings.skew)
        what = f"{answer.place}: dag_runs"
        listed = is_list(is_map(answer.json(), answer.place).get("dag_runs"), what)
        runs = [is_map(one, what) for one in listed]
        return [_run(one, what) for one in runs if one.get("run_type") in (None, *settings.run_types)]


def _run(document: Mapping[str, object], what: str) -> Run:
    state = _STATES.get(str(document.get("state")))
    if state is None:
        raise Unanswered(f"{what}: unknown state {str(document.get('state'))[:40]!r}")
    return Run(
        id=str(document.get("dag_run_id")),
        state=state,
        started=instant(document.get("start_date"), what),
        ended=instant(document.get("end_date"), what),
        commit=_commit(document, what),
    )


def _commit(document: Mapping[str, object], what: str) -> str | None:
    """The commit that a run is of, where DAGs come from a git bundle and the run saw one version only."""
    versions = document.get("dag_versions")
    if not isinstance(versions, list):
        return None
    found = {is_map(one, what).get("bundle_version") for one in versions}
    commit = next(iter(found)) if len(found) == 1 else None
    return commit if isinstance(commit, str) else None
