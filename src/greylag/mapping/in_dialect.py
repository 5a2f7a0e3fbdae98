"""A migration in another dialect than it is written in: Spark SQL in a program, mappings for BigQuery."""

from __future__ import annotations

import re
from collections.abc import Mapping as AbcMapping
from dataclasses import replace
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import GreylagError
from greylag.mapping.compiled import CompiledMigration, Mapping, Output, Provided
from greylag.mapping.kinds import Kind, is_date, kind, kind_of
from greylag.mapping.names import column_key, table_key, table_ref
from greylag.mapping.portable import KNOWN, Differs, Portable
from greylag.mapping.query import Parsed, parse_query, tables_read
from greylag.mapping.shape import with_shape
from greylag.mapping.sqltext import PARSER_GIVES_UP, SqlFault, made
from greylag.mapping.taken import taken

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FOLDS_UP = {"snowflake"}
_FOLDS_DOWN = {"postgres", "redshift"}
_TELLS_TABLES_BY_CASE = {"bigquery", "clickhouse", "mysql"}
_CASTS = {
    (Kind.INT, Kind.INT), (Kind.INT, Kind.FLOAT), (Kind.INT, Kind.DECIMAL), (Kind.DECIMAL, Kind.FLOAT),
    (Kind.DECIMAL, Kind.DECIMAL), (Kind.FLOAT, Kind.FLOAT),
}  # fmt: skip
_NUMBERS = {Kind.INT, Kind.DECIMAL, Kind.FLOAT}


class CannotTranspile(GreylagError):
    """A mapping holds something that is not known to mean the same in the other dialect."""


def in_dialect(migration: CompiledMigration, dialect: str) -> CompiledMigration:
    """The migration with every mapping, and every declared type, in `dialect`.

    Names stay as they are; what the other dialect keeps for itself is quoted. `Mapping.origin` is None.

    Raises:
        CannotTranspile: a mapping cannot be carried over with its meaning.
    """
    if dialect == migration.dialect:
        return migration
    mappings, provides = _carried(_Key(migration), dialect)
    return replace(migration, dialect=dialect, mappings=mappings, provides=provides)


class _Key:
    """A migration as the key of a cache: by what its mappings say. Its policy does not count."""

    def __init__(self, migration: CompiledMigration) -> None:
        self.migration = migration
        self.value = (
            migration.digest,
            migration.dialect,
            tuple((one.dataset, one.sql, tuple(one.columns.items())) for one in migration.mappings),
            tuple((one.dataset, tuple(one.columns.items())) for one in migration.provides),
        )

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.value == other.value


@lru_cache(maxsize=64)
def _carried(key: _Key, dialect: str) -> tuple[tuple[Mapping, ...], tuple[Provided, ...]]:
    migration = key.migration
    for one in (migration.dialect, dialect):
        if one not in KNOWN:
            raise CannotTranspile(
                f"the mappings are written in {migration.dialect}; what they mean in {dialect} is not known: "
                "write a migration file in that dialect"
            )
    provides = tuple(
        replace(one, columns=_types(one.columns, migration.dialect, dialect)) for one in migration.provides
    )
    return tuple(_mapping(one, migration, provides, dialect) for one in migration.mappings), provides


def _types(columns: AbcMapping[str, str], old: str, new: str) -> dict[str, str]:
    return {name: _type(text, old, new) for name, text in columns.items()}


def _type(text: str, old: str, new: str) -> str:
    """A type's name in the other dialect, empty (not declared) where it has none."""
    if not text:
        return ""
    try:
        built = exp.DataType.build(text, dialect=old).sql(dialect=new, unsupported_level=ErrorLevel.RAISE)
        exp.DataType.build(built, dialect=new)
    except (SqlglotError, *PARSER_GIVES_UP):
        return ""
    return str(built)


def _mapping(
    mapping: Mapping, migration: CompiledMigration, provides: tuple[Provided, ...], dialect: str
) -> Mapping:
    try:
        parsed = _parsed(mapping, migration, provides, dialect)
    except (Differs, SqlFault) as error:
        why = error.why if isinstance(error, Differs) else error.message
    except (SqlglotError, *PARSER_GIVES_UP) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
    else:
        return _compiled(mapping, parsed, provides, dialect)
    raise CannotTranspile(
        f"the mapping of {mapping.dataset} is written in {mapping.dialect} and cannot be carried over to "
        f"{dialect}: {why}"
    )


def _parsed(
    mapping: Mapping, migration: CompiledMigration, provides: tuple[Provided, ...], dialect: str
) -> Parsed:
    query = mapping.query.copy()
    checker = Portable(mapping.dialect, dialect, _kinds(mapping, migration))
    _dates(query, checker)
    checker.check(query)
    _same_types(query, mapping, checker)
    for identifier in list(query.find_all(exp.Identifier)):
        _quote(identifier, mapping.dialect, dialect)
    sql = query.sql(
        dialect=dialect,
        unsupported_level=ErrorLevel.RAISE,
        comments=False,
        pretty="\n" in mapping.sql,
    )
    declared = {table_key(one.dataset, dialect): one.columns for one in provides}

    def columns_of(ref: DatasetRef) -> AbcMapping[str, str] | None:
        return declared.get(table_key(ref, dialect)) or None

    parsed = parse_query(made(sql, ()), dialect, columns_of)
    _unchanged(mapping, parsed)
    return parsed


def _kinds(mapping: Mapping, migration: CompiledMigration) -> dict[str, Kind | None]:
    """The kinds of the columns of the tables that a mapping reads; None where two tables disagree."""
    declared = {table_key(one.dataset, mapping.dialect): one.columns for one in migration.provides}
    found: dict[str, Kind | None] = {}
    for table in tables_read(mapping.query):
        for name, text in declared.get(table_key(table_ref(table), mapping.dialect), {}).items():
            its = _declared_kind(text, mapping.dialect)
            key = name.casefold()
            found[key] = its if found.get(key, its) is its else None
    return found


def _declared_kind(text: str, dialect: str) -> Kind | None:
    try:
        return kind_of(exp.DataType.build(text, dialect=dialect)) if text else None
    except SqlglotError:
        return None


def _dates(query: exp.Expr, checker: Portable) -> None:
    """Text that is compared with a date is one; not every dialect does that by itself."""
    for node in list(query.find_all(exp.Predicate)):
        operands = [value for value in node.iter_expressions() if isinstance(value, exp.Condition)]
        if not any(kind(value, checker.kinds) is Kind.DATE for value in operands):
            continue
        for value in operands:
            if isinstance(value, exp.Literal) and value.is_string and is_date(value.name):
                value.replace(exp.cast(value.copy(), exp.DType.DATE))


def _same_types(query: exp.Expr, mapping: Mapping, checker: Portable) -> None:
    """A computed number gets the type of the old column: literals have other types there."""
    assert isinstance(query, exp.Query)
    for item, output in zip(query.selects, mapping.outputs, strict=True):
        value = item.unalias()
        if isinstance(value, exp.Column | exp.Dot | exp.Cast | exp.Null):
            continue
        found = kind(value, checker.kinds)
        text = mapping.columns.get(output.name, "")
        declared = _declared_kind(text, mapping.dialect)
        if found not in (None, *_NUMBERS) or declared not in (None, *_NUMBERS):
            continue
        if declared is None or (found or declared, declared) not in _CASTS:
            raise Differs(f"the type of `{output.name}` is not declared, or is another one than its value's")
        value.replace(exp.cast(value.copy(), text, dialect=mapping.dialect))


def _quote(identifier: exp.Identifier, old: str, new: str) -> None:
    """Write a name so that it is one in the other dialect, and the same one."""
    name = identifier.name
    table = isinstance(identifier.parent, exp.Table)
    if new in _FOLDS_DOWN | _FOLDS_UP and name != name.lower():
        exact = bool(identifier.args.get("quoted")) or (table and old in _TELLS_TABLES_BY_CASE)
        if exact and not (new in _FOLDS_UP and old in _FOLDS_UP):
            raise Differs(f"the case of `{name}` is not kept by {new}")
    plain = _PLAIN_NAME.fullmatch(name) is not None and not taken(name, new)
    if not plain and new in _FOLDS_UP:
        raise Differs(f"`{name}` has to be quoted in {new}, and its case there is not known")
    if not plain and new in _FOLDS_DOWN:
        identifier.set("this", name.lower())
    identifier.set("quoted", not plain)


def _unchanged(mapping: Mapping, parsed: Parsed) -> None:
    """The net under it: the text, read again, has the same outputs, tables and literals."""
    outputs = [column_key(item.name) for item in parsed.items]
    if outputs != [column_key(output.name) for output in mapping.outputs]:
        raise Differs("its outputs would have other names")
    for part in (exp.Table, exp.Literal):
        before = sorted(_bare(node) for node in mapping.query.find_all(part))
        after = sorted(_bare(node) for node in parsed.query.find_all(part))
        if not set(before) <= set(after):
            raise Differs("its tables or literals would be others")


def _bare(node: exp.Expr) -> str:
    return (
        ".".join(part.name for part in node.parts).lower() if isinstance(node, exp.Table) else str(node.this)
    )


def _compiled(mapping: Mapping, parsed: Parsed, provides: tuple[Provided, ...], dialect: str) -> Mapping:
    sql = parsed.source.text
    outputs = tuple(
        Output(name=old.name, text=sql[item.start : item.text_end], start=item.start, expression=item.node)
        for old, item in zip(mapping.outputs, parsed.items, strict=True)
    )
    by_name = {table_key(one.dataset, dialect): one for one in provides}
    carried = replace(
        mapping,
        dialect=dialect,
        columns=_types(mapping.columns, mapping.dialect, dialect),
        sql=sql,
        query=parsed.query,
        outputs=outputs,
        inlining=None,
        why_boundary=None,
        branches=None,
        grain=None,
        origin=None,
    )
    return with_shape(carried, lambda ref: by_name.get(table_key(ref, dialect)))
