"""What of an agent's changes is right where the whole was not: file by file."""

from __future__ import annotations

from collections.abc import Mapping

from greylag.domain.agent import Changes
from greylag.engine.checking import Verification, acceptable

_TRIES = 6
"""How often the repository's own tests may run to find out which files go together."""


def accepted_part(
    verification: Verification, changes: Changes
) -> tuple[Mapping[str, bytes], Verification] | None:
    """The files that all checks accept together, with the checks' owner; None where no part is right.

    Only among several leftovers, and only where nothing else was changed: who touches other files (a test, a
    fixture) gets nothing through. Asks no agent.
    """
    given = {left.path for left in verification.leftovers}
    files = {path: data for path, data in sorted(changes.items()) if data is not None}
    if len(given) < 2 or not files or set(changes) - given:
        return None
    alone = {
        path: data
        for path, data in files.items()
        if acceptable(verification.only({path}, quick=True)({path: data}))
    }
    if not alone:
        return None
    whole = _judged(verification, alone)
    if whole is not None or len(alone) == 1:
        return whole
    kept: dict[str, bytes] = {}
    best = None
    for path in list(alone)[:_TRIES]:
        found = _judged(verification, {**kept, path: alone[path]})
        if found is not None:
            kept[path] = alone[path]
            best = found
    return best


def _judged(
    verification: Verification, files: Mapping[str, bytes]
) -> tuple[Mapping[str, bytes], Verification] | None:
    part = verification.only(files.keys())
    return (dict(files), part) if acceptable(part(files)) else None
