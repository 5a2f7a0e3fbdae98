"""`greylag worker`: one more process that performs the effects of all campaigns on a PostgreSQL database."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, UnsafeOption, open_app, tell
from greylag.cli.console import print_error, print_json

if TYPE_CHECKING:
    from greylag.app import App
    from greylag.engine.events import Event

HELP = """Work on the campaigns of a PostgreSQL database, next to `greylag run`; any number, on any machine.

It rewrites, proves, proposes, merges and watches what `greylag run` decides; by itself it decides nothing.
Stop it with Ctrl-C or SIGTERM: what it has begun is ended, or taken over by others. It may be killed, too.

Exit status 0: stopped; with --json, what it did is told at the end, events by kind.

Example: [bold]greylag worker[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker", help=HELP)(worker)


def worker(
    config: ConfigOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
    unsafe: UnsafeOption = False,
    json: JsonOption = False,
) -> None:
    """Perform effects until told to end."""
    app = open_app(config, unsafe=unsafe)
    if not quiet:
        app.subscribe(tell)
    done: Counter[str] = Counter()
    lock = threading.Lock()

    def count(event: Event) -> None:
        with lock:
            done[event.kind.value] += 1

    app.subscribe(count)
    _serve(app, quiet=quiet)
    if json:
        print_json({"events": dict(sorted(done.items()))})


def _serve(app: App, *, quiet: bool) -> None:
    ends = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if ends.is_set():
            raise KeyboardInterrupt  # told twice: others take over what it does
        ends.set()

    with app.serve():
        # Only now: told to end while it starts, it ends at once.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if not quiet:
            print_error("working; Ctrl-C ends it")
        while not ends.wait(1.0):
            pass
        if not quiet:
            print_error("ending: what runs is ended first")
