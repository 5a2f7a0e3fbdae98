"""`python -m bench [NAME…]`: run the benchmarks (all, or those named) and print one table.

Ends with status 1 when a target is missed.
"""

from __future__ import annotations

import importlib
import platform
import sys
import time
from pathlib import Path

from bench.figure import Figure, print_table


def main() -> int:
    """Run what was asked for; progress goes to standard error."""
    known = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    chosen = sys.argv[1:] or known
    if unknown := set(chosen) - set(known):
        sys.stderr.write(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}\n")
        return 2
    figures: list[Figure] = []
    for name in chosen:
        started = time.monotonic()
        sys.stderr.write(f"{name} …\n")
        figures += importlib.import_module(f"bench.bench_{name}").run()
        sys.stderr.write(f"{name}: {time.monotonic() - started:.0f} s\n")
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}")
    print_table(figures)
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
