"""A disk that is full is waited for: it is said, no try is used up, and it goes on when there is room."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.e2e.campaigns import START, make_app, make_fleet, query, rule_rewriter, write_migration

from greylag.app import App
from greylag.domain.outcome import FileReport, FormChoice
from greylag.domain.target import TargetState
from greylag.engine.clock import LeapClock
from greylag.engine.ports import ProofLevel
from greylag.engine.report import events
from greylag.engine.work import InlineWork
from greylag.mapping.compiled import CompiledMigration


def ended(folder: Path, app: App, said: str) -> None:
    campaign = app.campaign(write_migration(folder))
    with app.lock():
        assert campaign.run().over
    (target,) = campaign.world().targets
    assert (target.state, target.errors, target.attempt) == (TargetState.DONE, 0, 1)
    told = [event for event in events(campaign) if event.kind.value in ("waiting", "error", "handed_over")]
    assert [event.kind.value for event in told] == ["waiting"], "told once"
    assert said in told[0].message


def test_a_program_that_finds_no_room(tmp_path: Path) -> None:
    left = [6]

    def rewriter(
        files: Mapping[str, str],
        migration: CompiledMigration,
        *,
        form: FormChoice,
        proof: ProofLevel,
        only: Callable[[str], bool],
    ) -> tuple[FileReport, ...]:
        if proof != "none" and left[0]:
            left[0] -= 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rule_rewriter(files, migration, form=form, proof=proof, only=only)

    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}})
    app = make_app(tmp_path, clock=LeapClock(START), work=InlineWork)
    ended(tmp_path, replace(app, rewriter=rewriter), "No space left on device")
    assert left == [0]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("file systems may not be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Tidy(LeapClock):
    """Somebody makes room the third time that we sleep."""

    def __init__(self, filler: Path) -> None:
        super().__init__(START)
        self._filler, self._slept = filler, 0

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """See `Clock`."""
        self._slept += 1
        if self._slept == 3:
            self._filler.unlink()
        super().sleep_until(when, wake)


def test_a_fleet_without_room(tmp_path: Path, small: Path) -> None:
    make_fleet(small, {"a": {"q.sql": query(1)}})
    filler = small / "filler"
    app = make_app(tmp_path, clock=Tidy(filler), work=InlineWork)
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    ended(tmp_path, app, f"the disk of {small / 'a.git'}")
