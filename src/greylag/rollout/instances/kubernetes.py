"""Kubernetes: Deployments, StatefulSets and DaemonSets, by the API or by kubectl.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from greylag.domain.words import duration
from greylag.rollout.durations import Duration
from greylag.rollout.health import Subject
from greylag.rollout.instances.base import Includes, Instance, Sight, runs_merge
from greylag.rollout.sources.base import (
    PerRepository,
    SourceSettings,
    Unanswered,
    instant,
    is_map,
    names_for,
)
from greylag.rollout.sources.web import Web, WebSettings

_KINDS = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets"}
_WORKLOAD = re.compile(r"(deployment|statefulset|daemonset)/[^/\s]+")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class KubernetesSettings(SourceSettings):
    """One of `web` (the API server) and `kubectl` (a command line, e.g. [kubectl, --context, prod]).

    `commit` says where the commit stands: `image` (in the tag of one of the images), or `label:NAME` or
    `annotation:NAME` of the pod template.
    """

    kind: Literal["kubernetes"] = "kubernetes"
    web: WebSettings | None = None
    kubectl: tuple[str, ...] = ()
    namespace: str = Field("default", pattern=r"^[a-z0-9-]+$")
    workloads: PerRepository = Field(description="deployment/NAME, statefulset/NAME or daemonset/NAME")
    commit: str = Field("image", pattern=r"^(image|(label|annotation):\S+)$")
    timeout: Duration = Field(timedelta(seconds=30), gt=timedelta(0), description="of kubectl")

    @field_validator("workloads")
    @classmethod
    def _kinds(cls, value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        for one in (name for names in value.values() for name in names):
            if _WORKLOAD.fullmatch(one) is None:
                raise ValueError(f"{one!r}: expected {', '.join(f'{kind}/NAME' for kind in _KINDS)}")
        return value

    @model_validator(mode="after")
    def _one(self) -> KubernetesSettings:
        if (self.web is None) == (not self.kubectl):
            raise ValueError("give one of `web` and `kubectl`")
        return self


@dataclass(frozen=True, slots=True)
class KubernetesRollouts:
    """See `Instances`: a workload follows when its rollout is over and its template names the commit."""

    settings: KubernetesSettings
    includes: Includes

    def look(self, subject: Subject, now: datetime) -> Sight:
        """One question a workload."""
        settings = self.settings
        try:
            names = names_for(settings.workloads, subject.repository)
            return Sight(instances=tuple(self._instance(name, subject) for name in names))
        except (Unanswered, TypeError, ValueError, AttributeError) as error:
            # The shape of the answer is the cluster's: what is not as documented is not understood.
            return Sight(error=f"Kubernetes: {error}"[:300])

    def _instance(self, name: str, subject: Subject) -> Instance:
        document = self._asked(name) if self.settings.web is None else self._got(self.settings.web, name)
        commit = _commit(document, self.settings.commit)
        if commit is None:
            return Instance(name=name, follows=False, detail=f"no commit at {self.settings.commit}")
        if not runs_merge(subject.repository, commit, subject.merged_commit, self.includes):
            return Instance(name=name, follows=False, detail=f"it is told to run {commit[:10]}")
        unfinished = _unfinished(name, document)
        if unfinished is not None:
            return Instance(name=name, follows=False, detail=unfinished)
        return Instance(name=name, follows=True, detail=commit[:10], since=_since(document))

    def _got(self, web: WebSettings, name: str) -> Mapping[str, Any]:
        kind, _, plain = name.partition("/")
        path = f"/apis/apps/v1/namespaces/{self.settings.namespace}/{_KINDS[kind]}/{plain}"
        answer = Web(web).get(path)
        return is_map(answer.json(), answer.place)

    def _asked(self, name: str) -> Mapping[str, Any]:
        settings = self.settings
        command = [*settings.kubectl, "get", name, "-n", settings.namespace, "-o", "json"]
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=settings.timeout.total_seconds(), check=False
            )
        except subprocess.TimeoutExpired:
            raise Unanswered(f"{command[0]}: no answer in {duration(settings.timeout)}") from None
        except OSError as error:
            raise Unanswered(f"{command[0]}: {error.strerror}") from error
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise Unanswered(f"{command[0]} get {name}: exit status {done.returncode}: {''.join(last)}"[:300])
        try:
            return is_map(json.loads(done.stdout), f"{command[0]} get {name}")
        except ValueError as error:
            raise Unanswered(f"{command[0]} get {name}: that is no JSON") from error


def _dig(document: object, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _commit(document: Mapping[str, Any], place: str) -> str | None:
    template = _dig(document, "spec", "template")
    kind, _, name = place.partition(":")
    if kind != "image":
        found = _dig(template, "metadata", f"{kind}s", name)
        return found if isinstance(found, str) and found else None
    images = [str(one.get("image", "")) for one in _dig(template, "spec", "containers") or ()]
    return commit_of_images(images)


def commit_of_images(images: list[str]) -> str | None:
    """The commit that a tag names, where all images whose tag holds one agree; a digest is not a tag."""
    tags = [image.partition("@")[0].rsplit("/", 1)[-1].partition(":")[2] for image in images]
    found = {match.group() for tag in tags if (match := _COMMIT.search(tag)) is not None}
    return found.pop() if len(found) == 1 else None


def _unfinished(name: str, document: Mapping[str, Any]) -> str | None:
    """Why its rollout is not over; None when it is, with every pod new and available."""
    status = _dig(document, "status")
    if not isinstance(status, dict):
        return "it has no status yet"
    if int(status.get("observedGeneration") or 0) < int(_dig(document, "metadata", "generation") or 0):
        return "its change was not taken up yet"
    if name.startswith("daemonset/"):
        wanted = int(status.get("desiredNumberScheduled") or 0)
        new, ready = status.get("updatedNumberScheduled"), status.get("numberAvailable")
        old = 0
    else:
        told = _dig(document, "spec", "replicas")
        wanted = 1 if told is None else int(told)
        new, ready = status.get("updatedReplicas"), status.get("availableReplicas")
        old = int(status.get("replicas") or 0) - int(new or 0)
    if int(new or 0) < wanted or int(ready or 0) < wanted or old > 0:
        late = _condition(document, "Progressing")
        why = f": {late['reason']}" if late and late.get("reason") == "ProgressDeadlineExceeded" else ""
        return f"{int(new or 0)} of {wanted} pods are new, {int(ready or 0)} available, {old} old{why}"
    return None


def _condition(document: Mapping[str, Any], type_: str) -> dict[str, Any] | None:
    conditions = _dig(document, "status", "conditions") or ()
    return next((one for one in conditions if isinstance(one, dict) and one.get("type") == type_), None)


def _since(document: Mapping[str, Any]) -> datetime | None:
    """When the rollout was over, where the workload tells it (a Deployment does)."""
    found = _condition(document, "Progressing")
    if found is None or found.get("reason") != "NewReplicaSetAvailable":
        return None
    return instant(found.get("lastUpdateTime"), "its condition Progressing")
