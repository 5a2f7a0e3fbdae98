"""What a campaign leaves for people, with the command to type for each."""

from __future__ import annotations

import re
from collections.abc import Iterable

from greylag.demo.figures import Left
from greylag.engine.actions import Decision, WaitKind
from greylag.engine.ledger import LedgerRow

_STOPPED = frozenset({"skipped", "failed", "handed_over", "aborted"})


def left_for_people(migration: str, decision: Decision, rows: Iterable[LedgerRow]) -> tuple[Left, ...]:
    """What the engine waits for a person to do, then the consumers at which it stopped for good."""
    waits = [
        Left(repository=wait.repository or "", where="", reason=wait.reason, command=wait.command or "")
        for wait in decision.waits
        if wait.kind is WaitKind.PERSON
    ]
    stopped = [
        Left(
            repository=row.repository,
            where=_short(row.path),
            reason=_without_path(row.reason, row.path),
            command=f"greylag retry {migration} {row.repository}",
        )
        for row in rows
        if row.state in _STOPPED
    ]
    return (*waits, *stopped)


def _short(path: str) -> str:
    """The end of a path: the folder says which table it is, the file is often called the same."""
    return "/".join(path.split("/")[-2:])


def _without_path(reason: str, path: str) -> str:
    """The first reason of a row, without the place, which stands beside it; the line number stays."""
    first, *others = reason.split("; " + path)
    place = re.escape(path)
    line = re.search(rf"{place}:(\d+)", first)
    words = re.sub(rf"({place}(:\d+)*: ?)+", "", first)
    told = f"line {line[1]}: {words}" if line else words
    return f"{told} (and {len(others)} more)" if others else told
