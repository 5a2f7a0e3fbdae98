"""How the client behaves when the forge is slow, busy, or down; and the pace that it keeps by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from tests.unit.forge.contract import FIRST
from tests.unit.forge.github_world import BOT, make_client

from greylag.forge.base import PullRequestState
from greylag.forge.github import GitHubApi
from greylag.forge.hosted import Pace, Refused, TokenAuth, Unavailable
from greylag.forge.hosted.api import Shown
from greylag.forge.hosted.dialect import limited_for
from greylag.forge.hosted.limits import Bucket, Throttle
from greylag.testing.github import GitHubServer, Limits


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    with GitHubServer(tmp_path) as made:
        made.hub.add("shop/etl", FIRST, access={BOT: "write"})
        yield made


def statuses(server: GitHubServer) -> list[int]:
    return [one.status for one in server.requests]


def test_what_did_not_change_is_not_sent_again(server: GitHubServer) -> None:
    client = make_client(server)
    first = client.get("/repos/shop/etl")
    assert client.get("/repos/shop/etl") == first
    server.hub.repos["shop/etl"].topics = ("new",)
    assert client.get("/repos/shop/etl")["topics"] == ["new"]
    assert statuses(server) == [200, 304, 200]


def test_a_list_that_grows_by_a_page_is_read_to_its_end(server: GitHubServer) -> None:
    client = make_client(server)
    from greylag.testing.hosting import Comment, Pull

    repo, now = server.hub.repos["shop/etl"], server.hub.now()
    repo.pulls[1] = Pull(
        number=1, title="t", body="", user="ann", head="h", base="main", head_sha="", base_sha="",
        created=now, updated=now, state="closed",
    )  # fmt: skip

    def read(count: int) -> int:
        for number in range(len(repo.comments), count):
            repo.comments[number] = Comment(
                id=number, number=1, user="ann", body="b", created=now, updated=now
            )
        return len(list(client.pages("/repos/shop/etl/issues/comments")))

    assert [read(99), read(100), read(101), read(250)] == [99, 100, 101, 250]


def test_server_errors_are_tried_again_where_that_is_safe(server: GitHubServer) -> None:
    waits: list[float] = []
    client = make_client(server, sleep=waits.append)
    server.fault(method="GET", status=502, times=3)
    assert client.get("/repos/shop/etl")["name"] == "etl"
    assert waits == [1.0, 2.0, 4.0]
    server.fault(method="POST", status=502)
    with pytest.raises(Unavailable):
        client.send("POST", "/repos/shop/etl/pulls", {}, repeat=False)
    assert statuses(server).count(502) == 4
    server.fault(status=500, times=99)
    with pytest.raises(Unavailable, match=r"GET .*/repos/shop/etl: 500"):
        client.get("/repos/shop/etl")


def test_a_forge_that_is_not_there_is_said_to_be_so(server: GitHubServer) -> None:
    client = make_client(server, tries=2)
    client.api = "http://127.0.0.1:9"
    with pytest.raises(Unavailable, match="ConnectError"):
        client.send("POST", "/x", {}, repeat=False)


def test_a_limit_is_waited_for_by_all_calls(server: GitHubServer) -> None:
    waits: list[float] = []
    client = make_client(server, sleep=waits.append)
    said = "You have exceeded a secondary rate limit"
    server.fault(status=403, headers={"Retry-After": "7"}, message=said)
    server.fault(status=429, headers={"Retry-After": "3"})
    assert client.get("/repos/shop/etl")["name"] == "etl"
    assert statuses(server) == [403, 429, 200]
    assert max(waits) == pytest.approx(7, abs=0.5)


def test_a_limit_longer_than_our_patience_is_an_error(server: GitHubServer) -> None:
    server.front.limits = Limits(hourly=2)
    client = make_client(server, patience=60)
    for _ in range(2):
        client.get(f"/repos/shop/etl/git/ref/heads/{'main'}", n=str(len(server.requests)))
    with pytest.raises(Unavailable, match=r"403 .*rate limit exceeded"):
        client.get("/repos/shop/etl")
    assert len(server.requests) == 3
    api = GitHubApi(client, server.url)
    with pytest.raises(Unavailable):
        api.label("shop/etl", 1, ["greylag"])
    empty = dict.fromkeys(("title", "body", "url", "base", "head", "head_commit", "base_commit"), "")
    shown = Shown(number=1, state=PullRequestState.OPEN, created=datetime.now(UTC), **empty)
    with pytest.raises(Unavailable):  # not "they cannot be asked": nobody said so
        api.ask("shop/etl", shown, "@ann")


def test_a_refusal_is_told_with_the_forges_words(server: GitHubServer) -> None:
    client = make_client(server)
    with pytest.raises(Refused, match=r"422 .*wasn't supplied"):
        client.send("POST", "/repos/shop/etl/pulls", {})
    bad = make_client(server, TokenAuth(SecretStr("ghp_wrong")))
    with pytest.raises(Refused, match="401 Bad credentials") as error:
        bad.get("/repos/shop/etl")
    assert "ghp_wrong" not in str(error.value)
    assert "ghp_wrong" not in repr(bad.auth.credential())


@pytest.mark.parametrize(
    ("status", "headers", "said", "seconds"),
    [
        (403, {"retry-after": "5"}, "", 5.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, "", 31.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "900"}, "", 1.0),
        (403, {}, "You have exceeded a secondary rate limit.", 60.0),
        (429, {}, "", 60.0),
        (403, {"x-ratelimit-remaining": "12"}, "Must have admin rights", None),
        (404, {"retry-after": "5"}, "", None),
    ],
)
def test_what_a_limit_is(status: int, headers: dict[str, str], said: str, seconds: float | None) -> None:
    assert limited_for(httpx.Response(status, headers=headers), said, 1000.0) == seconds


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    now = [0.0]
    bucket = Bucket(60, 60, burst=3, clock=lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [0, 0, 0, 1, 2]
    now[0] = 10.0
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 1], "never more than the burst is saved up"


def test_content_is_paced_more_slowly() -> None:
    now, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    throttle = Throttle(
        Pace(requests_per_second=1000, content_per_minute=60, content_per_hour=10_000),
        clock=lambda: now[0],
        sleep=sleep,
    )
    for _ in range(75):
        throttle.wait(content=True)
    assert now[0] == pytest.approx(60, abs=1)
    before = len(waits)
    throttle.wait(content=False)
    assert len(waits) == before
    throttle.hold(9)
    throttle.wait(content=False)
    assert waits[-1] == pytest.approx(9)
