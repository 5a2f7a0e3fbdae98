"""Control groups, in folders that stand for the kernel's."""

from __future__ import annotations

from pathlib import Path

from greylag.workspace.cage import CageLimits
from greylag.workspace.cage.cgroup import EXTRA_PROCESSES, ControlGroup

LIMITS = CageLimits(processes=10, memory=1000, disk=500)


def test_one_group_holds_both_limits_where_there_is_one_tree(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    group = ControlGroup.make(LIMITS, tmp_path)
    (folder,) = group.where
    assert folder.parent == tmp_path / "greylag"
    assert (folder.parent / "cgroup.subtree_control").read_text() == "+pids +memory"
    assert (folder / "pids.max").read_text() == str(10 + EXTRA_PROCESSES)
    assert (folder / "memory.max").read_text() == "1500"
    assert (folder / "memory.swap.max").read_text() == "0"
    group.enter(42)
    assert (folder / "cgroup.procs").read_text() == "42"
    assert not group.starved()
    (folder / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    assert group.starved()


def test_each_controller_has_its_own_on_older_systems(tmp_path: Path) -> None:
    for name in ("pids", "memory", "cpu"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").touch()
    group = ControlGroup.make(LIMITS, tmp_path)
    assert [folder.parents[1].name for folder in group.where] == ["pids", "memory"]
    assert (group.where[1] / "memory.limit_in_bytes").read_text() == "1500"


def test_without_any_there_is_none_and_nothing_fails(tmp_path: Path) -> None:
    group = ControlGroup.make(LIMITS, tmp_path / "nothing here")
    assert group.where == ()
    group.enter(1)
    group.remove()


def test_groups_of_hosts_that_are_gone_are_removed(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "greylag" / "999999999-dead").mkdir(parents=True)
    (tmp_path / "greylag" / "1-alive").mkdir()
    ControlGroup.make(LIMITS, tmp_path)
    left = {path.name for path in (tmp_path / "greylag").iterdir()}
    assert "999999999-dead" not in left
    assert "1-alive" in left
