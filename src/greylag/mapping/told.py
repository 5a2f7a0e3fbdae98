"""A mapping in plain words: what an agent or a judge has to know to follow it, in one dialect."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Mapping, Names
from greylag.mapping.in_dialect import CannotTranspile, in_dialect
from greylag.mapping.names import table_ref
from greylag.mapping.query import tables_read


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldColumn:
    """One old column: its type (empty: not declared) and the expression over the new tables.

    `expression` is None for a column without a counterpart; `remark` is then what the migration's author
    wrote of it. For all others it says what differs on purpose, or that a person decided it, or is empty.
    """

    name: str
    type: str
    expression: str | None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMapping:
    """One old dataset over the new ones. `rows` says in sentences which rows it has; `view` is it as SQL.

    `names` are the ways in which old and new datasets are named, old first: (name, other names).
    """

    dataset: str
    dialect: str
    columns: tuple[ToldColumn, ...]
    rows: tuple[str, ...]
    view: str
    names: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCarried:
    """A mapping cannot be said in a dialect; `why` is the reason in words."""

    dialect: str
    why: str


def told(migration: CompiledMigration, dialect: str | None = None) -> tuple[ToldMapping, ...] | NotCarried:
    """Every mapping of a migration, in `dialect` (None: its own)."""
    try:
        spoken = migration if dialect is None else in_dialect(migration, dialect)
    except CannotTranspile as error:
        return NotCarried(dialect=dialect or migration.dialect, why=str(error))
    return tuple(_told(one, spoken) for one in spoken.mappings)


def _told(mapping: Mapping, migration: CompiledMigration) -> ToldMapping:
    known = {one.name.casefold(): one.text for one in mapping.outputs}
    expressions = {one.name.casefold(): one.expression for one in mapping.outputs}
    columns = [
        ToldColumn(
            name=column,
            type=type_,
            expression=_flat(known[key], expressions[key], mapping.dialect) if key in known else None,
            remark=_remark(mapping, migration, column),
        )
        for column, type_ in mapping.columns.items()
        for key in (column.casefold(),)
    ]
    return ToldMapping(
        dataset=str(mapping.dataset),
        dialect=mapping.dialect,
        columns=tuple(columns),
        rows=tuple(_rows(mapping)),
        view=mapping.sql,
        names=_names(mapping, migration.new_names),
    )


def _remark(mapping: Mapping, migration: CompiledMigration, column: str) -> str:
    key = column.casefold()
    decided = {one.casefold(): answer for one, answer in migration.answers.items()}
    if decided.get(f"{mapping.dataset}.{column}".casefold()) == "skip":
        return "A person decided: what uses it is left as it is."
    for said, texts in (("", mapping.unmapped), ("differs on purpose: ", mapping.differs)):
        for one, text in texts.items():
            if one.casefold() == key:
                return said + " ".join(text.split())
    return "decided by a person" if key in {one.casefold() for one in mapping.answers} else ""


def _flat(text: str, node: exp.Expr, dialect: str) -> str:
    """An expression in one line, as it is written where that is the same."""
    flat = " ".join(text.split())
    if flat == text:
        return text
    same = [(one.token_type, one.text) for one in sqlglot.tokenize(text, dialect=dialect)] == [
        (one.token_type, one.text) for one in sqlglot.tokenize(flat, dialect=dialect)
    ]
    return flat if same else node.sql(dialect=dialect, comments=False)


def _rows(mapping: Mapping) -> list[str]:
    """Which rows of the new tables are rows of the old one."""
    query = mapping.query
    said: list[str] = []
    if isinstance(query, exp.SetOperation):
        said.append("Its rows come from several SELECTs put together: take all of them (see the view).")
    elif isinstance(query, exp.Select):
        said += _select_rows(query, mapping.dialect)
    return said or ["Every row of the new table is a row of the old one."]


def _select_rows(query: exp.Select, dialect: str) -> list[str]:
    said: list[str] = []
    for join in query.args.get("joins") or []:
        said.append(f"Joined: {join.sql(dialect=dialect, comments=False)}")
    for key, words in (
        ("where", "Only rows where"),
        ("having", "Only groups where"),
        ("qualify", "Only rows where"),
    ):
        clause = query.args.get(key)
        if clause is not None:
            said.append(f"{words}: {clause.this.sql(dialect=dialect, comments=False)}")
    group = query.args.get("group")
    if group is not None:
        keys = ", ".join(one.sql(dialect=dialect, comments=False) for one in group.expressions)
        said.append(f"Grouped by: {keys}")
        said.append("One old row stands for several new rows: keep the grouping, or aggregate again.")
    if query.args.get("distinct") is not None:
        said.append("Without duplicates (DISTINCT).")
    return said


def _names(mapping: Mapping, new: AbcMapping[DatasetRef, Names]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = [(str(mapping.dataset), _others(mapping.names))]
    read = dict.fromkeys(table_ref(table) for table in tables_read(mapping.query))
    for dataset in read:
        known = new.get(dataset)
        found.append((str(dataset), _others(known) if known is not None else ()))
    return tuple(dict.fromkeys(found))


def _others(names: Names) -> tuple[str, ...]:
    """dbt's ways to name a dataset, and further table names."""
    dbt = (f"{one.kind}({', '.join(repr(arg) for arg in one.args)})" for one in names.dbt)
    return (*(str(one) for one in names.tables[1:]), *dbt)
