"""A small world for the programs of `python/`: clients that run SQL in DuckDB, and note what came back.

A program runs as it is written: its imports find the stand-ins below; its `main()` is called, if it has one.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import sqlalchemy
import sqlglot
from sqlglot import exp
from tests.execution import view

from greylag.mapping.compiled import CompiledMigration

Seen = tuple[str, tuple[str, ...], frozenset[tuple[object, int]]]


@dataclass
class World:
    """A database, and what was read from it: column names and the bag of rows of every query."""

    connection: duckdb.DuckDBPyConnection
    dialect: str
    unmapped: frozenset[str] = frozenset()
    seen: list[Seen] = field(default_factory=list)

    def run(self, sql: object, dialect: str = "", params: Mapping[str, object] | None = None) -> Frame:
        tree = sqlglot.parse_one(str(sql), read=dialect or self.dialect)
        relation = self.connection.execute(tree.sql(dialect="duckdb"), params)
        columns = [each[0] for each in relation.description or []]
        rows = relation.fetchall()
        if isinstance(tree, exp.Query):
            bag = frozenset(Counter(repr(row) for row in rows).items())
            self.seen.append(("rows", tuple(columns), bag))
        return Frame(self, columns, rows)

    def table(self, name: str, dialect: str = "") -> Frame:
        quoted = name if name.startswith(("`", "(")) else f"`{name}`"
        dialect = dialect or "bigquery"
        source = quoted if dialect == "bigquery" or quoted.startswith("(") else name
        # What has no counterpart is not there any more: a program that picks it is not rewritten.
        gone = {
            each[0] for each in self.connection.execute(f"DESCRIBE {_duckdb(source, dialect)}").fetchall()
        }
        left_out = ", ".join(sorted(gone & self.unmapped))
        star = f"* EXCEPT ({left_out})" if left_out else "*"
        return self.run(f"SELECT {star} FROM {source}", dialect)

    def either(self, text: str, *_: object, **__: object) -> Frame:
        """A query, or the name of a table, as pandas takes them."""
        return self.run(text) if " " in text.strip() else self.table(text.strip())


def _duckdb(source: str, dialect: str) -> str:
    return sqlglot.parse_one(f"SELECT * FROM {source}", read=dialect).sql(dialect="duckdb")


@dataclass
class Frame:
    """Rows. Methods that a program calls on them give rows again; the columns it picks are noted."""

    world: World
    columns: list[str]
    rows: list[tuple[object, ...]]

    def select(self, *names: str) -> Frame:
        at = [self.columns.index(name) for name in names]
        rows = [tuple(row[index] for index in at) for row in self.rows]
        self.world.seen.append(("picked", names, frozenset(Counter(map(repr, rows)).items())))
        return Frame(self.world, list(names), rows)

    def __getitem__(self, names: object) -> Frame:
        return self.select(*names) if isinstance(names, list) else self

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __getattr__(self, name: str) -> Frame:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> Frame:
        return self


class Client:
    """Clients, cursors, sessions and hooks: whatever takes SQL runs it."""

    def __init__(self, world: World, dialect: str = "") -> None:
        self._world = world
        self._dialect = dialect

    def query(self, sql: object, *args: object, **_: object) -> Frame:
        params = args[0] if args and isinstance(args[0], Mapping) else None
        if args and isinstance(args[0], tuple):
            sql = str(sql) % tuple(f"'{each}'" for each in args[0])
        if isinstance(sql, sqlalchemy.ClauseElement):
            written = str(sql.compile(compile_kwargs={"literal_binds": True}))
            sql = written.replace('"prod.core"', "prod.core")
        return self._world.run(sql, self._dialect, params)

    sql = execute = query_and_wait = get_pandas_df = get_records = get_first = run = raw_sql = query

    def table(self, name: str) -> Frame:
        return self._world.table(name, self._dialect)

    @property
    def read(self) -> Client:
        return self

    def format(self, name: str) -> Loader:
        return Loader(self._world, {"format": name})

    def cursor(self, *_: object) -> Client:
        return self

    connect = cursor

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@dataclass
class Loader:
    """`spark.read.format(…)`: what its options say is read when it is told to load."""

    world: World
    options: dict[str, str]

    def option(self, key: str, value: str) -> Loader:
        return Loader(self.world, {**self.options, key: value})

    def load(self, name: str = "") -> Frame:
        held = self.options
        if held["format"] == "jdbc":
            return self.world.run(f"SELECT * FROM {held['dbtable']}")
        if "query" in held:
            assert held["format"] != "bigquery" or held["viewsEnabled"] == "true"
            return self.world.run(held["query"])
        return self.world.table(name or held.get("table") or held["dbtable"], self.world.dialect)


def _operator(world: World, dialect: str = "") -> Callable[..., object]:
    """An operator runs its SQL at once, with its templates filled in."""

    def make(**given: Any) -> object:
        sql = given.get("sql") or given.get("configuration", {}).get("query", {}).get("query")
        for one in [sql] if isinstance(sql, str) else sql or []:
            rendered = jinja2.Template(one).render(ds="2024-01-01", params=given.get("params", {}))
            world.run(rendered, dialect)
        called = given.get("python_callable")
        if called is not None:
            called(**given.get("op_kwargs", {}))
        world.seen += [("waits", (str(given[key]),), frozenset()) for key in given if key == "waits"]
        return SimpleNamespace(**given)

    return make


def _modules(world: World) -> dict[str, object]:
    pandas = SimpleNamespace(
        read_gbq=world.either,
        read_sql=world.either,
        read_sql_query=lambda sql, *_, **__: world.run(sql),
        read_sql_table=lambda name, *_, schema="", **__: world.table(f"{schema}.{name}" if schema else name),
    )
    operator = _operator(world)
    names = ("BigQueryInsertJobOperator", "SQLExecuteQueryOperator", "PythonOperator", "SQLCheckOperator")
    operators = SimpleNamespace(**{name: operator for name in names})
    operators.BigQueryHook = lambda **_: Client(world)
    operators.BigQueryTableExistenceSensor = lambda **_: None
    dag = SimpleNamespace(__enter__=None)
    return {
        "pandas": pandas,
        "google.cloud": SimpleNamespace(bigquery=SimpleNamespace(Client=lambda **_: Client(world))),
        "pyspark.sql": SimpleNamespace(
            SparkSession=SimpleNamespace(builder=SimpleNamespace(getOrCreate=lambda: Client(world, "spark"))),
            functions=SimpleNamespace(col=lambda name: name),
        ),
        "airflow": SimpleNamespace(DAG=lambda *_, **__: Client(world), operators=operators, dag=dag),
        "airflow.operators": operators,
        "psycopg2": SimpleNamespace(connect=lambda *_: Client(world, "postgres")),
        "duckdb": SimpleNamespace(
            connect=lambda *_: Client(world, "duckdb"), sql=Client(world, "duckdb").sql
        ),
        "ibis": SimpleNamespace(bigquery=SimpleNamespace(connect=lambda **_: Client(world))),
        "snowflake.snowpark": SimpleNamespace(
            Session=SimpleNamespace(
                builder=SimpleNamespace(configs=lambda _: SimpleNamespace(create=lambda: Client(world)))
            )
        ),
        "polars": SimpleNamespace(read_database=lambda query, *_, **__: world.run(query)),
        "warehouse": SimpleNamespace(
            connect=lambda: Client(world), where=lambda alias: f"WHERE {alias}.country = 'SE'"
        ),
        "sqlalchemy": SimpleNamespace(
            **{**vars(sqlalchemy), "create_engine": lambda *_: Client(world, "duckdb")}
        ),
    }


def run_program(
    text: str, migration: CompiledMigration, data: str, siblings: Mapping[str, str], *, old: bool
) -> list[Seen]:
    """Run a program where the old datasets are views over the new ones, or are not there."""
    connection = duckdb.connect(config={"threads": 1})
    try:
        for statement in connection.extract_statements(data):
            connection.execute(statement.query)
        for index in range(len(migration.mappings) if old else 0):
            connection.execute(view(migration, index))
        unmapped = frozenset(column for one in migration.mappings for column in one.unmapped)
        world = World(connection, migration.dialect, unmapped)
        _execute(text, _importer(world, siblings))
        return world.seen
    finally:
        connection.close()


def _importer(world: World, siblings: Mapping[str, str]) -> Callable[..., object]:
    modules = _modules(world)

    def find(
        name: str, names: object = None, locals_: object = None, wanted: Any = (), level: int = 0
    ) -> object:
        path = f"{name.replace('.', '/')}.py"
        if path in siblings:
            held = SimpleNamespace(**_execute(siblings[path], find, main=False))
            return (
                held
                if wanted or "." not in name
                else SimpleNamespace(**{name.rsplit(".", maxsplit=1)[-1]: held})
            )
        if name in modules:
            return modules[name]
        return builtins.__import__(name, names, locals_, wanted, level)  # type: ignore[arg-type]

    return find


def _execute(text: str, importer: Callable[..., object], *, main: bool = True) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "program"}
    space["__builtins__"] = {**vars(builtins), "__import__": importer}
    exec(compile(text, "program.py", "exec"), space)
    if main and "main" in space:
        space["main"]()
    return space
