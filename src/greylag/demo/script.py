"""Runs a consumer's SQL script, written for the fleet's platform, in the demo's warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import duckdb
import sqlglot
from sqlglot import exp

DIALECT = "bigquery"


@dataclass(slots=True, kw_only=True)
class ScriptRun:
    """One run of one script: `schema` and `prefix` say where its tables go.

    A query without a table of its own becomes `<prefix><name>`, where `name` is the script's destination;
    a table that the script creates or fills keeps its last name part. Nothing is ever written to `prod`.
    """

    connection: duckdb.DuckDBPyConnection
    schema: str
    prefix: str
    name: str
    written: list[str] = field(default_factory=list)
    variables: dict[str, exp.Expr] = field(default_factory=dict)

    def run(self, sql: str) -> None:
        """Execute every statement in order. Raises duckdb.Error or sqlglot.errors.SqlglotError."""
        for statement in sqlglot.parse(sql, read=DIALECT):
            if statement is not None:
                self._statement(self._with_variables(statement))

    def _statement(self, statement: exp.Expr) -> None:
        match statement:
            case exp.Declare():
                for item in statement.expressions:
                    for variable in item.this:
                        self.variables[variable.name.lower()] = item.args["default"]
            case exp.Command() if statement.name.upper() == "EXECUTE":
                self.run(self._built_text(str(statement.expression.this)))
            case exp.Query():
                self._store(self.name, statement)
            case exp.Create() | exp.Insert() if _is_temporary(statement) or statement.expression is None:
                self.connection.execute(statement.sql("duckdb"))
            case exp.Create() | exp.Insert():
                self._store(_target(statement), statement.expression)
            case _:
                self.connection.execute(statement.sql("duckdb"))

    def _store(self, name: str, query: exp.Expr) -> None:
        table = exp.table_(f"{self.prefix}{name}", db=self.schema, quoted=True).sql("duckdb")
        self.connection.execute(f"CREATE OR REPLACE TABLE {table} AS {query.sql('duckdb')}")
        self.written.append(f"{self.prefix}{name}")

    def _built_text(self, command: str) -> str:
        """The text that EXECUTE IMMEDIATE builds, computed by the warehouse itself."""
        text = command.strip()[len("IMMEDIATE") :]
        built = self._with_variables(sqlglot.parse_one(text, read=DIALECT))
        row = self.connection.execute(f"SELECT {built.sql('duckdb')}").fetchone()
        return str(row[0]) if row else ""

    def _with_variables(self, statement: exp.Expr) -> exp.Expr:
        if not self.variables:
            return statement
        return statement.transform(
            lambda node: (
                self.variables[node.name.lower()].copy()
                if isinstance(node, exp.Column) and not node.table and node.name.lower() in self.variables
                else node
            )
        )


def tables_read(sql: str) -> frozenset[str]:
    """The full names of every table that a script names, as they stand in its code."""
    return frozenset(_tables(sql))


def _tables(sql: str) -> Iterator[str]:
    for statement in sqlglot.parse(sql, read=DIALECT):
        for table in statement.find_all(exp.Table) if statement is not None else ():
            yield ".".join(part.name for part in table.parts)


def _is_temporary(statement: exp.Expr) -> bool:
    return statement.find(exp.TemporaryProperty) is not None


def _target(statement: exp.Expr) -> str:
    table = statement.find(exp.Table)
    if table is None:
        raise ValueError(f"no table is written by: {statement.sql(DIALECT)}")
    return str(table.name)


def checks_failed(checks: Mapping[str, object], sql: str) -> str | None:
    """What a pipeline's own checks have against its query; None when they pass.

    `expected_source` names a table that the query must read.
    """
    source = checks.get("expected_source")
    if source is not None and source not in tables_read(sql):
        return f"check expected_source: the query does not read {source}"
    return None
