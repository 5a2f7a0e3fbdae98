"""A file of SQL as a sequence of statements, and what each of them yields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.verify.names import TableKey, table_key


class StatementKind(StrEnum):
    """What a statement does, as far as a comparison cares."""

    QUERY = "query"
    CREATE = "create"
    INSERT = "insert"
    CHANGE = "change"
    OTHER = "other"


class NotComparable(Exception):
    """The two versions cannot be compared; the message is the reason that is shown."""


class UnknownColumn(NotComparable):
    """A column that no source can have; for the new version over declared schemas, a refutation."""


class DoesNotRun(Exception):
    """The new version cannot run, whatever the data; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. `query` is what yields its rows (None for CHANGE and OTHER); `target` what it writes."""

    kind: StatementKind
    node: exp.Expr
    query: exp.Query | None = None
    target: exp.Table | None = None
    key: TableKey = ()

    def shell(self, dialect: str) -> str:
        """The statement's text without its query: what both versions must share to the letter."""
        if self.kind is StatementKind.QUERY:
            return ""
        node = self.node.copy()
        if self.kind in {StatementKind.CREATE, StatementKind.INSERT}:
            node.set("expression", None)
            node.set("with_", None)
        return node.sql(dialect, comments=False)


def parse_program(text: str, dialect: str, *, which: str) -> tuple[Statement, ...]:
    """Parse SQL text into statements. Raises NotComparable when it does not parse."""
    try:
        nodes = sqlglot.parse(text, dialect=dialect)
    except (SqlglotError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotComparable(f"the {which} version does not parse: {first}") from error
    return tuple(
        _statement(node, dialect)
        for node in nodes
        if node is not None and not isinstance(node, exp.Semicolon)
    )


def _statement(node: exp.Expr, dialect: str) -> Statement:
    if isinstance(node, exp.Query) and not isinstance(node, exp.Table):
        return Statement(kind=StatementKind.QUERY, node=node, query=node)
    if isinstance(node, exp.Create) and isinstance(node.expression, exp.Query):
        return _writer(StatementKind.CREATE, node, dialect)
    if isinstance(node, exp.Insert) and isinstance(node.expression, exp.Query):
        return _writer(StatementKind.INSERT, node, dialect)
    if isinstance(node, exp.Merge | exp.Update | exp.Delete):
        table = node.this
        if isinstance(table, exp.Table):
            key = table_key(table, dialect)
            return Statement(kind=StatementKind.CHANGE, node=node, target=table, key=key)
    return Statement(kind=StatementKind.OTHER, node=node)


def _writer(kind: StatementKind, node: exp.Create | exp.Insert, dialect: str) -> Statement:
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    if not isinstance(target, exp.Table):
        return Statement(kind=StatementKind.OTHER, node=node)
    query = node.expression
    outer = node.args.get("with_")
    if outer is not None:
        # WITH … INSERT: the entries belong to the query.
        query = query.copy()
        if query.args.get("with_") is not None:
            return Statement(kind=StatementKind.OTHER, node=node)
        query.set("with_", outer.copy())
    return Statement(kind=kind, node=node, query=query, target=target, key=table_key(target, dialect))
