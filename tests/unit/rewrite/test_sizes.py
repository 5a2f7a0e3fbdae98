"""Files of hostile size end in bounded time and memory, with a reason, and never take the process down.

Each runs in a process of its own: where a native parser overflowed its stack, Python would not live to tell.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest

import greylag.rewrite.jvm
import greylag.rewrite.python  # noqa: F401 - what a child needs is loaded once
from greylag.domain.outcome import Edited, Skipped, Unchanged
from greylag.engine.rewriting import rewrite_file
from greylag.mapping import load_migration_text

SECONDS = 30
MEGABYTES = 1500
MIGRATION = load_migration_text(
    """
name: users
dialect: duckdb
replaces:
  - dataset: core.users_v1
    columns: {id: INTEGER, plan: VARCHAR}
    as: SELECT account_id AS id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM core.users_v2
provides:
  - dataset: core.users_v2
    columns: {account_id: INTEGER, tier: INTEGER}
""",
    path="m.yaml",
    base=Path(),
)
READ = "SELECT id FROM core.users_v1"
CALL = f'spark.sql("{READ}")\n'
IF = "{% if var('x') %}, id AS a{% else %}, plan AS b{% endif %}\n"
TEXTS = {
    "10 MB.sql": f"{READ};\n" * 340_000,
    "5,000 columns.sql": "SELECT " + ", ".join(f"id AS c{n}" for n in range(5_000)) + " FROM core.users_v1",
    "200 nested CTEs.sql": "WITH c AS (" * 200 + READ + ") SELECT * FROM c" * 200,
    "10,000 parentheses.sql": f"{READ} WHERE " + "(" * 10_000 + "id = 1" + ")" * 10_000,
    "1,500 reads.sql": "SELECT 1 FROM " + ", ".join(f"core.users_v1 t{n}" for n in range(1_500)),
    "statements of no known kind.sql": f"FOO BAR {READ};\n" * 1_500,
    "types in types.sql": "SELECT CAST(id AS " + "ARRAY<" * 5_000 + ") FROM core.users_v1",
    "a line of 3 MB.sql": f"{READ} -- " + "x" * 3_000_000,
    "100,000 branches of Jinja.sql": f"SELECT id {IF * 100_000} FROM core.users_v1",
    "1,000 branches of Jinja.sql": f"SELECT id {IF * 1_000} FROM core.users_v1",
    "parentheses in Jinja.sql": f"{READ} WHERE {{{{ {'(' * 50_000}1{')' * 50_000} }}}}",
    "10 MB.py": CALL * 300_000,
    "25,000 queries.py": CALL * 25_000,
    "parentheses.py": "x = " + "(" * 10_000 + "1" + ")" * 10_000 + "\n" + CALL,
    "a sum.py": "x = " + "'a' + " * 50_000 + "'a'\n" + CALL,
    "doubling.py": "a = '" + READ + "'\n" + "a = a + a\n" * 60 + "spark.sql(a)\n",
    "never closed.scala": "object A {\n" + "{" * 300_000 + CALL,
    "10 MB.scala": "object A {\n" + CALL * 300_000 + "}\n",
    "25,000 queries.java": "class A { void f() {\n" + CALL.replace("\n", ";\n") * 25_000 + "}}\n",
    "a line of 5 MB.java": "// " + "x" * 5_000_000 + f"\nclass A {{ void f() {{ {CALL}; }} }}\n",
    "10 MB.yaml": f"- query: {READ}\n" * 260_000,
    "indented.yaml": "".join(" " * n + "a:\n" for n in range(600)) + " " * 600 + f"query: {READ}\n",
    "lists in lists.yaml": "- " * 10_000 + f"query: {READ}\n",
    "keys in keys.yaml": "- ? : " * 100 + f"query: {READ}\n",
    "brackets.yaml": "[" * 50_000 + "core.users_v1" + "]" * 50_000,
    "10 MB.json": "[" + f'{{"query": "{READ}"}},\n' * 240_000 + "1]",
    "brackets.json": "[" * 200_000 + f'"{READ}"' + "]" * 200_000,
    "blocks.tf": "a {\n" * 20_000 + f'query = "{READ}"\n' + "}\n" * 20_000,
    "elements.tds": "<a>" * 50_000 + READ + "</a>" * 50_000,
    "cells.ipynb": "[" * 100_000 + '"core.users_v1"' + "]" * 100_000,
}
EDITED = {"5,000 columns.sql", "1,500 reads.sql", "statements of no known kind.sql", "a line of 3 MB.sql"}


def in_a_child(name: str) -> tuple[int, str]:
    """How the process ended (0 or a signal), and what it said of the file."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report = rewrite_file(name, TEXTS[name], MIGRATION, proof="none")
        outcome = report.outcome
        said = type(outcome).__name__
        if isinstance(outcome, Skipped):
            said = f"{said} {outcome.reasons[0].code}"
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        os.write(write, f"{said}|{grown}".encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    return os.waitpid(child, 0)[1], said


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_sizes_end_with_a_reason(name: str) -> None:
    began = time.monotonic()
    status, said = in_a_child(name)
    assert status == 0, f"ended by signal {status & 127} after {time.monotonic() - began:.0f} s"
    outcome, grown = said.split("|")
    assert int(grown) < MEGABYTES
    if name in EDITED:
        assert outcome == Edited.__name__
    else:
        kind, _, code = outcome.partition(" ")
        assert kind in {Edited.__name__, Skipped.__name__, Unchanged.__name__}, outcome
        assert kind != Skipped.__name__ or code
