"""The GitLab-shaped server refuses what GitLab refuses, and its git is real."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.unit.testing.listening import listening

from greylag.testing.gitlab import GitLabServer, Limits, signature
from greylag.workspace import Repository

FILES = {"a.txt": b"one\ntwo\nthree\n"}
NAME = "shop/data/etl"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitLabServer]:
    with GitLabServer(tmp_path / "server") as made:
        made.hub.add(NAME, FILES, access={"ann": "maintain", "eve": "read"})
        made.hub.group("shop", {"bot": "write"})
        yield made


class Api:
    """Requests of one user about one project."""

    def __init__(self, server: GitLabServer, login: str = "bot") -> None:
        self.token, self.root = server.hub.token(login), f"{server.url}/api/v4"
        self.here = f"{self.root}/projects/{quote(NAME, safe='')}"

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        """The whole answer."""
        return httpx.request(method, url, headers={"PRIVATE-TOKEN": self.token}, timeout=30, **more)

    def __call__(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        answer = self.ask(method, f"{self.here}{path}", json=body)
        return answer.status_code, answer.json() if answer.content else None


def opened(server: GitLabServer, api: Api, branch: str = "b", **more: Any) -> int:
    server.hub.push(NAME, branch, {"a.txt": b"1\ntwo\nthree\n"})
    wanted = {"title": "T", "source_branch": branch, "target_branch": "main"} | more
    status, document = api("POST", "/merge_requests", **wanted)
    assert status == 201
    return int(document["iid"])


def settled(api: Api, number: int) -> str:
    """Its merge status once GitLab knows it."""
    for _ in range(3):
        status = str(api("GET", f"/merge_requests/{number}")[1]["detailed_merge_status"])
    return status


def test_merge_requests_that_cannot_be(server: GitLabServer) -> None:
    api = Api(server)
    where = {"source_branch": "b", "target_branch": "main"}
    assert api("POST", "/merge_requests", title="T", **where)[0] == 400, "no such branch"
    first = opened(server, api)
    status, document = api("POST", "/merge_requests", title="T", **where)
    said = f"Another open merge request already exists for this source branch: !{first}"
    assert (status, document["message"]) == (409, [said])
    assert api("POST", "/merge_requests", **where) == (400, {"error": "title is missing"})
    assert api("POST", "/merge_requests", title="x" * 256, **where)[0] == 400
    assert api("POST", "/merge_requests", title="T", source_branch="main", target_branch="main")[0] == 422
    assert Api(server, "eve")("POST", "/merge_requests", title="T", **where)[0] == 403
    server.hub.repos[NAME].archived = True
    assert api("PUT", f"/merge_requests/{first}", title="U")[0] == 403


def test_whether_it_merges_is_worked_out_after_it_was_asked(server: GitLabServer) -> None:
    api = Api(server)
    number = opened(server, api)

    def asked() -> tuple[str, bool]:
        document = api("GET", f"/merge_requests/{number}")[1]
        return document["detailed_merge_status"], document["has_conflicts"]

    assert api("PUT", f"/merge_requests/{number}/merge")[0] == 405, "it is not known yet"
    assert [asked(), asked()] == [("preparing", False), ("mergeable", False)]
    server.hub.push(NAME, "main", {"a.txt": b"other\ntwo\nthree\n"})
    assert [asked(), asked()] == [("checking", False), ("conflict", True)]
    assert api("PUT", f"/merge_requests/{number}/merge")[0] == 422


def test_merges_are_real_and_guarded(server: GitLabServer) -> None:
    api = Api(server)
    number = opened(server, api)
    settled(api, number)
    head = api("GET", f"/merge_requests/{number}")[1]["sha"]
    assert Api(server, "eve")("PUT", f"/merge_requests/{number}/merge")[0] == 401
    status, document = api("PUT", f"/merge_requests/{number}/merge", sha="0" * 40)
    assert (status, document["message"][:14]) == (409, "SHA does not m")
    wish = {"sha": head, "should_remove_source_branch": True, "merge_commit_message": "M\n\nWhy\n"}
    status, merged = api("PUT", f"/merge_requests/{number}/merge", **wish)
    assert (status, merged["state"]) == (200, "merged")
    repo = Repository.open(server.hub.repos[NAME].path)
    assert repo.info(repo.head()).id == merged["merge_commit_sha"]
    assert (repo.info(repo.head()).parents[1], repo.ref("refs/heads/b")) == (head, None)
    assert api("PUT", f"/merge_requests/{number}/merge")[0] == 405


@pytest.mark.parametrize("method", ["merge", "rebase_merge", "ff"])
def test_the_project_says_how_it_is_merged(server: GitLabServer, method: str) -> None:
    api, project = Api(server), server.hub.repos[NAME]
    project.merge_method = method
    number = opened(server, api)
    tip = server.hub.push(NAME, "main", {"other": b"x"})
    status = settled(api, number)
    assert status == ("mergeable" if method == "merge" else "need_rebase")
    if method != "merge":
        assert api("PUT", f"/merge_requests/{number}/merge")[0] == 422
        number = opened(server, api, "later")
        settled(api, number)
    done = api("PUT", f"/merge_requests/{number}/merge")[1]
    repo = Repository.open(project.path)
    parents = repo.info(repo.head()).parents
    assert (done["merge_commit_sha"] is None) == (method == "ff")
    assert (parents[0], len(parents)) == (tip, 1 if method == "ff" else 2)


def test_what_holds_a_merge_back_has_a_name(server: GitLabServer) -> None:
    api, ann, project = Api(server), Api(server, "ann"), server.hub.repos[NAME]
    number = opened(server, api, title="Draft: T")
    head = server.hub.repo(NAME).pulls[number].head_sha
    place = f"/merge_requests/{number}"
    project.needs_pipeline = project.needs_discussions = True
    project.approvals = 1
    thread = api("POST", f"{place}/discussions", body="why?")[1]["id"]
    steps: list[tuple[str, Any]] = [
        ("draft_status", lambda: api("PUT", place, title="T")),
        ("discussions_not_resolved", lambda: api("PUT", f"{place}/discussions/{thread}", resolved=True)),
        ("not_approved", lambda: ann("POST", f"{place}/approve")),
        ("ci_must_pass", lambda: api("POST", f"/statuses/{head}", state="running", name="ci")),
        ("ci_still_running", lambda: api("POST", f"/statuses/{head}", state="success", name="ci")),
    ]
    for expected, remedy in steps:
        assert settled(api, number) == expected
        assert api("PUT", f"{place}/merge")[0] == 405
        assert remedy()[0] in (200, 201)
    assert settled(api, number) == "mergeable"


def test_statuses_are_checked_and_know_no_way_back(server: GitLabServer) -> None:
    api = Api(server)
    sha = Repository.open(server.hub.repos[NAME].path).head()
    assert api("POST", f"/statuses/{'0' * 40}", state="success")[0] == 404
    for wrong in (
        {"state": "fine"},
        {"state": "failed", "description": "x" * 256},
        {"state": "failed", "target_url": "x"},
    ):
        assert api("POST", f"/statuses/{sha}", **wrong)[0] == 400
    told = [
        api("POST", f"/statuses/{sha}", state=state, name="c")[0]
        for state in ("pending", "pending", "running", "pending", "success", "success", "pending")
    ]
    assert told == [201, 400, 201, 400, 201, 201, 201]
    assert [one["status"] for one in api("GET", f"/repository/commits/{sha}/statuses")[1]] == ["pending"]


def test_lines_with_commands_are_carried_out(server: GitLabServer) -> None:
    api = Api(server)
    number = opened(server, api, description="Why\n/draft-like\n```\n/close\n```\n/close\nmore")
    document = api("GET", f"/merge_requests/{number}")[1]
    assert (document["state"], document["description"]) == (
        "closed",
        "Why\n/draft-like\n```\n/close\n```\nmore",
    )
    status, _ = api("POST", f"/merge_requests/{number}/notes", body="/reopen")
    assert status == 202, "that was no note"
    assert api("GET", f"/merge_requests/{number}")[1]["state"] == "opened"
    status, note = api("POST", f"/merge_requests/{number}/notes", body="/greylag retry\nplease")
    assert (status, note["body"]) == (201, "/greylag retry\nplease"), "GitLab knows no such command"


def test_pages_by_number_and_by_key(server: GitLabServer) -> None:
    for number in range(4):
        server.hub.add(f"shop/p{number}", access={"bot": "write"})
    server.hub.add("shop/data/hidden", access={"eve": "admin"}).groups = {}
    api = Api(server)
    first = api.ask("GET", f"{api.root}/groups/shop/projects?include_subgroups=true&per_page=3")
    assert (len(first.json()), first.headers["x-total"], first.headers["x-next-page"]) == (3, "5", "2")
    second = api.ask("GET", first.links["next"]["url"])
    assert (len(second.json()), "next" in second.links, second.headers["x-next-page"]) == (2, False, "")
    query = "pagination=keyset&order_by=id&sort=asc&per_page=2&min_access_level=30"
    found, place = [], f"{api.root}/projects?{query}"
    while place:
        answer = api.ask("GET", place)
        assert "x-total" not in answer.headers
        found += [one["path_with_namespace"] for one in answer.json()]
        place = answer.links.get("next", {}).get("url", "")
    assert found == [NAME, "shop/p0", "shop/p1", "shop/p2", "shop/p3"]
    assert len(api.ask("GET", f"{api.root}/groups/shop/projects").json()) == 4, "without subgroups"
    assert api.ask("GET", f"{api.root}/projects?pagination=keyset").status_code == 405


def test_limits_are_told(server: GitLabServer) -> None:
    api = Api(server)
    number = opened(server, api)
    server.front.limits = Limits(requests=10, notes=1, retry_after=7)
    assert api("POST", f"/merge_requests/{number}/notes", body="1")[0] == 201
    limited = api.ask("POST", f"{api.here}/merge_requests/{number}/notes", json={"body": "2"})
    assert limited.status_code == 429
    assert "ratelimit-limit" not in limited.headers, "a limit of the application tells nothing"
    while (answer := api.ask("GET", api.here)).status_code == 200:
        remaining = int(answer.headers["ratelimit-remaining"])
    assert remaining == 0
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (429, "7", "Retry later\n")


def test_faults_may_cut_the_connection_after_the_deed(server: GitLabServer) -> None:
    api = Api(server)
    server.hub.push(NAME, "b", {"a.txt": b"x\n"})
    server.fault(method="POST", path="/merge_requests$", drop=True, after=True)
    with pytest.raises(httpx.TransportError):
        api("POST", "/merge_requests", title="T", source_branch="b", target_branch="main")
    assert list(server.hub.repos[NAME].pulls) == [1]
    assert [(one.status, one.user) for one in server.requests][-1] == (0, "bot")


def test_a_project_that_moved_is_read_and_not_changed_by_its_old_path(server: GitLabServer) -> None:
    api = Api(server)
    number = server.hub.move(NAME, "shop/moved").id
    answer = api.ask("GET", f"{api.here}/merge_requests?state=opened")
    assert answer.status_code == 302
    place = f"{api.root}/projects/{number}/merge_requests?state=opened"
    assert (answer.headers["location"], api.ask("GET", place).status_code) == (place, 200)
    status, document = api("POST", "/merge_requests", title="T")
    assert (status, document["message"]) == (405, "Non GET methods are not allowed for moved projects")


def test_members_inherit_and_strangers_see_nothing(server: GitLabServer) -> None:
    api = Api(server)
    numbers = {name: server.hub.user_id(name) for name in ("bot", "ann", "nobody")}
    assert api("GET", f"/members/all/{numbers['bot']}")[1]["access_level"] == 30
    assert api("GET", f"/members/{numbers['bot']}")[0] == 404, "not the project's own"
    assert api("GET", f"/members/all/{numbers['ann']}")[1]["access_level"] == 40
    assert api("GET", f"/members/all/{numbers['nobody']}")[0] == 404
    assert Api(server, "nobody")("GET", "")[0] == 404
    assert httpx.get(f"{server.url}/api/v4/projects").status_code == 401
    bearer = {"Authorization": f"Bearer {api.token}"}
    assert httpx.get(api.here, headers=bearer).status_code == 200


def test_git_asks_for_a_token_and_for_the_right(server: GitLabServer, tmp_path: Path) -> None:
    def git(*arguments: str, login: str | None = None) -> int:
        place = server.url
        if login is not None:
            place = place.replace("//", f"//oauth2:{server.hub.token(login)}@")
        words = [one.replace("SERVER", f"{place}/{NAME}.git") for one in arguments]
        env = {"GIT_TERMINAL_PROMPT": "0", "PATH": os.environ["PATH"]}
        return subprocess.run(
            ["git", *words], cwd=tmp_path, capture_output=True, env=env, check=False
        ).returncode

    assert git("clone", "SERVER", "none") != 0
    assert git("clone", "-q", "SERVER", "work", login="eve") == 0
    assert (tmp_path / "work" / "a.txt").read_bytes() == FILES["a.txt"]
    assert git("-C", "work", "push", "SERVER", "HEAD:refs/heads/new", login="eve") != 0
    assert git("-C", "work", "push", "SERVER", "HEAD:refs/heads/new", login="bot") == 0


def test_webhooks_say_what_happened_and_by_whom_they_are_sent(tmp_path: Path) -> None:
    key = "whsec_" + base64.b64encode(b"k" * 32).decode()
    with listening() as (url, heard), GitLabServer(tmp_path) as server:
        server.hub.add(NAME, FILES, access={"ann": "maintain"})
        api = Api(server, "ann")
        wanted = {"merge_requests_events": True, "note_events": True, "push_events": False}
        assert api("POST", "/hooks", url=url, signing_token="x")[0] == 400
        hook = api("POST", "/hooks", url=url, token="sesame", signing_token=key, **wanted)[1]
        assert {"token", "signing_token"} & set(hook) == set(), "secrets are not shown"
        number = opened(server, api)
        while len(heard) < 1:
            time.sleep(0.01)
        server.hub.hooks.lose = 1
        server.hub.say(NAME, number, "lost")
        while server.hub.hooks.lose:
            time.sleep(0.01)
        server.hub.hooks.repeat = 1
        events = api("GET", f"/hooks/{hook['id']}/events")[1]
        assert [one["response_status"] for one in events] == ["internal error", "204"]
        assert api("POST", f"/hooks/{hook['id']}/events/{events[0]['id']}/resend")[0] == 201
    kinds = [headers["x-gitlab-event"] for headers, _ in heard]
    assert kinds == ["Merge Request Hook", "Note Hook", "Note Hook"], "the last one came twice"
    assert heard[1][0]["idempotency-key"] == heard[2][0]["idempotency-key"]
    for headers, body in heard:
        assert headers["x-gitlab-token"] == "sesame"
        signed = signature(key, headers["webhook-id"], headers["webhook-timestamp"], body)
        assert headers["webhook-signature"] == signed
        assert json.loads(body)["project"]["path_with_namespace"] == NAME
    assert json.loads(heard[0][1])["object_attributes"]["action"] == "open"
