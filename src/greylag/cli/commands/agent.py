"""`greylag agent check`: does the configured agent work here, what does it cost, and what may it touch?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, UnsafeOption
from greylag.cli.console import Exit, out, print_json

if TYPE_CHECKING:
    from greylag.agent.runners.checking import AgentReport

HELP = """Coding agents for what codemods leave over: see whether the configured one works here."""

CHECK = """Start the configured agent in its cage, and have it make a small edit in a scratch repository.

Tells the agent's version, what that took and cost, and what its cage lets it touch. It asks the model: that
costs a little money, which counts for the day's budget.

Exit status 0: it did exactly that. 1: it did something else, or its cage let it reach what it must not.

Example: [bold]greylag agent check[/]
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(name="agent", help=HELP, no_args_is_help=True)
    group.command("check", help=CHECK)(check)
    app.add_typer(group)


def check(
    config: ConfigOption = None,
    turns: Annotated[int, typer.Option("--turns", min=1, help="At most so many calls of the model.")] = 10,
    unsafe: UnsafeOption = False,
    json: JsonOption = False,
) -> None:
    """Check the configured agent."""
    from greylag.app.agents import check_agent
    from greylag.app.settings import load_settings

    settings = load_settings(config)
    report = check_agent(settings, turns=turns, unsafe=unsafe)
    well = report.works and not report.reached
    if json:
        print_json(_document(report, well))
    else:
        _show(report, well, f"{settings.agent.model} at {settings.agent.upstream.url}")
    if not well:
        raise typer.Exit(Exit.NEEDS_PERSON)


def _document(report: AgentReport, well: bool) -> dict[str, object]:
    return {
        "ok": well,
        "runner": report.runner,
        "version": report.version,
        "works": report.works,
        "end": report.end.value,
        "text": report.text,
        "seconds": round(report.seconds, 3),
        "calls": report.usage.calls,
        "input_tokens": report.usage.input_tokens,
        "output_tokens": report.usage.output_tokens,
        "cost": round(report.usage.cost, 6),
        "cage": report.cage,
        "may_touch": dict(report.profile),
        "reached": list(report.reached),
        "denied": list(report.denied),
        "changed": sorted(report.changes),
        "refused": [reason.message for reason in report.refused],
    }


def _show(report: AgentReport, well: bool, model: str) -> None:
    from rich.markup import escape

    from greylag.domain.words import count

    console = out()
    usage = report.usage
    console.print(f"[bold]{escape(report.version)}[/], runner {escape(report.runner)}, cage {report.cage}")
    console.print(f"  model {escape(model)}")
    did = "[green]made the edit[/]" if report.works else "[red]did not make the edit[/]"
    console.print(
        f"  {did} in {report.seconds:.1f} s: {count(usage.calls, 'call')}, {usage.input_tokens:,} "
        f"tokens in, {usage.output_tokens:,} out, ${usage.cost:.4f}"
    )
    if not report.works:
        changed = ", ".join(sorted(report.changes)) or "nothing"
        console.print(f"  its turn ended ({report.end}): {escape(report.text)}; changed: {escape(changed)}")
    for reason in report.refused:
        console.print(f"  [red]refused[/] {escape(reason.message)}")
    console.print("  it may touch:")
    for name, value in report.profile.items():
        console.print(f"    {escape(str(name).replace('_', ' '))}: {escape(_words(value))}")
    for what in report.denied:
        console.print(f"  [yellow]denied[/] {escape(what)}")
    for what in report.reached:
        console.print(f"  [red]reached[/] {escape(what)}")
    if well:
        console.print("  it reached nothing outside of its cage")


def _words(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{key} {_size(key, item)}" for key, item in value.items()) or "none"
        case list() | tuple() | set() | frozenset():
            items = [_words(item) for item in value]
            return ", ".join(items[:8]) + (f" and {len(items) - 8} more" if len(items) > 8 else "") or "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _size(name: str, value: object) -> str:
    """A limit with its unit, as people read it."""
    match name, value:
        case "wall" | "cpu", int() | float():
            return f"{value:g} s"
        case "memory" | "disk", int():
            return f"{value / 1024**2:,.0f} MiB"
        case _:
            return _words(value)
