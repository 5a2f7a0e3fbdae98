"""Servers for the tests: PostgreSQL on loopback, and an HTTP server that answers like BigQuery's API."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import sqlglot

_BIN = [*Path("/usr/lib/postgresql").glob("*/bin"), Path("/usr/local/bin"), Path("/usr/bin")]


def postgres_programs() -> Path | None:
    """The folder with initdb and postgres, None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    return next(
        (one for one in [*places, *_BIN] if (one / "initdb").exists() and (one / "postgres").exists()), None
    )


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """A fresh server on a free port of loopback; yields its URL. As root it runs as another user."""
    root = os.geteuid() == 0
    account: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if root else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if root:
            shutil.chown(folder, "nobody", "nogroup")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def call(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, capture_output=True, cwd=folder, **account)

        call("initdb", "-U", "greylag", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        call("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://greylag@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")


class FakeBigQuery:
    """Jobs and tables of BigQuery's REST API over a DuckDB database; `sent` are the queries, in order.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, size: int = 1000) -> None:
        self.connection = connection
        self.size = size
        self.sent: list[tuple[str, bool]] = []
        self._results: dict[str, dict[str, Any]] = {}

    def insert(self, body: dict[str, Any]) -> dict[str, Any]:
        config = body["configuration"]
        text, dry = config["query"]["query"], bool(config.get("dryRun"))
        self.sent.append((text, dry))
        kind = "SELECT" if text.lstrip("( ").upper().startswith(("SELECT", "WITH")) else "SCRIPT"
        name = f"job{len(self.sent)}"
        reference = {"projectId": "prod", "jobId": name, "location": "EU"}
        if not dry:
            self._results[name] = self._run(text)
        return {
            "jobReference": reference,
            "configuration": config,
            "statistics": {
                "totalBytesProcessed": str(self.size),
                "query": {"totalBytesProcessed": str(self.size), "statementType": kind},
            },
            "status": {"state": "DONE"},
        }

    def _run(self, text: str) -> dict[str, Any]:
        (made,) = sqlglot.transpile(text.replace("`prod`.", ""), read="bigquery", write="duckdb")
        cursor = self.connection.execute(made)
        rows = cursor.fetchall()
        return {
            "schema": {"fields": [{"name": one[0], "type": "STRING"} for one in cursor.description or ()]},
            "rows": [{"f": [{"v": None if v is None else str(v)} for v in row]} for row in rows],
            "totalRows": str(len(rows)),
            "jobComplete": True,
        }

    def result(self, job: str) -> dict[str, Any]:
        reference = {"projectId": "prod", "jobId": job, "location": "EU"}
        return {"jobReference": reference, **self._results[job]}

    def table(self, schema: str, name: str) -> dict[str, Any] | None:
        rows = self.connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?",
            [schema, name],
        ).fetchall()
        if not rows:
            return None
        (count,) = self.connection.execute(f"SELECT count(*) FROM {schema}.{name}").fetchone() or (0,)
        return {
            "tableReference": {"projectId": "prod", "datasetId": schema, "tableId": name},
            "type": "TABLE",
            "numRows": str(count),
            "schema": {"fields": [{"name": column, "type": "STRING"} for column, _ in rows]},
        }


@contextmanager
def serve(fake: FakeBigQuery) -> Iterator[str]:
    """The fake on a free port of loopback; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, make: Callable[[], dict[str, Any] | None]) -> None:
            found = make()
            missing = {"error": {"code": 404, "message": "Not found", "errors": [{"reason": "notFound"}]}}
            data = json.dumps(found if found is not None else missing).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(lambda: fake.insert(body))

        def do_GET(self) -> None:
            parts = self.path.partition("?")[0].strip("/").split("/")
            if "tables" in parts:
                self._answer(lambda: fake.table(parts[-3], parts[-1]))
            else:
                self._answer(lambda: fake.result(parts[-1]))

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class FakeSnowflake:
    """A connection as Snowflake's connector gives it, over DuckDB; names are upper case, as there."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.sent: list[str] = []
        connection.execute(_SNOWFLAKE_SCHEMA)

    def cursor(self) -> FakeSnowflake:
        return self

    def execute(self, text: str, values: tuple[object, ...] = (), timeout: int | None = None) -> None:
        self.sent.append(text)
        for value in values:
            text = text.replace("%s", f"'{value}'", 1)
        if "information_schema" in text:
            text = text.replace("information_schema.", "snowflake.")
        else:
            (text,) = sqlglot.transpile(text, read="snowflake", write="duckdb")
        self._result = self.connection.execute(text)

    @property
    def description(self) -> list[tuple[str, ...]]:
        return [tuple(map(str, one)) for one in self._result.description or ()]

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        return self._result.fetchmany(size)

    def fetchall(self) -> list[tuple[object, ...]]:
        return self._result.fetchall()

    def close(self) -> None:
        """Cursors and connections are one here."""


_SNOWFLAKE_SCHEMA = """
CREATE SCHEMA snowflake;
CREATE VIEW snowflake.tables AS
SELECT upper(database_name) AS table_catalog, upper(schema_name) AS table_schema, upper(table_name)
       AS table_name, estimated_size AS row_count
FROM duckdb_tables();
CREATE VIEW snowflake.columns AS
SELECT upper(schema_name) AS table_schema, upper(table_name) AS table_name, upper(column_name) AS column_name,
       data_type, column_index AS ordinal_position
FROM duckdb_columns();
"""
