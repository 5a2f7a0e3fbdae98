"""Draw a terminal: run the demo and write what it printed as an SVG file.

    python docs/picture.py docs/demo.svg [--lines 60] [-- command …]

The picture is of a real run, so it is true on the day on which it was drawn.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 118


def main() -> int:
    """Run, record, write; the exit status is that of the command when it fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("svg", type=Path)
    parser.add_argument("--lines", type=int, default=0, help="only the last so many lines; 0 for all")
    parser.add_argument("command", nargs="*", default=[])
    args = parser.parse_args()
    command = args.command or [str(Path(sys.executable).parent / "greylag"), "demo"]
    env = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    # Progress goes to standard error: it is not part of the picture.
    result = subprocess.run(command, stdout=subprocess.PIPE, env=env, text=True, check=False)
    if result.returncode > 1:
        return result.returncode
    lines = result.stdout.rstrip("\n").split("\n")[-args.lines :]
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, highlight=False)
    console.print(Text("$ " + " ".join(["greylag", *command[1:]]), style="bold"))
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    # Rich names fonts on a content network; a picture in a repository should load nothing.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="greylag"), flags=re.DOTALL)
    args.svg.write_text(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main())
