"""The compatibility view: the old name over the new datasets, for readers that are late.

Expand and contract (https://martinfowler.com/bliki/ParallelChange.html), for a dataset: the mapping, which
says the old dataset as a SELECT over the new ones, becomes a view under the old name. Only text is made here;
nothing is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.redshift import Redshift

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import UsageError
from greylag.domain.migration import Unmapped
from greylag.mapping.compiled import CompiledMigration, DbtName, Mapping
from greylag.mapping.names import table_key, table_ref
from greylag.mapping.query import tables_read

ASIDE = "_replaced"
"""What the old table's name ends in once it stands aside."""

_IN_CREATE = ("bigquery", "snowflake", "spark", "databricks", "hive", "trino")
_BY_COMMENT = ("postgres", "redshift", "duckdb")
DIALECTS = (*_BY_COMMENT, *_IN_CREATE)
"""Where it is known how a table is renamed and how a view is described."""

_BOUND = ("postgres", "redshift", "duckdb")
_ATOMIC = ("postgres", "redshift", "duckdb")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibilityView:
    """The statements for one replaced dataset, in the migration's dialect, each without its semicolon.

    `switch` moves the old table aside and puts the view in its place, `back` undoes that, and `remove` drops
    the view: the last step. `aside` is the old table's name meanwhile; `atomic`: `switch` and `back` are each
    one transaction. `warnings` are what a person has to know before.
    """

    dataset: DatasetRef
    aside: DatasetRef
    switch: tuple[str, ...]
    back: tuple[str, ...]
    remove: tuple[str, ...]
    atomic: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtModel:
    """The same as a model of a dbt project: the text of its `.sql` file, and its entry in a `.yml` file."""

    name: str
    sql: str
    properties: str


def compatibility_view(
    migration: CompiledMigration,
    mapping: Mapping,
    *,
    unmapped: Unmapped = Unmapped.REFUSE,
    until: date | None = None,
) -> CompatibilityView:
    """The view of one mapping. `until` is when it is meant to go; it is only told.

    Raises UsageError where no right view can be made: a column without counterpart (by default), or
    a dialect whose statements are not known.
    """
    dialect = mapping.dialect
    if dialect not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise UsageError(
            f"{mapping.dataset}: how a view takes a table's place in {dialect} is not known (known: {known})"
        )
    query = _query(mapping, unmapped)
    old = _table(mapping.dataset, dialect)
    aside = DatasetRef((*mapping.dataset.parts[:-1], mapping.dataset.name + ASIDE))
    name = old.sql(dialect=dialect)
    notice = _notice(migration, mapping, until)
    drop = _drop(mapping.dataset, dialect)
    return CompatibilityView(
        dataset=mapping.dataset,
        aside=aside,
        switch=(_rename(mapping.dataset, aside, dialect), *_create(name, query, notice, migration, dialect)),
        back=(drop, _rename(aside, mapping.dataset, dialect)),
        remove=(drop,),
        atomic=dialect in _ATOMIC,
        warnings=_warnings(mapping, unmapped, aside),
    )


def removal_of(migration: CompiledMigration) -> tuple[str, ...]:
    """The statements that drop the views of a migration, without semicolons."""
    return tuple(_drop(mapping.dataset, mapping.dialect) for mapping in migration.mappings)


def compatibility_model(
    migration: CompiledMigration,
    mapping: Mapping,
    *,
    unmapped: Unmapped = Unmapped.REFUSE,
    until: date | None = None,
) -> DbtModel:
    """The view as a dbt model, which dbt itself tells to be deprecated (`deprecation_date`).

    A new dataset that has a dbt name under `ref` is read by it, another by its own. Raises UsageError as
    `compatibility_view` does, but for the dialect.
    """
    notice = _notice(migration, mapping, until)
    query = _query(mapping, unmapped, _with_dbt_names(migration, mapping))
    parts = mapping.dataset.parts
    config = ", ".join(
        f"{key}={value!r}"
        for key, value in (
            ("materialized", "view"),
            *zip(("database", "schema"), ("", "", *parts[:-1])[-2:], strict=True),
            ("alias", mapping.dataset.name),
        )
        if value
    )
    sql = f"{{{{ config({config}) }}}}\n-- {notice}\n{query}\n"
    dated = f"\n    deprecation_date: {until.isoformat()}" if until is not None else ""
    text = notice.replace("'", "''")
    properties = f"models:\n  - name: {mapping.dataset.name}\n    description: '{text}'{dated}\n"
    return DbtModel(name=mapping.dataset.name, sql=sql, properties=properties)


def _query(mapping: Mapping, unmapped: Unmapped, sql: str | None = None) -> str:
    """The SELECT of the view: all old columns that there are, in their order."""
    text = mapping.sql if sql is None else sql
    missing = [name for name in mapping.columns if name in mapping.unmapped]
    if not missing or unmapped is Unmapped.OMIT:
        return text
    listed = ", ".join(missing)
    if unmapped is Unmapped.REFUSE:
        raise UsageError(
            f"{mapping.dataset}: {listed}: no counterpart. A view without them (`--unmapped omit`: who reads "
            "them fails at once) or with NULL in them (`--unmapped null`: who reads them gets other values)?"
        )
    untyped = [name for name in missing if not mapping.columns[name]]
    if untyped:
        raise UsageError(f"{mapping.dataset}: {', '.join(untyped)}: NULL of which type? None is declared")
    names = {name: _column(name, mapping) for name in mapping.columns}
    items = ",\n       ".join(
        f"CAST(NULL AS {mapping.columns[name]}) AS {called}" if name in missing else called
        for name, called in names.items()
    )
    return f"SELECT {items}\nFROM (\n{text}\n) AS mapped"


def _column(name: str, mapping: Mapping) -> str:
    """A column as SQL names it: as the mapping wrote it, quoted where it is a word of the language."""
    for item in mapping.query.selects:
        written = item.args.get("alias") or item.this
        if isinstance(written, exp.Identifier) and written.name == name:
            return written.sql(dialect=mapping.dialect)
    return _identifier(name, mapping.dialect).sql(dialect=mapping.dialect)


def _identifier(name: str, dialect: str) -> exp.Identifier:
    """A name, quoted where it is a word of the language: as the dialect would read it without quotes.

    Of the reserved words of PostgreSQL's family, Redshift's are known; quoted, no name means another thing.
    """
    known = Dialect.get_or_raise(dialect)
    identifier: exp.Identifier = exp.to_identifier(name)
    words = {*known.generator_class.RESERVED_KEYWORDS, *Redshift.generator_class.RESERVED_KEYWORDS}
    if name.upper() in known.tokenizer_class.KEYWORDS or name.lower() in words:
        identifier.set("quoted", True)
        if dialect != "bigquery":  # its tables keep their case
            known.normalize_identifier(identifier)
    return identifier


def _with_dbt_names(migration: CompiledMigration, mapping: Mapping) -> str:
    text = mapping.sql
    spans = []
    for table in tables_read(mapping.query):
        called = _dbt_name(migration, table_ref(table), mapping.dialect)
        if called is not None:
            first, last = table.parts[0], table.parts[-1]
            spans.append((int(first.meta["start"]), int(last.meta["end"]) + 1, called))
    for start, end, called in sorted(spans, reverse=True):
        arguments = ", ".join(repr(one) for one in called.args)
        text = f"{text[:start]}{{{{ {called.kind}({arguments}) }}}}{text[end:]}"
    return text


def _dbt_name(migration: CompiledMigration, ref: DatasetRef, dialect: str) -> DbtName | None:
    own = table_key(ref, dialect)
    for dataset, names in migration.new_names.items():
        if table_key(dataset, dialect) == own and names.dbt:
            return names.dbt[0]
    return None


def _table(ref: DatasetRef, dialect: str) -> exp.Table:
    identifiers = [_identifier(part, dialect) for part in ref.parts]
    made: exp.Table = exp.Table(this=identifiers[-1])
    for key, part in zip(("db", "catalog"), reversed(identifiers[:-1]), strict=False):
        made.set(key, part)
    return made


def _drop(ref: DatasetRef, dialect: str) -> str:
    return f"DROP VIEW {_table(ref, dialect).sql(dialect=dialect)}"


def _rename(one: DatasetRef, other: DatasetRef, dialect: str) -> str:
    action = exp.AlterRename(this=_table(other, dialect))
    return exp.Alter(this=_table(one, dialect), kind="TABLE", actions=[action]).sql(dialect=dialect)


def _create(
    name: str, query: str, notice: str, migration: CompiledMigration, dialect: str
) -> tuple[str, ...]:
    text = exp.Literal.string(notice).sql(dialect=dialect)
    match dialect:
        case "bigquery":
            told = f"\nOPTIONS (description = {text}, labels = [('greylag', '{migration.name[:63]}')])"
        case "snowflake":
            told = f"\nCOMMENT = {text}"
        case _ if dialect in _IN_CREATE:
            told = f"\nCOMMENT {text}"
        case _:
            return f"CREATE VIEW {name} AS\n{query}", f"COMMENT ON VIEW {name} IS {text}"
    return (f"CREATE VIEW {name}{told} AS\n{query}",)


def _notice(migration: CompiledMigration, mapping: Mapping, until: date | None) -> str:
    """What whoever looks at the view reads; one line."""
    new = sorted({str(table_ref(table)) for table in tables_read(mapping.query)})
    gone = f" It goes on {until.isoformat()}." if until is not None else ""
    differs = "".join(f" {name} differs: {why}." for name, why in mapping.differs.items())
    text = f"Deprecated: read {', '.join(new)} instead (migration {migration.name}).{gone}{differs}"
    return " ".join(text.split())


def _warnings(mapping: Mapping, unmapped: Unmapped, aside: DatasetRef) -> tuple[str, ...]:
    told = [
        f"what still writes to {mapping.dataset} fails afterwards, or has to write to {aside}",
        f"rights granted on {mapping.dataset} are not those of the view: grant them again",
    ]
    if mapping.dialect in _BOUND:
        told.append(f"views that read {mapping.dataset} follow the old table to {aside}: make them anew")
    if mapping.dialect not in _ATOMIC:
        told.append(f"{mapping.dialect} does not do both steps at once: for a moment the name is not there")
    missing = [name for name in mapping.columns if name in mapping.unmapped]
    if missing and unmapped is Unmapped.NULL:
        told.append(f"{', '.join(missing)}: NULL from now on, without a word to who reads it")
    if missing and unmapped is Unmapped.OMIT:
        told.append(f"{', '.join(missing)}: gone; `SELECT *` gets fewer columns")
    for name, why in mapping.differs.items():
        told.append(f"{name} has other values: {why}")
    return tuple(told)
