"""Keep the README true: run the commands of its tour, and put what they print under them.

    python docs/readme.py            # rewrites README.md where an output is no longer the real one

Blocks marked `console` hold commands (after `$`) and what they print on standard output. `…` stands for any
text, and alone on a line for any lines; it stays as long as the output still fits.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```)", re.DOTALL | re.MULTILINE)
ANY = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command and what is shown under it."""

    command: str
    shown: str

    def fits(self, printed: str) -> bool:
        """Is this what is shown? Blanks at the ends of lines are free."""
        parts = (_line(line) for line in self.shown.splitlines())
        return re.fullmatch("".join(parts), printed) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command printed."""

    status: int
    printed: str
    errors: str


def _line(line: str) -> str:
    if line.strip() == ANY:
        return r"(?:.*\n)*?"
    return ".*?".join(re.escape(part) for part in line.rstrip().split(ANY)) + r"\n"


def tour(block: str) -> list[Typed]:
    """The commands of a console block, in their order."""
    found = []
    for part in re.split(r"(?m)^\$ ", block)[1:]:
        command, _, shown = part.partition("\n")
        found.append(Typed(command=command, shown=shown))
    return found


class Shell:
    """Runs commands one after the other in a copy of what the tour needs; `cd` is understood."""

    def __init__(self, folder: Path) -> None:
        self.where = folder
        ignored = shutil.ignore_patterns("fleet", ".greylag")
        shutil.copytree(ROOT / "docs" / "tour", folder / "docs" / "tour", ignore=ignored)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GREYLAG_")}
        scripts = str(Path(sys.executable).parent)
        path = scripts + os.pathsep + os.environ["PATH"]
        self.env = {**inherited, "PATH": path, "NO_COLOR": "1", "COLUMNS": "110", "HOME": str(folder)}

    def run(self, command: str) -> Result:
        """Type a command; nobody answers it."""
        if command.startswith("cd "):
            self.where /= command.removeprefix("cd ")
            return Result(status=0, printed="", errors="")
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.where,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        printed = "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())
        return Result(status=done.returncode, printed=printed, errors=done.stderr)


def main() -> int:
    """Rewrite the README's outputs."""
    readme = ROOT / "README.md"
    with tempfile.TemporaryDirectory(prefix="greylag-readme-") as folder:
        shell = Shell(Path(folder))

        def renewed(block: re.Match[str]) -> str:
            return "".join(_renewed(tour(block.group()), shell))

        text = BLOCK.sub(renewed, readme.read_text())
    readme.write_text(text)
    return 0


def _renewed(commands: list[Typed], shell: Shell) -> Iterator[str]:
    for typed in commands:
        result = shell.run(typed.command)
        sys.stderr.write(f"$ {typed.command}: {result.status}\n")
        yield f"$ {typed.command}\n"
        yield typed.shown if typed.fits(result.printed) else result.printed


if __name__ == "__main__":
    sys.exit(main())
