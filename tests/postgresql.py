"""A PostgreSQL server of the tests' own, on a free port of loopback: it may be stopped and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.warehouse.servers import postgres_programs


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server; every test has a database of its own in it."""

    programs: Path
    folder: Path
    port: int

    @property
    def _account(self) -> dict[str, Any]:
        return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}

    def call(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's on this server's data."""
        command = [str(self.programs / program), "-D", f"{self.folder}/data", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._account)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.call("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        """`immediate` is a crash, `fast` cuts every connection in an orderly way."""
        self.call("pg_ctl", "-m", how, "stop")

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql+psycopg://greylag@127.0.0.1:{self.port}/{name}"

    def fresh(self) -> str:
        """A new, empty database."""
        name = f"t{uuid.uuid4().hex[:12]}"
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self.url(name)


@contextmanager
def serve() -> Iterator[Server]:
    """A server as long as the block lasts; skips the test where PostgreSQL is not installed (CI fails)."""
    programs = postgres_programs()
    if programs is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "PostgreSQL is not installed: apt-get install postgresql"
        )
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        free.bind(("127.0.0.1", 0))
        server = Server(programs=programs, folder=folder, port=free.getsockname()[1])
        free.close()
        server.call("initdb", "-U", "greylag", "-A", "trust", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop()
