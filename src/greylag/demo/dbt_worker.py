"""A process that runs dbt projects one after another: dbt takes seconds to import, and is imported once.

Reads one JSON object a line from standard input, `{"project", "out", "prod"}` (paths), and answers each with
`{"ok", "error", "models"}` on what was standard output; dbt's own output is dropped.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for line in sys.stdin:
        answers.write(json.dumps(build(json.loads(line))) + "\n")


def build(job: dict[str, str]) -> dict[str, Any]:
    """Run `dbt build` for one project; the names of its models, or what went wrong."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    os.environ["WAREHOUSE_OUT"] = job["out"]
    os.environ["WAREHOUSE_PROD"] = job["prod"]
    project = job["project"]
    result = dbtRunner().invoke(
        ["build", "--project-dir", project, "--profiles-dir", project, "--quiet", "--no-partial-parse"]
    )
    # Else dbt keeps the file, and its lock, until the next job.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call,unused-ignore]
    nodes: list[Any] = list(getattr(result.result, "results", None) or [])
    faults = [f"{n.node.name}: {n.message}" for n in nodes if str(n.status) not in {"success", "pass"}]
    if result.exception is not None:
        faults.insert(0, str(result.exception))
    models = [n.node.name for n in nodes if n.node.resource_type == "model"]
    return {"ok": bool(result.success), "error": "; ".join(faults) or None, "models": models}


if __name__ == "__main__":
    main()
