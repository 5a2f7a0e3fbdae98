"""What is special on GitLab: drafts by title, commands in texts, people by number, rules, trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.forge.contract import FIRST, check
from tests.unit.forge.gitlab_world import BOT, NAME, GitLabWorld, gitlab_world, make_api, make_forge

from greylag.domain.check import CheckStatus
from greylag.forge import (
    ForgeError,
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestState,
    RevertRefusal,
)
from greylag.forge.gitlab.texts import as_written, drafted, harmless, undrafted
from greylag.testing.gitlab import Limits
from greylag.testing.hosting import Status


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with gitlab_world(tmp_path) as made:
        yield made


def project(world: GitLabWorld) -> Any:
    return world.other.hub.repo(NAME)


def test_a_draft_is_ready_once_its_checks_have_passed_and_stays_one_when_edited(tmp_path: Path) -> None:
    with gitlab_world(tmp_path, draft=True) as world:
        pull = world.forge.open_or_update(world.spec())
        there = project(world).pulls[pull.number]
        assert (pull.title, there.title, there.draft) == ("Move", "Draft: Move", True)
        newer = world.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n", title="Move again")
        pull = world.forge.open_or_update(newer)
        assert (pull.title, there.title, there.draft) == ("Move again", "Draft: Move again", True)
        world.forge.set_check(NAME, pull.number, pull.head_commit, check(CheckStatus.INCONCLUSIVE))
        assert there.draft
        world.forge.set_check(NAME, pull.number, pull.head_commit, check(CheckStatus.PASSED))
        assert (there.title, there.draft) == ("Move again", False)
        assert isinstance(world.forge.merge(NAME, pull.number, pull.head_commit), Merged)
        back = world.forge.revert(NAME, pull.number)
        assert isinstance(back, PullRequest)
        assert isinstance(world.forge.merge(NAME, back.number, back.head_commit), Merged), (
            "no check waits for it"
        )


def test_a_text_of_ours_is_no_command_to_gitlab(world: GitLabWorld) -> None:
    body = "Why\n/close\n```\n/close\n```\n  /label ~x\n/tmp/x is a path"
    spec = replace(world.spec(), body=body)
    pull = world.forge.open_or_update(spec)
    assert (pull.state, pull.body) == (PullRequestState.OPEN, body)
    world.forge.comment(NAME, pull.number, key="k", body="It says:\n/close\nand more")
    after = world.forge.get(NAME, pull.number)
    assert after.state is PullRequestState.OPEN
    assert after.comments[0].body == "It says:\n/close\nand more"
    changed = sum(1 for one in world.other.requests if one.method == "PUT")
    assert world.forge.open_or_update(spec) == after
    assert sum(1 for one in world.other.requests if one.method == "PUT") == changed, "it was as it should be"


@pytest.mark.parametrize(
    "text", ["/close", "a\n/a", "```\n/a\n```\n/b", "~~~~\n```\n/a\n~~~~\n/b", " /a", "/ a", "a"]
)
def test_what_was_made_harmless_is_read_as_it_was(text: str) -> None:
    ours = f"{text}\n<!-- greylag x -->"
    assert as_written(harmless(ours)) == ours
    assert as_written("\\/greylag retry") == "\\/greylag retry", "people's texts are read as they are"


@pytest.mark.parametrize("title", ["Draft: x", "draft:x", "[Draft] x", "(draft) x", "x"])
def test_titles_of_drafts(title: str) -> None:
    assert (undrafted(title), drafted(title)) == ("x", "Draft: x")
    assert undrafted("Drafty x") == "Drafty x"


def test_people_are_asked_by_number_and_the_others_are_named(world: GitLabWorld) -> None:
    world.other.hub.group("shop/team2", {"eve": "write"})
    project(world).access["Ann"] = "read"
    wanted = ("@nobody", "@shop/team2", "@@developers", "mail@example.org", "@team", "@Ann", f"@{BOT}")
    spec = replace(world.spec(), reviewers=wanted, assignees=("@team", "@nobody"))
    pull = world.forge.open_or_update(spec)
    assert (pull.reviewers, pull.assignees) == (("@team", "@Ann"), ("@team",))
    told = {comment.key: comment.body for comment in pull.comments}
    assert "`@nobody`, `@shop/team2`, `@@developers`, `mail@example.org`" in told["reviewers"]
    assert "`@nobody`" in told["assignees"]
    assert world.forge.open_or_update(spec).reviewers == pull.reviewers


def test_a_plan_with_room_for_one_reviewer_keeps_whom_people_chose(world: GitLabWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.premium = False
    project(world).access["carl"] = "read"
    again = world.forge.open_or_update(replace(world.spec(), reviewers=("@team", "@carl")))
    assert (pull.reviewers, again.reviewers) == (("@team",), ("@team",))
    assert "`@carl`" in {one.key: one.body for one in again.comments}["reviewers"]


def test_rules_hold_a_merge_back_with_their_reason(world: GitLabWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    there = project(world)
    rules: list[tuple[str, object, str]] = [
        ("approvals", 1, "it needs more approvals"),
        ("needs_pipeline", True, "its pipeline must succeed first, and has not"),
        ("merge_level", 40, "we may not merge into its target branch"),
    ]
    for field, value, words in rules:
        before = getattr(there, field)
        setattr(there, field, value)
        refused = world.forge.merge(NAME, pull.number, pull.head_commit)
        assert isinstance(refused, NotMergeable)
        assert refused.reason is MergeRefusal.RULES
        assert words in refused.message
        setattr(there, field, before)
    there.needs_pipeline = True
    world.forge.set_check(NAME, pull.number, pull.head_commit, check(CheckStatus.INCONCLUSIVE))
    refused = world.forge.merge(NAME, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable), "inconclusive is not passed"
    world.forge.set_check(NAME, pull.number, pull.head_commit, check(CheckStatus.PASSED))
    assert isinstance(world.forge.merge(NAME, pull.number, pull.head_commit), Merged)


def test_a_project_that_wants_a_rebase_says_so(world: GitLabWorld) -> None:
    project(world).merge_method = "ff"
    pull = world.forge.open_or_update(world.spec())
    world.push("main", {"other.sql": b"later\n"})
    refused = world.forge.merge(NAME, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert (refused.reason, refused.paths) == (MergeRefusal.RULES, ())
    assert "need_rebase" in refused.message


@pytest.mark.parametrize(
    ("method", "options"), [("ff", {}), ("rebase_merge", {}), ("merge", {"merge_method": "squash"})]
)
def test_every_way_to_merge_can_be_taken_back(
    tmp_path: Path, method: str, options: dict[str, object]
) -> None:
    with gitlab_world(tmp_path, **options) as world:
        project(world).merge_method = method
        pull = world.merged(world.spec())
        assert world.repo.head() == pull.merge_commit
        if method == "ff":
            assert pull.merge_commit == pull.head_commit
        back = world.forge.revert(NAME, pull.number)
        assert isinstance(back, PullRequest)
        assert isinstance(world.forge.merge(NAME, back.number, back.head_commit), Merged)
        assert world.at_main("q.sql") == FIRST["q.sql"]


@pytest.mark.parametrize("heads", [True, False])
def test_what_was_squashed_is_taken_back_on_another_machine(tmp_path: Path, heads: bool) -> None:
    with gitlab_world(tmp_path, merge_method="squash") as world:
        pull = world.merged(world.spec())
        if not heads:
            world.other.hub.head_ref = ""
            (project(world).path / "refs" / "merge-requests" / "1" / "head").unlink()
        forge, mirror = make_forge(world.other, tmp_path / "elsewhere")
        back = forge.revert(NAME, pull.number)
        if heads:
            assert isinstance(back, PullRequest)
            assert isinstance(forge.merge(NAME, back.number, back.head_commit), Merged)
            repo = mirror.open(NAME)
            assert repo.find(repo.head(), "q.sql") == FIRST["q.sql"]
        else:
            assert isinstance(back, NotRevertible)
            assert (back.reason, back.message[:30]) == (
                RevertRefusal.CONFLICT,
                "its own commits are not here a",
            )


def test_a_merge_train_takes_it_or_says_why_not(world: GitLabWorld, tmp_path: Path) -> None:
    project(world).trains = True
    forge, mirror = make_forge(world.other, tmp_path / "trains")
    pull = forge.open_or_update(replace(world, repo=mirror.open(NAME)).spec())

    def merge() -> tuple[MergeRefusal, str]:
        told = forge.merge(NAME, pull.number, pull.head_commit)
        assert isinstance(told, NotMergeable)
        return told.reason, told.message

    assert merge() == (MergeRefusal.QUEUED, "it waits on the merge train")
    assert merge()[0] is MergeRefusal.QUEUED, "it is not put there twice"
    assert len(project(world).cars) == 1
    world.other.hub.run_train(NAME, fails="the pipeline did not succeed")
    left = merge()
    assert left[0] is MergeRefusal.DEQUEUED
    assert left[1].startswith("it left the merge queue: the pipeline did not succeed (20")
    assert merge()[0] is MergeRefusal.QUEUED, "asked again, it is put there again"
    world.other.hub.run_train(NAME, fails="the pipeline did not succeed")
    assert merge()[0] is MergeRefusal.DEQUEUED, "for the same reason once more: it is told once more"
    assert merge()[0] is MergeRefusal.QUEUED
    assert forge.get(NAME, pull.number).queued
    world.other.hub.run_train(NAME)
    done = forge.merge(NAME, pull.number, pull.head_commit)
    assert isinstance(done, Merged)
    assert done.already
    assert [one.body for one in forge.remarks({NAME}).items] == [], "GitLab's own notes are nobody's words"


def test_answers_that_get_lost_make_nothing_twice(world: GitLabWorld) -> None:
    for method, path in (
        ("POST", "/merge_requests$"),
        ("PUT", r"/merge_requests/\d+$"),
        ("POST", "/notes$"),
        ("POST", "/statuses/"),
        ("PUT", "/merge$"),
    ):
        world.other.fault(method=method, path=path, drop=True, after=True)
    pull = world.forge.open_or_update(world.spec())
    world.forge.comment(NAME, pull.number, key="k", body="once")
    told = world.forge.set_check(NAME, pull.number, pull.head_commit, check(CheckStatus.PASSED))
    assert told.checks["equivalence"].status is CheckStatus.PASSED
    assert isinstance(world.forge.merge(NAME, pull.number, pull.head_commit), Merged)
    there = project(world)
    assert (len(there.pulls), len(there.comments), len(there.statuses)) == (1, 1, 2)
    assert sum(1 for one in world.other.requests if one.status == 0) == 5


def test_a_limit_is_waited_for(world: GitLabWorld) -> None:
    now = [4e9]
    front = world.other.front
    front.clock, front.limits = (lambda: now[0]), Limits(requests=3, window=50.0, retry_after=60)
    api = make_api(world.other, sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    for _ in range(4):
        assert api.repository(NAME) is not None
    assert [one.status for one in world.other.requests][-5:] == [200, 200, 200, 429, 200]
    assert 59 < now[0] - 4e9 < 61


def test_checks_of_others_count_unless_they_may_fail(world: GitLabWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    for status in (
        CheckStatus.INCONCLUSIVE,
        CheckStatus.INCONCLUSIVE,
        CheckStatus.ERRORED,
        CheckStatus.PASSED,
    ):
        told = world.forge.set_check(NAME, pull.number, pull.head_commit, check(status))
        assert told.checks["equivalence"] == check(status), "pending twice is refused, and no error"
    job = Status(
        id=1,
        sha=pull.head_commit,
        context="lint",
        state="failed",
        description="",
        target_url=None,
        at=datetime.now(UTC),
        extra={"allow_failure": True},
    )
    project(world).statuses.append(job)
    read = world.forge.get(NAME, pull.number)
    assert read.checks["lint"].status is CheckStatus.INCONCLUSIVE
    job.extra["allow_failure"] = False
    refused = world.forge.merge(NAME, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert (refused.reason, refused.message) == (MergeRefusal.CHECKS, "not passed: lint")


def test_a_status_leads_to_the_note_with_the_evidence(world: GitLabWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    for rows in (12, 13):
        told = replace(check(CheckStatus.PASSED), details={"rows": rows})
        world.forge.set_check(NAME, pull.number, pull.head_commit, told)
    (note,) = project(world).comments.values()
    assert '"rows": 13' in note.body
    assert project(world).statuses[-1].target_url == f"{pull.url}#note_{note.id}"


def test_remarks_cost_one_request_a_project_when_nothing_is_said(tmp_path: Path) -> None:
    with gitlab_world(tmp_path) as world:
        then = datetime(2026, 3, 1, tzinfo=UTC)
        world.other.hub.clock = lambda: then
        pull = world.forge.open_or_update(world.spec())
        world.say(pull.number, "hello")
        mark = world.forge.remarks({NAME}).mark
        world.forge.remarks({NAME}, mark)
        before = len(world.other.requests)
        again = world.forge.remarks({NAME}, mark)
        assert [one.body for one in again.items] == ["hello"]
        paths = [one.path.rpartition("/")[2] for one in world.other.requests[before:]]
        assert paths == ["merge_requests", str(world.other.hub.user_id("ann"))], (
            "and the right of who spoke last"
        )
        world.say(pull.number, "more")
        assert [one.body for one in world.forge.remarks({NAME}, mark).items] == ["hello"], "the same instant"
        then = datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)
        world.say(pull.number, "later")
        assert [one.body for one in world.forge.remarks({NAME}, mark).items] == ["hello", "more", "later"]


def test_who_may_write_is_asked_now_and_by_number(world: GitLabWorld) -> None:
    hub = world.other.hub
    hub.group("shop", {"lead": "admin", "guest": "read"})
    api = make_api(world.other)
    pull = world.forge.open_or_update(world.spec())
    for login in ("lead", "guest", "stranger"):
        hub.say(NAME, pull.number, "x", login)
    known = {one.author for one in api.comments(NAME, pull.number)}
    assert {login: api.may_write(NAME, login) for login in known} == {
        "lead": True,
        "guest": False,
        "stranger": False,
    }
    assert not api.may_write(NAME, "nobody")
    hub.groups["shop"].access["lead"] = "read"
    assert not api.may_write(NAME, "lead")
    hub.groups["shop"].access["lead"] = "write"
    hub.users["renamed"] = hub.users.pop("lead")
    hub.groups["shop"].access["renamed"] = hub.groups["shop"].access.pop("lead")
    assert not api.may_write(NAME, "lead"), "that number is called otherwise now"


def test_a_project_that_moves_meanwhile_goes_on_under_its_old_name(world: GitLabWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.move(NAME, "shop/platform/etl")
    newer = world.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n")
    moved = world.forge.open_or_update(newer)
    assert (moved.number, moved.head_commit) == (pull.number, newer.commit)
    assert isinstance(world.forge.merge(NAME, moved.number, newer.commit), Merged)
    assert world.at_main("q.sql") == b"select 3\nfrom a\nwhere x\n\n-- end\n"


def test_a_fork_is_not_believed(world: GitLabWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.fork(NAME, "eve/etl")
    project(world).pulls[pull.number].extra["source"] = "eve/etl"
    assert world.forge.find_key(NAME, "users-v2:etl") is None
    assert world.forge.find(NAME, pull.head) is None


def test_tokens_are_written_nowhere(world: GitLabWorld, tmp_path: Path) -> None:
    world.merged(world.spec())
    tokens = [one for one, (login, _) in world.other.hub.tokens.items() if login == BOT]
    for file in tmp_path.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        assert not any(token.encode() in data for token in tokens), file
    with pytest.raises(ForgeError) as error:
        world.forge.open_or_update(replace(world.spec(), repository="shop/none"))
    assert not any(token in str(error.value) for token in tokens)
    assert make_api(world.other, oauth=True).repository(NAME) is not None
