"""What commits and merges say: trailers, conflicting paths."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pygit2

_TRAILER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*): (.*)")


def parse_trailers(message: str) -> Mapping[str, str]:
    """The `Name: value` lines of a message's last paragraph; empty unless all of its lines are such."""
    paragraphs = re.split(r"\n[ \t]*\n", message.strip())
    if len(paragraphs) < 2:
        return {}
    matches = [_TRAILER.fullmatch(line.strip()) for line in paragraphs[-1].splitlines()]
    found = {match[1]: match[2].strip() for match in matches if match is not None}
    return found if all(matches) else {}


def conflict_paths(index: pygit2.Index) -> tuple[str, ...]:
    """The paths on which a merge did not agree, sorted."""
    sides = [side for conflict in index.conflicts or () for side in conflict if side is not None]
    return tuple(sorted({str(side.path) for side in sides}))
