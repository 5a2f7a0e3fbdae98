"""Walking folders, writing files, running commands."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from greylag.workspace import run_command, tracked_files, write_atomic


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in tracked_files(folder)]


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")


def test_walk_outside_git_leaves_out_hidden_files(tmp_path: Path) -> None:
    write(tmp_path, "a.sql", "d/b.sql", ".h.sql", ".hidden/c.sql", "d/.x")
    (tmp_path / "link.sql").symlink_to("a.sql")
    assert names(tmp_path) == ["a.sql", "d/b.sql"]


def test_walk_sees_what_git_sees(tmp_path: Path) -> None:
    root = tmp_path / "w"
    write(root, "t.sql", "d/u.sql", "d/ignored.sql", "out/o.sql", ".github/x.yml", "gone.sql", 'Ünï "q".sql')
    (root / ".gitignore").write_text("ignored.sql\nout/\n")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "t.sql", "gone.sql"], check=True)
    (root / "gone.sql").unlink()
    assert names(root) == [".github/x.yml", ".gitignore", "d/u.sql", "t.sql", 'Ünï "q".sql']
    assert names(root / "d") == ["u.sql"]
    assert names(root / "out") == ["o.sql"], "an ignored folder that is named is meant"
    assert names(tmp_path) == [f"w/{name}" for name in names(root)], "met on the way down"
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-co", "-z", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    assert set(names(root)) == set(listed.stdout.decode().strip("\0").split("\0")) - {"gone.sql"}


def test_walk_takes_tracked_files_that_are_ignored(tmp_path: Path) -> None:
    write(tmp_path, "kept.sql")
    (tmp_path / ".gitignore").write_text("*.sql\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "-f", "kept.sql"], check=True)
    assert names(tmp_path) == [".gitignore", "kept.sql"]


def test_write_atomic_keeps_mode_and_links(tmp_path: Path) -> None:
    path = tmp_path / "f.sh"
    path.write_text("old")
    path.chmod(0o754)
    link = tmp_path / "link"
    link.symlink_to("f.sh")
    write_atomic(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o754)
    write_atomic(link, b"newer")
    assert link.is_symlink()
    assert path.read_bytes() == b"newer"
    write_atomic(tmp_path / "fresh", b"1")
    assert (tmp_path / "fresh").read_bytes() == b"1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.sh", "fresh", "link"]


def test_write_atomic_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomic(tmp_path / "d", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_run_command_reports_status_and_tail(tmp_path: Path) -> None:
    code = "import os,sys; print('x' * 50); print('err', file=sys.stderr); print(os.getcwd()); sys.exit(3)"
    done = run_command(python(code), cwd=tmp_path, timeout=30)
    assert (done.status, done.ok, done.timed_out) == (3, False, False)
    assert "err" in done.output
    assert str(tmp_path) in done.output
    assert len(run_command(python("print('x' * 50000)"), cwd=tmp_path, timeout=30, tail=100).output) == 100
    assert run_command(["/no/such/program"], cwd=tmp_path, timeout=5).status is None
    shown = run_command(
        python("import os; print(dict(os.environ))"), cwd=tmp_path, timeout=30, env={"A": "b"}
    )
    assert "'A': 'b'" in shown.output
    assert "HOME" not in shown.output


def test_run_command_ends_the_whole_group_on_timeout(tmp_path: Path) -> None:
    child = "import time, pathlib\nwhile True: pathlib.Path('alive').touch(); time.sleep(0.05)"
    code = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    )
    start = time.monotonic()
    done = run_command(python(code), cwd=tmp_path, timeout=2)
    assert done.timed_out
    assert done.status is None
    assert time.monotonic() - start < 20
    (tmp_path / "alive").unlink()
    time.sleep(0.3)
    assert not (tmp_path / "alive").exists()
