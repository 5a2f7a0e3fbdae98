"""The tour of the README, typed as it stands there: every command works and prints what is shown.

Blocks marked `console` hold commands (after `$`) and their output; a line with only `…` stands for any lines.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command and what is shown under it."""

    command: str
    shown: tuple[str, ...]


def tour(text: str) -> list[Typed]:
    """All commands of the console blocks, in their order."""
    found: list[Typed] = []
    for block in BLOCK.findall(text):
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, shown = part.partition("\n")
            found.append(Typed(command=command, shown=tuple(shown.rstrip().splitlines())))
    return found


def pattern(shown: tuple[str, ...]) -> re.Pattern[str]:
    """What is shown as a pattern: trailing blanks are free, `…` alone on a line is any lines."""
    lines = (r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line.rstrip()) + r"\s*\n" for line in shown)
    return re.compile("".join(lines))


def test_the_tour_works_as_shown(tmp_path: Path) -> None:
    commands = tour((ROOT / "README.md").read_text())
    assert len(commands) >= 10
    folder = tmp_path / "docs" / "tour"
    shutil.copytree(ROOT / "docs" / "tour", folder, ignore=shutil.ignore_patterns("fleet", ".greylag"))
    scripts = str(Path(sys.executable).parent)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GREYLAG_")},
        "PATH": scripts + os.pathsep + os.environ["PATH"],
        "NO_COLOR": "1",
        "COLUMNS": "110",
        "HOME": str(tmp_path),
    }
    where = tmp_path
    for typed in commands:
        if typed.command.startswith("cd "):
            where = where / typed.command.removeprefix("cd ")
            continue
        result = subprocess.run(
            ["sh", "-c", typed.command],
            cwd=where,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        printed = "".join(line.rstrip() + "\n" for line in result.stdout.splitlines())
        assert pattern(typed.shown).fullmatch(printed), (
            f"$ {typed.command}\n--- printed (status {result.returncode})\n{printed}--- on standard error\n"
            f"{result.stderr}"
        )
