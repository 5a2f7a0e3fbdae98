"""Entry point of the `greylag` command: registers the commands, maps errors to exit statuses."""

from __future__ import annotations

import importlib
import logging
import os
import platform
import shlex
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from greylag import __version__
from greylag.cli.console import Exit, print_error
from greylag.domain.errors import FileFaults, GreylagError

COMMANDS: tuple[str, ...] = (
    "demo",
    "init",
    "detect",
    "draft",
    "check",
    "schema",
    "find",
    "rewrite",
    "prove",
    "plan",
    "run",
    "serve",
    "worker",
    "status",
    "ledger",
    "questions",
    "override",
    "retire",
    "compat",
    "agent",
    "transcript",
    "mcp",
)
"""Modules of `greylag.cli.commands` with `register(app)`, in the order in which `--help` lists them."""


EXTRAS: dict[str, tuple[str, ...]] = {
    "agent": (
        "acp",
        "aiolimiter",
        "anthropic",
        "anyio",
        "httpx",
        "mcp",
        "openai",
        "pydantic_ai",
        "starlette",
        "tenacity",
        "uvicorn",
    ),
}
"""What a command may miss because an extra was not installed: the extra, and the modules that it brings."""


def guarded(run: Callable[[], object]) -> Exit:
    """Run a command; every way in which it can end is an exit status of the contract.

    Wrong use that Typer finds by itself (unknown options, missing arguments) and `typer.Exit` pass through.
    """
    # What sqlglot does not understand is told by the codemods, with file and line.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        run()
        sys.stdout.flush()
    except FileFaults as error:
        print_error(str(error))
        return Exit.USAGE
    except GreylagError as error:
        print_error(f"error: {error}")
        return Exit.USAGE
    except KeyboardInterrupt:
        print_error("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone: what Python flushes at exit has to go nowhere, silently.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PIPE_CLOSED
    except ModuleNotFoundError as error:
        print_error(_missing(error))
        return Exit.USAGE if _extra_of(error) else Exit.INTERNAL
    except (typer.Exit, typer.Abort, typer.TyperException):
        raise
    except Exception as error:  # noqa: BLE001 - the outermost frame: report and exit 3
        print_error(_internal(error))
        return Exit.INTERNAL
    return Exit.DONE


def _extra_of(error: ModuleNotFoundError) -> str | None:
    module = (error.name or "").partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if module in modules), None)


def _missing(error: ModuleNotFoundError) -> str:
    extra = _extra_of(error)
    if extra is None:
        return _internal(error)
    return f"error: this needs {error.name}, which is not installed: pip install 'greylag[{extra}]'"


def _internal(error: Exception) -> str:
    import traceback

    trace = "".join(traceback.format_exception(error))
    where = f"greylag {__version__}, Python {platform.python_version()}, {platform.platform()}"
    return (
        f"{trace}\nThis is an error of Greylag's own; nothing that you did wrong. Please report it in the "
        f"project's issue tracker with the lines above and these:\n  {where}\n  {shlex.join(sys.argv)}"
    )


class GuardedGroup(TyperGroup):
    """The root command: what a command raises ends in one place, also when it runs inside a test."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command and turn what it raised into an exit status."""
        status = guarded(lambda: super(GuardedGroup, self).invoke(ctx))
        if status is not Exit.DONE:
            raise typer.Exit(status)


app = typer.Typer(
    name="greylag",
    cls=GuardedGroup,
    help="When a dataset changes: find its readers, rewrite them, prove it, roll it out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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


for _name in COMMANDS:
    importlib.import_module(f"greylag.cli.commands.{_name}").register(app)


def main() -> None:
    """Run the command line."""
    # The name is part of shell completion, however the program was started.
    app(prog_name="greylag")


if __name__ == "__main__":
    main()
