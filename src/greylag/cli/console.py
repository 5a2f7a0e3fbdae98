"""Output and exit statuses that every command shares."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class Exit(IntEnum):
    """Exit statuses of the contract; the last two are what a shell reports for Ctrl-C and a closed pipe."""

    DONE = 0
    NEEDS_PERSON = 1
    USAGE = 2
    INTERNAL = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141


def out() -> Console:
    """The console for results: standard output; colours only on a terminal without NO_COLOR."""
    # Rich takes as long to import as the rest of a start: only commands that print tables pay for it.
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def err() -> Console:
    """The console for progress and errors: standard error."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def print_json(document: Mapping[str, object]) -> None:
    """Write one JSON document on standard output, nothing else."""
    sys.stdout.write(json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n")


def print_error(message: str) -> None:
    """Write text on standard error exactly as it is: no markup is read from what users wrote."""
    sys.stderr.write(message.rstrip("\n") + "\n")
