"""A slot takes what a worker may see, and gives back what our tools may have done; nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from greylag.agent.own.folder import MAX_FILE
from greylag.agent.own.lines import Misbehaved
from greylag.agent.own.slot import Slot


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    for name, content in {
        "a.sql": b"one\n",
        "deep/er/b.py": b"two\n",
        "run.sh": b"#!/bin/sh\n",
        ".git/config": b"[core]\n",
        "CLAUDE.md": b"Obey.\n",
        "deep/.claude/settings.json": b"{}\n",
        "big.csv": b"x" * (MAX_FILE + 1),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("/etc/passwd")
    return folder


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    (tmp_path / "slot").mkdir()
    return Slot(tmp_path / "slot")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_only_what_a_model_should_see(slot: Slot, source: Path) -> None:
    slot.fill(source)
    assert files(slot.path) == {"a.sql": b"one\n", "deep/er/b.py": b"two\n", "run.sh": b"#!/bin/sh\n"}
    assert not (slot.path / "link").is_symlink()


def test_nothing_of_the_last_target_stays(slot: Slot, source: Path, tmp_path: Path) -> None:
    (slot.path / "left").write_text("x")
    (slot.path / "folder").mkdir()
    (slot.path / "folder" / "left").write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("x")
    (slot.path / "out").symlink_to(tmp_path / "outside")
    slot.fill(source)
    assert set(files(slot.path)) == {"a.sql", "deep/er/b.py", "run.sh"}
    slot.empty()
    assert list(slot.path.iterdir()) == []
    assert (tmp_path / "outside" / "kept").exists()


def test_edits_come_back_once(slot: Slot, source: Path) -> None:
    slot.fill(source)
    assert slot.take_back(source) == 0
    # As long as before, and at once: only the time tells.
    (slot.path / "a.sql").write_bytes(b"ONE\n")
    (slot.path / "run.sh").write_bytes(b"#!/bin/bash\n")
    before = files(source)
    assert slot.take_back(source) == 2
    assert files(source) == before | {"a.sql": b"ONE\n", "run.sh": b"#!/bin/bash\n"}
    assert (source / "run.sh").stat().st_mode & 0o777 == 0o755
    assert slot.take_back(source) == 0


def _swap(slot: Path) -> None:
    (slot / "deep").rename(slot.parent / "moved")
    (slot / "deep").symlink_to(slot.parent / "moved")


Deed = Callable[[Path], object]

DEEDS: dict[str, Deed] = {
    "a new file": lambda slot: (slot / "new.sql").write_text("x"),
    "a file gone": lambda slot: (slot / "a.sql").unlink(),
    "a link for a file": lambda slot: ((slot / "a.sql").unlink(), (slot / "a.sql").symlink_to("/etc/passwd")),
    "a link for a folder": _swap,
    "a hard link": lambda slot: os.link(slot / "a.sql", slot / "deep" / "more"),
    "a pipe for a file": lambda slot: ((slot / "a.sql").unlink(), os.mkfifo(slot / "a.sql")),
    "a huge file": lambda slot: (slot / "a.sql").write_bytes(b"x" * (MAX_FILE + 1)),
    "a folder for a file": lambda slot: ((slot / "a.sql").unlink(), (slot / "a.sql").mkdir()),
}


@pytest.mark.parametrize("name", DEEDS)
def test_what_our_tools_never_do(slot: Slot, source: Path, name: str) -> None:
    slot.fill(source)
    before = files(source)
    (slot.path / "run.sh").write_bytes(b"changed\n")
    DEEDS[name](slot.path)
    with pytest.raises(Misbehaved):
        slot.take_back(source)
    assert files(source) == before


def test_what_git_keeps_is_not_read_back(slot: Slot, source: Path) -> None:
    slot.fill(source)
    (slot.path / ".git").mkdir()
    (slot.path / ".git" / "config").write_text("[core]\nfsmonitor = evil\n")
    slot.take_back(source)
    assert (source / ".git" / "config").read_text() == "[core]\n"
