"""What a parser's answers make of files that mention a name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from greylag.domain.consumer import Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Edited, Failed, Form, Outcome, Reason, Skipped, Unchanged
from greylag.lineage import FleetIndex, find_consumers
from greylag.workspace import Repository

OLD, OTHER = DatasetRef.parse("core.users_v1"), DatasetRef.parse("core.devices_v1")


def read(dataset: DatasetRef, line: int, *columns: str) -> Read:
    return Read(dataset=dataset, line=line, column=1, columns=columns)


def scripted(path: str, text: str) -> Outcome:
    """Answers by what the file says it is."""
    match text.split(maxsplit=1)[0]:
        case "edited":
            reads = (read(OLD, 9, "b"), read(OTHER, 4), read(OLD, 2, "a", "b"))
            return Edited(framework=Framework.SQL, form=Form.INLINE, text="x", reads=reads)
        case "skipped":
            reasons = (Reason(code="unmapped", message="no counterpart", line=3),)
            return Skipped(framework=Framework.DBT, reasons=reasons, reads=(read(OLD, 3, "score"),))
        case "dynamic":
            return Skipped(framework=None, reasons=(Reason(code="dynamic", message="name is built", line=5),))
        case "failed":
            return Failed(message="boom")
        case "raises":
            raise TypeError("stumbled")
        case _:
            return Unchanged()


def test_each_answer_is_told_apart(tmp_path: Path) -> None:
    repo = Repository.init_bare(tmp_path / "r.git")
    files = {
        name: f"{name} users_v1".encode()
        for name in ("edited", "skipped", "dynamic", "failed", "raises", "unchanged")
    }
    files |= {"latin": b"\xe9\nusers_v1", "CODEOWNERS": b"* @all\nedited @ed\n", "z": b"nothing"}
    when = datetime(2026, 1, 1, tzinfo=UTC)
    commit = repo.commit(None, files, message="m", author="A", email="a@b", when=when)
    repo.set_ref("refs/heads/main", commit, expected=None)
    index = FleetIndex(tmp_path / "i.db")
    index.refresh([tmp_path / "r.git"])
    done: list[int] = []
    found = find_consumers(
        index.candidates(frozenset({"users_v1"})),
        scripted,
        lambda name: Repository.open(index.path_of(name)),
        progress=done.append,
    )
    assert [(c.path, str(c.read.dataset), c.read.line, c.read.columns, c.owner) for c in found.consumers] == [
        ("edited", "core.users_v1", 2, ("a", "b"), "@ed"),
        ("edited", "core.devices_v1", 4, (), "@ed"),
        ("skipped", "core.users_v1", 3, ("score",), "@all"),
    ]
    assert [e.detail for e in found.consumers[0].evidence] == ["edited:2", "edited:9"]
    assert found.consumers[2].framework is Framework.DBT
    assert found.consumers[0].key == "r:edited:core.users_v1"
    assert [(u.path, u.line) for u in found.unclear] == [
        ("dynamic", 5),
        ("failed", 1),
        ("latin", 1),
        ("raises", 1),
    ]
    assert all(u.reason.startswith("may read it: ") and u.owner == "@all" for u in found.unclear)
    assert (found.files, done[-1]) == (7, 7)
