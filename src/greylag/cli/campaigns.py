"""What the campaign commands share: their options, the application, and how a campaign is shown."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.console import out

if TYPE_CHECKING:
    from greylag.app import App
    from greylag.engine.campaign import Campaign
    from greylag.engine.events import Event
    from greylag.engine.report import AgentStatus, Status

MigrationArgument = Annotated[
    str,
    typer.Argument(
        metavar="MIGRATION", help="The migration file, or the name of a campaign.", show_default=False
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The settings (default: greylag.yaml, upwards from here)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
UnsafeOption = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox",
        help="Run agents, and what repositories bring, without a sandbox: they may do all that you may.",
    ),
]
ActorOption = Annotated[
    str | None,
    typer.Option("--actor", metavar="NAME", envvar="GREYLAG_ACTOR", help="Who decides (default: the login)."),
]


def open_app(config: Path | None, *, unsafe: bool = False) -> App:
    """The application as the settings say; `unsafe`: agents run without a sandbox."""
    from greylag.app import build, load_settings

    return build(load_settings(config), unsafe=unsafe)


def open_campaign(migration: str, config: Path | None) -> Campaign:
    """The campaign of a migration file, or of a name."""
    return open_app(config).campaign(migration)


def actor_name(given: str | None) -> str:
    """Who decides."""
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def tell(event: Event) -> None:
    """An event as a line of progress on standard error."""
    wave = "" if event.wave is None else f" wave {event.wave}"
    sys.stderr.write(f"{event.at:%H:%M:%S}{wave} {event.kind}: {event.message}\n")
    sys.stderr.flush()


def show_status(status: Status) -> None:
    """The status for people, on standard output."""
    from rich.markup import escape
    from rich.table import Table

    from greylag.domain.words import count

    console = out()
    mode = "" if status.mode == "active" else f" ({status.mode})"
    state = "over" if status.over else "under way"
    total = count(sum(status.consumers.values()), "consumer")
    console.print(f"[bold]{escape(status.migration)}[/]: {state}{mode}; {total}")
    if status.consumers:
        counts = ", ".join(f"{number} {name}" for name, number in sorted(status.consumers.items()))
        console.print(f"  {counts}")
    if status.agents is not None:
        console.print(f"  {_agents(status.agents)}")
    if status.waves:
        table = Table("wave", "targets", "states", "reverts", "")
        for wave in status.waves:
            states = ", ".join(f"{number} {name}" for name, number in sorted(wave.states.items()))
            note = f"held: {wave.held}" if wave.held else ("done" if wave.done else "")
            table.add_row(str(wave.number), str(wave.size), states, str(wave.reverts), escape(note))
        console.print(table)
    _show_pulls(status)
    _show_waits(status)


def _agents(agents: AgentStatus) -> str:
    from greylag.domain.words import count

    runs = ", ".join(f"{number} {end.replace('_', ' ')}" for end, number in sorted(agents.runs.items()))
    held = f", ${agents.reserved:.2f} reserved" if agents.reserved else ""
    return f"agents: {runs}; {count(agents.calls, 'call')}, ${agents.cost - agents.reserved:.2f}{held}"


def _show_pulls(status: Status) -> None:
    """Lines, not a table: an address that is cut off is of no use."""
    from rich.markup import escape

    console = out()
    for target in status.targets:
        if target.pull_number is None or target.terminal:
            continue
        verdict = "" if target.verdict is None else f"{target.verdict.value}; "
        console.print(
            f"[green]{target.state.value}[/] {escape(target.repository)}: {verdict}{escape(target.reason)}"
        )
        console.print(f"  {escape(target.pull_url or f'pull request {target.pull_number}')}")


def _show_waits(status: Status) -> None:
    from rich.markup import escape

    from greylag.domain.words import count

    console = out()
    for target in status.left_over:
        console.print(f"[yellow]{target.state}[/] {escape(target.repository)}: {escape(target.reason)}")
    for wait in status.waits:
        who = status.migration if wait.repository is None else wait.repository
        until = f" (looked at again {wait.until:%Y-%m-%d %H:%M %Z})" if wait.until else ""
        console.print(f"[cyan]{wait.kind}[/] {escape(who)}: {escape(wait.reason)}{until}")
        if wait.command:
            console.print(f"  [bold]{escape(wait.command)}[/]")
    if status.pending:
        console.print(
            f"{count(status.pending, 'thing')} to do: `greylag run {escape(status.migration)}` goes on"
        )
