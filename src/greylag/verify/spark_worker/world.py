"""A Spark session whose every way in and out is watched."""

from __future__ import annotations

import ast
import contextlib
import datetime
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from greylag.verify.spark_worker.names import COMMANDS, MAKES, READS, Names
from greylag.verify.spark_worker.spy import Spy
from greylag.verify.spark_worker.watch import Watch
from greylag.verify.spark_worker.wire import NAME, encode, fault_text, is_sorted

_MAX_ROWS = 20_000
# The JVM lives for a minute: what it would compile thoroughly does not pay.
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


class World:
    """A Spark session whose every way in and out is watched."""

    def __init__(self, names: Names, folder: Path) -> None:
        from pyspark.sql import SparkSession

        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.memory": "1g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(folder),
            "spark.jars.ivy": str(folder),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.sql.catalogImplementation": "in-memory",
            "spark.sql.legacy.createHiveTableByDefault": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "1",
            "spark.default.parallelism": "1",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} {_SHORT_LIVED}",
        }
        builder = SparkSession.builder.master("local[1]").appName("greylag")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.base = builder.getOrCreate()
        self.base.sparkContext.setLogLevel("OFF")
        self.names = names
        self.now = self.base
        self.spy = Spy()
        self.own: set[str] = set()
        # Tables that were written, each with what writes it: done when somebody reads it.
        self.waiting: dict[str, Callable[[], None]] = {}
        self.changed = False
        self.frame = type(self.base.range(1))
        self.collect: Callable[[Any], list[Any]] = self.frame.collect
        self.plain_sql: Callable[..., Any] = type(self.base).sql
        Watch(self).begin()

    # -- tables of the world

    def load(self, statements: list[str]) -> None:
        """Make the tables (`CREATE OR REPLACE VIEW …`) of a round, in place of those before."""
        before, self.own = self.own, set()
        for statement in (self.names.sql(one) for one in statements):
            database = MAKES.match(statement)
            if database:
                self.plain_sql(self.base, f"CREATE DATABASE IF NOT EXISTS `{database[1]}`")
            self.plain_sql(self.base, statement)
            self.own.add(statement.split(" VIEW ", 1)[1].split(" AS ", 1)[0].lower())
        for name in before - self.own:
            self.plain_sql(self.base, f"DROP VIEW IF EXISTS {name}")

    def clear(self) -> None:
        """Forget the tables that the code made."""
        for name, kind in self.tables().items():
            if name not in self.own:
                self.plain_sql(self.base, f"DROP {kind} IF EXISTS {name}")

    def tables(self) -> dict[str, str]:
        """Every table and view that is not temporary, and which of the two it is."""
        found: dict[str, str] = {}
        for row in self.collect(self.plain_sql(self.base, "SHOW DATABASES")):
            views = {
                one.viewName for one in self.collect(self.plain_sql(self.base, f"SHOW VIEWS IN `{row[0]}`"))
            }
            for one in self.collect(self.plain_sql(self.base, f"SHOW TABLES IN `{row[0]}`")):
                if not one.isTemporary:
                    where = "" if row[0] == "default" else f"`{row[0]}`."
                    found[f"{where}`{one.tableName}`"] = "VIEW" if one.tableName in views else "TABLE"
        return found

    # -- what is seen

    def bag(self, frame: Any) -> dict[str, Any]:
        with self.spy.deafened():
            columns = [[field.name, field.dataType.simpleString()] for field in frame.schema.fields]
            rows = self.collect(frame)
            if len(rows) > _MAX_ROWS:
                raise MemoryError(f"more than {_MAX_ROWS} rows")
            return {
                "columns": columns,
                "rows": [[encode(one) for one in row] for row in rows],
                "sorted": is_sorted(str(frame._jdf.queryExecution().analyzed().toString())),
            }

    def told(self, what: str, value: Any) -> None:
        """Note what a function returned."""
        if isinstance(value, self.frame):
            self.spy.note(what, self.bag(value))
        elif isinstance(value, list | tuple) and not hasattr(value, "__fields__"):
            for number, one in enumerate(value):
                self.told(f"{what}[{number}]", one)
        elif isinstance(value, dict):
            for key, one in value.items():
                self.told(f"{what}[{key!r}]", one)
        elif value is not None:
            try:
                self.spy.note(what, {"value": encode(value)})
            except TypeError as error:
                self.spy.note(what, {"opaque": str(error)})

    def arrive(self, text: str) -> None:
        """Write what waits and is named in a text."""
        for table in [name for name in self.waiting if name.rsplit(".", 1)[-1].lower() in text.lower()]:
            write = self.waiting.pop(table)
            self.changed = True
            write()

    def sql(self, session: Any, text: str, *args: Any, **more: Any) -> Any:
        """`spark.sql`: only queries and what makes tables."""
        self.arrive(text)
        said = self.names.sql(text)
        if not COMMANDS.match(said):
            raise PermissionError(f"spark.sql runs no such command here: {' '.join(said.split())[:60]}")
        self.changed = self.changed or not READS.match(said)
        made = MAKES.match(said)
        if made:
            self.plain_sql(session, f"CREATE DATABASE IF NOT EXISTS `{made[1]}`")
        return self.plain_sql(session, said, *args, **more)

    def configured(self, options: dict[str, Any]) -> Any:
        for key, value in dict(options).items():
            if key.startswith("spark.sql.") and not key.startswith(
                ("spark.sql.catalog", "spark.sql.warehouse")
            ):
                with contextlib.suppress(Exception):
                    self.now.conf.set(key, value)
        return self.now

    # -- runs

    def run(self, tree: ast.Module, entry: dict[str, Any]) -> dict[str, Any]:
        """One entry of one version, in a session of its own."""
        self.spy, self.now = Spy(), self.base.newSession()
        self.waiting, self.changed = {}, False
        body = [tree.body[number] for number in entry["units"]]
        code = compile(ast.Module(body=body, type_ignores=[]), NAME, "exec", dont_inherit=True)
        space: dict[str, Any] = {
            "__name__": "__main__" if not entry["name"] else "consumer",
            "__file__": NAME,
        }
        fault = None
        sys.settrace(self.spy.trace)
        try:
            exec(code, space)
            if entry["name"]:
                given = {key: self._argument(value) for key, value in entry["arguments"].items()}
                self.told("returns", space[entry["name"]](**given))
        except SystemExit as error:
            fault = None if not error.code else f"it ends itself with status {error.code}"
        except BaseException as error:  # noqa: BLE001 - the consumer's code may raise anything
            fault = fault_text(error)
        finally:
            sys.settrace(None)
        if self.changed:
            try:
                self._made()
            except Exception as error:  # noqa: BLE001 - whatever the code made may not be readable
                fault = fault or fault_text(error)
            self.clear()
        return {"fault": fault, "seen": self.spy.seen, "lines": sorted(self.spy.lines)}

    def _argument(self, value: Any) -> Any:
        if value == {"spark": True}:
            return self.now
        return datetime.date.fromisoformat(value["date"]) if isinstance(value, dict) else value

    def _made(self) -> None:
        """The tables that were made along the way."""
        for name in sorted(set(self.tables()) - self.own):
            self.spy.note(
                "table", {"target": name, **self.bag(self.plain_sql(self.now, f"SELECT * FROM {name}"))}
            )
