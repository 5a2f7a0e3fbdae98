"""Nothing outside of the folder is reached, whatever is named and whatever stands in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.agent.own.folder import MAX_FILE, Folder, Refused

SECRET = b"of the host"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every kind of way out."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_bytes(SECRET)
    folder = tmp_path_factory.mktemp("folder")
    (folder / "a").mkdir()
    (folder / "a" / "b.sql").write_bytes(b"SELECT 1\n")
    (folder / "secret").write_bytes(b"inside")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_bytes(SECRET)
    (folder / "out").symlink_to(outside)
    (folder / "a" / "up").symlink_to("..")
    (folder / "link").symlink_to(outside / "secret")
    (folder / "inner").symlink_to("a/b.sql")
    os.link(outside / "secret", folder / "hard")
    os.mkfifo(folder / "pipe")
    (folder / "big").write_bytes(b"x" * (MAX_FILE + 1))
    return folder


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "/", "..", "../x", "a/../../x", "a/..", "/etc/passwd", "//etc/passwd", "out/secret", "link",
        "inner", "a/up/secret", "hard", "pipe", "a", "big", "a/b.sql/x", "none", "a\0b", ".git/config",
        ".GIT/config", "a/.git", "./.git/config", "x" * 5000, "/elsewhere/a/b.sql",
    ],
)  # fmt: skip
def test_what_is_refused(root: Path, path: str) -> None:
    with Folder(root) as folder:
        with pytest.raises(Refused):
            folder.read(path)
        with pytest.raises(Refused):
            folder.write(path, b"x")
    assert SECRET in (root / "hard").read_bytes()


@pytest.mark.parametrize("path", ["a/b.sql", "./a/b.sql", "a//b.sql", "/known/a/b.sql"])
def test_what_is_read(root: Path, path: str) -> None:
    with Folder(root, aliases=("/known",)) as folder:
        assert folder.read(path) == b"SELECT 1\n"


PIECES = [
    "..",
    ".",
    "",
    "a",
    "b.sql",
    "secret",
    "out",
    "link",
    "up",
    "etc",
    "passwd",
    ".git",
    "config",
    "hard",
    "\0",
]


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.booleans())
def test_no_path_reads_what_is_outside(root: Path, pieces: list[str], rooted: bool) -> None:
    path = ("/" if rooted else "") + "/".join(pieces)
    with Folder(root) as folder:
        try:
            content = folder.read(path)
        except Refused as refused:
            assert SECRET.decode() not in str(refused)
        else:
            assert content in {b"SELECT 1\n", b"inside"}


def test_all_that_is_there_is_listed_but_what_git_keeps(root: Path) -> None:
    with Folder(root) as folder:
        found = {entry.path: entry.regular for entry in folder.entries()}
        under = [entry.path for entry in folder.entries("a")]
        with pytest.raises(Refused):
            list(folder.entries("out"))
    assert found == {
        "a/b.sql": True, "a/up": False, "big": True, "hard": False, "inner": False, "link": False,
        "out": False, "pipe": False, "secret": True,
    }  # fmt: skip
    assert under == ["a/b.sql", "a/up"]


def test_writing_keeps_the_mode_and_creates_nothing(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_bytes(b"a much longer text than the new one\n")
    (tmp_path / "run.sh").chmod(0o755)
    with Folder(tmp_path) as folder:
        folder.write("run.sh", b"new\n")
        with pytest.raises(Refused, match="no such file"):
            folder.write("other.sh", b"x")
        with pytest.raises(Refused, match="too many"):
            folder.write("run.sh", b"x" * (MAX_FILE + 1))
    assert (tmp_path / "run.sh").read_bytes() == b"new\n"
    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["run.sh"]


def test_creating_goes_through_no_link_and_over_no_file(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "there").write_bytes(b"x")
    (tmp_path / "in" / "dangling").symlink_to(tmp_path / "out" / "new")
    with Folder(tmp_path / "in") as folder:
        folder.create("a/b/c", b"y", 5)
        for path in ("link/x", "there", "dangling", "../x", ".git/hooks/x"):
            with pytest.raises(Refused):
                folder.create(path, b"x", 5)
    assert (tmp_path / "in/a/b/c").read_bytes() == b"y"
    assert (tmp_path / "in/a/b/c").stat().st_mtime_ns == 5
    assert list((tmp_path / "out").iterdir()) == []
