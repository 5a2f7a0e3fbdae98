"""What goes wrong between us and a hosted forge: lost requests and answers, dead processes, people who push.

A flow (propose, check, say, propose better, merge, take back) is gone through while one changing request of
it fails, before or after it was carried out, as often as it is tried. When a call raises, the process is
dead: another one makes the same call again. In the end there must be one pull request and its revert, each
comment once, each label once, and the very bytes. And whenever a person pushes, that stays.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

from tests.unit.forge.contract import FIRST, World, check

from greylag.domain.check import CheckStatus
from greylag.forge import Forge, Merged, PullRequest
from greylag.forge.base import ForgeError
from greylag.forge.hosted.marker import unmark_comment
from greylag.testing.hosting import Fault, Git, HostingServer, Seen

T = TypeVar("T")


@dataclass
class Caller:
    """Makes calls as processes do that die of an error, and are followed by another."""

    world: World
    server: HostingServer[Any, Any]
    again: Callable[[], Forge]
    deaths: int = 0

    def __post_init__(self) -> None:
        self.forge = self.world.forge

    def sure(self, call: Callable[[Forge], T]) -> T:
        """The result, of the second process if need be. What went wrong is over by then."""
        try:
            return call(self.forge)
        except ForgeError:
            self.deaths += 1
            self.server.front.heal()
            self.forge = self.again()
            return call(self.forge)


def flow(caller: Caller) -> tuple[PullRequest, PullRequest]:
    """All of it; returns the pull request and its revert, both merged."""
    world, name = caller.world, caller.world.name
    spec = world.spec()
    pull = caller.sure(lambda forge: forge.open_or_update(spec))
    passed = check(CheckStatus.PASSED)
    caller.sure(lambda forge: forge.set_check(name, pull.number, spec.commit, passed))
    caller.sure(lambda forge: forge.comment(name, pull.number, key="k", body="one"))
    caller.sure(lambda forge: forge.comment(name, pull.number, key="k", body="two"))
    better = replace(
        world.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n"), title="Better", labels=("greylag", "b")
    )
    caller.sure(lambda forge: forge.open_or_update(better))
    caller.sure(lambda forge: forge.set_check(name, pull.number, better.commit, passed))
    done = caller.sure(lambda forge: forge.merge(name, pull.number, better.commit))
    assert isinstance(done, Merged), done
    back = caller.sure(lambda forge: forge.revert(name, pull.number))
    assert isinstance(back, PullRequest), back
    undone = caller.sure(lambda forge: forge.merge(name, back.number, back.head_commit))
    assert isinstance(undone, Merged), undone
    return caller.forge.get(name, pull.number), caller.forge.get(name, back.number)


def faults_of(caller: Caller) -> list[Fault]:
    """What a flow changes, request by request, as faults that would hit each; all goes well meanwhile."""
    before = len(caller.server.requests)
    flow(caller)
    seen = [one for one in caller.server.requests[before:] if one.method != "GET"]
    # Two branches are made and dropped, and one is moved.
    pushes = [Seen(method="POST", path=".git/git-receive-pack", status=200, user=None)] * 5
    times: Counter[tuple[str, str]] = Counter()
    found = []
    for one in (*seen, *pushes):
        path = f"{_anywhere(one.path, caller.world.name)}$"
        found.append(Fault(method=one.method, path=path, skip=times[one.method, path], times=99))
        times[one.method, path] += 1
    return found


def _anywhere(path: str, name: str) -> str:
    """The pattern of a path in whatever repository: commits and comments are called otherwise there."""
    pattern = re.escape(path).replace(re.escape(name), "[^/]+/[^/]+")
    pattern = pattern.replace(re.escape(quote(name, safe="")), "[^/]+")
    pattern = re.sub(r"(?<=/)[0-9a-f]{40}", "[0-9a-f]{40}", pattern)
    return re.sub(r"((?:comments|notes)/)\d+", r"\1\\d+", pattern)


def fired(caller: Caller) -> bool:
    """Whether something failed on purpose."""
    return any(one.status == Fault().status for one in caller.server.requests)


def converged(caller: Caller, pull: PullRequest, back: PullRequest) -> None:
    """One of everything."""
    repo = caller.server.hub.repos[caller.world.name]
    assert sorted(repo.pulls) == [pull.number, back.number]
    assert (pull.title, back.reverts, back.key) == ("Better", pull.number, f"revert:{pull.key}")
    said = [(one.number, unmark_comment(one.body)) for one in repo.comments.values()]
    assert [(number, told) for number, told in said if number == pull.number and told and told[0] == "k"] == [
        (pull.number, ("k", "two"))
    ]
    assert len({(number, told[0]) for number, told in said if told}) == len(said), "each key is said once"
    assert len(pull.labels) == len(set(pull.labels))
    assert {"greylag", "b"} <= set(pull.labels)
    assert pull.checks["equivalence"].status is CheckStatus.PASSED
    world = caller.world
    world.forge.get(world.name, back.number)
    caller.forge.mirror.sync(world.name, "main")  # type: ignore[attr-defined]
    assert world.at_main("q.sql") == FIRST["q.sql"]


@contextmanager
def somebody_pushing(caller: Caller, branch: str, after: int) -> Iterator[list[str]]:
    """Once so many requests were answered, and the branch is there, a person pushes to it."""
    pushed: list[str] = []
    front, hub, name = caller.server.front, caller.server.hub, caller.world.name
    count, log = len(front.seen) + after, front.log

    def and_then(call: Any, status: int) -> None:
        log(call, status)
        there = Git(hub.repos[name].path).branch(branch) is not None
        if not pushed and there and len(front.seen) >= count:
            pushed.append(branch)
            pushed[0] = hub.push(name, branch, {"theirs": b"t"})

    front.log = and_then  # type: ignore[method-assign]
    try:
        yield pushed
    finally:
        front.log = log  # type: ignore[method-assign]


def with_a_person(caller: Caller, after: int) -> bool:
    """Propose, check, say and merge, while a person pushes after so many requests. False: over by then.

    What they pushed is where they put it, and is not merged: it was not proven.
    """
    world, name = caller.world, caller.world.name
    spec = world.spec()
    with somebody_pushing(caller, spec.head, after) as pushed:
        pull = caller.forge.open_or_update(spec)
        caller.forge.set_check(name, pull.number, spec.commit, check(CheckStatus.PASSED))
        caller.forge.comment(name, pull.number, key="k", body="one")
        told = caller.forge.merge(name, pull.number, spec.commit)
    if not pushed:
        return False
    git = Git(caller.server.hub.repos[name].path)
    tip = git.branch("main")
    assert git.branch(spec.head) == pushed[0], "what a person pushed stays where it is"
    assert tip is not None
    assert not git.contains(tip, pushed[0]), "and is not merged"
    assert git.contains(tip, spec.commit) is isinstance(told, Merged)
    return True


SLOW = "GREYLAG_SLOW" in os.environ
"""All cases, and not one in so many."""


def one_failure_anywhere(caller_on: Callable[[int], Caller], step: int) -> None:
    """Each change of a flow fails, before or after it was carried out; one in `step` of these cases."""
    faults = faults_of(caller_on(0))
    assert len(faults) > 15
    cases = [(fault, after) for fault in faults for after in (False, True)]
    for number, (fault, after) in enumerate(cases[:: 1 if SLOW else step], 1):
        caller = caller_on(number)
        caller.server.requests.clear()
        caller.server.front.fault(replace(fault, after=after))
        try:
            pull, back = flow(caller)
            caller.server.front.heal()
            assert fired(caller)
            converged(caller, pull, back)
        except AssertionError as error:
            raise AssertionError(f"{fault.method} {fault.path} #{fault.skip} {after=}: {error}") from error


def a_person_at_any_time(caller_on: Callable[[int], Caller], step: int) -> None:
    """A person pushes after 10 requests of a flow, after `step` more, and so on until the flow has ended."""
    for after in range(10, 200, 1 if SLOW else step):
        if not with_a_person(caller_on(after), after):
            break
    else:
        raise AssertionError("the flow ends at some time")
    assert after > 30
