"""The synthetic fleets hold what the benchmarks say that they hold."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.bench_campaign import Told
from bench.bench_find import FILES, build, git_grep
from greylag.engine.events import Event, EventKind
from greylag.workspace import Repository


def test_every_reader_that_was_written_is_there_for_git(tmp_path: Path) -> None:
    readers = build(tmp_path, 11, random.Random(1))
    fleet = sorted(tmp_path.iterdir())
    assert [path.name for path in fleet] == [f"repo-{number:04}.git" for number in range(11)]
    assert sum(git_grep(path) for path in fleet) == readers > 0
    repository = Repository.open(fleet[0])
    assert len(repository.files(repository.head())) == FILES


def test_progress_is_told_for_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    told = Told(20)
    for _ in range(4):
        at = datetime(2026, 3, 2, tzinfo=UTC)
        told(Event(migration="m", kind=EventKind.MERGED, message="", at=at, repository="r"))
        told(Event(migration="m", kind=EventKind.HEALTH, message="", at=at, repository="r"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "campaign: 2 of 20 merged",
        "campaign: 4 of 20 merged",
    ]
