"""`greylag serve`: takes in webhooks and runs, and says how things stand."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption
from greylag.cli.console import print_error, print_json
from greylag.domain.errors import UsageError

HELP = """Take in what forges tell by webhook, and pipelines of their runs, so that campaigns act at once.

What comes is verified, written into the database and answered; `greylag run` and `greylag worker` act on it.
It decides nothing, and needs no access to the forge. Addresses: POST /hooks/github (gitlab, gitea, bitbucket,
gerrit), POST /health/SOURCE, POST /api/v1/lineage (OpenLineage); GET /healthz, /readyz, /metrics.
Secrets: `serve` in greylag.yaml. Stop it with Ctrl-C or SIGTERM: what has come is written down first.

Exit status 0: stopped; with --json, what came in is told at the end.

Example: [bold]greylag serve --port 8480[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", help=HELP)(serve)


def serve(
    config: ConfigOption = None,
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST", help="Listen there (default: the loopback).")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", min=0, max=65535, help="0: any that is free.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
    json: JsonOption = False,
) -> None:
    """Take in webhooks and runs until told to end."""
    from greylag.app import load_settings
    from greylag.app.serving import open_serving

    try:
        from greylag.web.server import listening
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn"}:
            raise
        raise UsageError(
            f"greylag serve needs a library: pip install 'greylag[serve]' ({error.name})"
        ) from error
    settings = load_settings(config)
    serving = open_serving(settings)
    if not quiet:
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(message)s")
    place = host or settings.serve.host, settings.serve.port if port is None else port
    with listening(serving, *place) as (address, receiver):
        print_error(f"listening on {address}; Ctrl-C ends it")
        _until_told()
    if json:
        print_json({"requests": receiver.counts.total()})


def _until_told() -> None:
    ends = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if ends.is_set():
            raise KeyboardInterrupt  # told twice
        ends.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while not ends.wait(1.0):
        pass
    print_error("ending: what has come is written down first")
