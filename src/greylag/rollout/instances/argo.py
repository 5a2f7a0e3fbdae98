"""Argo CD: applications by its REST API. https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from greylag.rollout.health import Subject
from greylag.rollout.instances.base import Includes, Instance, Sight, runs_merge
from greylag.rollout.instances.kubernetes import commit_of_images
from greylag.rollout.sources.base import PerRepository, SourceSettings, Unanswered, instant, is_map, names_for
from greylag.rollout.sources.web import Web, WebSettings


class ArgoSettings(SourceSettings):
    """`commit` says what tells the code: `revision` where manifests stand in the same repository as the code,
    `image` where a repository of its own names images whose tag holds the commit.
    """

    kind: Literal["argocd"] = "argocd"
    web: WebSettings
    applications: PerRepository = Field(description="the applications that run a repository")
    commit: Literal["revision", "image"] = "revision"


@dataclass(frozen=True, slots=True)
class ArgoApplications:
    """See `Instances`: an application follows when it is synced to the commit, and healthy."""

    settings: ArgoSettings
    includes: Includes

    def look(self, subject: Subject, now: datetime) -> Sight:
        """One request an application."""
        try:
            names = names_for(self.settings.applications, subject.repository)
            return Sight(instances=tuple(self._instance(name, subject) for name in names))
        except Unanswered as error:
            return Sight(error=f"Argo CD: {error}")

    def _instance(self, name: str, subject: Subject) -> Instance:
        answer = Web(self.settings.web).get(f"/api/v1/applications/{quote(name, safe='')}")
        status = is_map(is_map(answer.json(), answer.place).get("status"), f"{answer.place}: status")
        commits = self._commits(status)
        if not any(
            runs_merge(subject.repository, one, subject.merged_commit, self.includes) for one in commits
        ):
            shown = ", ".join(one[:10] for one in commits) or "no commit"
            return Instance(name=name, follows=False, detail=f"it is at {shown}")
        sync, health = _word(status, "sync"), _word(status, "health")
        if (sync, health) != ("Synced", "Healthy"):
            return Instance(name=name, follows=False, detail=f"it is {sync} and {health}")
        operation = status.get("operationState")
        operation = operation if isinstance(operation, dict) else {}
        if operation.get("phase") not in (None, "Succeeded"):
            return Instance(name=name, follows=False, detail=f"its last sync: {operation.get('phase')}")
        since = instant(operation.get("finishedAt"), f"{answer.place}: finishedAt")
        return Instance(name=name, follows=True, detail=commits[0][:10], since=since)

    def _commits(self, status: Mapping[str, Any]) -> list[str]:
        if self.settings.commit == "image":
            summary = status.get("summary")
            images = summary.get("images") if isinstance(summary, dict) else None
            found = commit_of_images([str(one) for one in images or ()])
            return [] if found is None else [found]
        sync = status.get("sync")
        sync = sync if isinstance(sync, dict) else {}
        revisions = sync.get("revisions") or [sync.get("revision")]
        return [one for one in revisions if isinstance(one, str) and one]


def _word(status: Mapping[str, Any], name: str) -> str:
    found = status.get(name)
    return str(found.get("status")) if isinstance(found, dict) else "Unknown"
