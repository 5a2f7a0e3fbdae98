"""PySpark's own methods, each with a watcher before it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greylag.verify.spark_worker.world import World

_ACTIONS = ("collect", "first", "head", "take", "tail", "show", "toPandas", "toLocalIterator", "isEmpty")
_MORE_ACTIONS = ("foreach", "foreachPartition", "approxQuantile", "corr", "cov", "toJSON")
_VIEWS = ("createOrReplaceTempView", "createTempView", "registerTempTable", "createOrReplaceGlobalTempView")
_SAVES = ("saveAsTable", "insertInto", "save", "parquet", "csv", "json", "orc", "text", "jdbc")
_WISHES = ("mode", "format", "partitionBy", "bucketBy", "sortBy", "option", "options")
_SAVES_V2 = ("create", "replace", "createOrReplace", "append", "overwrite", "overwritePartitions")


class Watch:
    """What is put in place of PySpark's methods."""

    def __init__(self, world: World) -> None:
        self.world = world

    def begin(self) -> None:
        """Put the watchers in place; once in the life of the process."""
        from pyspark.sql import SparkSession
        from pyspark.sql.readwriter import DataFrameReader, DataFrameWriter, DataFrameWriterV2

        self._frames()
        for name in _WISHES:
            self._wish(DataFrameWriter, name)
        for name in _SAVES:
            setattr(DataFrameWriter, name, self._save(name, getattr(DataFrameWriter, name)))
        for name in _SAVES_V2:
            setattr(DataFrameWriterV2, name, self._save(name, None))
        self._targets(DataFrameWriterV2)
        for owner in (SparkSession, DataFrameReader):
            self._by_name(owner)
        world = self.world
        SparkSession.sql = _method(world.sql)
        SparkSession.Builder.getOrCreate = lambda builder: world.configured(getattr(builder, "_options", {}))
        SparkSession.getActiveSession = staticmethod(lambda: world.now)
        SparkSession.active = staticmethod(lambda: world.now)
        SparkSession.stop = lambda session: None

    def _frames(self) -> None:
        world, kind = self.world, self.world.frame
        for name in (*_ACTIONS, *_MORE_ACTIONS):
            self._around(kind, name, lambda frame, *_, **__: world.bag(frame))
        self._around(kind, "count", lambda frame: {"value": len(world.collect(frame))})
        for name in _VIEWS:
            self._around(kind, name, lambda frame, view, *_, **__: {"target": view, **world.bag(frame)})
        if isinstance(kind.rdd, property) and kind.rdd.fget is not None:
            kind.rdd = property(self._as_rdd(kind.rdd.fget))

    def _targets(self, owner: Any) -> None:
        plain = owner.__init__

        def start(writer: Any, df: Any, table: str) -> None:
            plain(writer, df, table)
            writer.greylag_table = table

        owner.__init__ = start

    def _as_rdd(self, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def rdd(frame: Any) -> Any:
            if not self.world.spy.deaf:
                self.world.spy.note("rdd", self.world.bag(frame))
            return plain(frame)

        return rdd

    def _around(self, owner: Any, name: str, look: Callable[..., dict[str, Any]]) -> None:
        plain = getattr(owner, name, None)
        if plain is None:
            return

        def watched(frame: Any, *args: Any, **more: Any) -> Any:
            if not self.world.spy.deaf:
                self.world.spy.note(name, look(frame, *args, **more))
            with self.world.spy.deafened():
                return plain(frame, *args, **more)

        setattr(owner, name, watched)

    def _by_name(self, owner: Any) -> None:
        plain = owner.table

        def table(reader: Any, name: str) -> Any:
            self.world.arrive(name)
            return plain(reader, self.world.names.table(name))

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
            self.world.spy.note(name, {"target": f"{target} {wishes}".strip(), **self.world.bag(writer._df)})
            if plain is not None and name in ("saveAsTable", "insertInto"):
                self._later(writer, plain, *args, **more)

        return save

    def _later(self, writer: Any, plain: Callable[..., Any], *args: Any, **more: Any) -> None:
        """Write the table once somebody reads it; what it would hold has been seen anyway."""
        named = args[0] if args else more.get("name") or more.get("tableName")
        table = self.world.names.table(str(named))
        rest = {key: value for key, value in more.items() if key not in ("name", "tableName")}
        before = self.world.waiting.get(table)

        def write() -> None:
            if before is not None:
                before()
            with self.world.spy.deafened(), contextlib.suppress(Exception):
                if "." in table:
                    self.world.plain_sql(
                        self.world.now, f"CREATE DATABASE IF NOT EXISTS {table.rsplit('.', 1)[0]}"
                    )
                plain(writer, table, *args[1:], **rest)

        self.world.waiting[table] = write


def _method(plain: Callable[..., Any]) -> Callable[..., Any]:
    """A bound method in place of another class's method: the object comes as its first argument."""

    def method(owner: Any, *args: Any, **more: Any) -> Any:
        return plain(owner, *args, **more)

    return method
