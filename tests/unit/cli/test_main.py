"""How the command ends: exit statuses, where messages go, what a start imports."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from greylag.cli.console import Exit, print_json
from greylag.cli.main import GuardedGroup, app
from greylag.domain.errors import Fault, FileFaults, UsageError

HEAVY = (
    "sqlglot",
    "duckdb",
    "dbos",
    "pygit2",
    "sqlalchemy",
    "pydantic",
    "ruamel",
    "ahocorasick",
    "rich.console",
)


def run_command(body: Callable[[], None], *args: str) -> object:
    """Run an application of one command through the same root group as the real one."""
    probe = typer.Typer(cls=GuardedGroup, pretty_exceptions_enable=False)

    @probe.callback()
    def root() -> None:
        """Root."""

    @probe.command()
    def work(json: bool = False) -> None:
        body()

    return CliRunner().invoke(probe, ["work", *args])


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


def fault(line: int, message: str) -> Fault:
    return Fault(file="m.migration.yaml", line=line, column=9, message=message)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (lambda: print_json({"a": 1}), 0, ""),
        (raising(UsageError("no [bold]such[/] file")), 2, "error: no [bold]such[/] file\n"),
        (
            raising(FileFaults((fault(3, "unknown key `a[0]`"), fault(7, "no column [red]x[/red]")))),
            2,
            "m.migration.yaml:3:9: unknown key `a[0]`\nm.migration.yaml:7:9: no column [red]x[/red]\n",
        ),
        (raising(KeyboardInterrupt()), 130, "interrupted\n"),
        (raising(typer.Exit(1)), 1, ""),
    ],
)
def test_exit_status_and_message(body: Callable[[], None], status: int, message: str) -> None:
    result = run_command(body, "--json")
    assert (result.exit_code, result.stderr) == (status, message)
    assert result.stdout == ("" if status else '{\n  "a": 1\n}\n')


def test_a_missing_extra_says_what_to_install() -> None:
    result = run_command(raising(ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")))
    assert result.exit_code == Exit.USAGE
    assert result.stderr == (
        "error: this needs uvicorn, which is not installed: pip install 'greylag[agent]'\n"
    )


def test_a_missing_module_of_our_own_is_our_error() -> None:
    result = run_command(raising(ModuleNotFoundError("No module named 'greylag.x'", name="greylag.x")))
    assert result.exit_code == Exit.INTERNAL
    assert "report it" in result.stderr


def test_own_error_says_how_to_report_it() -> None:
    result = run_command(raising(RuntimeError("[broken]")))
    assert result.exit_code == Exit.INTERNAL
    assert result.stdout == ""
    assert "RuntimeError: [broken]" in result.stderr
    assert "report it" in result.stderr
    assert "greylag 0." in result.stderr


@pytest.mark.parametrize("args", [["work", "--nonsense"], ["wrok"]])
def test_wrong_use_exits_2(args: list[str]) -> None:
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 2
    assert result.stdout == ""


def greylag(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "greylag", *args]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, check=False)


def test_closed_pipe_is_silent() -> None:
    script = (
        "import sys, typer\n"
        "from greylag.cli.main import app\n"
        "@app.command()\n"
        "def flood() -> None:\n"
        "    for _ in range(100_000): print('x' * 80)\n"
        "app(['flood'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    stderr = process.stderr.read()
    assert (process.wait(timeout=60), stderr) == (Exit.PIPE_CLOSED, "")
    process.stderr.close()


def test_version_and_help_are_readable_without_colour() -> None:
    assert greylag("--version").stdout.startswith("greylag 0.")
    shown = greylag("--help", NO_COLOR="1", TERM="xterm-256color")
    assert shown.returncode == 0
    assert "\x1b[3" not in shown.stdout
    for command in commands():
        assert f" {command.split()[0]} " in shown.stdout


def commands() -> dict[str, Any]:
    """Every command by its words; a group stands for those in it."""
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():
        inside = getattr(command, "commands", None)
        found |= {name: command} if inside is None else {f"{name} {n}": c for n, c in inside.items()}
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_takes_json_and_shows_an_example(name: str) -> None:
    command = commands()[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options
    assert "example" in (command.help or "").lower()
    assert f"greylag {name}" in command.help


def test_start_up_imports_nothing_heavy() -> None:
    code = f"import sys, greylag.cli.main; print([m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]", "import heavy modules inside the command's function"


WITHOUT_EXTRAS = """
import json, sys
from greylag.cli.main import EXTRAS, main

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {module for modules in EXTRAS.values() for module in modules}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
for words in json.loads(sys.argv[1]):
    sys.argv = ["greylag", *words]
    try:
        main()
    except SystemExit as end:
        print("ended:", end.code, file=sys.stderr)
"""
TOUR = Path(__file__).parents[3] / "docs" / "tour"
USERS = str(TOUR / "users-v2.migration.yaml")


def without_extras(folder: Path, *commands: list[str]) -> list[tuple[int, str]]:
    """Run commands in an installation that has no extra: the status and standard error of each.

    One process for all: what is hidden is not there for the second command either.
    """
    (folder / "fleet").mkdir()
    command = [sys.executable, "-c", WITHOUT_EXTRAS, json.dumps(commands)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^ended: (\d+)\n", done.stderr, flags=re.MULTILINE)
    ended = [(int(status), errors) for errors, status in zip(parts[0:-1:2], parts[1::2], strict=True)]
    assert len(ended) == len(commands), done.stderr
    return ended


def test_without_extras_everything_but_agents_works(tmp_path: Path) -> None:
    (tmp_path / "greylag.yaml").write_text("health: {none: true}\n")
    names = ["find", "plan", "run", "status", "ledger", "questions"]
    ended = without_extras(tmp_path, *([name, USERS] for name in names))
    for name, (status, errors) in zip(names, ended, strict=True):
        assert (status in (0, 1), "Traceback" in errors) == (True, False), (name, errors)


def test_without_extras_agents_say_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "greylag.yaml").write_text("agent: {runner: own, model: m}\n")
    commands = (["agent", "check"], ["demo", "--agent", "scripted"], ["run", USERS])
    for command, (status, errors) in zip(commands, without_extras(tmp_path, *commands), strict=True):
        assert status == Exit.USAGE, (command, errors)
        assert errors.endswith("which is not installed: pip install 'greylag[agent]'\n"), (command, errors)


def test_shell_completion_offers_commands() -> None:
    shown = greylag(_GREYLAG_COMPLETE="complete_bash", COMP_WORDS="greylag ", COMP_CWORD="1")
    assert shown.returncode == 0
    assert shown.stderr == ""
    # Which shell it is, is looked up among the processes above; there may be none where the tests run.
    typed = f"{shlex.quote(sys.executable)} -m greylag --show-completion; true"
    told = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=True)
    assert "_GREYLAG_COMPLETE" in told.stdout, told.stderr
