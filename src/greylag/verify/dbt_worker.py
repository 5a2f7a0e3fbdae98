"""One dbt command in a process of its own, with no way out: `python -m greylag.verify.dbt_worker ARGUMENT…`.

Prints one JSON object: `{"ok", "faults"}`. Connections to other machines are refused before they are made.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn


def _refused(*_: object, **__: object) -> NoReturn:
    raise OSError("no network here")


def main() -> None:
    """Run dbt with the arguments given."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    socket.socket.connect = _refused  # type: ignore[method-assign]
    socket.getaddrinfo = _refused
    if "build" in sys.argv[1:2]:
        _confine(sys.argv[sys.argv.index("--project-dir") + 1])
    answers.write(json.dumps(_run(sys.argv[1:])) + "\n")


def _confine(project: str) -> None:
    """What a project's SQL may touch is its database, and its own files: seeds are read from there."""
    import duckdb

    connect = duckdb.connect

    def confined(*args: Any, **kwargs: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*args, **kwargs)
        folder = project.replace("'", "''")
        connection.execute(f"SET allowed_directories = ['{folder}']")
        connection.execute("SET enable_external_access = false")
        return connection

    duckdb.connect = confined


def _run(arguments: list[str]) -> dict[str, Any]:
    from dbt.cli.main import dbtRunner

    result = dbtRunner().invoke(arguments)
    nodes: list[Any] = list(getattr(result.result, "results", None) or [])
    good = {"success", "pass", "warn", "skipped", "no-op"}
    faults = [f"{one.node.name}: {one.message}" for one in nodes if str(one.status) not in good]
    if result.exception is not None:
        faults.insert(0, str(result.exception))
    return {"ok": bool(result.success), "faults": faults[:20]}


if __name__ == "__main__":
    main()
