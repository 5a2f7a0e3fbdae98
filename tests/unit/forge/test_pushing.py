"""Branches of one repository that are pushed at the same time go in one push, and each has its own end."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.forge.github_world import BOT, make_api

from greylag.forge import ForgeError
from greylag.forge.hosted import Mirror, Unavailable
from greylag.forge.hosted.pushing import Push, Pushes, refusals
from greylag.testing.github import GitHubServer
from greylag.workspace import RefMoved, Repository

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NAME = "shop/mono"


class Counting(Mirror):
    """Counts what git is asked to push."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.pushed: list[int] = []

    def _run(
        self, repository: str, arguments: Sequence[str], *, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        if arguments[0] == "push":
            self.pushed.append(sum(":refs/heads/" in one for one in arguments if not one.startswith("--")))
        return super()._run(repository, arguments, cwd=cwd)


def refuse(repository: Path, branch: str) -> None:
    """A hook that refuses the whole push for the sake of one branch."""
    hook = repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n! grep -q refs/heads/{branch}$\n")
    hook.chmod(0o755)


def test_pushes_that_wait_for_each_other_go_together(tmp_path: Path) -> None:
    with GitHubServer(tmp_path / "server") as server:
        server.hub.add(NAME, {"q.sql": b"1\n"}, access={BOT: "write"})
        mirror = Counting(tmp_path / "fleet", make_api(server))
        repo = mirror.open(NAME)
        tip = repo.head()
        commits = {
            f"part-{number}": repo.commit(
                tip, {f"{number}": b"x\n"}, message="M\n", author="A", email="a@x.org", when=NOW
            )
            for number in range(6)
        }
        refuse(server.hub.repos[NAME].path, "part-5")
        ends: dict[str, Exception | None] = {}

        def push(branch: str, expected: str | None) -> None:
            try:
                mirror.push(NAME, branch, commits[branch], expected=expected)
                ends[branch] = None
            except (RefMoved, ForgeError) as error:
                ends[branch] = error

        threads = [
            threading.Thread(target=push, args=(branch, tip if branch == "part-4" else None))
            for branch in commits
        ]
        with mirror._pushing[NAME]:  # somebody else is pushing
            for thread in threads:
                thread.start()
            while mirror._pushes.waiting(NAME) < len(threads):
                threading.Event().wait(0.005)
        for thread in threads:
            thread.join()
        assert isinstance(ends.pop("part-4"), RefMoved)
        refused = ends.pop("part-5")
        assert isinstance(refused, ForgeError)
        assert "pre-receive hook declined" in str(refused)
        assert ends == dict.fromkeys(("part-0", "part-1", "part-2", "part-3"))
        there = Repository.open(server.hub.repos[NAME].path).refs("refs/heads/part-")
        assert there == {f"refs/heads/part-{number}": commits[f"part-{number}"] for number in range(4)}
        assert mirror.pushed[0] == 6
        assert set(mirror.pushed[1:]) == {1}  # refused together, tried one by one


@pytest.mark.parametrize(("status", "passes"), [(413, False), (403, False), (429, True), (502, True)])
def test_what_no_later_try_changes_is_told_from_a_forge_that_is_away(
    tmp_path: Path, status: int, passes: bool
) -> None:
    """Too much for the server, not allowed: git says "unexpected disconnect" then, too."""
    with GitHubServer(tmp_path / "server") as server:
        server.hub.add(NAME, {"q.sql": b"1\n"}, access={BOT: "write"})
        mirror = Mirror(tmp_path / "fleet", make_api(server))
        repo = mirror.open(NAME)
        commit = repo.commit(repo.head(), {"x": b"x\n"}, message="M\n", author="A", email="a@x.org", when=NOW)
        server.fault(method="POST", path="git-receive-pack", status=status, times=99)
        with pytest.raises(ForgeError) as told:
            mirror.push(NAME, "b", commit, expected=None)
    assert isinstance(told.value, Unavailable) is passes, told.value


def test_of_one_branch_the_pushes_follow_each_other() -> None:
    waiting = Pushes()
    first, second = (Push(branch="a", commit=commit, expected=None) for commit in ("1", "2"))
    other = Push(branch="b", commit="3", expected=None)
    for push in (first, second, other):
        waiting.add("r", push)
    assert waiting.take("r") == [first, other]
    assert waiting.take("r") == [second]
    assert waiting.take("r") == []


@pytest.mark.parametrize(
    ("line", "ref", "why"),
    [
        ("*\t1:refs/heads/a\t[new branch]", "refs/heads/a", None),
        ("-\t:refs/heads/a\t[deleted]", "refs/heads/a", None),
        (" \t1:refs/heads/a\t1..2", "refs/heads/a", None),
        ("!\t1:refs/heads/a\t[rejected] (stale info)", "refs/heads/a", "[rejected] (stale info)"),
    ],
)
def test_what_git_says_of_each_branch(line: str, ref: str, why: str | None) -> None:
    assert refusals(f"To http://x\n{line}\nDone\n") == {ref: why}
