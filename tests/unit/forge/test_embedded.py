"""The embedded forge: the contract, several processes, and what a killed process leaves."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from tests.unit.forge.contract import FIRST, WHO, ForgeContract, World, check

from greylag.domain.check import CheckStatus
from greylag.forge import EmbeddedForge, Merged, PullRequest, PullRequestSpec, PullRequestState
from greylag.forge.base import Unavailable
from greylag.workspace import MergeResult, Repository


def make_world(root: Path) -> World:
    repo = Repository.init_bare(root / "shop" / "etl.git")
    if repo.ref("refs/heads/main") is None:
        repo.set_ref("refs/heads/main", repo.commit(None, FIRST, message="first", **WHO), expected=None)
    return World(forge=EmbeddedForge(root), repo=repo)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


class TestEmbedded(ForgeContract):
    """Runs the contract."""


def test_a_glance_says_what_each_look_says(world: World) -> None:
    """Whatever was done to the branches, and by whom: before the record knows of it."""
    forge, repo = world.forge, world.repo
    base = repo.head()
    number = {}
    for name in ("open", "merged", "merged-by-git", "closed", "deleted", "pushed", "base-moved"):
        commit = repo.commit(base, {f"{name}.sql": b"select 2\n"}, message=name, **WHO)
        spec = PullRequestSpec(
            repository=world.name, base="main", head=name, commit=commit, title="t", body="b", key=name
        )
        number[name] = forge.open_or_update(spec).number
    closed, merged = forge.get(world.name, number["closed"]), forge.get(world.name, number["merged"])
    forge.close(world.name, closed.number)
    assert isinstance(forge.merge(world.name, merged.number, merged.head_commit), Merged)
    deleted, pushed = (repo.ref(f"refs/heads/{name}") for name in ("deleted", "pushed"))
    assert deleted and pushed
    repo.set_ref("refs/heads/deleted", None, expected=deleted)
    other = repo.commit(pushed, {"theirs.sql": b"select 3\n"}, message="theirs", **WHO)
    repo.set_ref("refs/heads/pushed", other, expected=pushed)
    theirs, tip = repo.ref("refs/heads/merged-by-git"), repo.head()
    assert theirs
    made = repo.merge(tip, theirs, message="by git", **WHO)
    assert isinstance(made, MergeResult)
    repo.set_ref("refs/heads/main", made.commit, expected=tip)

    seen = forge.glance({(world.name, name) for name in (*number, "no such key")} | {("no such", "open")})
    states = {key: glance.state.value for (_, key), glance in seen.items()}
    assert states == dict.fromkeys(number, "open") | {
        "merged": "merged",
        "merged-by-git": "merged",
        "closed": "closed",
        "deleted": "closed",
    }
    for (repository, key), glance in seen.items():
        whole = forge.find_key(repository, key)
        assert whole is not None
        for name in ("number", "state", "head_commit", "merge_commit", "url"):
            assert getattr(glance, name) == getattr(whole, name), (key, name)
    assert seen[world.name, "pushed"].head_commit == other


def drive(root: Path) -> None:
    """Propose, merge, take back: what an engine does, written so that it may be repeated."""
    world = make_world(root)
    first = next(info.id for info in world.repo.log(world.repo.head()) if not info.parents)
    commit = world.repo.commit(first, {"q.sql": b"select 2\n"}, message="edit", **WHO)
    spec = PullRequestSpec(
        repository=world.name, base="main", head="greylag/x", commit=commit, title="t", body="b", key="k"
    )
    pull = world.forge.open_or_update(spec)
    world.forge.set_check(world.name, pull.number, commit, check(CheckStatus.PASSED))
    world.forge.comment(world.name, pull.number, key="hello", body="hello")
    assert isinstance(world.forge.merge(world.name, pull.number, commit), Merged)
    back = world.forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)
    assert isinstance(world.forge.merge(world.name, back.number, back.head_commit), Merged)


def assert_driven_once(root: Path) -> None:
    world = make_world(root)
    pulls = world.forge.pull_requests()
    assert [(pull.number, pull.state, pull.reverts) for pull in pulls] == [
        (1, PullRequestState.MERGED, None),
        (2, PullRequestState.MERGED, 1),
    ]
    assert [comment.body for comment in pulls[0].comments] == ["hello"]
    line = [info for info in world.repo.log(world.repo.head(), first_parent=True) if len(info.parents) > 1]
    assert [info.id for info in line] == [pulls[1].merge_commit, pulls[0].merge_commit]
    assert list(world.repo.refs()) == ["refs/heads/main"]
    assert world.at_main("q.sql") == FIRST["q.sql"]


def killed_after(root: Path, events: int) -> bool:
    """Drive in a child that kills itself with signal 9 after so many calls; whether it came to that."""
    child = os.fork()
    if child == 0:
        left = events

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        try:
            drive(root)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def release_locks(root: Path) -> None:
    # A killed process may leave a ref's lock file; time passes before it is taken for dead.
    for lock in root.rglob("*.lock"):
        os.utime(lock, (1_700_000_000, 1_700_000_000))


def test_killed_anywhere_and_called_again_it_ends_once(tmp_path: Path) -> None:
    events, kills = 3, 0
    while True:
        root = tmp_path / str(events)
        if not killed_after(root, events):
            break
        kills += 1
        killed_after(root, events * 3 // 2)
        release_locks(root)
        drive(root)
        assert_driven_once(root)
        shutil.rmtree(root)
        events += 149
    assert kills > 25


def test_processes_that_do_the_same_do_it_once(tmp_path: Path) -> None:
    make_world(tmp_path)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=drive, args=(tmp_path,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert_driven_once(tmp_path)


def merge_own(root: Path, name: str) -> None:
    world = make_world(root)
    for number in range(5):
        commit = world.repo.commit(
            world.repo.head(), {f"{name}{number}": b"x"}, message=f"{name}{number}", **WHO
        )
        branch = f"b-{name}{number}"
        pull = world.forge.open_or_update(world.spec(head=branch, key=branch, commit=commit))
        assert isinstance(world.forge.merge(world.name, pull.number, commit), Merged)


def test_processes_that_merge_into_one_branch_lose_nothing(tmp_path: Path) -> None:
    make_world(tmp_path)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=merge_own, args=(tmp_path, name)) for name in "xy"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    world = make_world(tmp_path)
    assert len(world.repo.files(world.repo.head())) == len(FIRST) + 10
    assert [pull.number for pull in world.forge.pull_requests()] == list(range(1, 11))


def test_what_people_did_with_git_is_seen(world: World) -> None:
    spec = world.spec()
    pull = world.forge.open_or_update(spec)
    world.repo.set_ref("refs/heads/main", spec.commit, expected=world.repo.head())
    seen = world.forge.get(world.name, pull.number)
    assert (seen.state, seen.merge_commit) == (PullRequestState.MERGED, spec.commit), "fast-forwarded by hand"
    back = world.forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)
    assert isinstance(world.forge.merge(world.name, back.number, back.head_commit), Merged)
    assert world.at_main("q.sql") == FIRST["q.sql"]
    other = world.spec(head="greylag/other", key="other")
    number = world.forge.open_or_update(other).number
    world.repo.set_ref("refs/heads/greylag/other", None, expected=other.commit)
    assert world.forge.get(world.name, number).state is PullRequestState.CLOSED, "branch deleted by hand"


def test_a_branch_merged_inside_another_is_not_taken_back_blindly(world: World) -> None:
    spec = world.spec()
    pull = world.forge.open_or_update(spec)
    side = world.repo.commit(world.repo.head(), {"side": b"s"}, message="side", **WHO)
    bundle = world.repo.merge(side, spec.commit, message="bundle", **WHO)
    assert isinstance(bundle, MergeResult)
    tip = world.repo.merge(world.repo.head(), bundle.commit, message="all", **WHO)
    assert isinstance(tip, MergeResult)
    world.repo.set_ref("refs/heads/main", tip.commit, expected=world.repo.head())
    seen = world.forge.get(world.name, pull.number)
    assert seen.merge_commit == tip.commit
    back = world.forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)
    assert isinstance(world.forge.merge(world.name, back.number, back.head_commit), Merged)
    assert world.at_main("q.sql") == FIRST["q.sql"]
    assert world.at_main("side") == b"s"


def test_while_its_records_cannot_be_used_it_is_away(tmp_path: Path) -> None:
    """As on a full disk: nothing is known then, and it is nobody's fault."""
    world = make_world(tmp_path)
    forge = world.forge
    pull = forge.open_or_update(world.spec())
    keys = {(pull.repository, pull.key)}
    assert forge.glance(keys)
    (tmp_path / ".forge").rename(tmp_path / "away")
    for call in (
        lambda: forge.get(pull.repository, pull.number),
        lambda: forge.find_key(pull.repository, pull.key),
        lambda: forge.close(pull.repository, pull.number),
    ):
        with pytest.raises(Unavailable, match="records"):
            call()
    assert not forge.glance(keys)
    (tmp_path / "away").rename(tmp_path / ".forge")
    assert forge.get(pull.repository, pull.number).state is PullRequestState.OPEN
