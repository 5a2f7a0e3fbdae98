"""The fleet index: what it finds, what it reads again, what it never misses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.domain.errors import UsageError
from greylag.lineage import FleetIndex, scan_folder
from greylag.lineage.scan import Scanner
from greylag.workspace import Repository, find_repositories

WHO = {"message": "m", "author": "Ann", "email": "ann@example.org", "when": datetime(2026, 3, 1, tzinfo=UTC)}
NAMES = frozenset({"users_v1"})


def put(root: Path, name: str, files: dict[str, bytes | None]) -> Repository:
    repo = Repository.init_bare(root / f"{name}.git")
    tip = repo.ref("refs/heads/main")
    repo.set_ref("refs/heads/main", repo.commit(tip, files, **WHO), expected=tip)
    return repo


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    root = tmp_path / "fleet"
    put(
        root,
        "a",
        {"q.sql": b"--\nselect 1 from core.USERS_V1\n", "none.sql": b"select 1", "x/y.weird": b"users_v1"},
    )
    put(root, "team/b", {"q.sql": b"select users_v2"})
    return root


def places(index: FleetIndex, names: frozenset[str] = NAMES) -> list[tuple[str, str, int]]:
    return [(c.repository, c.path, c.line) for c in index.candidates(names)]


def test_finds_names_whatever_their_case_and_the_kind_of_file(fleet: Path, tmp_path: Path) -> None:
    index = FleetIndex(tmp_path / "i.db")
    stats = index.refresh(find_repositories(fleet))
    assert (stats.repositories, stats.changed, stats.removed, stats.unreadable) == (2, 2, 0, ())
    assert places(index) == [("a", "q.sql", 2), ("a", "x/y.weird", 1)]
    assert places(index, frozenset({"Users_V2", "nothing"})) == [("team/b", "q.sql", 1)]
    assert places(index, frozenset()) == []
    assert index.path_of("team/b") == fleet / "team/b.git"
    with pytest.raises(UsageError, match="no repository 'c'"):
        index.path_of("c")


def test_follows_commits(fleet: Path, tmp_path: Path) -> None:
    index = FleetIndex(tmp_path / "i.db")
    index.refresh(find_repositories(fleet))
    places(index)
    repo = put(fleet, "a", {"q.sql": b"select 2", "n/new.sql": b"from\n\nusers_v1"})
    assert places(index) == [("a", "q.sql", 2), ("a", "x/y.weird", 1)], "as of the last refresh"
    assert index.refresh(find_repositories(fleet)).changed == 1
    assert places(index) == [("a", "n/new.sql", 3), ("a", "x/y.weird", 1)]
    assert {c.commit for c in index.candidates(NAMES)} == {repo.head()}
    put(fleet, "a", {"x/y.weird": None})
    index.refresh(find_repositories(fleet))
    assert places(index) == [("a", "n/new.sql", 3)]
    stranger = repo.commit(None, {"f.sql": b"users_v1"}, **WHO)
    repo.set_ref("refs/heads/main", stranger, expected=repo.head())
    index.refresh(find_repositories(fleet))
    assert places(index) == [("a", "f.sql", 1)], "a rewritten history"
    stats = index.refresh({"team/b": fleet / "team/b.git"})
    assert stats.removed == 1
    assert places(index) == []


def test_survives_being_closed_and_agrees_with_a_fresh_one(fleet: Path, tmp_path: Path) -> None:
    for number in range(5):
        put(
            fleet,
            "a",
            {
                f"f{number}.sql": b"users_v1" if number % 2 else b"nothing",
                "q.sql": None if number == 3 else b"x",
            },
        )
        old = FleetIndex(tmp_path / "old.db")
        old.refresh(find_repositories(fleet))
        fresh = FleetIndex(tmp_path / f"fresh{number}.db")
        fresh.refresh(find_repositories(fleet))
        assert old.candidates(NAMES) == fresh.candidates(NAMES)


def test_only_what_changed_is_read(fleet: Path) -> None:
    scanner = Scanner(NAMES)
    path = fleet / "a.git"
    first = Repository.open(path).head()
    assert scanner.scan(path, None, first).read == 3
    put(fleet, "a", {"q.sql": b"users_v1 again"})
    second = Repository.open(path).head()
    scan = scanner.scan(path, first, second)
    assert (scan.read, scan.whole, [m.path for m in scan.mentions]) == (1, False, ["q.sql"])
    put(fleet, "c", {"copy.sql": b"users_v1 again"})
    copy = fleet / "c.git"
    assert scanner.scan(copy, None, Repository.open(copy).head()).read == 0, "the same content is read once"


def test_several_processes_find_the_same(fleet: Path, tmp_path: Path) -> None:
    one, two = FleetIndex(tmp_path / "1.db"), FleetIndex(tmp_path / "2.db")
    for index in (one, two):
        index.refresh(find_repositories(fleet))
    told: list[tuple[int, int]] = []
    assert one.candidates(NAMES) == two.candidates(NAMES, workers=2, progress=lambda *t: told.append(t))
    assert told == [(2, 2)]


def test_what_cannot_be_read_is_reported(fleet: Path, tmp_path: Path) -> None:
    Repository.init_bare(fleet / "empty.git")
    put(fleet, "broken", {"f.sql": b"x"})
    (fleet / "broken.git/HEAD").write_text("garbage")
    repo = put(fleet, "lost", {"f.sql": b"select * from users_v1"})
    oid = repo.files(repo.head())["f.sql"]
    (repo.path / "objects" / oid[:2] / oid[2:]).unlink()
    treeless = put(fleet, "treeless", {"f.sql": b"select * from users_v1"})
    tree = str(treeless._repo[treeless.head()].tree.id)
    (treeless.path / "objects" / tree[:2] / tree[2:]).unlink()
    index = FleetIndex(tmp_path / "i.db")
    stats = index.refresh(find_repositories(fleet))
    assert [name for name, _ in stats.unreadable] == ["broken"]
    found = {c.repository: c.reason for c in index.candidates(NAMES)}
    assert {name: reason and reason.code for name, reason in found.items()} == {
        "a": None,
        "lost": "unreadable",
        "treeless": "unreadable",
    }
    with pytest.raises(UsageError, match="both be called"):
        index.refresh([tmp_path / "x/a.git", tmp_path / "y/a"])


def test_bytes_of_all_sorts(tmp_path: Path) -> None:
    text = "select ü from users_v1"
    put(
        tmp_path,
        "a",
        {
            "bin": b"\0users_v1",
            "pic.png": b"users_v1",
            "latin.sql": text.encode("latin-1"),
            "utf16.sql": text.encode("utf-16"),
            "bom.sql": b"\xef\xbb\xbf" + text.encode(),
            'ünï "q"\n.sql': text.encode(),
            "inside.py": b'f"{env}_users_v1_{day}"',
        },
    )
    index = FleetIndex(tmp_path / "i.db")
    index.refresh(find_repositories(tmp_path))
    found = {c.path for c in index.candidates(NAMES)}
    assert found == {"latin.sql", "utf16.sql", "bom.sql", 'ünï "q"\n.sql', "inside.py"}


def test_wildcards_that_cover_a_name(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a",
        {
            "yes.sql": b"SELECT *, 2*3\n FROM `p.core.users_*`",
            "no.sql": b"SELECT count(*), a.* FROM `p.core.orders_*` /* users */",
        },
    )
    index = FleetIndex(tmp_path / "i.db")
    index.refresh([tmp_path / "a.git"])
    assert places(index) == [("a", "yes.sql", 2)]


def test_names_with_letters_beyond_ascii(tmp_path: Path) -> None:
    put(tmp_path, "a", {"q.sql": "from KUNDEN_ÜBERSICHT".encode()})
    index = FleetIndex(tmp_path / "i.db")
    index.refresh([tmp_path / "a.git"])
    assert places(index, frozenset({"kunden_Übersicht"})) == [("a", "q.sql", 1)]


def test_many_sets_of_names_do_not_pile_up(fleet: Path, tmp_path: Path) -> None:
    index = FleetIndex(tmp_path / "i.db")
    index.refresh(find_repositories(fleet))
    for number in range(40):
        index.candidates(frozenset({f"n{number}"}))
    assert places(index) == [("a", "q.sql", 2), ("a", "x/y.weird", 1)]


def test_a_folder_without_git(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/q.sql").write_text("--\nusers_v1")
    (tmp_path / ".hidden.sql").write_text("users_v1")
    assert [(m.path, m.line) for m in scan_folder(tmp_path, NAMES)] == [("d/q.sql", 2)]
    assert [(m.path, m.line) for m in scan_folder(tmp_path / "d/q.sql", NAMES)] == [("q.sql", 2)]
