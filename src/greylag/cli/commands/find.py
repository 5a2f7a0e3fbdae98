"""`greylag find`: consumers, with evidence, owner, framework and columns used."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greylag.cli.console import Exit, out, print_json
from greylag.engine.documents import find_document

if TYPE_CHECKING:
    from greylag.app.settings import Settings
    from greylag.engine.finding import Places, Progress
    from greylag.lineage import Findings

HELP = """\
Find the consumers of a migration's old datasets.

PATH is a folder, a file or a bare repository; --fleet a folder of repositories. Without either, the fleet of
greylag.yaml is searched, or the current folder if there is none. Nothing is changed.

Ends with status 1 when a file may be a consumer and nobody can tell.

Example: [bold]greylag find users-v2.migration.yaml --fleet repos/ --json[/]
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("find", help=HELP)(find)


def find(
    migration: Annotated[Path, typer.Argument(help="The migration file.", show_default=False)],
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Where to look.", show_default=False)
    ] = None,
    fleet: Annotated[
        Path | None, typer.Option("--fleet", help="Every repository below this folder.", show_default=False)
    ] = None,
    mentions: Annotated[
        bool, typer.Option("--mentions", help="List the places too that only say a dataset's name.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find the consumers of a migration's old datasets."""
    from greylag.cli.mentions_report import as_json, print_mentions
    from greylag.engine.finding import find as find_all
    from greylag.engine.finding import places_of
    from greylag.engine.mentions import find_mentions
    from greylag.lineage import FleetIndex
    from greylag.mapping import load_migration

    compiled = load_migration(migration)
    wanted, root = _asked(paths or [], fleet)
    places = places_of(wanted, root)
    index = FleetIndex(_index_file(wanted, root))
    with _told() as progress:
        found = find_all(compiled, places, index, progress=progress)
    said = tuple(find_mentions(compiled, places, index)) if mentions else ()
    if json:
        told = {"mentions": as_json(said)} if mentions else {}
        print_json({**find_document(compiled.name, found, places), **told})
    else:
        _print(found, places)
        if mentions:
            print_mentions(said, diff=False, written=False)
    if found.unclear:
        raise typer.Exit(Exit.NEEDS_PERSON)


def _asked(paths: list[Path], fleet: Path | None) -> tuple[list[Path], Path | None]:
    """Where to look: what was named, else the fleet of the settings, else here."""
    if paths or fleet is not None:
        return paths, fleet
    from greylag.app.settings import load_settings

    settings = load_settings()
    configured = settings.fleet
    if settings.forge.kind != "embedded":
        _bring(settings)
    return ([], configured) if configured.is_dir() else ([Path()], None)


def _bring(settings: Settings) -> None:
    """Fetch a fleet that lives on a forge. What cannot be fetched is told: it is searched as it was."""
    from greylag.app.hosted import refresh

    for repository, why in sorted(refresh(settings).unreadable.items()):
        typer.echo(f"{repository}: could not be brought up to date: {why}", err=True)


def _index_file(paths: list[Path], fleet: Path | None) -> Path:
    """A cache of what files mention, one for each place that is asked about; it may be deleted any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    known = "\n".join(str(path.resolve()) for path in (*paths, *([fleet] if fleet else [])))
    return Path(base) / "greylag" / f"fleet-{hashlib.sha256(known.encode()).hexdigest()[:16]}.db"


@contextmanager
def _told() -> Iterator[Progress]:
    """Progress as bars or lines on standard error, one for each kind of work."""
    from greylag.cli.progress import progress

    with ExitStack() as stack:
        steps: dict[str, Callable[[str], None]] = {}
        counted: dict[str, int] = {}

        def tell(work: str, done: int, total: int) -> None:
            if work not in steps:
                stack.close()
                steps[work] = stack.enter_context(progress(work, total))
            for _ in range(counted.get(work, 0), done):
                steps[work]("")
            counted[work] = done

        yield tell


def _print(found: Findings, places: Places) -> None:
    from rich.markup import escape

    console = out()
    for repository, group in groupby(found.consumers, key=lambda one: one.repository):
        console.print(f"[bold]{escape(repository)}[/]")
        rows = [
            (
                f"{one.path}:{one.read.line}",
                str(one.read.dataset),
                ", ".join(one.read.columns) or "-",
                one.framework.value,
                one.owner or "-",
            )
            for one in group
        ]
        for line in _aligned(rows):
            console.print(escape(line))
    if found.unclear:
        console.print("[bold yellow]may read it; nobody can tell[/]")
        doubts = [
            (f"{one.repository}/{one.path}:{one.line}", one.owner or "-", one.reason) for one in found.unclear
        ]
        for line in _aligned(doubts):
            console.print(escape(line))
    repositories = len({one.repository for one in found.consumers})
    where = [
        _counted(number, what)
        for number, what in ((len(places.repositories), "repository"), (len(places.paths), "path"))
        if number
    ]
    console.print(
        f"{_counted(len(found.consumers), 'consumer')} in {_counted(repositories, 'repository')}, "
        f"{len(found.unclear)} unclear; searched {' and '.join(where) or 'nothing'}"
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows as lines of equal columns, however wide: they are for eyes and for grep."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(padded)}".rstrip()


def _counted(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {what.removesuffix('y')}ies" if what.endswith("y") else f"{number} {what}s"
