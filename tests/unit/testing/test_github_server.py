"""The GitHub-shaped server is as strict as the real one: it refuses what GitHub refuses, and git is real."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.testing.listening import listening

from greylag.testing.github import GitHubServer, Limits, signature
from greylag.workspace import Repository

FILES = {"a.txt": b"one\ntwo\nthree\n"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path / "server") as made:
        made.hub.add("shop/etl", FILES, access={"bot": "write", "ann": "admin", "eve": "read"})
        yield made


class Api:
    """Requests of one user."""

    def __init__(self, server: GitHubServer, login: str = "bot") -> None:
        self.token = server.hub.token(login)
        self._base = f"{server.url}/api/v3/repos/shop/etl"

    def __call__(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, f"{self._base}{path}", json=body, headers=headers, timeout=30)
        return answer.status_code, answer.json() if answer.content else None


def opened(server: GitHubServer, api: Api, branch: str = "b", text: bytes = b"1\ntwo\nthree\n") -> int:
    server.hub.push("shop/etl", branch, {"a.txt": text})
    status, document = api("POST", "/pulls", title="T", head=branch, base="main", body="B")
    assert status == 201
    return int(document["number"])


def test_pull_requests_that_cannot_be_are_422(server: GitHubServer) -> None:
    api = Api(server)
    assert api("POST", "/pulls", title="T", head="none", base="main")[0] == 422
    opened(server, api)
    status, document = api("POST", "/pulls", title="T", head="b", base="main")
    assert status == 422
    assert document["errors"][0]["message"] == "A pull request already exists for shop:b."
    server.hub.push("shop/etl", "c", {"a.txt": b"x\n"})
    assert api("POST", "/pulls", title="T", head="c", base="none")[0] == 422
    assert api("POST", "/pulls", head="c", base="main")[0] == 422
    status, document = api("POST", "/pulls", title="T", head="main", base="main")
    assert (status, document["errors"][0]["message"]) == (422, "No commits between main and main")


def test_mergeable_is_null_at_first_and_after_every_move(server: GitHubServer) -> None:
    api = Api(server)
    number = opened(server, api)

    def asked() -> object:
        return api("GET", f"/pulls/{number}")[1]["mergeable"]

    assert [asked(), asked()] == [None, True]
    server.hub.push("shop/etl", "main", {"a.txt": b"other\ntwo\nthree\n"})
    assert [asked(), asked()] == [None, False]
    assert api("GET", "/pulls")[1][0]["mergeable"] is None


def test_merges_are_real_and_guarded(server: GitHubServer) -> None:
    api = Api(server)
    number = opened(server, api)
    head = api("GET", f"/pulls/{number}")[1]["head"]["sha"]
    assert api("PUT", f"/pulls/{number}/merge", sha="0" * 40)[0] == 409
    assert Api(server, "eve")("PUT", f"/pulls/{number}/merge", sha=head)[0] == 403
    server.hub.repos["shop/etl"].methods = frozenset({"squash"})
    assert api("PUT", f"/pulls/{number}/merge", sha=head)[0] == 405
    server.hub.repos["shop/etl"].methods = frozenset({"merge"})
    status, merged = api("PUT", f"/pulls/{number}/merge", sha=head)
    assert (status, merged["merged"]) == (200, True)
    repo = Repository.open(server.hub.repos["shop/etl"].path)
    assert repo.info(repo.head()).id == merged["sha"]
    assert repo.info(merged["sha"]).parents[1] == head
    assert api("PUT", f"/pulls/{number}/merge", sha=head)[0] == 405
    status, document = api("PATCH", f"/pulls/{number}", state="open")
    assert status == 422, document


def test_a_conflict_is_405_and_changes_nothing(server: GitHubServer) -> None:
    api = Api(server)
    number = opened(server, api)
    tip = server.hub.push("shop/etl", "main", {"a.txt": b"other\ntwo\nthree\n"})
    status, document = api("PUT", f"/pulls/{number}/merge")
    assert (status, document["message"]) == (405, "Pull Request is not mergeable")
    repo = Repository.open(server.hub.repos["shop/etl"].path)
    assert repo.head() == tip


def test_drafts_and_protected_branches_do_not_merge(server: GitHubServer) -> None:
    api = Api(server)
    server.hub.push("shop/etl", "d", {"a.txt": b"d\n"})
    number = api("POST", "/pulls", title="T", head="d", base="main", draft=True)[1]["number"]
    assert api("PUT", f"/pulls/{number}/merge")[1]["message"] == "Pull Request is still a draft"
    other = opened(server, api)
    wanted = {"contexts": ["ci"]}
    assert api("PUT", "/branches/main/protection", required_status_checks=wanted)[0] == 403
    ann = Api(server, "ann")
    assert ann("PUT", "/branches/main/protection", required_status_checks=wanted)[0] == 200
    assert api("PUT", f"/pulls/{other}/merge")[0] == 405
    sha = api("GET", f"/pulls/{other}")[1]["head"]["sha"]
    assert api("POST", f"/statuses/{sha}", state="success", context="ci")[0] == 201
    assert api("PUT", f"/pulls/{other}/merge")[0] == 200


def test_statuses_and_check_runs_are_checked(server: GitHubServer) -> None:
    api = Api(server)
    sha = Repository.open(server.hub.repos["shop/etl"].path).head()
    assert api("POST", f"/statuses/{'0' * 40}", state="success")[0] == 422
    assert api("POST", f"/statuses/{sha}", state="fine")[0] == 422
    assert api("POST", f"/statuses/{sha}", state="success", description="x" * 141)[0] == 422
    for state in ("failure", "success"):
        assert api("POST", f"/statuses/{sha}", state=state, context="c")[0] == 201
    newest = api("GET", f"/commits/{sha}/status")[1]
    assert (newest["state"], len(newest["statuses"])) == ("success", 1)
    status, document = api("POST", "/check-runs", name="n", head_sha=sha)
    assert (status, document["message"]) == (403, "You must authenticate via a GitHub App.")


def test_strangers_see_nothing(server: GitHubServer) -> None:
    assert Api(server, "nobody")("GET", "/pulls")[0] == 404
    assert httpx.get(f"{server.url}/api/v3/repos/shop/etl").status_code == 401
    assert Api(server, "bot")("GET", "/collaborators/eve/permission")[1]["permission"] == "read"


def test_limits_and_faults_on_demand(server: GitHubServer) -> None:
    api = Api(server)
    server.fault(method="POST", path="/pulls$", status=502, after=True)
    server.hub.push("shop/etl", "b", {"a.txt": b"x\n"})
    assert api("POST", "/pulls", title="T", head="b", base="main")[0] == 502
    assert list(server.hub.repos["shop/etl"].pulls) == [1], "only the answer was lost"
    server.front.limits = Limits(mutations=1, window=60, retry_after=9)
    assert api("POST", "/issues/1/labels", labels=["x"])[0] == 200
    headers = {"Authorization": f"Bearer {api.token}"}
    limited = httpx.post(
        f"{server.url}/api/v3/repos/shop/etl/issues/1/labels", json={"labels": ["y"]}, headers=headers
    )
    assert (limited.status_code, limited.headers["retry-after"]) == (403, "9")


def test_git_asks_for_a_token_and_for_the_right(server: GitHubServer, tmp_path: Path) -> None:
    def git(*arguments: str, login: str | None = None, cwd: Path = tmp_path) -> int:
        place = server.url
        if login is not None:
            place = place.replace("//", f"//x:{server.hub.token(login)}@")
        words = [one.replace("SERVER", place) for one in arguments]
        env = {"GIT_TERMINAL_PROMPT": "0", "PATH": os.environ["PATH"]}
        done = subprocess.run(["git", *words], cwd=cwd, capture_output=True, env=env, check=False)
        return done.returncode

    assert git("clone", "SERVER/shop/etl.git", "none") != 0
    assert git("clone", "SERVER/shop/etl.git", "none", login="nobody") != 0
    assert git("clone", "-q", "SERVER/shop/etl.git", "work", login="eve") == 0
    work = tmp_path / "work"
    assert (work / "a.txt").read_bytes() == FILES["a.txt"]
    assert git("push", "SERVER/shop/etl.git", "HEAD:refs/heads/new", login="eve", cwd=work) != 0
    assert git("push", "SERVER/shop/etl.git", "HEAD:refs/heads/new", login="bot", cwd=work) == 0
    repo = Repository.open(server.hub.repos["shop/etl"].path)
    assert repo.ref("refs/heads/new") == repo.head()


def test_webhooks_are_signed_get_lost_and_are_sent_again(tmp_path: Path) -> None:
    with listening() as (url, heard), GitHubServer(tmp_path) as server:
        server.hub.add("shop/etl", FILES, access={"ann": "admin"})
        api = Api(server, "ann")
        config = {"url": url, "secret": "sesame"}
        hook = api("POST", "/hooks", config=config, events=["pull_request", "issue_comment"])[1]["id"]
        number = opened(server, api)
        while len(heard) < 1:
            time.sleep(0.01)
        server.hub.hooks.lose = 1
        server.hub.say("shop/etl", number, "hello")
        while server.hub.hooks.lose:
            time.sleep(0.01)
        deliveries = api("GET", f"/hooks/{hook}/deliveries")[1]
        assert [(one["event"], one["status_code"]) for one in deliveries] == [
            ("issue_comment", 0),
            ("pull_request", 204),
        ]
        assert api("POST", f"/hooks/{hook}/deliveries/{deliveries[0]['id']}/attempts")[0] == 202
    assert [headers["x-github-event"] for headers, _ in heard] == ["pull_request", "issue_comment"]
    for headers, body in heard:
        assert headers["x-hub-signature-256"] == signature("sesame", body)
        assert json.loads(body)["repository"] == {"full_name": "shop/etl"}
    assert heard[1][0]["x-github-delivery"] == deliveries[0]["guid"]


def test_it_can_be_started_by_hand(tmp_path: Path) -> None:
    Repository.init_bare(tmp_path / "shop" / "etl.git")
    command = [
        sys.executable,
        "-m",
        "greylag.testing.github",
        str(tmp_path),
        "--port",
        "0",
        "--person",
        "ann",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        said = process.stderr.readline()
        token = process.stdout.readline().strip()
        api = said.split("API: ")[1].strip().rstrip(")")
        answer = httpx.get(f"{api}/repos/shop/etl", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["full_name"] == "shop/etl"
        person = {"Authorization": f"Bearer {process.stdout.readline().strip()}"}
        assert httpx.get(f"{api}/user", headers=person).json()["login"] == "ann"
        process.terminate()


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea", "bitbucket", "gerrit"])
def test_every_server_can_be_started_by_hand(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [kind, str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"greylag.testing.{kind}", run_name="__main__")
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{tmp_path}: expected bare repositories like <owner>/<name>.git\n"
