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


def test_copying_goes_through_no_link_and_over_no_file(tmp_path: Path) -> None:
    for name in ("from/a/b", "from/c", "from/left/out", "from/.git/config", "to/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "from" / "link").symlink_to(tmp_path / "to")
    (tmp_path / "out").mkdir()

    def copy() -> dict[str, int]:
        with Folder(tmp_path / "from") as ours, Folder(tmp_path / "to") as theirs:
            copied = ours.copy_into(theirs, when=5, leave=lambda path: path == "left")
            return {path: found.st_mtime_ns for path, found in copied}

    assert copy() == {"a/b": 5, "c": 5}
    assert (tmp_path / "to/a/b").read_bytes() == b"from/a/b"
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["a", "c", "x"]
    with pytest.raises(Refused):
        copy()
    (tmp_path / "to/c").unlink()
    (tmp_path / "to/a/b").unlink()
    (tmp_path / "to/a").rmdir()
    (tmp_path / "to/a").symlink_to(tmp_path / "out")
    with pytest.raises(Refused):
        copy()
    (tmp_path / "to/a").unlink()
    (tmp_path / "to/c").unlink(missing_ok=True)
    (tmp_path / "to/c").symlink_to(tmp_path / "out" / "new")
    with pytest.raises(Refused):
        copy()
    assert list((tmp_path / "out").iterdir()) == []
