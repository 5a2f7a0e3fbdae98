"""How many queries of a folder the installed sqlglot can qualify: run it before the pin is moved.

    python bench/qualify.py path/to/queries --dialect bigquery [--sample 300 --seed 1]

It needs sqlglot only, so it runs in a throw-away environment with another release.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import Counter
from pathlib import Path

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify


def main() -> None:
    """Print the release, the counts, the most frequent refusals and the median CPU milliseconds a query."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dialect", default="bigquery")
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    paths = sorted(args.folder.rglob("*.sql"))
    random.seed(args.seed)
    counts: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    spent: list[float] = []
    for path in random.sample(paths, min(args.sample, len(paths))):
        text = path.read_text()
        if "{%" in text or "{{" in text:
            counts["left out (templates)"] += 1
            continue
        started = time.process_time()
        counts[attempt(text, args.dialect, refusals)] += 1
        spent.append((time.process_time() - started) * 1000)
    print(f"sqlglot {sqlglot.__version__}: {dict(counts)}")
    print(f"median {statistics.median(spent):.1f} ms a query; refusals: {refusals.most_common(3)}")


def attempt(text: str, dialect: str, refusals: Counter[str]) -> str:
    """Parse and qualify one query without any schema; says how far it came."""
    try:
        tree = sqlglot.parse_one(text, dialect=dialect)
    except SqlglotError:
        return "not parsed"
    try:
        qualify(tree, dialect=dialect, validate_qualify_columns=False)
    except SqlglotError as error:
        refusals[str(error).split("'")[0].strip()] += 1
        return "refused"
    return "qualified"


if __name__ == "__main__":
    main()
