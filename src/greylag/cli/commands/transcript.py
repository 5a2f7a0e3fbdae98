"""`greylag transcript`: what an agent did at a target, as it was written down."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.campaigns import ConfigOption, JsonOption, MigrationArgument, open_app
from greylag.cli.console import out
from greylag.domain.errors import UsageError
from greylag.engine.documents import agents_folder, attempt_document, attempt_figures, plain

if TYPE_CHECKING:
    from greylag.agent.transcript import Attempt, Record

HELP = """What agents did: the attempts of a campaign, or, with a target, one of them from start to end.

With --otlp they are sent to a collector (http://…), or written to a file, as OpenTelemetry spans; what was
said and changed is part of them only with --content.

Example: [bold]greylag transcript users-v2 team/reports[/]
"""
POLL = 0.3
"""Seconds between two looks at a file that is followed."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("transcript", help=HELP)(transcript)


def transcript(
    migration: MigrationArgument,
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="A repository of the fleet.", show_default=False)
    ] = None,
    attempt: Annotated[
        str | None,
        typer.Option(
            "--attempt", metavar="N.RUN", help="Which attempt (default: the last).", show_default=False
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The lines of the file as they stand there.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Every message whole.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the attempt has ended.")
    ] = False,
    otlp: Annotated[
        str | None,
        typer.Option("--otlp", metavar="ENDPOINT|FILE", help="Export as OTLP.", show_default=False),
    ] = None,
    content: Annotated[
        bool, typer.Option("--content", help="With --otlp: export what was said, too.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what agents did."""
    from greylag.agent.transcript import attempts
    from greylag.app import load_settings

    if target is None:
        _only_lists(
            migration, **{"--attempt": attempt is not None, "--raw": raw, "--full": full, "--follow": follow}
        )
    root = agents_folder(load_settings(config).database)
    found = _chosen(attempts(root, _name(migration, config), target), attempt)
    if target is not None and not found:
        raise UsageError(
            f"{target}: no agent has worked on it{f' in attempt {attempt}' if attempt else ''}; "
            f"`greylag transcript {migration}` lists the attempts"
        )
    if not found and not Path(migration).is_file():
        # A campaign without attempts is fine; one that nobody started is a misspelled name.
        open_app(config).campaign(migration)
    if otlp is not None:
        _export(found, otlp, content=content)
    elif target is None:
        _list(found, json=json)
    elif json:
        _write_json(attempt_document(found[-1]))
    elif raw:
        _raw(found[-1])
    else:
        _show(found[-1], full=full, follow=follow)


def _only_lists(migration: str, **given: bool) -> None:
    for option in (name for name, present in given.items() if present):
        raise UsageError(
            f"{option} is for one target: greylag transcript {migration} TARGET {option} "
            f"(`greylag transcript {migration}` lists them)"
        )


def _name(migration: str, config: Path | None) -> str:
    path = Path(migration)
    if not path.is_file():
        return migration
    from greylag.engine.loading import load_with_answers

    return load_with_answers(path.read_text(encoding="utf-8"), migration, {}).name


def _chosen(found: tuple[Attempt, ...], attempt: str | None) -> tuple[Attempt, ...]:
    return tuple(one for one in found if attempt in {None, f"{one.key.attempt}.{one.key.run}"})


def _records(attempt: Attempt) -> tuple[Record, ...]:
    from greylag.agent.transcript import read_transcript

    return read_transcript(attempt.transcript).records if attempt.transcript.is_file() else ()


def _list(found: tuple[Attempt, ...], *, json: bool) -> None:
    from greylag.agent.transcript import summary
    from greylag.cli.transcript_report import listing
    from greylag.domain.words import count

    if json:
        _write_json({"attempts": [attempt_figures(one) for one in found]})
        return
    console = out()
    for line in listing((one, summary(_records(one))) for one in found):
        console.print(line)
    console.print(count(len(found), "attempt") if found else "no agent has worked on this campaign yet")


def _write_json(document: dict[str, object]) -> None:
    """In ASCII: what was said in an attempt shall not drive the terminal that shows it."""
    import json

    sys.stdout.write(json.dumps(plain(document), indent=2, default=str) + "\n")


def _raw(attempt: Attempt) -> None:
    from greylag.domain.quoting import visible

    text = attempt.transcript.read_bytes().decode("utf-8", "backslashreplace")
    sys.stdout.write(visible(text))


def _show(attempt: Attempt, *, full: bool, follow: bool) -> None:
    from greylag.agent.transcript import resumable, summary
    from greylag.cli.transcript_report import body, ending, heading

    console = out()
    records = _records(attempt)
    first = next((one for one in records if one.kind == "started"), None)
    for line in (*heading(summary(records), first), *body(records, full=full)):
        console.print(line)
    if not follow:
        return
    while resumable(records).ended is None:
        time.sleep(POLL)
        known, records = records, _records(attempt)
        for line in body(records[len(known) :], full=full):
            console.print(line)
        sys.stdout.flush()
    console.print(ending(summary(records)))


def _export(found: tuple[Attempt, ...], where: str, *, content: bool) -> None:
    from greylag.domain.words import count

    try:
        from greylag.agent.transcript.otlp import to_otlp
        from greylag.agent.transcript.sending import export, write
    except ModuleNotFoundError as error:
        raise UsageError(f"--otlp needs a library: pip install 'greylag[otlp]' ({error.name})") from error
    batches = [to_otlp(_records(one), content=content) for one in found]
    if where.startswith(("http://", "https://")):
        for spans in batches:
            if spans:
                export(spans, where)
    else:
        write(batches, Path(where))
    total = sum(len(one) for one in batches)
    sys.stderr.write(f"{count(len(found), 'attempt')}, {count(total, 'span')} to {where}\n")
