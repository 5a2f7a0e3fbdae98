"""A merge is done when everything that runs it runs it: shown by each kind of instance, never assumed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from tests.unit.rollout.servers import serve

from greylag.app.health_settings import AnyInstances, followed
from greylag.domain.check import CheckStatus
from greylag.rollout.health import HealthSource, Reading, Subject
from greylag.rollout.instances.base import same_commit
from greylag.rollout.instances.kubernetes import commit_of_images

MERGED = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEW, OLD, LATER = "a" * 40, "b" * 40, "c" * 40
AFTER = Subject(migration="m", repository="team/r", base=OLD, merged_commit=NEW, merged_at=MERGED)
MINUTE = timedelta(minutes=1)
P, F, E, I = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE  # noqa: E741


@dataclass(kw_only=True)
class Source:
    """A health source that says what it is told to, and remembers what it was asked."""

    status: CheckStatus = P
    asked: list[Subject] = field(default_factory=list)

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        self.asked.append(subject)
        return Reading(status=self.status, detail="as told", at=now)


def includes(_: str, commit: str, merged: str) -> bool:
    """LATER was made on top of NEW."""
    return (commit, merged) == (LATER, NEW)


@dataclass(kw_only=True)
class Server:
    """Answers by path; 500 for what it does not know."""

    documents: dict[str, Any] = field(default_factory=dict)
    now: datetime = MERGED + 30 * MINUTE
    address: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The server."""
        found = self.documents.get(Request(scope, receive).url.path)
        response = JSONResponse(found or {"message": "no"}, 200 if found else 500)
        response.headers["Date"] = format_datetime(self.now, usegmt=True)
        await response(scope, receive, send)

    def web(self) -> dict[str, Any]:
        """Settings for it."""
        return {"url": self.address, "tries": 1}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with serve(made) as made.address:
        yield made


def over(settings: dict[str, Any], source: Source, watch: timedelta = timedelta(0)) -> HealthSource:
    """The source, behind these instances."""
    one: AnyInstances = TypeAdapter(AnyInstances).validate_python(settings)
    return followed(source, [one], watch=watch, includes=includes)


def look(settings: dict[str, Any], minutes: float = 30, status: CheckStatus = P) -> tuple[Reading, Source]:
    """One reading so long after the merge."""
    source = Source(status=status)
    return over(settings, source).read(AFTER, MERGED + minutes * MINUTE), source


def deployment(commit: str, *, new: int = 3, old: int = 0, generation: int = 2) -> dict[str, Any]:
    """A Deployment of three pods."""
    image = f"registry.example:5000/team/r:main-{commit[:12]}"
    done = {
        "type": "Progressing",
        "reason": "NewReplicaSetAvailable",
        "lastUpdateTime": "2026-01-01T12:10:00Z",
    }
    return {
        "metadata": {"generation": 2},
        "spec": {
            "replicas": 3,
            "template": {
                "metadata": {"labels": {"commit": commit}},
                "spec": {"containers": [{"image": image}, {"image": "proxy:1.2"}]},
            },
        },
        "status": {
            "observedGeneration": generation,
            "replicas": new + old,
            "updatedReplicas": new,
            "availableReplicas": new,
            "conditions": [done],
        },
    }


DEPLOYMENTS = "/apis/apps/v1/namespaces/prod/deployments"


@pytest.mark.parametrize("commit", ["image", "label:commit"])
@pytest.mark.parametrize(
    ("document", "status", "word"),
    [
        (deployment(NEW), P, ""),
        (deployment(OLD), I, "it is told to run bbbbbbbbbb"),
        (deployment(NEW, new=2, old=1), I, "2 of 3 pods are new, 2 available, 1 old"),
        (deployment(NEW, new=3, old=1), I, "1 old"),
        (deployment(NEW, generation=1), I, "not taken up"),
        (None, E, "HTTP 500"),
        ({"spec": {"replicas": "many"}}, I, "no commit"),
    ],
)
def test_kubernetes(
    server: Server, document: dict[str, Any] | None, status: CheckStatus, word: str, commit: str
) -> None:
    server.documents = {f"{DEPLOYMENTS}/r": document}
    settings = {
        "kind": "kubernetes",
        "web": server.web(),
        "namespace": "prod",
        "workloads": "deployment/{name}",
        "commit": commit,
    }
    found, source = look(settings)
    assert (found.status, word in found.detail) == (status, True), found.detail
    if status is P:
        assert source.asked[-1].live_at == MERGED + 10 * MINUTE


def test_one_of_two_workloads_does_not_follow(server: Server) -> None:
    server.documents = {f"{DEPLOYMENTS}/a": deployment(NEW), f"{DEPLOYMENTS}/b": deployment(OLD)}
    settings: dict[str, Any] = {"kind": "kubernetes", "web": server.web(), "namespace": "prod"}
    settings["workloads"] = ["deployment/a", "deployment/b"]
    found, _ = look(settings)
    assert found.status is I
    assert found.detail.startswith("1 of 2 instances not at aaaaaaaaaa: deployment/b")
    # A part of it runs the merge: its failure may be the merge's.
    assert look(settings, status=F)[0].status is F
    server.documents[f"{DEPLOYMENTS}/a"] = deployment(OLD)
    found, _ = look(settings, status=F)
    assert found.status is I and "not the merge that fails" in found.detail


def test_kubectl(tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_text(json.dumps(deployment(NEW)))
    script = tmp_path / "kubectl.py"
    script.write_text(
        "import pathlib, sys\n"
        "assert sys.argv[1:] == ['get', 'deployment/r', '-n', 'default', '-o', 'json'], sys.argv\n"
        f"print(pathlib.Path({str(tmp_path)!r}, 'deployment.json').read_text())\n"
    )
    settings = {
        "kind": "kubernetes",
        "kubectl": [sys.executable, str(script)],
        "workloads": "deployment/{name}",
    }
    assert look(settings)[0].status is P
    (tmp_path / "deployment.json").unlink()
    assert look(settings)[0].status is E
    assert look({**settings, "kubectl": ["/no/such/kubectl"]})[0].status is E


def application(revision: str, sync: str = "Synced", health: str = "Healthy") -> dict[str, Any]:
    """An application of Argo CD."""
    return {
        "status": {
            "sync": {"status": sync, "revision": revision},
            "health": {"status": health},
            "operationState": {"phase": "Succeeded", "finishedAt": "2026-01-01T12:07:00Z"},
            "summary": {"images": [f"r:{revision[:8]}"]},
        }
    }


@pytest.mark.parametrize("commit", ["revision", "image"])
@pytest.mark.parametrize(
    ("document", "status"),
    [
        (application(NEW), P),
        (application(LATER), P),
        (application(OLD), I),
        (application(NEW, sync="OutOfSync"), I),
        (application(NEW, health="Progressing"), I),
        (application(NEW, health="Degraded"), I),
        (None, E),
        ({"status": []}, E),
    ],
)
def test_argo(server: Server, document: dict[str, Any] | None, status: CheckStatus, commit: str) -> None:
    server.documents = {"/api/v1/applications/r": document}
    settings = {"kind": "argocd", "web": server.web(), "applications": "{name}", "commit": commit}
    found, source = look(settings)
    # A tag is cut short: whether it has the merge in its history cannot be told.
    cut = commit == "image" and document == application(LATER)
    assert found.status is (I if cut else status)
    if found.status is P:
        assert source.asked[-1].live_at == MERGED + 7 * MINUTE


def airflow(*, parsed: float, run: float, bundle: str | None = None, errors: bool = False) -> dict[str, Any]:
    """An Airflow of version 3, in minutes after the merge."""

    def at(minutes: float) -> str:
        return (MERGED + minutes * MINUTE).isoformat()

    one = {"dag_run_id": "x", "state": "success", "start_date": at(run), "end_date": at(run + 1)}
    versions = [{"bundle_version": bundle, "created_at": at(2)}]
    return {
        "/api/v2/dags/r": {"dag_id": "r", "last_parsed_time": at(parsed), "has_import_errors": errors},
        "/api/v2/dags/r/dagVersions": {"dag_versions": versions, "total_entries": 1},
        "/api/v2/dags/r/dagRuns": {"dag_runs": [one], "total_entries": 1},
    }


@pytest.mark.parametrize(
    ("documents", "status"),
    [
        (airflow(parsed=20, run=21), P),
        # It was parsed, but perhaps before the folder had the merge.
        (airflow(parsed=3, run=21), I),
        (airflow(parsed=20, run=21, errors=True), I),
        (airflow(parsed=20, run=21, bundle=NEW), P),
        (airflow(parsed=20, run=21, bundle=OLD), I),
        ({}, E),
    ],
)
def test_airflow(server: Server, documents: dict[str, Any], status: CheckStatus) -> None:
    server.documents = documents
    found, _ = look({"kind": "airflow", "web": server.web(), "dags": "{name}"})
    assert found.status is status, found.detail


@pytest.mark.parametrize(
    ("environment", "state", "status"),
    [
        ({"GIT_SHA": NEW}, "success", P),
        ({"GIT_SHA": NEW[:9]}, "success", P),
        ({"GIT_SHA": LATER}, "success", P),
        ({"GIT_SHA": OLD}, "success", I),
        ({}, "success", I),
        ({"GIT_SHA": NEW}, "error", I),
    ],
)
def test_dbt(tmp_path: Path, environment: dict[str, str], state: str, status: CheckStatus) -> None:
    document = {
        "metadata": {"generated_at": "2026-01-01T12:20:00Z", "env": environment},
        "args": {"which": "build"},
        "elapsed_time": 60.0,
        "results": [{"unique_id": "model.p.m", "status": state}],
    }
    file = tmp_path / "run_results.json"
    file.write_text(json.dumps(document))
    settings = {"kind": "dbt", "path": str(file), "commit": "GIT_SHA"}
    found, source = look(settings)
    assert found.status is status, found.detail
    if status is P:
        assert source.asked[-1].live_at == MERGED + 19 * MINUTE
    file.write_text("{")
    assert look(settings)[0].status is E


@pytest.mark.parametrize(("code", "status"), [(0, P), (75, I), (1, I)])
def test_a_command(code: int, status: CheckStatus) -> None:
    settings = {"kind": "command", "command": f"{sys.executable} -c 'import sys; sys.exit({code})'"}
    assert look(settings)[0].status is status
    assert look({**settings, "command": "/no/such/command"})[0].status is E


def test_it_is_watched_for_a_while_after_its_instances_follow(server: Server) -> None:
    server.documents = {f"{DEPLOYMENTS}/r": deployment(NEW)}
    settings = {"kind": "kubernetes", "web": server.web(), "namespace": "prod", "workloads": "deployment/r"}
    health = over(settings, Source(), watch=30 * MINUTE)
    found = health.read(AFTER, MERGED + 39 * MINUTE)
    assert found.status is I and "watched until 2026-01-01 12:40" in found.detail
    assert health.read(AFTER, MERGED + 40 * MINUTE).status is P


def test_who_is_not_concerned_and_the_baseline_are_not_held_up() -> None:
    before = Subject(migration="m", repository="team/r", base=OLD)
    settings = {"kind": "command", "command": "/no/such/command", "only": ["other/*"]}
    assert look(settings)[0].status is P
    assert over({**settings, "only": []}, Source()).read(before, MERGED).status is P


@pytest.mark.parametrize(
    ("images", "commit"),
    [
        (["r:abcdef1"], "abcdef1"),
        (["r:v1-0123456789ab", "proxy:1.2.3"], "0123456789ab"),
        (["r:abcdef1", "s:abcdef2"], None),
        (["r:latest"], None),
        (["r@sha256:0123456789abcdef"], None),
        (["host:5000/r"], None),
        ([], None),
    ],
)
def test_the_commit_in_a_tag(images: list[str], commit: str | None) -> None:
    assert commit_of_images(images) == commit


def test_commits_that_are_cut_short() -> None:
    assert same_commit(NEW[:7], NEW)
    assert not same_commit(NEW[:6], NEW)
    assert not same_commit("", NEW)
    assert not same_commit(NEW[:7] + "b", NEW)


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "kubernetes", "workloads": "deployment/r"},
        {"kind": "kubernetes", "kubectl": ["kubectl"], "workloads": "r"},
        {"kind": "dbt", "path": "x.json"},
        {"kind": "argocd", "applications": "r", "web": {"url": "https://me:secret@example.org"}},
        {"kind": "ships", "command": "x"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AnyInstances).validate_python(settings)
