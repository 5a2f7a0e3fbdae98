"""A process's own temporary folder: those of dead processes go, those of living ones stay."""

from __future__ import annotations

import os
import time
from pathlib import Path

from greylag.workspace.scratch import own_folder


def aged(folder: Path) -> Path:
    then = time.time() - 3600
    os.utime(folder, (then, then))
    return folder


def test_what_a_dead_process_left_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    mine, lock = own_folder("greylag-x-", tmp_path)
    (mine / "host.sock").write_text("")
    gone = tmp_path / "greylag-x-dead"
    gone.mkdir()
    (gone / "host.sock").write_text("")
    young = tmp_path / "greylag-x-young"
    young.mkdir()
    other = aged(tmp_path)  # not of that prefix
    link = tmp_path / "greylag-x-link"
    link.symlink_to(aged(gone))
    aged(mine)
    aged(gone)
    second, other_lock = own_folder("greylag-x-", tmp_path)
    assert not gone.exists()
    assert link.is_symlink()
    assert other.exists()
    assert young.exists()
    assert (mine / "host.sock").exists()
    assert second != mine
    assert second.stat().st_mode & 0o777 == 0o700
    os.close(lock)
    os.close(other_lock)
    aged(mine)
    _, last = own_folder("greylag-x-", tmp_path)
    assert not mine.exists()
    os.close(last)
