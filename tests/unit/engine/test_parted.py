"""Parts of a repository, for what knows repositories only."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.campaigns import make_fleet

from greylag.domain.check import Verdict
from greylag.domain.migration import Rollout
from greylag.domain.parts import named, part, part_of, placed, whole
from greylag.domain.target import TargetState
from greylag.engine.actions import WaitKind
from greylag.engine.decide import decide
from greylag.engine.parted import PartedForge
from greylag.engine.world import Block, Rules, Target, Wave, World
from greylag.forge import EmbeddedForge, ForgeError, PullRequest, PullRequestSpec
from greylag.workspace import Repository

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def spec(root: Path, target: str, path: str) -> PullRequestSpec:
    repo = Repository.open(root / "mono.git")
    change = {path: b"x\n"}
    commit = repo.commit(repo.head(), change, message="Edit\n", author="A", email="a@x.org", when=NOW)
    return PullRequestSpec(
        repository=target,
        base="main",
        head="greylag/m",
        commit=commit,
        title="T",
        body="",
        key=f"m/{target}/1",
    )


def test_parts_of_a_repository_have_branches_pull_requests_and_remarks_of_their_own(tmp_path: Path) -> None:
    make_fleet(tmp_path, {"mono": {"a": "1\n", "b": "1\n"}})
    inner = EmbeddedForge(tmp_path)
    forge = PartedForge(inner)
    made = [forge.open_or_update(spec(tmp_path, f"mono//{name}", name)) for name in ("a", "b")]
    again = forge.open_or_update(spec(tmp_path, "mono//a", "a"))
    assert [(one.repository, one.number, one.head) for one in (*made, again)] == [
        ("mono//a", 1, "greylag/m.a"),
        ("mono//b", 2, "greylag/m.b"),
        ("mono//a", 1, "greylag/m.a"),
    ]
    for number in (1, 2):
        inner.say("mono", number, author="ann", body="/greylag retry", may_write=True)
    for seen in (forge, PartedForge(inner)):  # also by a process that opened none of them
        heard = seen.remarks({"mono//a", "mono//b"}).items
        assert [(one.repository, one.number) for one in heard] == [("mono//a", 1), ("mono//b", 2)]
    found = forge.find_key("mono//b", "m/mono//b/1")
    assert found is not None
    assert (found.repository, found.number) == ("mono//b", 2)
    assert forge.find("mono//b", "greylag/m") == found


class Half(EmbeddedForge):
    """Shows no pull request above number 2 whole: of a fork that is gone, of a base that was removed."""

    def get(self, repository: str, number: int) -> PullRequest:
        if number > 2:
            raise ForgeError(f"{repository}: no commit is there for #{number}")
        return super().get(repository, number)


def test_a_persons_broken_pull_request_keeps_no_remark_from_being_heard(tmp_path: Path) -> None:
    make_fleet(tmp_path, {"mono": {"a": "1\n", "b": "1\n", "c": "1\n"}})
    inner = Half(tmp_path)
    for name in ("a", "b", "c"):
        PartedForge(EmbeddedForge(tmp_path)).open_or_update(spec(tmp_path, f"mono//{name}", name))
    for number in (3, 1):
        inner.say("mono", number, author="ann", body="/greylag retry", may_write=True)
    heard = PartedForge(inner).remarks({"mono//a", "mono//b"}).items
    assert [(one.repository, one.number) for one in heard] == [("mono", 3), ("mono//a", 1)]


def test_names_of_parts() -> None:
    assert part_of("@Data") == "data"
    assert part_of("@org/Team_1") == "org.team_1"
    assert part_of(None) == "no-owner" != part_of("@no-owner")
    assert part_of("data") not in ("data", part_of("Data"))
    assert part_of("@org/lock") != "org.lock"  # no branch may end so
    assert (whole("x/mono//data"), part("x/mono//data"), part("x/mono")) == ("x/mono", "data", None)
    assert placed(named("mono", "a")) == {"repository": "mono", "part": "a"}


@pytest.mark.parametrize(
    ("other_wave", "back", "kind"),
    [(1, False, WaitKind.OTHERS), (2, False, WaitKind.PERSON), (1, True, WaitKind.PERSON)],
)
def test_parts_that_wait_for_each_other_are_a_persons(other_wave: int, back: bool, kind: WaitKind) -> None:
    first, second = (
        Target(
            repository=f"mono//{name}",
            state=TargetState.REWRITTEN,
            wave=wave,
            base="1",
            commit="2",
            source="s",
            verdict=Verdict.PROVEN,
        )
        for name, wave in (("a", 1), ("b", other_wave))
    )
    block = Block(target="mono//b", migration="m", why="mono//b (migration m) has an open change to x")
    blocked = {"mono//a": block}
    if back:
        blocked["mono//b"] = Block(target="mono//a", migration="m", why="mono//a has one to y")
    waves = tuple(Wave(number=number, size=1) for number in (1, 2))
    rules = Rules(rollout=Rollout())
    targets = (first, second)
    world = World(migration="m", source="s", rules=rules, targets=targets, waves=waves, blocked=blocked)
    (wait,) = (one for one in decide(world, NOW).waits if one.repository == "mono//a")
    assert wait.kind is kind
    assert wait.reason.startswith(block.why)
    assert (wait.command == "greylag skip m mono//b") == (kind is WaitKind.PERSON)
