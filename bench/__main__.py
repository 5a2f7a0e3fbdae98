"""`python -m bench [NAME…] [--repositories N] [--targets N]`: run the benchmarks (all, or those named) and
print one table. The numbers are the sizes of the fleets, `--faults` and `--seed` what goes wrong in `faults`.

Ends with status 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
from pathlib import Path

from bench.figure import Figure, print_table


def main() -> int:
    """Run what was asked for; progress goes to standard error."""
    known = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)} (default: all)")
    parser.add_argument("--repositories", type=int, metavar="N", help="for find and index")
    parser.add_argument("--targets", type=int, metavar="N", help="for the others with a fleet")
    parser.add_argument("--faults", type=int, metavar="N", help="for faults (default 200)")
    parser.add_argument("--seed", type=int, metavar="N", help="for faults (default 1)")
    asked = parser.parse_args()
    chosen = asked.names or known
    if unknown := set(chosen) - set(known):
        sys.stderr.write(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}\n")
        return 2
    given = {
        "BENCH_REPOSITORIES": asked.repositories,
        "BENCH_TARGETS": asked.targets,
        "BENCH_FAULTS": asked.faults,
        "BENCH_SEED": asked.seed,
    }
    for variable, number in given.items():
        if number is not None:
            os.environ[variable] = str(number)
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
