"""What Gitea does otherwise than one would think, and what the adapter makes of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.forge.contract import FIRST, check
from tests.unit.forge.gitea_world import ACCESS, BOT, GiteaWorld, gitea_world, make_api, make_forge

from greylag.domain.check import CheckStatus
from greylag.forge import (
    ForgeError,
    Merged,
    MergeRefusal,
    NotMergeable,
    PullRequest,
    PullRequestState,
)
from greylag.forge.gitea.merging import told_of
from greylag.forge.hosted import Refused, Selection, select
from greylag.forge.hosted.api import Again, Held, Told
from greylag.testing.gitea import Flavour, GiteaServer
from greylag.testing.hosting import Git

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GiteaWorld]:
    with gitea_world(tmp_path) as made:
        yield made


def names(world: GiteaWorld) -> list[str]:
    """The labels that the repository has."""
    return sorted(one.name for one in world.other.hub.repos[world.name].labels.values())


def test_lists_without_links_are_read_to_their_end(world: GiteaWorld) -> None:
    world.other.hub.items = 2
    spec = world.spec()
    pull = world.forge.open_or_update(replace(spec, labels=("a", "b", "c", "d")))
    again = make_forge(world.other, world.repo.path.parents[2] / "another")
    again.mirror.open(world.name)
    again.api.label(world.name, pull.number, ["a", "b", "c", "d", "greylag"])  # type: ignore[attr-defined]
    assert names(world) == ["a", "b", "c", "d", "greylag"], "those of later pages are not made once more"
    for text in "12345":
        world.say(pull.number, text)
    heard = world.forge.remarks({world.name})
    assert [one.body for one in heard.items] == ["1", "2", "3", "4", "5"]


def test_a_label_of_the_organisation_is_used(world: GiteaWorld) -> None:
    made = world.other.hub.add_org_label("shop", "greylag")
    pull = world.forge.open_or_update(world.spec())
    assert names(world) == []
    assert world.other.hub.repos[world.name].pulls[pull.number].extra["labels"] == [made.id]
    other = make_forge(world.other, world.repo.path.parents[2] / "another")
    assert [one.number for one in other.pull_requests(world.name)] == [pull.number]


def test_a_label_that_was_removed_is_made_again(world: GiteaWorld) -> None:
    spec = world.spec()
    world.other.fault(method="POST", path="/labels$", status=502, after=True, times=2)
    pull = world.forge.open_or_update(spec)
    assert names(world) == ["greylag"], "an answer that got lost makes no second one"
    world.other.hub.drop_label(world.name, "greylag")
    again = world.forge.open_or_update(spec)
    assert (again.number, again.labels) == (pull.number, ("greylag",))
    assert [one.number for one in world.forge.pull_requests(world.name)] == [pull.number]


def test_teams_of_the_owner_only(world: GiteaWorld) -> None:
    spec = replace(world.spec(), reviewers=("@shop/data", "@else/data", "@nobody", f"@{BOT}", "@ann"))
    pull = world.forge.open_or_update(spec)
    assert set(pull.reviewers) == {"@shop/data", "@ann"}
    assert [one.body for one in pull.comments] == [
        "Could not be asked for a review: `@else/data`, `@nobody`."
    ]


def test_where_the_owner_is_a_user_teams_are_told_as_not_asked(world: GiteaWorld, tmp_path: Path) -> None:
    world.other.hub.add("ann/etl", FIRST, access=ACCESS)
    forge = make_forge(world.other, tmp_path / "own")
    repo = forge.mirror.open("ann/etl")
    own = replace(world, forge=forge, repo=repo, name="ann/etl")
    pull = forge.open_or_update(replace(own.spec(), reviewers=("@ann/data",)))
    assert pull.reviewers == ()
    assert "`@ann/data`" in pull.comments[0].body


def test_who_cannot_be_assigned_is_named(world: GiteaWorld) -> None:
    spec = replace(world.spec(), assignees=("@ann", "@team", "@nobody"))
    pull = world.forge.open_or_update(spec)
    assert pull.assignees == ("@ann",)
    assert pull.comments[0].body == "Could not be assigned: `@team`, `@nobody`."
    more = world.forge.open_or_update(replace(spec, assignees=(f"@{BOT}",)))
    assert set(more.assignees) == {"@ann", f"@{BOT}"}


def test_without_the_right_to_ask_nobody_commands(
    world: GiteaWorld, caplog: pytest.LogCaptureFixture
) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.repos[world.name].access[BOT] = "write"
    world.say(pull.number, "/greylag answer a 1")
    with caplog.at_level(logging.WARNING):
        (heard,) = world.forge.remarks({world.name}).items
    assert not heard.may_write
    assert "is no administrator" in caplog.text
    access = world.other.hub.repos[world.name].access
    access[BOT] = "admin"
    api = make_api(world.other)
    for role, may in (("none", False), ("read", False), ("write", True), ("admin", True)):
        access["zoe"] = role
        assert api.may_write(world.name, "zoe") is may
    assert not api.may_write(world.name, "no/body")


def test_protection_says_why(tmp_path: Path) -> None:
    with gitea_world(tmp_path, Flavour.FORGEJO) as world:
        hub = world.other.hub
        pull = world.forge.open_or_update(world.spec())

        def why() -> str:
            told = world.forge.merge(world.name, pull.number, pull.head_commit)
            assert isinstance(told, NotMergeable)
            assert told.reason is MergeRefusal.RULES
            return told.message

        hub.protect(world.name, "main", "greylag/*", approvals=1)
        assert why() == "Not all required status checks successful"
        world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
        assert why() == "Does not have enough approvals"
        hub.review(world.name, pull.number, "APPROVED", "ann")
        hub.repos[world.name].styles = frozenset({"squash"})
        assert "not allowed" in why()
        hub.repos[world.name].styles = frozenset({"merge"})
        assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)


def test_a_draft_is_a_title(tmp_path: Path) -> None:
    with gitea_world(tmp_path, draft=True) as world:
        spec = world.spec()
        pull = world.forge.open_or_update(spec)
        there = world.other.hub.repos[world.name].pulls[pull.number]
        assert (there.title, there.draft, pull.title) == ("WIP: Move", True, "Move")
        world.forge.open_or_update(replace(spec, title="Move it"))
        assert (there.title, there.draft) == ("WIP: Move it", True)
        world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
        assert (there.title, there.draft) == ("Move it", False)
        done = world.forge.merge(world.name, pull.number, pull.head_commit)
        assert isinstance(done, Merged)


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (404, "The target couldn't be found.", Held(said="it is closed", reason=MergeRefusal.CLOSED)),
        (405, "", Again()),
        (405, "Please try again later", Again(said="Please try again later")),
        (405, "not allowed to merge [reason: Does not]", Held(said="Does not")),
        (405, "There are requested changes", Held(said="There are requested changes")),
        (409, "", Held(said="it conflicts with the base branch", reason=MergeRefusal.CONFLICT)),
        (409, "head out of date", Held(said="head out of date", reason=MergeRefusal.SHA_MOVED)),
        (409, "merge push out of date", Again(said="merge push out of date")),
        (409, "PushRejected with remote message: no", Held(said="PushRejected with remote message: no")),
        (423, "shop/etl is archived", Held(said="shop/etl is archived")),
        (403, "", Held(said="refused with status 403")),
    ],
)
def test_what_a_refusal_to_merge_means(status: int, said: str, told: Told) -> None:
    assert told_of(Refused("POST …/merge", status, said)) == told


def test_what_is_no_answer_to_the_merge_is_an_error() -> None:
    with pytest.raises(Refused):
        told_of(Refused("POST …/merge", 401, "token is required"))


def test_while_it_is_checked_the_merge_is_asked_for_again(world: GiteaWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.nulls = 3
    world.other.hub.repos[world.name].pulls[pull.number].asked = 0
    assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)
    tries = [one for one in world.other.requests if one.method == "POST" and one.path.endswith("/merge")]
    assert {one.status for one in tries[:-1]} == {405}


def test_what_is_pushed_after_the_merge_is_neither_dropped_nor_taken_back(world: GiteaWorld) -> None:
    """Of a merged pull request, too, Gitea shows where the branch stands now."""
    hub, spec = world.other.hub, world.spec()
    pull = world.forge.open_or_update(spec)
    late: list[str] = []
    as_before = hub.happened

    def and_somebody_pushes(repo: Any, what: str, about: Any, login: str) -> None:
        as_before(repo, what, about, login)
        if what == "merged" and not late:
            git, when = Git(repo.path), hub.now()
            late.append(git.commit(spec.head, {"l": b"l"}, message="late", login="ann", when=when))

    hub.happened = and_somebody_pushes  # type: ignore[method-assign]
    done = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(done, Merged)
    assert Git(hub.repos[world.name].path).branch(spec.head) == late[0], "it is a person's now"
    after = world.forge.get(world.name, pull.number)
    assert after.head_commit == spec.commit, "what was merged"
    back = world.forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)
    world.forge.merge(world.name, back.number, back.head_commit)
    world.forge.mirror.sync(world.name, "main")
    assert world.at_main("q.sql") == FIRST["q.sql"]


def test_an_old_server_is_told_apart(tmp_path: Path) -> None:
    with gitea_world(tmp_path, Flavour.OLD) as world:
        world.other.hub.add("shop/tagged", FIRST, access=ACCESS, topics=["etl"])
        chosen = select(make_api(world.other), Selection(org="shop", topic="etl"))
        assert list(chosen) == ["shop/tagged"]
        pull = world.forge.open_or_update(replace(world.spec(), reviewers=("@shop/data",)))
        assert pull.reviewers == ("@shop/data",)
        with pytest.raises(ForgeError, match=r"1\.17 or newer"):
            world.forge.merge(world.name, pull.number, pull.head_commit)


def test_repositories_are_found(tmp_path: Path) -> None:
    with GiteaServer(tmp_path) as server:
        server.hub.items = 2
        for name in ("shop/a", "shop/b", "shop/etl-c", "ann/own"):
            server.hub.add(name, FIRST, access=ACCESS, topics=["pipe"] if name != "shop/b" else ["pipeline"])
        server.hub.add("shop/gone", FIRST, access=ACCESS).archived = True
        server.hub.add("shop/copy", FIRST, access=ACCESS).fork_of = "shop/a"
        server.hub.add("else/hidden", FIRST, access={"ann": "admin"}, topics=["pipe"])
        api = make_api(server)
        shop = ["shop/a", "shop/b", "shop/etl-c"]
        assert list(select(api, Selection(org="shop"))) == shop
        assert list(select(api, Selection(org="ann"))) == ["ann/own"]
        assert list(select(api, Selection(org="shop", topic="pipe"))) == ["shop/a", "shop/etl-c"]
        assert list(select(api, Selection(topic="pipe"))) == ["ann/own", "shop/a", "shop/etl-c"]
        assert list(select(api, Selection(query="etl"))) == ["shop/etl-c"]
        assert len(select(api, Selection(org="shop", archived=True, forks=True))) == 5
        with pytest.raises(ForgeError, match="no search for code"):
            select(api, Selection(code="users_v1"))
        with pytest.raises(ForgeError, match="no such organisation or user"):
            select(api, Selection(org="nobody"))
        with pytest.raises(ForgeError, match="say which repositories"):
            select(api, Selection())


def test_a_proxy_s_limit_is_waited_for(world: GiteaWorld) -> None:
    waited: list[float] = []
    api = make_api(world.other, sleep=waited.append)
    world.other.fault(path="/repos/shop/etl$", status=429, headers={"Retry-After": "7"})
    assert api.repository(world.name) is not None
    assert max(waited) == pytest.approx(7, abs=1)


def test_a_status_leads_to_the_comment_with_the_evidence(world: GiteaWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    for rows in (7, 8):
        told = replace(check(CheckStatus.PASSED), details={"rows": rows})
        pull = world.forge.set_check(world.name, pull.number, pull.head_commit, told)
    ((number, said),) = world.other.hub.repos[world.name].comments.items()
    assert '"rows": 8' in said.body
    last = world.other.hub.repos[world.name].statuses[-1]
    assert last.target_url == f"{pull.url}#issuecomment-{number}"
    assert (last.context, last.state) == ("greylag/equivalence", "success")


def test_what_somebody_merged_by_hand_counts_as_merged(world: GiteaWorld) -> None:
    """Gitea shows it as open still, and says "try again later" or worse to whoever would merge it."""
    pull = world.forge.open_or_update(world.spec())
    hub = world.other.hub
    git = Git(hub.repos[world.name].path)
    tip = git.branch("main")
    assert tip is not None
    made = git.merge("merge", tip, pull.head_commit, message="by hand", login="ann", when=hub.now())
    git.move("main", made)
    world.push("main", {"other.sql": b"later\n"})
    assert hub.repo(world.name).pulls[pull.number].state == "open"
    after = world.forge.get(world.name, pull.number)
    assert (after.state, after.merge_commit) == (PullRequestState.MERGED, made)
    done = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(done, Merged)
    assert (done.commit, done.already) == (made, True)
    back = world.forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)
    assert isinstance(world.forge.merge(world.name, back.number, back.head_commit), Merged)
    assert world.at_main("q.sql") == FIRST["q.sql"]


def test_a_branch_that_a_person_set_back_is_not_merged(world: GiteaWorld) -> None:
    spec = world.spec()
    pull = world.forge.open_or_update(spec)
    git = Git(world.other.hub.repos[world.name].path)
    git.move(spec.head, git.branch("main"))
    assert world.forge.get(world.name, pull.number).state is PullRequestState.OPEN


def test_what_was_squashed_is_taken_back_on_another_machine(tmp_path: Path) -> None:
    with gitea_world(tmp_path, merge_method="squash") as world:
        spec = world.spec()
        pull = world.merged(spec)
        assert (pull.head, pull.head_commit) == (spec.head, spec.commit), "though its branch is gone"
        world.push("main", {"other.sql": b"later\n"})
        other = make_forge(world.other, tmp_path / "another")
        other.mirror.open(world.name)
        back = other.revert(world.name, pull.number)
        assert isinstance(back, PullRequest)
        assert isinstance(other.merge(world.name, back.number, back.head_commit), Merged)
        assert Git(world.other.hub.repos[world.name].path).branch(pull.head) is None
        again = make_forge(world.other, tmp_path / "third")
        repo = again.mirror.open(world.name)
        assert repo.find(repo.head(), "q.sql") == FIRST["q.sql"]
