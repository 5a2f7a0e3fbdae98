"""The Gitea-shaped server refuses what Gitea refuses: a table of requests, and webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from greylag.testing.gitea import Flavour, GiteaServer, signature
from greylag.testing.gitea.hooks import headers_of
from greylag.testing.hosting import Delivery, Git, WebHook

FILES = {"q.sql": b"select 1\n"}
ACCESS = {"bot": "admin", "ann": "write", "eve": "read", "@data": "read"}
HERE = "/repos/shop/etl"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GiteaServer]:
    """`shop/etl` with #1 open from `one`, #2 a draft from `two`, #3 in conflict from `three`, #4 closed."""
    with GiteaServer(tmp_path_factory.mktemp("gitea"), nulls=0) as made:
        made.hub.add("shop/etl", FILES, access=ACCESS)
        made.hub.add("shop/old", FILES, access=ACCESS).archived = True
        made.hub.add("else/where", FILES, access={"ann": "admin"})
        made.hub.add("ann/own", FILES, access=ACCESS)
        for name in ("one", "two", "three", "four", "five"):
            made.hub.push("shop/etl", name, {f"{name}.sql": b"x", "q.sql": b"select 1\n"})
        made.hub.push("shop/etl", "three", {"q.sql": b"select 3\n"})
        made.hub.push("shop/etl", "main", {"q.sql": b"select 4\n"})
        made.hub.push("ann/own", "one", {"q.sql": b"select 2\n"})
        for name, title in (("one", "One"), ("two", "[wip] Two"), ("three", "Three"), ("four", "Four")):
            made_ = ask(made, "POST", f"{HERE}/pulls", {"title": title, "head": name, "base": "main"})
            assert made_.status_code == 201
        ask(made, "POST", "/repos/ann/own/pulls", {"title": "One", "head": "one", "base": "main"})
        ask(made, "PATCH", f"{HERE}/pulls/4", {"state": "closed"})
        yield made


def ask(server: GiteaServer, method: str, path: str, body: Any = None, who: str = "bot") -> httpx.Response:
    """One request, as somebody ("": without a token)."""
    headers = {"Authorization": f"token {server.hub.token(who)}"} if who else {}
    return httpx.request(method, f"{server.url}/api/v1{path}", json=body, headers=headers, trust_env=False)


PULL = {"title": "T", "base": "main"}
REFUSED: list[tuple[str, str, str, Any, int, str]] = [
    ("", "GET", "/version", None, 401, "token is required"),
    ("bot", "GET", "/repos/shop/none", None, 404, "The target couldn't be found."),
    ("bot", "GET", "/repos/else/where", None, 404, "couldn't be found"),
    ("bot", "GET", "/orgs/ann/repos", None, 404, "couldn't be found"),
    ("bot", "GET", f"{HERE}/branches/none", None, 404, "couldn't be found"),
    ("bot", "POST", f"{HERE}/pulls", {**PULL, "head": "one"}, 409, "pull request already exists"),
    ("bot", "POST", f"{HERE}/pulls", {**PULL, "head": "none"}, 404, "couldn't be found"),
    ("bot", "POST", f"{HERE}/pulls", {**PULL, "head": "main"}, 422, "no changes between"),
    ("bot", "POST", "/repos/shop/old/pulls", {**PULL, "head": "x"}, 423, "archived"),
    ("eve", "PATCH", f"{HERE}/pulls/1", {"title": "Mine"}, 403, ""),
    ("bot", "PATCH", f"{HERE}/pulls/1", {"base": "none"}, 404, "new base 'none' not exist"),
    ("bot", "PATCH", f"{HERE}/pulls/1", {"assignees": ["nobody"]}, 422, "Assignee does not exist"),
    ("bot", "PATCH", f"{HERE}/pulls/1", {"assignees": ["eve"]}, 500, ""),
    ("bot", "POST", f"{HERE}/pulls/1/merge", {"Do": "merge", "head_commit_id": "0" * 40}, 409, "head out of"),
    ("bot", "POST", f"{HERE}/pulls/1/merge", {"Do": "octopus"}, 405, "not allowed an allowed merge style"),
    ("bot", "POST", f"{HERE}/pulls/1/merge", {"Do": "manually-merged"}, 405, "merge style"),
    ("eve", "POST", f"{HERE}/pulls/1/merge", {"Do": "merge"}, 405, "User not allowed to merge PR"),
    ("bot", "POST", f"{HERE}/pulls/2/merge", {"Do": "merge"}, 405, "Work in progress PRs cannot be merged"),
    ("bot", "POST", f"{HERE}/pulls/3/merge", {"Do": "merge"}, 405, "Please try again later"),
    ("bot", "POST", f"{HERE}/pulls/4/merge", {"Do": "merge"}, 404, "couldn't be found"),
    ("bot", "POST", f"{HERE}/pulls/9/merge", {"Do": "merge"}, 404, "couldn't be found"),
    ("bot", "POST", f"{HERE}/pulls/1/requested_reviewers", {"reviewers": ["nobody"]}, 404, "does not exist"),
    ("bot", "POST", f"{HERE}/pulls/1/requested_reviewers", {"reviewers": ["bot"]}, 422, "poster of pr"),
    ("bot", "POST", f"{HERE}/pulls/1/requested_reviewers", {"team_reviewers": ["x"]}, 404, "team does not"),
    ("bot", "POST", f"{HERE}/pulls/1/reviews", {"event": "APPROVED"}, 422, "approve your own pull"),
    ("bot", "POST", f"{HERE}/issues/1/labels", {"labels": ["greylag"]}, 422, "cannot unmarshal string"),
    ("eve", "POST", f"{HERE}/labels", {"name": "a", "color": "#aaaaaa"}, 403, "permission to write"),
    ("bot", "POST", f"{HERE}/labels", {"name": "a", "color": "mauve"}, 422, "invalid color"),
    ("bot", "GET", f"{HERE}/issues/9/comments", None, 500, ""),
    ("ann", "GET", f"{HERE}/collaborators/eve/permission", None, 403, "Only admins can query all"),
    ("bot", "GET", f"{HERE}/collaborators/nobody/permission", None, 404, "user does not exist"),
    ("bot", "POST", f"{HERE}/statuses/{'0' * 40}", {"state": "success"}, 500, ""),
    ("ann", "GET", f"{HERE}/branch_protections", None, 403, "permission"),
]


@pytest.mark.parametrize(("who", "method", "path", "body", "status", "word"), REFUSED)
def test_it_refuses(
    server: GiteaServer, who: str, method: str, path: str, body: Any, status: int, word: str
) -> None:
    answer = ask(server, method, path, body, who)
    assert answer.status_code == status, answer.text
    said = answer.json()["message"] if answer.content else ""
    assert word in said if word else said == ""


def test_documents_mislead_in_gitea_s_ways(server: GiteaServer) -> None:
    assert ask(server, "GET", f"{HERE}/pulls/3").json()["mergeable"] is False, "a conflict"
    assert ask(server, "GET", f"{HERE}/pulls/2").json()["mergeable"] is False, "a draft"
    assert ask(server, "GET", f"{HERE}/pulls").json()[0]["mergeable"] is False, "not known in a list"
    passed_over = ask(server, "POST", "/repos/ann/own/pulls/1/requested_reviewers", {"team_reviewers": ["x"]})
    assert (passed_over.status_code, passed_over.json()) == (201, []), "a user has no teams"
    unknown = ask(server, "POST", f"{HERE}/issues/1/labels", {"labels": [999]})
    assert (unknown.status_code, unknown.json()) == (200, [])
    twice = [ask(server, "POST", f"{HERE}/labels", {"name": "b", "color": "#abc"}).json() for _ in "12"]
    assert twice[0]["id"] != twice[1]["id"]
    server.hub.push("shop/etl", "gone", {"g": b"g"})
    number = ask(server, "POST", f"{HERE}/pulls", {**PULL, "head": "gone"}).json()["number"]
    gone = server.hub.repos["shop/etl"].pulls[number].head_sha

    Git(server.hub.repos["shop/etl"].path).move("gone", None)
    head = ask(server, "GET", f"{HERE}/pulls/{number}").json()["head"]
    assert (head["label"], head["ref"], head["sha"]) == ("gone", f"refs/pull/{number}/head", gone)


def test_a_conflict_that_is_found_by_merging_has_no_message(server: GiteaServer) -> None:
    server.hub.unchecked = True
    try:
        answer = ask(server, "POST", f"{HERE}/pulls/3/merge", {"Do": "merge"})
    finally:
        server.hub.unchecked = False
    assert answer.status_code == 409
    assert set(answer.json()) == {"Style", "StdOut", "StdErr", "Err"}


@pytest.mark.parametrize(
    ("path", "cut", "linked"), [("/pulls?state=all", True, True), ("/labels", True, False)]
)
def test_pages(server: GiteaServer, path: str, cut: bool, linked: bool) -> None:
    for name in ("p", "q", "r"):
        ask(server, "POST", f"{HERE}/labels", {"name": name, "color": "#abc"})
    server.hub.items = 2
    try:
        answer = ask(server, "GET", f"{HERE}{path}")
    finally:
        server.hub.items = 50
    assert len(answer.json()) == 2
    assert int(answer.headers["x-total-count"]) > 2
    assert ("next" in answer.links) is linked


@pytest.mark.parametrize("flavour", Flavour)
def test_versions(tmp_path_factory: pytest.TempPathFactory, flavour: Flavour) -> None:
    with GiteaServer(tmp_path_factory.mktemp("v"), flavour=flavour) as made:
        assert ask(made, "GET", "/version").json() == {"version": flavour.version}
        own = httpx.get(
            f"{made.url}/api/forgejo/v1/version",
            headers={"Authorization": f"token {made.hub.token('bot')}"},
            trust_env=False,
        )
        assert (own.status_code == 200) is (flavour is Flavour.FORGEJO)


def test_webhooks_are_signed_without_a_prefix() -> None:

    hook = WebHook(id=1, url="http://127.0.0.1:1/", secret="s3", events=("push",))
    told = Delivery(id=1, guid="g-1", event="issue_comment", body="{}", at=datetime(2026, 3, 1, tzinfo=UTC))
    digest = hmac.new(b"s3", b"{}", hashlib.sha256).hexdigest()
    assert signature("s3", b"{}") == digest
    gitea = headers_of(Flavour.GITEA, hook, told)
    assert (gitea["X-Gitea-Signature"], gitea["X-Gitea-Delivery"]) == (digest, "g-1")
    assert (gitea["X-Gitea-Event"], gitea["X-Gitea-Event-Type"]) == ("issue_comment", "pull_request_comment")
    assert "X-Forgejo-Signature" not in gitea
    assert headers_of(Flavour.FORGEJO, hook, told)["X-Forgejo-Signature"] == digest
