"""Runs PySpark code of a consumer over generated tables: `python -I spark_worker.py JOB RESULT`.

Stands alone: it is run by an interpreter that has PySpark, which need not have Greylag. The process is cut off
from the network where the kernel allows it. JOB and RESULT are JSON files; `spark.py` writes and reads them.
What the code returns, writes, or looks at by an action is *seen*: a list, in order, of frames and values.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import datetime
import decimal
import fcntl
import json
import os
import re
import resource
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAME = "<consumer>"
_MAX_ROWS = 20_000
_GIB = 1 << 30
_QUOTED = re.compile(r"('(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")", re.DOTALL)
_COMMANDS = re.compile(
    r"(?is)^\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:SELECT|WITH|FROM|VALUES|TABLE|INSERT|CACHE|UNCACHE|USE|SHOW|DESC|DESCRIBE"
    r"|EXPLAIN|DROP|TRUNCATE|ANALYZE|REFRESH|SET|CREATE\s+(?:OR\s+REPLACE\s+)?(?:GLOBAL\s+)?(?:TEMP\w*\s+)?"
    r"(?:TABLE|VIEW|DATABASE|SCHEMA))\b"
)
_READS = re.compile(
    r"(?is)^\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:SELECT|FROM|VALUES|SHOW|DESC|SET|EXPLAIN|USE)\b"
)
_MAKES = re.compile(
    r"(?is)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?`?(\w+)`?\."
)
_ACTIONS = ("collect", "first", "head", "take", "tail", "show", "toPandas", "toLocalIterator", "isEmpty")
_MORE_ACTIONS = ("foreach", "foreachPartition", "approxQuantile", "corr", "cov", "toJSON")
_VIEWS = ("createOrReplaceTempView", "createTempView", "registerTempTable", "createOrReplaceGlobalTempView")
_SAVES = ("saveAsTable", "insertInto", "save", "parquet", "csv", "json", "orc", "text", "jdbc")
_WISHES = ("mode", "format", "partitionBy", "bucketBy", "sortBy", "option", "options")
_SAVES_V2 = ("create", "replace", "createOrReplace", "append", "overwrite", "overwritePartitions")


def cut_off() -> str:
    """Leave the network, if the kernel lets us; how that went: `none` is no network, `guard` is Python's alone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_GIB, _GIB))
    resource.setrlimit(resource.RLIMIT_DATA, (6 * _GIB, 6 * _GIB))
    if os.environ.get("GREYLAG_CUT_OFF"):
        return "none"
    user, group = os.getuid(), os.getgid()
    if (
        ctypes.CDLL(None, use_errno=True).unshare(0x10000000 | 0x40000000) == 0
    ):  # CLONE_NEWUSER | CLONE_NEWNET
        for file, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            Path(f"/proc/self/{file}").write_text(text)
        # Python and the JVM talk over the loopback device, which is down in a new network.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            fcntl.ioctl(probe, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
        return "none"
    plain = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise OSError("no network here")
        plain(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    return "guard"


def encode(value: Any) -> Any:
    """A value of a row as JSON: plain, or an object of one key that says its kind."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"f": repr(value)}
        case decimal.Decimal():
            return {"d": str(value)}
        case bytes() | bytearray():
            return {"b": bytes(value).hex()}
        case datetime.datetime() | datetime.date() | datetime.timedelta():
            return {"t": str(value)}
        case dict():
            return {"m": sorted(([encode(key), encode(one)] for key, one in value.items()), key=repr)}
        case tuple() if hasattr(value, "__fields__"):
            return {"r": [[name, encode(one)] for name, one in zip(value.__fields__, value, strict=True)]}
        case list() | tuple():
            return {"l": [encode(one) for one in value]}
        case set() | frozenset():
            return {"l": sorted((encode(one) for one in value), key=repr)}
    raise TypeError(type(value).__name__)


class Names:
    """Names of datasets with a project or catalog in front, as this Spark knows them: by their last two parts."""

    def __init__(self, names: dict[str, str]) -> None:
        self.short = {key.lower(): value for key, value in names.items()}
        parts = (r"\s*\.\s*".join(f"`?{re.escape(one)}`?" for one in key.split(".")) for key in names)
        whole = "|".join(
            sorted((f"`{re.escape(key)}`" for key in names if "." in key), key=len, reverse=True)
        )
        self.pattern = re.compile(
            rf"(?i)(?<![\w.`])(?:{whole or '(?!)'}|{'|'.join(sorted(parts, key=len, reverse=True)) or '(?!)'})(?![\w`])"
        )

    def table(self, name: str) -> str:
        return self.short.get(name.replace("`", "").strip().lower(), name)

    def sql(self, text: str) -> str:
        pieces = _QUOTED.split(text)
        return "".join(
            piece
            if number % 2
            else self.pattern.sub(lambda found: self.table(found[0].replace(" ", "")), piece)
            for number, piece in enumerate(pieces)
        )


class Spy:
    """Everything that a run lets be seen."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.lines: set[int] = set()
        self.deaf = 0

    @contextlib.contextmanager
    def deafened(self) -> Iterator[None]:
        self.deaf += 1
        try:
            yield
        finally:
            self.deaf -= 1

    def note(self, what: str, value: Any) -> None:
        if not self.deaf:
            self.seen.append({"what": what, **value})

    def trace(self, frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != NAME:
            return None
        if event == "line":
            self.lines.add(frame.f_lineno)
        return self.trace


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
            "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder}",
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
        self._watch()

    # -- tables of the world

    def load(self, statements: list[str]) -> None:
        """Make the tables and views of a round."""
        self.clear()
        for name in statements:
            database = _MAKES.match(self.names.sql(name))
            if database:
                self.plain_sql(self.base, f"CREATE DATABASE IF NOT EXISTS `{database[1]}`")
            self.plain_sql(self.base, self.names.sql(name))
        self.own = set(self.tables())

    def clear(self, but: frozenset[str] = frozenset()) -> None:
        for name, kind in self.tables().items():
            if name not in but:
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
                    found[f"`{row[0]}`.`{one.tableName}`"] = "VIEW" if one.tableName in views else "TABLE"
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
                "sorted": _is_sorted(str(frame._jdf.queryExecution().analyzed().toString())),
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

    def _watch(self) -> None:
        from pyspark.sql import SparkSession
        from pyspark.sql.readwriter import DataFrameReader, DataFrameWriter, DataFrameWriterV2

        world = self
        for name in (*_ACTIONS, *_MORE_ACTIONS):
            self._around(self.frame, name, lambda frame, *_, **__: world.bag(frame))
        self._around(self.frame, "count", lambda frame: {"value": len(world.collect(frame))})
        rdd = self.frame.rdd.fget if isinstance(self.frame.rdd, property) else None
        if rdd is not None:
            self.frame.rdd = property(self._as_rdd(rdd))
        for name in _VIEWS:
            self._around(self.frame, name, lambda frame, view, *_, **__: {"target": view, **world.bag(frame)})
        for name in _WISHES:
            self._wish(DataFrameWriter, name)
        for name in _SAVES:
            setattr(DataFrameWriter, name, self._save(name, getattr(DataFrameWriter, name)))
        started = DataFrameWriterV2.__init__

        def start(self: Any, df: Any, table: str) -> None:
            started(self, df, table)
            self.greylag_table = table

        DataFrameWriterV2.__init__ = start
        for name in _SAVES_V2:
            setattr(DataFrameWriterV2, name, self._save(name, None))
        SparkSession.sql = _method(self.sql)
        for owner in (SparkSession, DataFrameReader):
            self._by_name(owner)
        SparkSession.Builder.getOrCreate = lambda builder: world.configured(getattr(builder, "_options", {}))
        SparkSession.getActiveSession = staticmethod(lambda: world.now)
        SparkSession.active = staticmethod(lambda: world.now)
        SparkSession.stop = lambda session: None

    def _as_rdd(self, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def rdd(frame: Any) -> Any:
            if not self.spy.deaf:
                self.spy.note("rdd", self.bag(frame))
            return plain(frame)

        return rdd

    def _around(self, owner: Any, name: str, look: Callable[..., dict[str, Any]]) -> None:
        plain = getattr(owner, name, None)
        if plain is None:
            return

        def watched(frame: Any, *args: Any, **more: Any) -> Any:
            if not self.spy.deaf:
                self.spy.note(name, look(frame, *args, **more))
            with self.spy.deafened():
                return plain(frame, *args, **more)

        setattr(owner, name, watched)

    def _by_name(self, owner: Any) -> None:
        plain = owner.table

        def table(reader: Any, name: str) -> Any:
            self._arrive(name)
            return plain(reader, self.names.table(name))

        owner.table = table

    def _wish(self, owner: Any, name: str) -> None:
        plain = getattr(owner, name)

        def wished(writer: Any, *args: Any, **more: Any) -> Any:
            wishes = writer.__dict__.setdefault("greylag_wishes", [])
            wishes.append(f"{name}{args!r}{sorted(more.items())!r}")
            return plain(writer, *args, **more)

        setattr(owner, name, wished)

    def _save(self, name: str, plain: Callable[..., Any] | None) -> Callable[..., None]:
        def save(writer: Any, *args: Any, **more: Any) -> None:
            wishes = " ".join(getattr(writer, "greylag_wishes", ()))
            target = getattr(writer, "greylag_table", "") or repr((args, sorted(more.items())))
            self.spy.note(name, {"target": f"{target} {wishes}".strip(), **self.bag(writer._df)})
            if plain is not None and name in ("saveAsTable", "insertInto"):
                self._later(writer, plain, *args, **more)

        return save

    def _later(self, writer: Any, plain: Callable[..., Any], *args: Any, **more: Any) -> None:
        """Write the table once somebody reads it; what it would hold has been seen anyway."""
        named = args[0] if args else more.get("name") or more.get("tableName")
        table = self.names.table(str(named))
        rest = {key: value for key, value in more.items() if key not in ("name", "tableName")}
        before = self.waiting.get(table)

        def write() -> None:
            if before is not None:
                before()
            with self.spy.deafened(), contextlib.suppress(Exception):
                if "." in table:
                    self.plain_sql(self.now, f"CREATE DATABASE IF NOT EXISTS {table.rsplit('.', 1)[0]}")
                plain(writer, table, *args[1:], **rest)

        self.waiting[table] = write

    def _arrive(self, text: str) -> None:
        """Write what waits and is named in a text."""
        for table in [name for name in self.waiting if name.rsplit(".", 1)[-1].lower() in text.lower()]:
            write = self.waiting.pop(table)
            self.changed = True
            write()

    def sql(self, session: Any, text: str, *args: Any, **more: Any) -> Any:
        """`spark.sql`: only queries and what makes tables."""
        self._arrive(text)
        said = self.names.sql(text)
        if not _COMMANDS.match(said):
            raise PermissionError(f"spark.sql runs no such command here: {' '.join(said.split())[:60]}")
        self.changed = self.changed or not _READS.match(said)
        made = _MAKES.match(said)
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
            fault = _fault(error)
        finally:
            sys.settrace(None)
        if self.changed:
            try:
                self._made()
            except Exception as error:  # noqa: BLE001 - whatever the code made may not be readable
                fault = fault or _fault(error)
            self.clear(frozenset(self.own))
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


def _method(plain: Callable[..., Any]) -> Callable[..., Any]:
    """A bound method in place of another class's method: the object comes as its first argument."""

    def method(owner: Any, *args: Any, **more: Any) -> Any:
        return plain(owner, *args, **more)

    return method


def _is_sorted(plan: str) -> bool:
    lines = (line.lstrip(" +-:") for line in plan.splitlines())
    top = next((line for line in lines if not line.startswith(("Project", "GlobalLimit", "LocalLimit"))), "")
    return top.startswith("Sort ") and ", true" in top


def _fault(error: BaseException) -> str:
    condition = ""
    for name in ("getCondition", "getErrorClass"):
        with contextlib.suppress(Exception):
            condition = condition or str(getattr(error, name)() or "")
    first = " ".join(str(error).split())[:300]
    line = next(
        (one.lineno for one in reversed(traceback.extract_tb(error.__traceback__)) if one.filename == NAME), 0
    )
    return f"{type(error).__name__}: line {line}: [{condition}] {first}"


def rounds(job: dict[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """The runs of every round: the old version twice (rows in another order), the new one, wrong mappings."""
    world = World(Names(job["names"]), folder)
    trees = {which: ast.parse(text) for which, text in job["texts"].items()}
    told: set[int] = set()

    def runs(which: str, tables: list[str], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        world.load(tables)
        return [world.run(trees[which], entry) for entry in entries]

    for each in job["rounds"]:
        old, new = each["old"], each["new"]
        base = runs("old", each["tables"] + each["views"], old)
        result = {
            "old": base,
            "again": runs("old", each["shuffled"] + each["views"], old),
            "new": runs("new", each["tables"], new),
        }
        plain = [_canonical(run) for run in base]
        for number, views in enumerate(each["wrong"]):
            if number not in told and each["rows"]:
                other = runs("old", each["tables"] + views, old)
                if any(
                    run["fault"] is None and _canonical(run) != one
                    for run, one in zip(other, plain, strict=True)
                ):
                    told.add(number)
        yield {**result, "told": sorted(told)}
        if [_canonical(run) for run in result["new"]] != plain:
            return


def _canonical(run: dict[str, Any]) -> str:
    seen = [{**one, "rows": sorted(map(repr, one["rows"]))} if "rows" in one else one for one in run["seen"]]
    return repr((run["fault"], seen))


def main() -> None:
    """Do the job, and write what was seen."""
    job_file, result_file = Path(sys.argv[1]), Path(sys.argv[2])
    job = json.loads(job_file.read_text())
    network = cut_off()
    sys.argv = ["consumer"]
    answer: dict[str, Any] = {"network": network, "rounds": []}
    try:
        for one in rounds(job, job_file.parent):
            answer["rounds"].append(one)
            # After every round: what was done before the time is up counts.
            part = result_file.with_suffix(".part")
            part.write_text(json.dumps(answer))
            part.replace(result_file)
    except Exception as error:  # noqa: BLE001 - the answer says what went wrong
        answer["fault"] = _fault(error)
        result_file.write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
