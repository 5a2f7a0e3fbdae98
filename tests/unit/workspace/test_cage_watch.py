"""What the watch makes of figures, and what the launcher does on its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.attacks.world import sandbox

from greylag.workspace.cage import CageLimits, CageSpec
from greylag.workspace.cage.census import Kind, walk_folder
from greylag.workspace.cage.launch import INSIDE, Plan
from greylag.workspace.cage.processes import Process, snapshot, tree
from greylag.workspace.cage.watch import Watched, over, size


def process(pid: int, parent: int = 1, threads: int = 1, ticks: int = 0, resident: int = 0) -> Process:
    return Process(pid=pid, parent=parent, state="S", threads=threads, ticks=ticks, resident=resident)


def watched(**given: float) -> Watched:
    limits = CageLimits(wall=10, cpu=5, memory=1000, processes=10)
    return Watched(first=1, limits=limits, end=lambda _: None, alive=lambda: True, **given)


@pytest.mark.parametrize(
    ("processes", "later", "said"),
    [
        ([process(-1)], 1, ""),
        ([process(-1)], 11, "it ran for more than 10 seconds"),
        ([process(-1, threads=200)], 1, "more than 10 processes and threads"),
        ([process(-1, ticks=10**6)], 1, "more than 5 seconds of processor time"),
    ],
)
def test_each_limit_has_its_words(processes: list[Process], later: float, said: str) -> None:
    now = time.monotonic()
    assert over(watched(began=now), processes, now + later) == said


def test_memory_is_counted_exactly_before_anything_is_ended() -> None:
    own = replace(snapshot()[os.getpid()], ticks=0, threads=1)
    now = time.monotonic()
    cage = watched(began=now)
    assert over(cage, [own], now) == "more than 1000 bytes of memory"
    assert over(cage, [process(-1, resident=10**9)], now) == "", "a process that is gone has none"


def test_the_tree_holds_children_of_children() -> None:
    made = {item.pid: item for item in (process(5, 4), process(4, 3), process(3, 2), process(9, 2))}
    assert [item.pid for item in tree(made, 3)] == [3, 4, 5]
    assert tree(made, 77) == []


def test_a_folder_is_walked_once_in_order_and_without_links(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "d").write_bytes(b"x" * 10_000)
    (tmp_path / "a").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "f")
    seen = {found.path: found for found in walk_folder(tmp_path)}
    assert list(seen) == ["a", "b", "b/c", "b/c/d", "f"]
    assert [found.kind for found in seen.values()] == [
        Kind.LINK,
        Kind.FOLDER,
        Kind.FOLDER,
        Kind.FILE,
        Kind.SPECIAL,
    ]
    assert seen["b/c/d"].size >= 10_000
    assert [found.path for found in walk_folder(tmp_path, inside=lambda found: False)] == ["a", "b", "f"]


def test_sizes_are_told_for_people() -> None:
    assert [size(count) for count in (5, 2048, 1536 * 1024, 4 * 1024**3)] == [
        "5 bytes",
        "2 KiB",
        "1.5 MiB",
        "4 GiB",
    ]


def test_landlock_alone_keeps_a_command_from_writing_elsewhere(tmp_path: Path) -> None:
    """The second fence, without the first: no read-only mounts are in the way here."""
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
    plan = Plan(limits=CageLimits(), writable=(str(tmp_path / "mine"), "/dev"), own_user=False)
    command = f"cd {tmp_path}; echo 1 > mine/a; mv mine/a mine/b; cat mine/b; echo 2 > theirs/a; rm -r theirs"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(INSIDE), plan.text(), "sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
    )
    if (tmp_path / "theirs" / "a").exists() or not (tmp_path / "theirs").exists():
        version = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))"
        told = subprocess.run([sys.executable, "-c", version], capture_output=True, text=True, check=True)
        assert int(told.stdout) < 1, "the kernel has Landlock, and it did not hold"
        pytest.skip("this kernel has no Landlock (5.13 or newer has)")
    assert done.stdout == "1\n"
    assert "Permission denied" in done.stderr


def test_the_launcher_tells_what_it_is_to_do() -> None:
    plan = json.loads(Plan(limits=CageLimits(processes=5)).text())
    assert plan["limits"]["RLIMIT_NPROC"] == 5
    assert "RLIMIT_NPROC" not in json.loads(Plan(limits=CageLimits(), own_user=False).text())["limits"]


def test_a_launcher_whose_host_is_gone_starts_nothing() -> None:
    read, write = os.pipe()
    os.close(write)
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            str(INSIDE),
            Plan(limits=CageLimits(), go=read).text(),
            "echo",
            "started",
        ],
        capture_output=True,
        pass_fds=[read],
        check=False,
    )
    os.close(read)
    assert (done.returncode, done.stdout) == (126, b"")


def test_many_cages_at_once_in_many_threads(tmp_path: Path) -> None:
    cage = sandbox()
    spec = CageSpec(folder=tmp_path, limits=CageLimits(wall=60))
    opened = len(list(Path("/proc/self/fd").iterdir()))

    def one(number: int) -> str:
        return cage.run(["sh", "-c", f"sleep 0.1; echo {number}"], spec, timeout=60).output

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(24))) == [f"{number}\n" for number in range(24)]
    assert len(list(Path("/proc/self/fd").iterdir())) <= opened + 2, "descriptors are left open"
