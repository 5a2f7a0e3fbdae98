"""Draw a terminal: run the demo and write what it printed as an SVG file.

    python docs/picture.py [--sections 2,4,5] docs/demo.svg [-- command …]

`--sections` keeps those under the numbered headings named, and the last line; what is left out is marked.

The picture is of a real run, so it is true on the day on which it was drawn.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 118
TOKENS = re.compile(r"(\n|\r|\x1b\[1A|\x1b\[2K|\x1b\[\?25[lh])")
HEADING = re.compile(r"^ (\d)  \S")


def screen(printed: str) -> list[str]:
    """What a terminal shows in the end: bars that were drawn over are gone."""
    rows, row = [""], 0
    for token in TOKENS.split(printed.rstrip("\n")):
        match token:
            case "\n":
                row += 1
                rows += [""] * (row + 1 - len(rows))
            case "\x1b[1A":
                row = max(row - 1, 0)
            case "\x1b[2K":
                rows[row] = ""
            case "\r" | "\x1b[?25l" | "\x1b[?25h":
                pass
            case _:
                rows[row] += token
    return rows


def sections(lines: list[Text], chosen: list[str]) -> Iterator[Text]:
    """The lines under the chosen headings (` 4  The campaign`), and the last one."""
    kept = True
    for line in lines[:-1]:
        if heading := HEADING.match(line.plain):
            before, kept = kept, heading[1] in chosen
            if before and not kept:
                yield Text(" …\n", style="dim")
        if kept:
            yield line
    yield lines[-1]


def main() -> int:
    """Run, record, write; the exit status is that of the command when it fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("svg", type=Path)
    parser.add_argument("--sections", default="", help="numbers of headings, like 2,4,5; empty for all")
    parser.add_argument("command", nargs="*", default=[])
    args = parser.parse_args()
    command = args.command or [str(Path(sys.executable).parent / "greylag"), "demo"]
    env = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    # Progress goes to standard error: it is not part of the picture.
    result = subprocess.run(command, stdout=subprocess.PIPE, env=env, check=False)
    if result.returncode > 1:
        return result.returncode
    lines = [Text.from_ansi(line) for line in screen(result.stdout.decode())]
    if args.sections:
        lines = list(sections(lines, args.sections.split(",")))
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, highlight=False)
    console.print(Text("$ " + " ".join(["greylag", *command[1:]]), style="bold"))
    for line in lines:
        console.print(line, soft_wrap=True)
    # Rich names fonts on a content network; a picture in a repository should load nothing.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="greylag"), flags=re.DOTALL)
    args.svg.write_text(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
