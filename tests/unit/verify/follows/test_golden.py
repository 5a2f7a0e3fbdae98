"""False alarms: of the codemods' own rewrites, which are right, next to none is called a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from greylag.domain.agent import Leftover
from greylag.domain.check import CheckStatus
from greylag.engine.finding import look
from greylag.mapping import load_migration
from greylag.verify.follows import follows

GOLDEN = Path(__file__).parents[3] / "golden"
# A proof decides these in earnest, so that they are not read at all.
MOST = 0.02


def pairs(kind: str) -> Iterator[tuple[Path, Path, Path]]:
    """(migration, before, after) of every golden case of a kind."""
    for folder in sorted(path for path in (GOLDEN / kind).iterdir() if path.is_dir()):
        own = folder / "migration.yaml"
        migration = own if own.exists() else GOLDEN / kind / "migration.yaml"
        before = next((path for path in folder.glob("before.*") if path.is_file()), None)
        if before is None or not migration.exists():
            continue
        for after in sorted(path for path in folder.glob("after*.*") if path.is_file()):
            yield migration, before, after


@pytest.mark.parametrize("kind", ["sql", "python", "scala", "java", "config"])
def test_right_rewrites_raise_no_alarm(kind: str) -> None:
    seen, alarms = 0, []
    for migration, before, after in list(pairs(kind))[::3]:
        compiled = load_migration(migration)
        path, text = f"x{before.suffix}", before.read_text(encoding="utf-8", errors="replace")
        reads = getattr(look(path, text, compiled, {path: text}), "reads", ())
        left = Leftover(path=path, framework=None, reads=reads, reasons=())
        check = follows(compiled, [left], {path: before.read_bytes()}, {path: after.read_bytes()})
        seen += 1
        if check.status is CheckStatus.FAILED:
            alarms.append(f"{after.parent.name}: {check.summary}")
    assert seen >= 4
    assert len(alarms) <= MOST * seen, alarms
