"""A patch that one machine made is in the copy of another when that needs it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.domain.errors import UsageError
from greylag.domain.target import TargetState
from greylag.engine import parcels
from greylag.engine.database import connect
from greylag.engine.mirrored import Fresh, MirroredFleet
from greylag.engine.store import Store
from greylag.engine.upgrades import prepare
from greylag.engine.world import Target
from greylag.lineage.index import FleetIndex
from greylag.workspace import Repository

NOW = datetime(2026, 3, 2, tzinfo=UTC)
WHO = {"author": "a", "email": "a@b.example", "when": NOW}


def nothing() -> Fresh:
    raise AssertionError("nobody lists the forge")


class Machine:
    """A machine's mirrors; `forge` is the folder that they are brought from."""

    def __init__(self, folder: Path, forge: Path, *, apart: bool = True) -> None:
        self.folder, self.forge, self.brought = folder, forge, 0
        self.fleet = MirroredFleet(
            folder,
            FleetIndex(folder / "index.db"),
            names=lambda _: frozenset(),
            refresh=nothing,
            bring=self.bring,
            apart=apart,
        )

    def bring(self, repository: str) -> Path:
        """A copy as the forge has it now; what was written here before stays."""
        self.brought += 1
        path = self.folder / f"{repository}.git"
        shutil.copytree(self.forge / f"{repository}.git", path, dirs_exist_ok=True)
        return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    engine = connect(f"sqlite:///{tmp_path / 'g.db'}")
    prepare(engine)
    return Store(engine)


@pytest.fixture
def base(tmp_path: Path) -> str:
    """What the forge has."""
    repo = Repository.init_bare(tmp_path / "forge" / "r.git")
    first = repo.commit(None, {"q.sql": b"1\n"}, message="first", **WHO)
    repo.set_ref("refs/heads/main", first, expected=None)
    return first


def target(base: str, commit: str) -> Target:
    return Target(repository="r", state=TargetState.REWRITTEN, base=base, commit=commit)


def made(store: Store, machine: Machine, base: str, text: bytes) -> Target:
    """A patch of one machine's, with its parcel in the database."""
    repo = machine.fleet.open("r")
    commit = repo.commit(base, {"q.sql": text}, message="ours", **WHO)
    with store.write() as session:
        parcels.keep(session, "m", "r", base, commit, repo.parcel(base, commit), NOW)
    return target(base, commit)


def test_another_machine_has_it_when_it_asks(tmp_path: Path, store: Store, base: str) -> None:
    one, two = (Machine(tmp_path / name, tmp_path / "forge") for name in ("one", "two"))
    first, second = (made(store, one, base, text) for text in (b"2\n", b"3\n"))
    repo = parcels.patched(store, two.fleet, "m", second)
    assert repo is not None and second.commit is not None
    assert repo.path.is_relative_to(two.folder)
    assert repo.read(second.commit, "q.sql") == b"3\n"
    assert two.brought == 1, "when it is first asked for"
    assert parcels.patched(store, two.fleet, "m", first) is None, "of earlier ones only the names are kept"
    assert parcels.patched(store, one.fleet, "m", first) is not None, "where it was made it stands"
    with store.write() as session:
        assert set(parcels.ours(session, "m", "r")) == {first.commit, second.commit}
        assert parcels.ours(session, "other", "r") == ()
        parcels.drop(session, "m", "r")
        assert parcels.ours(session, "m", "r") == ()


def test_a_base_that_is_there_only_now_is_brought(tmp_path: Path, store: Store, base: str) -> None:
    one, two = (Machine(tmp_path / name, tmp_path / "forge") for name in ("one", "two"))
    assert two.fleet.head("r") == base
    forge = Repository.open(tmp_path / "forge" / "r.git")
    newer = forge.commit(base, {"other.sql": b"x\n"}, message="a person's", **WHO)
    forge.set_ref("refs/heads/main", newer, expected=base)
    patch = made(store, one, newer, b"2\n")
    assert parcels.patched(store, two.fleet, "m", patch) is not None
    assert two.fleet.head("r") == newer
    gone = target("1" * 40, "2" * 40)
    assert parcels.patched(store, two.fleet, "m", gone) is None, "it is rewritten from what is there now"


def test_where_all_see_one_folder_nothing_is_brought(tmp_path: Path, store: Store, base: str) -> None:
    alone = Machine(tmp_path / "alone", tmp_path / "forge", apart=False)
    with pytest.raises(UsageError, match="no repository"):
        alone.fleet.open("r")
    alone.fleet.freshen("r")
    assert parcels.patched(store, alone.fleet, "m", target(base, "2" * 40)) is None
    assert alone.brought == 1
