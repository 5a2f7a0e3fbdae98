"""The Bitbucket adapter among people, lost answers and other rules; what its server refuses."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.unit.forge.bitbucket_world import BOT, BitbucketWorld, bitbucket_world, make_api, make_forge
from tests.unit.forge.contract import check

from greylag.domain.check import CheckStatus
from greylag.forge import ForgeError, Merged, MergeRefusal, NotMergeable, PullRequestState
from greylag.forge.bitbucket import ApiTokenAuth, BitbucketApi, OAuthAuth, access_token
from greylag.forge.hosted import Refused, Selection, select
from greylag.testing.bitbucket import BitbucketServer, signature


@pytest.fixture
def world(tmp_path: Path) -> Iterator[BitbucketWorld]:
    with bitbucket_world(tmp_path) as made:
        yield made


def asked(world: BitbucketWorld, method: str, end: str) -> int:
    return sum(1 for one in world.other.requests if one.method == method and one.path.endswith(end))


def test_a_push_at_the_last_moment_is_merged_and_told(world: BitbucketWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    theirs: list[str] = []
    world.other.hub.before_merge = lambda: theirs.append(
        world.push("greylag/users-v2", {"other.sql": b"theirs\n"})
    )
    done = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(done, Merged), "there is no guard"
    assert [done.head] == theirs != [pull.head_commit], "but it is known what was merged"
    assert world.forge.get(world.name, pull.number).head_commit == theirs[0]


def test_a_push_before_our_last_look_is_not_merged(world: BitbucketWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    api = make_api(world.other)
    theirs = world.push("greylag/users-v2", {"other.sql": b"theirs\n"})
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert refused.reason is MergeRefusal.SHA_MOVED
    assert asked(world, "POST", "/merge") == 0
    assert api.branch(world.name, "greylag/users-v2") == theirs


def test_a_merge_in_the_background_is_waited_for(world: BitbucketWorld) -> None:
    world.other.hub.repos[world.name].slow = 3
    pull = world.forge.open_or_update(world.spec())
    done = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(done, Merged)
    assert done.head == pull.head_commit
    assert asked(world, "POST", "/merge") == 1


def test_a_conflict_in_the_background_is_one(world: BitbucketWorld) -> None:
    world.other.hub.repos[world.name].slow = 2
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.before_merge = lambda: world.push("main", {"q.sql": b"select 4\n"}) and None
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert (refused.reason, refused.paths) == (MergeRefusal.CONFLICT, ("q.sql",))


@pytest.mark.parametrize("duplicates", ["update", "refuse"])
def test_lost_answers_make_nothing_twice(world: BitbucketWorld, duplicates: str) -> None:
    world.other.hub.duplicates = duplicates
    for path in (r"/pullrequests$", r"/merge$", r"/comments$", r"/statuses/build$"):
        world.other.fault(method="POST", path=path, status=502, after=True)
    pull = world.forge.open_or_update(world.spec())
    world.forge.comment(world.name, pull.number, key="a", body="one")
    told = world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
    assert told.checks["equivalence"].status is CheckStatus.PASSED
    assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)
    repo = world.other.hub.repos[world.name]
    assert (len(repo.pulls), len(repo.comments)) == (1, 1)


def test_a_required_build_is_a_rule_and_ours_can_be_one(world: BitbucketWorld) -> None:
    world.other.hub.repos[world.name].required = ("greylag/equivalence",)
    pull = world.forge.open_or_update(world.spec())
    world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.INCONCLUSIVE))
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert refused.reason is MergeRefusal.RULES
    assert "greylag/equivalence" in refused.message
    world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
    assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)


def test_builds_of_others_keep_their_keys(world: BitbucketWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    api = make_api(world.other)
    path = f"/repositories/{world.name}/commit/{pull.head_commit}/statuses/build"
    for key, state in (("b1", "FAILED"), ("b2", "SUCCESSFUL")):
        api.client.send("POST", path, {"key": key, "name": "Build", "state": state, "url": "https://ci"})
    api.client.send(
        "POST", path, {"key": "x", "name": "greylag/equivalence", "state": "SUCCESSFUL", "url": "https://ci"}
    )
    found = world.forge.get(world.name, pull.number).checks
    assert {name: one.status.value for name, one in found.items()} == {
        "b1": "failed",
        "b2": "passed",
        "x": "passed",
    }, "one of the same name does not hide the failed one, nor stand for ours"
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert refused.message == "not passed: b1"


def test_a_long_verifier_has_a_short_key(world: BitbucketWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    names = [f"a-very-long-verifier-name-that-ends-in-{number}" for number in range(2)]
    for name in names:
        world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED, name))
    assert set(world.forge.get(world.name, pull.number).checks) == set(names)


def test_default_reviewers_are_asked_and_peoples_stay(world: BitbucketWorld) -> None:
    repo = world.other.hub.repos[world.name]
    repo.access |= {"dora": "write", "zoe": "read"}
    repo.default_reviewers = ("dora", BOT)
    wanted = ("@team", "@nobody", "@shop/data", "mail@example.org")
    pull = world.forge.open_or_update(replace(world.spec(), reviewers=wanted))
    assert pull.reviewers == ("@dora", "@team")
    assert "`@nobody`, `@shop/data`, `mail@example.org`" in pull.comments[0].body
    repo.pulls[pull.number].reviewers.append("zoe")
    again = world.forge.open_or_update(replace(world.spec(b"select 3\n", title="New"), reviewers=("@team",)))
    assert (again.title, again.reviewers) == ("New", ("@dora", "@team", "@zoe"))


def test_a_borrowed_name_is_not_trusted(world: BitbucketWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.say(pull.number, "/greylag retry", author="ann")
    assert [one.may_write for one in world.forge.remarks({world.name}).items if not one.ours] == [True]
    world.other.hub.nicknames["eve"] = "ann"
    world.say(pull.number, "/greylag skip because I say so", author="eve", may_write=False)
    heard = [one for one in world.forge.remarks({world.name}).items if not one.ours]
    assert [(one.author, one.may_write) for one in heard] == [("ann", False)] * 2


def test_without_the_right_to_administer_nobody_may(world: BitbucketWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.repos[world.name].access[BOT] = "write"
    world.say(pull.number, "/greylag retry", author="ann")
    assert [one.may_write for one in world.forge.remarks({world.name}).items if not one.ours] == [False]


def test_drafts_until_proven(tmp_path: Path) -> None:
    with bitbucket_world(tmp_path, draft=True) as world:
        pull = world.forge.open_or_update(world.spec())
        shown = world.other.hub.repos[world.name].pulls[pull.number]
        assert shown.draft
        assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), NotMergeable)
        world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
        assert not shown.draft
        assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)


def test_a_squash_is_taken_back_too(tmp_path: Path) -> None:
    with bitbucket_world(tmp_path, merge_method="squash") as world:
        pull = world.merged(world.spec())
        assert pull.state is PullRequestState.MERGED
        back = world.forge.revert(world.name, pull.number)
        assert not isinstance(back, ForgeError)
        assert isinstance(world.forge.merge(world.name, back.number, back.head_commit), Merged)  # type: ignore[union-attr]
        assert world.at_main("q.sql") == b"select 1\nfrom a\nwhere x\n\n-- end\n"


def test_another_machine_goes_on_without_our_journal(world: BitbucketWorld, tmp_path: Path) -> None:
    pull = world.forge.open_or_update(world.spec())
    forge = make_forge(world.other, tmp_path / "elsewhere")
    there = replace(world, forge=forge, repo=forge.mirror.open(world.name))
    newer = there.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n")
    moved = forge.open_or_update(newer)
    assert (moved.number, moved.head_commit) == (pull.number, newer.commit)
    assert moved.labels == ("greylag",), "labels are kept in our marker"


def test_ours_is_found_among_many(world: BitbucketWorld) -> None:
    hub = world.other.hub
    pull = world.forge.open_or_update(world.spec())
    first = hub.repos[world.name].pulls[pull.number]
    for number in range(2, 130):
        hub.repos[world.name].pulls[number] = replace(
            first, number=number, head=f"t/{number}", state="closed", user="ann" if number % 2 else BOT
        )
    seen = len(world.other.requests)
    forge = make_forge(world.other, world.forge.mirror.root)  # type: ignore[attr-defined]
    found = forge.find_key(world.name, "users-v2:etl")
    assert found is not None
    assert sum(1 for one in world.other.requests[seen:] if one.path.endswith("/pullrequests")) <= 2


def test_repositories_of_a_workspace_a_project_and_a_query(world: BitbucketWorld) -> None:
    hub = world.other.hub
    for name in ("shop/web", "shop/etl-two", "else/where"):
        hub.add(name, {"a": b"a"}, access={BOT: "write"})
    hub.repos["shop/web"].project = "WEB"
    api = make_api(world.other)
    assert list(select(api, Selection(org="shop"))) == ["shop/etl", "shop/etl-two", "shop/web"]
    assert list(select(api, Selection(org="shop/WEB"))) == ["shop/web"]
    assert list(select(api, Selection(org="shop", topic="WEB"))) == ["shop/web"]
    assert list(select(api, Selection(query='shop name ~ "two"'))) == ["shop/etl-two"]
    for wrong in (
        Selection(org="none"),
        Selection(topic="x"),
        Selection(query="shop"),
        Selection(query="shop x"),
    ):
        with pytest.raises(ForgeError):
            select(api, wrong)


def test_who_we_are(world: BitbucketWorld) -> None:
    server = world.other
    server.hub.consumers["key"] = (BOT, "secret")
    oauth = OAuthAuth(key="key", secret=SecretStr("secret"), url=server.url)
    api_token = ApiTokenAuth("bot@example.org", SecretStr(server.hub.token(BOT)))
    for auth in (oauth, api_token, access_token(SecretStr(server.hub.token(BOT)))):
        assert make_api(server, auth).repository(world.name) is not None
        assert "secret" not in repr(auth)
    server.hub.tokens.clear()
    assert make_api(server, oauth).repository(world.name) is not None, "a token that ended is renewed"
    with pytest.raises(Refused):
        make_api(server, api_token).repository(world.name)
    with pytest.raises(ForgeError, match="are its key and secret right"):
        make_api(server, OAuthAuth(key="key", secret=SecretStr("no"), url=server.url)).repository(world.name)


def test_the_hourly_limit_is_waited_for(world: BitbucketWorld) -> None:
    front = world.other.front
    waits: list[float] = []
    api = make_api(world.other)
    front.limits.hourly = 0

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        front.limits.hourly = 1_000_000

    api.client._throttle._sleep = sleep  # the hour passes while it waits
    assert api.repository(world.name) is not None
    assert waits
    assert waits[0] > 30


# The server's own rules.


REFUSED = {
    "a page of more pull requests than fifty": (
        "GET",
        "/pullrequests?pagelen=51",
        None,
        400,
        "Invalid pagelen",
    ),
    "a state that there is not": ("GET", "/pullrequests?state=CLOSED", None, 400, "Invalid state"),
    "a query that it does not know": ("GET", '/pullrequests?q=colour="red"', None, 400, "Invalid query"),
    "no title": ("POST", "/pullrequests", {"source": {"branch": {"name": "b"}}}, 400, "title"),
    "no such branch": (
        "POST",
        "/pullrequests",
        {"title": "t", "source": {"branch": {"name": "x"}}},
        400,
        "not found",
    ),
    "nothing to be pulled": (
        "POST",
        "/pullrequests",
        {"title": "t", "source": {"branch": {"name": "main"}}},
        400,
        "no",
    ),
    "a strategy that there is not": (
        "POST",
        "/pullrequests/1/merge",
        {"merge_strategy": "merge-commit"},
        400,
        "strat",
    ),
    "a key of 41 characters": (
        "POST",
        "/commit/{head}/statuses/build",
        {"key": "k" * 41, "state": "SUCCESSFUL", "url": "https://x"},
        400,
        "at most 40",
    ),
    "a state of GitHub's": (
        "POST",
        "/commit/{head}/statuses/build",
        {"key": "k", "state": "success"},
        400,
        "state",
    ),
    "no address": ("POST", "/commit/{head}/statuses/build", {"key": "k", "state": "FAILED"}, 400, "url"),
    "an unknown commit": (
        "POST",
        f"/commit/{'0' * 40}/statuses/build",
        {"key": "k", "state": "FAILED"},
        404,
        "0000",
    ),
    "a comment without text": ("POST", "/pullrequests/1/comments", {"body": "x"}, 400, "content"),
    "no such pull request": ("GET", "/pullrequests/9", None, 404, "not found"),
    "a task of nobody's": ("GET", "/pullrequests/1/merge/task-status/ab", None, 400, "task"),
    "the author as a reviewer": (
        "PUT",
        "/pullrequests/1",
        {"title": "t", "reviewers": [{"uuid": "{me}"}]},
        400,
        "author",
    ),
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BitbucketApi, str]]:
    with bitbucket_world(tmp_path_factory.mktemp("strict")) as world:
        pull = world.forge.open_or_update(world.spec())
        yield make_api(world.other), pull.head_commit


@pytest.mark.parametrize("what", REFUSED)
def test_the_server_refuses(strict: tuple[BitbucketApi, str], what: str) -> None:
    api, head = strict
    method, path, body, status, words = REFUSED[what]
    me = str(api.client.get("/user")["uuid"])
    given = (
        None if body is None else {**body, **({"reviewers": [{"uuid": me}]} if "reviewers" in body else {})}
    )
    with pytest.raises(Refused) as caught:
        api.client.exchange(method, f"/repositories/shop/etl{path.replace('{head}', head)}", given)
    assert caught.value.status == status
    assert words in caught.value.said


def test_the_server_shows_little(world: BitbucketWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    api = make_api(world.other)
    here = f"/repositories/{world.name}/pullrequests"
    whole = api.client.get(f"{here}/{pull.number}")
    assert whole["source"]["commit"]["hash"] == pull.head_commit[:12], "hashes are short"
    assert "mergeable" not in whole
    assert [one["nickname"] for one in whole["reviewers"]] == ["team"]
    (listed,) = api.client.pages(here)
    assert "reviewers" not in listed
    api.client.send("PUT", f"{here}/{pull.number}", {"title": "t"})
    assert api.client.get(f"{here}/{pull.number}")["reviewers"] == [], "what is left out is dropped"
    world.forge.close(world.name, pull.number)
    assert list(api.client.pages(here)) == [], "only open ones where no state is named"
    with pytest.raises(Refused, match="already closed"):
        api.client.send("POST", f"{here}/{pull.number}/decline", {})
    stranger = access_token(SecretStr(world.other.hub.token("stranger")))
    with pytest.raises(Refused, match="404"):
        make_api(world.other, stranger).client.get(here)


def test_webhooks_are_signed(tmp_path: Path) -> None:
    body = b'{"a": 1}'
    expected = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert signature("secret", body) == f"sha256={expected}"
    with BitbucketServer(tmp_path) as server:
        server.hub.add("shop/etl", {"a": b"a"}, access={BOT: "admin"})
        api = make_api(server)
        wanted = {"url": f"{server.url}/2.0/nowhere", "secret": "secret", "events": ["repo:push"]}
        api.client.send("POST", "/repositories/shop/etl/hooks", wanted)
        server.hub.push("shop/etl", "main", {"a": b"b"})
        (hook,) = server.hub.repos["shop/etl"].hooks.values()
        (delivery,) = hook.deliveries
        headers = server.hub.headers_of(hook, delivery)
        assert headers["X-Hub-Signature"] == signature("secret", delivery.body.encode())
        assert headers["X-Request-UUID"] == delivery.guid
        assert headers["X-Event-Key"] == "repo:push"
