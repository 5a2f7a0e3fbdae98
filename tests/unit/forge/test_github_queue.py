"""GitHub's merge queues, many pull requests at once, searches for code, assignees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.forge.contract import FIRST
from tests.unit.forge.github_world import BOT, GitHubWorld, github_world, make_api, make_client, make_forge

from greylag.forge import Forge, ForgeError, Merged, MergeRefusal, NotMergeable, PullRequest, PullRequestState
from greylag.forge.base import Unavailable
from greylag.forge.github.graph import Graph
from greylag.forge.hosted import HostedForge, Limited, Mirror, Refused, Selection, select
from greylag.forge.hosted.limits import Pace, Throttle
from greylag.testing.github import Limits


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path) as made:
        yield made


def why(forge: Forge, pull: PullRequest) -> MergeRefusal:
    told = forge.merge(pull.repository, pull.number, pull.head_commit)
    assert isinstance(told, NotMergeable)
    assert told.message
    return told.reason


def test_a_branch_with_a_merge_queue_is_queued_for(world: GitHubWorld) -> None:
    world.other.hub.queue(world.name, "main")
    pull = world.forge.open_or_update(world.spec())
    assert why(world.forge, pull) is MergeRefusal.QUEUED
    assert world.forge.get(world.name, pull.number).queued
    key = (world.name, pull.key)
    hosted = world.forge
    assert isinstance(hosted, HostedForge)
    assert hosted.glance([key])[key].queued
    assert why(world.forge, pull) is MergeRefusal.QUEUED, "once there, it is not put there again"
    tip = world.push("main", {"other.sql": b"later\n"})
    assert world.other.hub.advance(world.name) is not None
    after = world.forge.get(world.name, pull.number)
    assert (after.state, after.queued) == (PullRequestState.MERGED, False)
    done = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(done, Merged)
    assert done.already
    assert world.repo.info(done.commit).parents == (tip, pull.head_commit)


def test_what_the_queue_throws_out_is_told_once_and_then_queued_again(
    world: GitHubWorld, tmp_path: Path
) -> None:
    hub = world.other.hub
    hub.queue(world.name, "main")
    pull = world.forge.open_or_update(world.spec())
    assert why(world.forge, pull) is MergeRefusal.QUEUED
    hub.advance(world.name, passed=False)
    told = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(told, NotMergeable)
    assert (told.reason, "failed checks" in told.message) == (MergeRefusal.DEQUEUED, True)
    assert why(world.forge, pull) is MergeRefusal.QUEUED, "asked again, it stands there again"
    elsewhere, mirror = make_forge(world.other, tmp_path / "elsewhere")
    mirror.open(world.name)
    assert why(elsewhere, pull) is MergeRefusal.QUEUED, "a machine that knows nothing of the queue yet"
    newer = world.forge.open_or_update(world.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n"))
    assert why(world.forge, newer) is MergeRefusal.DEQUEUED, "a push throws it out"
    assert why(world.forge, newer) is MergeRefusal.QUEUED
    hub.advance(world.name)
    assert isinstance(world.forge.merge(world.name, newer.number, newer.head_commit), Merged)


def test_a_queue_takes_no_other_commit_than_the_proven_one(world: GitHubWorld) -> None:
    world.other.hub.queue(world.name, "main")
    pull = world.forge.open_or_update(world.spec())
    world.push(pull.head, {"q.sql": b"select 'theirs'\n"})
    api = make_api(world.other)
    shown = api.pull(world.name, pull.number)
    assert shown is not None
    told = Graph(make_client(world.other)).enqueue(shown, pull.head_commit)
    assert getattr(told, "reason", None) is MergeRefusal.SHA_MOVED
    assert world.other.hub.repos[world.name].queues["main"].entries == {}


def test_many_pull_requests_are_one_request(world: GitHubWorld) -> None:
    hub, forge = world.other.hub, world.forge
    assert isinstance(forge, HostedForge)
    names = ["shop/r0", "shop/r1", "shop/r2"]
    mirror, keys = forge.mirror, []
    for name in names:
        hub.add(name, FIRST, access={BOT: "write"})
        there = replace(world, name=name, repo=mirror.open(name))
        forge.open_or_update(replace(there.spec(), reviewers=()))
        keys.append((name, "users-v2:etl"))
    assert set(forge.glance(keys)) == set(keys)
    new = hub.push(names[0], "main", {"other.sql": b"later\n"})
    hub.repos[names[1]].access.clear()
    before = len(world.other.requests)
    seen = forge.glance(keys)
    asked = [one for one in world.other.requests[before:] if one.path.startswith("/")]
    assert set(seen) == {keys[0], keys[2]}, "one that is not shown to us any more is left out"
    assert [one.path for one in asked if one.path == "/graphql"] == ["/graphql"]
    assert head_of(forge, names[0]) == new, "its mirror followed"
    quiet = len(world.other.requests)
    forge.glance([keys[0], keys[2]])
    assert len(world.other.requests) == quiet + 1
    batches = list(Graph(make_client(world.other)).glimpses([(names[0], one) for one in range(1, 61)]))
    assert [one.shown.number for one in batches] == [1], "the others do not exist"
    assert sum(one.path == "/graphql" for one in world.other.requests[quiet + 1 :]) == 2, "50 at a time"


class Unwell(Mirror):
    """Git answers with errors of the server, of one repository."""

    def bring(self, repository: str, branch: str, tip: str) -> str | None:
        if repository == "shop/r0":
            raise Unavailable(f"{repository}: git fetch failed: The requested URL returned error: 502")
        return super().bring(repository, branch, tip)


def test_one_repository_that_is_not_well_keeps_no_other_from_being_seen(
    world: GitHubWorld, tmp_path: Path
) -> None:
    """A forge that is away is not asked for each; one repository's errors are not that."""
    known, api = world.forge, make_api(world.other)
    assert isinstance(known, HostedForge)
    forge = HostedForge(api, Unwell(tmp_path / "unwell", api))
    for name in ("shop/r0", "shop/r1"):
        world.other.hub.add(name, FIRST, access={BOT: "write"})
        there = replace(world, name=name, repo=known.mirror.open(name))
        known.open_or_update(replace(there.spec(), reviewers=()))
    well = ("shop/r1", "users-v2:etl")
    keys = [("shop/r0", "users-v2:etl"), *((world.name, f"k{number}") for number in range(12)), well]
    assert set(forge.glance(keys)) == {well}, "one by one: no number is known yet"
    assert set(forge.glance(keys)) == {well}, "many with one request"


def head_of(forge: HostedForge, name: str) -> str:
    return forge.mirror.open(name).head()


def test_a_forge_that_is_away_is_not_asked_for_each(world: GitHubWorld) -> None:
    forge = world.forge
    assert isinstance(forge, HostedForge)
    pull = forge.open_or_update(world.spec())
    keys = [(world.name, pull.key), *((world.name, f"k{number}") for number in range(200))]
    world.other.fault(path="", status=503, times=10_000)
    before = len(world.other.requests)
    assert forge.glance(keys) == {}
    assert len(world.other.requests) - before <= 4 * 9


def test_errors_of_graphql_are_errors(world: GitHubWorld) -> None:
    graph = Graph(make_client(world.other))
    for query, said in (
        ("query { nothing }", "doesn't exist on type 'Query'"),
        ("query { repository(owner: $o, name: $n) { nameWithOwner } }", r"\$o was not provided"),
        ('query { repository(owner: "shop", name: "no") { nameWithOwner } }', "Could not resolve"),
        ("query { repository", "Unexpected end"),
    ):
        with pytest.raises(Refused, match=said):
            graph.ask(query)
    assert graph.ask('query { repository(owner: "shop", name: "no") { nameWithOwner } }', partly=True) == {
        "repository": None
    }


def test_a_search_for_code_adds_repositories(world: GitHubWorld) -> None:
    hub = world.other.hub
    for number in range(3):
        files = {"a.sql": b"select * from users_v1", "b.sql": b"select * from users_v1", "c": b"x"}
        hub.add(f"shop/r{number}", files, access={BOT: "read"})
    hub.add("shop/old", {"a.sql": b"users_v1"}, access={BOT: "read"}).archived = True
    api = make_api(world.other)
    assert list(select(api, Selection(code="users_v1 org:shop"))) == ["shop/r0", "shop/r1", "shop/r2"]
    both = select(api, Selection(code="users_v1", repositories=("shop/etl",), exclude=("shop/r2",)))
    assert list(both) == ["shop/etl", "shop/r0", "shop/r1"]
    assert list(select(api, Selection(code="nowhere org:shop"))) == []
    world.other.front.limits = Limits(code=1, hourly=1_000_000)
    impatient = make_api(world.other)
    impatient.client._patience = 1.0
    with pytest.raises(Limited):
        list(impatient.with_code("users_v1"))
    assert impatient.repository("shop/r0") is not None, "it has a limit of its own"


def test_a_search_for_code_waits_for_its_own_limit() -> None:
    now, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    fast = Pace(requests_per_second=1000, content_per_minute=1e6, content_per_hour=1e6)
    throttle = Throttle(fast, clock=lambda: now[0], sleep=sleep, slow={"/search/code": 10})
    for _ in range(11):
        throttle.wait(content=False, path="/api/v3/search/code")
        throttle.wait(content=False, path="/api/v3/repos/shop/etl")
    assert now[0] == pytest.approx(60, abs=1)


def test_people_are_assigned_and_who_cannot_be_is_named(tmp_path: Path) -> None:
    with github_world(tmp_path, assignees=("@ann", "owners", "@nobody")) as world:
        world.other.hub.repos[world.name].access["ann"] = "write"
        spec = replace(world.spec(), reviewers=("@team", "@shop/data"))
        pull = world.forge.open_or_update(spec)
        assert pull.assignees == ("@ann", "@team"), "a team cannot be assigned"
        assert any("`@nobody`" in one.body for one in pull.comments)
        before = len(world.other.requests)
        world.other.hub.repos[world.name].pulls[pull.number].assignees.append("eve")
        again = world.forge.open_or_update(spec)
        assert again.assignees == ("@ann", "@team", "@eve"), "those of people stay"
        late = world.other.requests[before:]
        assert not [one for one in late if one.method == "POST" and one.path.endswith("/assignees")]


def test_merge_commits_carry_the_trailers_of_the_settings(tmp_path: Path) -> None:
    with github_world(tmp_path, trailers={"Change-Type": "migration"}) as world:
        pull = world.merged(world.spec())
        trailers = world.repo.info(pull.merge_commit or "").trailers
        assert trailers["Change-Type"] == "migration"
        assert trailers["Greylag-Pull-Request"] == str(pull.number)


def test_a_forge_that_keeps_moving_is_to_be_asked_later(world: GitHubWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    said = "Base branch was modified. Review and try the merge again."
    world.other.fault(method="PUT", path="/merge$", status=409, times=99, message=said)
    with pytest.raises(Unavailable):
        world.forge.merge(world.name, pull.number, pull.head_commit)
    world.other.front._faults.clear()
    with pytest.raises(ForgeError):
        world.forge.merge(world.name, 99, pull.head_commit)
    assert datetime.now(UTC) > pull.created
