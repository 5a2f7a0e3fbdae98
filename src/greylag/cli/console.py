"""Output and exit statuses that every command shares."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import IntEnum

from rich.console import Console


class Exit(IntEnum):
    """Exit statuses of the contract."""

    DONE = 0
    NEEDS_PERSON = 1
    USAGE = 2
    INTERNAL = 3


def out() -> Console:
    """The console for results: standard output; colours only on a terminal without NO_COLOR."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def err() -> Console:
    """The console for progress and errors: standard error."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(document: Mapping[str, object]) -> None:
    """Write one JSON document on standard output, nothing else."""
    sys.stdout.write(json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n")
