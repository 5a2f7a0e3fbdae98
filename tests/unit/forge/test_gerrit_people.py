"""The Gerrit adapter among people, lost answers and other rules; what its server refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.forge.contract import WHO, check
from tests.unit.forge.gerrit_world import BOT, GerritWorld, gerrit_world, make_api, make_forge

from greylag.domain.check import CheckStatus
from greylag.forge import ForgeError, Merged, MergeRefusal, NotMergeable, PullRequest, PullRequestState
from greylag.forge.gerrit.wording import Origin, change_id, message, origin_of
from greylag.forge.hosted import Refused, Selection, select
from greylag.testing.gerrit.values import Change


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GerritWorld]:
    with gerrit_world(tmp_path) as made:
        yield made


def change_of(world: GerritWorld, number: int) -> Change:
    return world.other.hub.changes[number]


def test_several_commits_are_one_patch_set(world: GerritWorld) -> None:
    first = world.spec()
    second = world.repo.commit(
        first.commit, {"other.sql": b"by agent\n"}, message="agent\n\nGreylag-Author: agent\n", **WHO
    )
    pull = world.forge.open_or_update(replace(first, commit=second))
    assert pull.head_commit == second, "what was proven is what it is called by"
    change = change_of(world, pull.number)
    commit = world.other.hub.git(change).repo[change.current.sha]
    assert [str(parent) for parent in commit.parent_ids] == [world.repo.head()]
    assert "One change of:\n- edit\n- agent" in commit.message
    assert "Greylag-Author: agent" in commit.message
    assert isinstance(world.forge.merge(world.name, pull.number, second), Merged)
    assert (world.at_main("other.sql"), len(world.other.hub.changes)) == (b"by agent\n", 1)


def test_the_same_spec_is_the_same_patch_set(world: GerritWorld, tmp_path: Path) -> None:
    spec = world.spec()
    pull = world.forge.open_or_update(spec)
    world.forge.open_or_update(spec)
    forge = make_forge(world.other, tmp_path / "elsewhere")
    there = replace(world, forge=forge, repo=forge.mirror.open(world.name))
    again = forge.open_or_update(there.spec())
    assert (again.number, again.head_commit) == (pull.number, spec.commit)
    assert len(change_of(world, pull.number).patch_sets) == 1
    assert change_of(world, pull.number).change_id == change_id(spec.key)


def test_a_patch_set_at_the_last_moment_is_refused(world: GerritWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    theirs: list[str] = []
    world.other.hub.before_submit = lambda: theirs.append(world.push("greylag/users-v2", {"q.sql": b"x\n"}))
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert refused.reason is MergeRefusal.SHA_MOVED
    kept = world.forge.open_or_update(world.spec(b"select 9\n"))
    assert [kept.head_commit] == theirs
    assert "is not put over it" in next(one.body for one in kept.comments if one.key == "kept")


def test_a_patch_set_that_ours_passed_is_told(world: GerritWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.before_push = lambda: world.push("greylag/users-v2", {"q.sql": b"theirs\n"}) and None
    newer = world.forge.open_or_update(world.spec(b"select 3\n"))
    change = change_of(world, pull.number)
    assert [one.uploader for one in change.patch_sets] == [BOT, "ann", BOT]
    assert newer.head_commit != pull.head_commit
    assert [one.body for one in newer.comments] == [
        "Patch set 2 was uploaded while ours was on its way, and is not part of it: look there."
    ]


def test_the_proof_is_a_vote(world: GerritWorld) -> None:
    world.other.hub.repos[world.name].required = ("Verified",)
    pull = world.forge.open_or_update(world.spec())
    votes = change_of(world, pull.number).votes
    name, number, sha = world.name, pull.number, pull.head_commit
    for status, expected in (
        (CheckStatus.INCONCLUSIVE, 0),
        (CheckStatus.FAILED, -1),
        (CheckStatus.PASSED, 1),
    ):
        told = world.forge.set_check(name, number, sha, check(status))
        assert (told.checks["equivalence"].status, votes["Verified", BOT]) == (status, expected)
        done = world.forge.merge(name, number, sha) if status is not CheckStatus.PASSED else None
        assert done is None or isinstance(done, NotMergeable)
    world.forge.set_check(name, number, sha, check(CheckStatus.INCONCLUSIVE, "tests"))
    assert votes["Verified", BOT] == 0, "one vote for all of ours"
    refused = world.forge.merge(name, number, sha)
    assert isinstance(refused, NotMergeable)
    assert (refused.reason, "'Verified' is unsatisfied" in refused.message) == (MergeRefusal.RULES, True)
    world.forge.set_check(name, number, sha, check(CheckStatus.PASSED, "tests"))
    assert isinstance(world.forge.merge(name, number, sha), Merged)


def test_without_the_label_it_is_told_only(tmp_path: Path) -> None:
    with gerrit_world(tmp_path, label="Proof") as world:
        pull = world.forge.open_or_update(world.spec())
        told = world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
        assert told.checks["equivalence"].status is CheckStatus.PASSED
        assert change_of(world, pull.number).votes == {}
        # Refused at the last of three tries: it is told all the same.
        world.other.fault(method="POST", path="/review$", status=502, times=2)
        told = world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.FAILED))
        assert told.checks["equivalence"].status is CheckStatus.FAILED


def test_what_others_say_under_our_tag_is_not_believed(world: GerritWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.repos[world.name].access["eve"] = "read"
    forged = "greylag/equivalence: passed"
    tag = "autogenerated:greylag:check:equivalence"
    make_api(world.other, "eve").review(world.name, pull.number, "current", message=forged, tag=tag)
    assert world.forge.get(world.name, pull.number).checks == {}


def test_topics_are_not_set_where_they_are_submitted_as_one(tmp_path: Path) -> None:
    for whole in (False, True):
        with gerrit_world(tmp_path / str(whole), whole_topic=whole) as world:
            spec = replace(world.spec(), labels=("greylag", "users-v2"))
            pull = world.forge.open_or_update(spec)
            assert change_of(world, pull.number).topic == (None if whole else "users-v2")
            assert pull.labels == ("greylag", "users-v2")


def test_what_would_be_submitted_alongside_is_not(tmp_path: Path) -> None:
    with gerrit_world(tmp_path, whole_topic=True) as world:
        first = world.forge.open_or_update(world.spec())
        other = world.forge.open_or_update(world.spec(b"other\n", key="k2", head="greylag/other"))
        for number in (first.number, other.number):
            change_of(world, number).topic = "a-persons"
        refused = world.forge.merge(world.name, first.number, first.head_commit)
        assert isinstance(refused, NotMergeable)
        assert (refused.reason, str(other.number) in refused.message) == (MergeRefusal.RULES, True)
        assert change_of(world, other.number).status == "NEW"


@pytest.mark.parametrize("submit_type", ["CHERRY_PICK", "REBASE_IF_NECESSARY", "MERGE_ALWAYS"])
def test_other_submit_types_are_taken_back_too(world: GerritWorld, submit_type: str) -> None:
    world.other.hub.repos[world.name].submit_type = submit_type
    spec = world.spec()
    pull = world.forge.open_or_update(spec)
    world.push("main", {"other.sql": b"meanwhile\n"})
    done = world.forge.merge(world.name, pull.number, spec.commit)
    assert isinstance(done, Merged)
    assert (done.commit, done.head) == (world.repo.head(), spec.commit)
    back = world.forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)
    assert isinstance(world.forge.merge(world.name, back.number, back.head_commit), Merged)
    assert world.at_main("q.sql") == b"select 1\nfrom a\nwhere x\n\n-- end\n"
    assert world.at_main("other.sql") == b"meanwhile\n"


def test_drafts_are_work_in_progress_until_proven(tmp_path: Path) -> None:
    with gerrit_world(tmp_path, draft=True) as world:
        pull = world.forge.open_or_update(world.spec())
        change = change_of(world, pull.number)
        assert (change.wip, change.attention) == (True, [])
        refused = world.forge.merge(world.name, pull.number, pull.head_commit)
        assert isinstance(refused, NotMergeable)
        assert "work in progress" in refused.message
        world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
        assert (change.wip, change.attention) == (False, ["team"])
        assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)


def test_lost_answers_make_nothing_twice(world: GerritWorld) -> None:
    for path in ("/review$", "/submit$", "/reviewers$", "/hashtags$", "/abandon$"):
        world.other.fault(method="POST", path=path, status=502, after=True)
    spec = replace(world.spec(), labels=("greylag", "more"))
    pull = world.forge.open_or_update(spec)
    world.forge.comment(world.name, pull.number, key="a", body="one")
    assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)
    second = world.forge.open_or_update(world.spec(b"select 2\n", key="k2"))
    assert world.forge.close(world.name, second.number).state is PullRequestState.CLOSED
    said = [one.tag for one in change_of(world, pull.number).messages if one.author == BOT and one.tag]
    ours = [tag for tag in said if tag.startswith("autogenerated:greylag:")]
    assert len(ours) == len(set(ours)) == 2, "the text and one comment"


def test_reviewers_who_cannot_be_asked_are_named(world: GerritWorld) -> None:
    world.other.hub.repos[world.name].access |= {"ann": "read", "zoe": "read"}
    world.other.hub.groups["data"] = ("ann", "zoe")
    wanted = ("@data", "@nobody", "team@example.org")
    pull = world.forge.open_or_update(replace(world.spec(), reviewers=wanted))
    assert set(pull.reviewers) == {"@ann", "@zoe", "@team"}
    assert [one.body for one in pull.comments] == ["Could not be asked for a review: `@nobody`."]


def test_who_may_is_asked_or_told_by_their_votes(world: GerritWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.sees_access.clear()
    for login, role in (("ann", "write"), ("eve", "read")):
        world.other.hub.repos[world.name].access[login] = role
        api = make_api(world.other, login)
        api.review(
            world.name, pull.number, "current", message="/greylag retry", tag="", labels={"Code-Review": 1}
        )
    heard = world.forge.remarks({world.name}).items
    assert [(one.author, one.body, one.may_write) for one in heard] == [
        ("ann", "/greylag retry", True),
        ("eve", "/greylag retry", False),
    ]


def test_projects_by_name_and_parent(world: GerritWorld) -> None:
    world.other.hub.add("shop/deep/er", {"a": b"a"}, access={BOT: "read"})
    world.other.hub.add("else/where", {"a": b"a"}, access={BOT: "read"})
    world.other.hub.add("shop/old", {"a": b"a"}, access={BOT: "read"}).read_only = True
    api = make_api(world.other)
    assert list(select(api, Selection(org="shop"))) == ["shop/deep/er", "shop/etl"]
    assert list(select(api, Selection(repositories=("else/where",)))) == ["else/where"]
    assert len(select(api, Selection(topic="All-Projects"))) == 3
    for wrong in (Selection(org="none"), Selection(query="x"), Selection(repositories=("a/b",))):
        with pytest.raises(ForgeError):
            select(api, wrong)


def test_the_footer_says_where_it_comes_from() -> None:
    origin = Origin(key="m/r/1", commit="a" * 40, start="b" * 40, head="greylag/m", reverts=7)
    text = message(
        "Two\nlines", origin, change_id("k"), subjects=("one",), trailers={"Greylag-Key": "x", "Other": "y"}
    )
    assert text.startswith("Two lines\n\nOther: y\n")
    assert origin_of(text) == origin
    assert origin_of("Move\n\nGreylag-Key: m\n") is None
    assert origin_of(f"{text}\nSomething: else\n") is None, "only what stands in the footer"


# The server's own rules.


def pushed(
    world: GerritWorld, text: str, ref: str = "refs/for/main", mail: str = f"{BOT}@example.org"
) -> None:
    """Push a commit with such a message for review."""
    new = world.repo.commit(
        world.repo.head(),
        {"q.sql": text.encode()},
        message=text,
        author="B",
        email=mail,
        when=datetime(2026, 3, 1, tzinfo=UTC),
    )
    world.forge.mirror.offer(world.name, new, ref)  # type: ignore[attr-defined]


def test_the_server_refuses_pushes(world: GerritWorld) -> None:
    good = f"Move\n\nChange-Id: {change_id('x')}\n"
    for words, text, ref, mail in (
        ("missing Change-Id", "Move\n", "refs/for/main", f"{BOT}@example.org"),
        ("multiple Change-Id", f"{good}Change-Id: {change_id('y')}\n", "refs/for/main", f"{BOT}@example.org"),
        ("branch none not found", good, "refs/for/none", f"{BOT}@example.org"),
        ("prohibited by Gerrit", good, "refs/heads/main", f"{BOT}@example.org"),
        ("not a valid option", good, "refs/for/main%speed=1", f"{BOT}@example.org"),
        ("invalid committer", good, "refs/for/main", "other@example.org"),
    ):
        with pytest.raises(ForgeError, match=words):
            pushed(world, text, ref, mail)
    assert world.other.hub.changes == {}
    pushed(world, good)
    with pytest.raises(ForgeError, match="no new changes"):
        pushed(world, good)
    (change,) = world.other.hub.changes.values()
    change.status = "ABANDONED"
    with pytest.raises(ForgeError, match="closed"):
        pushed(world, good.replace("Move", "Moved"))


def test_the_server_refuses_requests(world: GerritWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    api = make_api(world.other)
    here, sha = f"/changes/shop%2Fetl~{pull.number}", change_of(world, pull.number).current.sha
    for status, method, path, body in (
        (404, "GET", "/changes/shop%2Fetl~99", None),
        (400, "GET", "/changes/", None),
        (400, "GET", "/changes/?q=colour:red", None),
        (400, "POST", f"{here}/revisions/{sha}/review", {"labels": {"Speed": 1}}),
        (403, "POST", f"{here}/revisions/{sha}/review", {"labels": {"Verified": 2}}),
        (400, "POST", f"{here}/revisions/{sha}/review", {"message": "x" * 20_000}),
        (404, "POST", f"{here}/revisions/{'0' * 40}/submit", {}),
        (409, "POST", f"{here}/ready", {}),
        (409, "POST", f"{here}/restore", {}),
        (400, "POST", f"{here}/reviewers", {"reviewer": "nobody"}),
    ):
        with pytest.raises(Refused) as caught:
            api.client.exchange(method, path, body)
        assert caught.value.status == status, path
    raw = api.client.exchange("GET", here, None).content
    assert raw.startswith(b")]}'\n")
    assert b"current_revision" not in raw, "what is not asked for is not told"
    with pytest.raises(Refused, match="404"):
        make_api(world.other, "stranger").client.get(here)
