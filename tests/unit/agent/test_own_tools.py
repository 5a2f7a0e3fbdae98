"""Reading, searching and editing: what is told, what is refused, which bytes change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.agent.own import tools
from greylag.agent.own.folder import Folder, Refused

SQL = "-- users\nSELECT user_id\nFROM users_v1\nWHERE user_id > 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_bytes(SQL.encode())
    (tmp_path / "b.py").write_bytes(b"x = 'USERS_V1'\n")
    (tmp_path / "data.bin").write_bytes(b"\0users_v1")
    (tmp_path / "latin.sql").write_bytes("-- übel users_v1\n".encode("latin-1"))
    with Folder(tmp_path) as opened:
        yield opened


def test_lines_have_numbers(folder: Folder) -> None:
    assert tools.read(folder, "models/a.sql", 2, 2) == (
        "models/a.sql, lines 2 to 3 of 4:\n2\tSELECT user_id\n3\tFROM users_v1"
    )
    assert tools.read(folder, "models/a.sql", 9, 2) == "models/a.sql has 4 lines."
    assert tools.read(folder, "models/a.sql", -5, 0) == "models/a.sql, lines 1 to 1 of 4:\n1\t-- users"


def test_a_long_file_is_shown_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("".join(f"line {number} {'x' * 90}\n" for number in range(1, 1001)))
    (tmp_path / "wide").write_text("y" * 100_000)
    with Folder(tmp_path) as folder:
        told = tools.read(folder, "long", 1, 1000)
        wide = tools.read(folder, "wide", 1, 1)
    assert len(told) < tools.RESULT + 100
    shown = int(told.partition(" to ")[2].partition(" of ")[0])
    assert told.endswith(f"{shown}\tline {shown} {'x' * 90}")
    assert len(wide) < tools.RESULT + 100


def test_searching_knows_no_case_and_skips_what_is_no_text(folder: Folder) -> None:
    assert tools.search(folder, "users_v1", "") == "b.py:1: x = 'USERS_V1'\nmodels/a.sql:3: FROM users_v1"
    assert tools.search(folder, "users_v1", "models") == "models/a.sql:3: FROM users_v1"
    assert tools.search(folder, "users_v1", "b.py") == "b.py:1: x = 'USERS_V1'"
    assert tools.search(folder, "users_v9", "") == "No file holds it."
    assert tools.search(folder, "", "models") == "models/a.sql"
    with pytest.raises(Refused, match="no such file"):
        tools.search(folder, "x", "nowhere")
    with pytest.raises(Refused):
        tools.search(folder, "root", "/etc")


def test_many_hits_are_cut(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.sql").write_text("users_v1 " + "x" * 500 + "\n" + "users_v1\n" * 50)
    with Folder(tmp_path) as folder:
        told = tools.search(folder, "users_v1", "")
    assert len(told) < tools.RESULT + 100
    assert told.endswith("… there are more: search for more words, or under a path")
    assert told.count("\n") == 80


def test_an_edit_shows_where_it_was(folder: Folder, tmp_path: Path) -> None:
    told = tools.edit(folder, "models/a.sql", "FROM users_v1", "FROM users_v2")
    assert (tmp_path / "models/a.sql").read_bytes() == SQL.replace("users_v1", "users_v2").encode()
    assert told == (
        "models/a.sql is changed:\n1\t-- users\n2\tSELECT user_id\n3\tFROM users_v2\n4\tWHERE user_id > 1"
    )


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        ("models/a.sql", "", "x", "`old` is empty"),
        ("models/a.sql", "users_v1", "users_v1", "the same"),
        ("models/a.sql", "user_id", "account_id", "2 times, in lines 2, 4"),
        ("models/a.sql", "FROM  users_v1", "x", "with other white space it stands in line 3"),
        ("models/a.sql", "3\tFROM users_v1", "x", "leave the numbers of the lines out"),
        ("models/a.sql", "FROM users_v9", "x", "copy it exactly"),
        ("new.sql", "x", "y", "no such file"),
        ("data.bin", "users_v1", "y", "no text"),
        ("latin.sql", "users_v1", "y", "not written in UTF-8"),
        ("models/a.sql", "users_v1", "x" * 3_000_000, "more than"),
        ("../models/a.sql", "users_v1", "x", "is no path"),
    ],
)
def test_edits_that_are_refused(
    folder: Folder, tmp_path: Path, path: str, old: str, new: str, words: str
) -> None:
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(Refused, match=words):
        tools.edit(folder, path, old, new)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        # Line ends stay what they are, also in what is put in.
        (b"a\r\nb\r\n", "a\nb", "a\nc\nd", b"a\r\nc\r\nd\r\n"),
        (b"a\r\nb\nc", "b", "x\ny", b"a\r\nx\ny\nc"),
        (b"\xef\xbb\xbfa\n", "a", "b", b"\xef\xbb\xbfb\n"),
        (b"no end", "end", "END", b"no END"),
        ("ä\u2028b".encode(), "b", "c", "ä\u2028c".encode()),
        (b"gone\nstays\n", "gone\n", "", b"stays\n"),
    ],
)
def test_bytes_around_an_edit(tmp_path: Path, before: bytes, old: str, new: str, after: bytes) -> None:
    (tmp_path / "f").write_bytes(before)
    with Folder(tmp_path) as folder:
        tools.edit(folder, "f", old, new)
    assert (tmp_path / "f").read_bytes() == after


@given(
    st.text(st.sampled_from("ab \r\n"), max_size=30),
    st.text(st.sampled_from("ab \r\n"), max_size=30),
    st.text(st.sampled_from("xy\n"), max_size=5),
)
def test_only_the_place_changes(
    tmp_path_factory: pytest.TempPathFactory, head: str, tail: str, new: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "edited"
    text = f"{head}MARK{tail}"
    path.write_bytes(text.encode())
    with Folder(path.parent) as folder:
        tools.edit(folder, "edited", "MARK", new)
    expected = {head + new + tail, head + new.replace("\n", "\r\n") + tail}
    assert path.read_bytes().decode() in expected
