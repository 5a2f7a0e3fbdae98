"""A copy of a repository: what is written, what is told of its changes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from greylag.workspace.collect import CollectLimits, collect, prepare_folder
from greylag.workspace.names import fault_of_name, shown
from greylag.workspace.values import RepositoryError

FILES = {
    "a.sql": b"SELECT 1\n",
    "deep/down/b.py": b"x = 1\n",
    "run.sh": b"#!/bin/sh\n",
    ".gitignore": b"build/\n*.log\n!keep.log\n",
    "deep/.gitignore": b"*.tmp\n",
    "CLAUDE.md": b"Do as I say.\n",
    "names with \nodd letters": b"old",
    "empty": b"",
}
RUNS = {"run.sh"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    prepare_folder(FILES, made, executable=RUNS)
    return made


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_copy_is_unchanged_and_git_says_so_too(folder: Path) -> None:
    collected = collect(folder, FILES, executable=RUNS)
    assert (collected.changes, collected.refused, collected.ignored) == ({}, (), ())
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "--format=%an %s") == "Greylag The files as they are given\n"
    assert "100755" in git(folder, "ls-files", "-s", "run.sh")


def test_the_commit_is_the_same_whenever_it_is_made(folder: Path, tmp_path: Path) -> None:
    prepare_folder(FILES, tmp_path / "other", executable=RUNS)
    assert git(folder, "rev-parse", "HEAD") == git(tmp_path / "other", "rev-parse", "HEAD")


def test_changes_new_files_and_deletions_are_told(folder: Path) -> None:
    (folder / "a.sql").write_bytes(b"SELECT 2\n")
    (folder / "deep" / "down" / "b.py").unlink()
    (folder / "new" / "c.sql").parent.mkdir()
    (folder / "new" / "c.sql").write_bytes(b"SELECT 3\n")
    (folder / "nothing in it").mkdir()
    collected = collect(folder, FILES, executable=RUNS)
    assert collected.changes == {"a.sql": b"SELECT 2\n", "deep/down/b.py": None, "new/c.sql": b"SELECT 3\n"}
    assert collected.refused == ()


def test_what_a_repository_ignores_is_left_out_and_told(folder: Path) -> None:
    for path in ("build/x.o", "x.log", "deep/y.tmp", "y.tmp", "keep.log", "deep/__pycache__/b.pyc"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(b"x")
    (folder / "build" / "out").symlink_to("/etc")
    collected = collect(folder, FILES, executable=RUNS)
    assert set(collected.changes) == {"y.tmp", "keep.log"}
    assert set(collected.ignored) == {"build", "x.log", "deep/y.tmp", "deep/__pycache__"}


def test_what_an_agent_tells_git_to_ignore_does_not_count(folder: Path) -> None:
    (folder / ".gitignore").write_bytes(b"*\n")
    (folder / "secretly.sql").write_bytes(b"x")
    assert set(collect(folder, FILES, executable=RUNS).changes) == {".gitignore", "secretly.sql"}


def test_a_refusal_leaves_no_change_to_use(folder: Path) -> None:
    (folder / "a.sql").write_bytes(b"SELECT 2\n")
    (folder / "l").symlink_to("a.sql")
    collected = collect(folder, FILES, executable=RUNS)
    assert collected.changes == {}
    assert [reason.code for reason in collected.refused] == ["link"]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (CollectLimits(file=3), "too-big"),
        (CollectLimits(total=5), "too-big"),
        (CollectLimits(changed=1), "too-many"),
        (CollectLimits(entries=0), "too-many"),
    ],
)
def test_limits_refuse(folder: Path, limits: CollectLimits, code: str) -> None:
    for name in ("x", "y", "z"):
        (folder / name).write_bytes(b"1234")
    assert {reason.code for reason in collect(folder, FILES, executable=RUNS, limits=limits).refused} == {
        code
    }


def test_a_big_file_that_did_not_change_is_no_matter(tmp_path: Path) -> None:
    files = {"big": b"x" * 1000}
    prepare_folder(files, tmp_path / "folder")
    assert collect(tmp_path / "folder", files, limits=CollectLimits(file=10)).refused == ()


def test_preparing_again_removes_everything_and_keeps_the_git_folder(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    git_folder = (folder / ".git").stat().st_ino
    (folder / "link").symlink_to(outside)
    (folder / "a.sql").unlink()
    (folder / "a.sql").symlink_to(outside / "kept")
    os.mkfifo(folder / "fifo")
    (folder / ".git" / "hooks").mkdir(exist_ok=True)
    (folder / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\n")
    prepare_folder({"a.sql": b"new"}, folder)
    assert sorted(path.name for path in folder.iterdir()) == [".git", "a.sql"]
    assert (folder / ".git").stat().st_ino == git_folder
    assert not (folder / ".git" / "hooks" / "pre-commit").exists()
    assert (outside / "kept").read_text() == "kept"
    assert (folder / "a.sql").read_bytes() == b"new"


def test_without_history_there_is_no_git(tmp_path: Path) -> None:
    prepare_folder({"a": b"1"}, tmp_path / "folder", history=False)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a"]


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../../x", ".git/config", "a/.GIT/hooks/x", "a//b", "", "./x", "x\0y"]
)
def test_paths_that_lead_out_are_refused_before_anything_is_written(tmp_path: Path, path: str) -> None:
    with pytest.raises(RepositoryError, match="leads out"):
        prepare_folder({"fair": b"1", path: b"2"}, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_a_path_that_is_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="a file and a folder"):
        prepare_folder({"a": b"1", "a/b": b"2"}, tmp_path / "folder")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("users.sql", None),
        ("größe.sql", None),
        ("数据.sql", None),
        (".github", None),
        (".gitignore", None),
        (".git", "git"),
        (".Git ", "git"),
        (".git.", "git"),
        ("GIT~1", "git"),
        (".git::$INDEX_ALLOCATION", "git"),
        (".g\u200cit", "git"),
        ("a\nb", "name"),
        ("a\x1b[0m", "name"),
        ("a\u202eb", "name"),
        ("a\udcff", "name"),
        ("a\\b", "name"),
    ],
)
def test_names(name: str, code: str | None) -> None:
    fault = fault_of_name(name)
    assert (fault.code if fault else None) == code


def test_names_are_shown_escaped() -> None:
    assert shown("a\n\x1b\u202e\udcffé") == "a\\n\\x1b\\u202e\\udcffé"
