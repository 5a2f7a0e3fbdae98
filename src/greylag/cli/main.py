"""Entry point of the `greylag` command: registers the commands, maps errors to exit statuses."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

from greylag import __version__
from greylag.cli.console import Exit, err
from greylag.domain.errors import GreylagError

app = typer.Typer(
    name="greylag",
    help="When a dataset changes: find its readers, rewrite them, prove it, roll it out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"greylag {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """When a dataset changes: find its readers, rewrite them, prove it, roll it out."""


def main() -> None:
    """Run the command line; every error ends with the exit status of the contract."""
    try:
        app()
    except GreylagError as error:
        err().print(f"[bold red]error:[/] {error}", markup=True)
        sys.exit(Exit.USAGE)
    except KeyboardInterrupt:
        err().print("interrupted; nothing half-written was left behind")
        sys.exit(130)
    except Exception:  # noqa: BLE001 - the outermost frame: report and exit 3
        err().print(traceback.format_exc(), markup=False)
        err().print("This is an error of Greylag's own. Please report it with the text above.")
        sys.exit(Exit.INTERNAL)


if __name__ == "__main__":
    main()
