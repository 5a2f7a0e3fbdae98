"""Warnings about a migration that compiles: what is probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.simplify import simplify
from sqlglot.schema import MappingSchema

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import Fault
from greylag.mapping.column_types import parse_type
from greylag.mapping.compiled import CompiledMigration, Mapping, Output, Provided
from greylag.mapping.names import table_key, table_ref
from greylag.mapping.query import tables_read

Position = tuple[int, int]
Warning_ = tuple[Position, str]

# What the optimizer raises on queries that it does not understand: no warning is better than a wrong one.
_GIVES_UP = (SqlglotError, KeyError, ValueError, AttributeError, TypeError)
_FAMILIES = {
    "text": exp.DataType.TEXT_TYPES,
    "number": exp.DataType.NUMERIC_TYPES,
    "boolean": {exp.DType.BOOLEAN},
    "date": {exp.DType.DATE, exp.DType.DATE32},
    "timestamp": exp.DataType.TEMPORAL_TYPES - {exp.DType.DATE, exp.DType.DATE32, exp.DType.TIME},
    "time": {exp.DType.TIME, exp.DType.TIMETZ},
    "bytes": {exp.DType.BINARY, exp.DType.VARBINARY, exp.DType.BLOB},
    "array": exp.DataType.ARRAY_TYPES,
    "struct": exp.DataType.STRUCT_TYPES,
}


def lint(migration: CompiledMigration) -> tuple[Fault, ...]:
    """Warnings, in the order of the file: the migration can be used, but look at these first."""
    found = [
        Fault(file=migration.path, line=line, column=column, message=message)
        for mapping in migration.mappings
        for (line, column), message in _warnings(mapping, migration)
    ]
    return tuple(sorted(set(found)))


def _warnings(mapping: Mapping, migration: CompiledMigration) -> Iterator[Warning_]:
    yield from _not_provided(mapping, migration)
    yield from _types(mapping, migration)
    yield from _never_true(mapping)
    yield from _unknown_types(mapping)
    yield from _plain_differs(mapping)


def _at(mapping: Mapping, offset: int) -> Position:
    return mapping.origin.sql(offset) if mapping.origin else (1, 1)


def _key(mapping: Mapping, *keys: str) -> Position:
    return mapping.origin.key(*keys) if mapping.origin else (1, 1)


def _not_provided(mapping: Mapping, migration: CompiledMigration) -> Iterator[Warning_]:
    if not migration.provides:
        return
    provided = {table_key(entry.dataset, migration.dialect) for entry in migration.provides}
    for table in tables_read(mapping.query):
        ref = table_ref(table)
        if table_key(ref, migration.dialect) not in provided:
            names = ", ".join(str(entry.dataset) for entry in migration.provides)
            offset = min(part.meta.get("start", 0) for part in table.parts)
            yield (
                _at(mapping, offset),
                f"{ref} does not stand under `provides` (which has {names}), so it is not checked",
            )


def _never_true(mapping: Mapping) -> Iterator[Warning_]:
    for where in mapping.query.find_all(exp.Where):
        try:
            simple = simplify(where.this.copy(), dialect=mapping.dialect)
        except _GIVES_UP:
            continue
        false = isinstance(simple, exp.Boolean) and not simple.this
        if false or _contradicts(where.this):
            starts = [node.meta["start"] for node in where.walk() if "start" in node.meta]
            yield (
                _at(mapping, min(starts, default=0)),
                "this condition is never true: the mapping yields no rows",
            )


def _contradicts(condition: exp.Expr) -> bool:
    """Whether one column must equal two different literals at once."""
    wanted: dict[str, exp.Expr] = {}
    for part in condition.flatten() if isinstance(condition, exp.And) else ():
        if not isinstance(part, exp.EQ):
            continue
        sides = (part.this, part.expression)
        column = next((side for side in sides if isinstance(side, exp.Column)), None)
        literal = next((side for side in sides if isinstance(side, exp.Literal)), None)
        if column is None or literal is None:
            continue
        before = wanted.setdefault(column.sql().casefold(), literal)
        if before.is_string == literal.is_string and before.to_py() != literal.to_py():
            return True
    return False


def _unknown_types(mapping: Mapping) -> Iterator[Warning_]:
    for name, text in mapping.columns.items():
        if text and parse_type(text, mapping.dialect) is None:
            yield (
                _key(mapping, "columns", name),
                f"`{text}` is not a type that {mapping.dialect} is known to have",
            )


def _plain_differs(mapping: Mapping) -> Iterator[Warning_]:
    outputs = {output.name: output for output in mapping.outputs}
    for name in mapping.differs:
        output = outputs.get(name)
        if output is None:
            yield _key(mapping, "differs", name), f"`{name}` has no counterpart: there is nothing to compare"
        elif isinstance(output.expression, exp.Column) and len(output.expression.parts) == 1:
            yield (
                _key(mapping, "differs", name),
                f"`{name}` is only renamed (`{output.text}`), so a rewrite changes no value of it; "
                "remove it from `differs` unless the stored values themselves are other ones",
            )


def _types(mapping: Mapping, migration: CompiledMigration) -> Iterator[Warning_]:
    annotated = _annotated(mapping, migration)
    for output, actual in zip(mapping.outputs, annotated, strict=False):
        expected = parse_type(mapping.columns[output.name], mapping.dialect)
        if expected is None or actual is None or not _clash(expected, actual, output):
            continue
        yield (
            _at(mapping, output.start),
            f"`{output.name}` was {mapping.columns[output.name]}, but `{output.text}` is "
            f"{actual.sql(dialect=mapping.dialect)}; cast it to keep the type",
        )


def _annotated(mapping: Mapping, migration: CompiledMigration) -> list[exp.DataType | None]:
    """The type of each output as far as it can be told."""
    schema = _schema(mapping, migration)
    if schema is None:
        return []
    try:
        query = qualify(
            mapping.query.copy(),
            schema=schema,
            dialect=mapping.dialect,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
        typed = annotate_types(query, schema=schema, dialect=mapping.dialect)
    except _GIVES_UP:
        return []
    selects = typed.selects if isinstance(typed, exp.Query) else []
    return [item.type if len(selects) == len(mapping.outputs) else None for item in selects]


def _schema(mapping: Mapping, migration: CompiledMigration) -> MappingSchema | None:
    known = {table_key(entry.dataset, migration.dialect): entry for entry in migration.provides}
    schema = MappingSchema(dialect=mapping.dialect)
    for table in tables_read(mapping.query):
        entry = known.get(table_key(table_ref(table), migration.dialect))
        if entry is None or not entry.columns or not all(entry.columns.values()):
            return None
        try:
            schema.add_table(_plain(table), _columns(entry, mapping.dialect), dialect=mapping.dialect)
        except _GIVES_UP:
            return None
    return schema


def _plain(table: exp.Table) -> exp.Table:
    ref: DatasetRef = table_ref(table)
    parts = [exp.to_identifier(part, quoted=True) for part in ref.parts]
    names = dict(zip(("this", "db", "catalog"), reversed(parts[-3:]), strict=False))
    return exp.Table(**names)


def _columns(entry: Provided, dialect: str) -> dict[str, exp.DataType | str]:
    return {name: parse_type(text, dialect) or "UNKNOWN" for name, text in entry.columns.items()}


def _clash(expected: exp.DataType, actual: exp.DataType, output: Output) -> bool:
    """Only what is clearly another kind of value: engines convert too much to say more."""
    old, new = _family(expected), _family(actual)
    if old is None or new is None:
        return False
    if old != new:
        return True
    # literals and arithmetic have types of the parser's making: only what is stored or cast is sure
    sure = isinstance(output.expression, exp.Column | exp.Cast)
    return sure and old == "number" and _whole(expected) != _whole(actual)


def _whole(kind: exp.DataType) -> bool:
    return kind.this in exp.DataType.INTEGER_TYPES


def _family(kind: exp.DataType) -> str | None:
    return next((family for family, kinds in _FAMILIES.items() if kind.this in kinds), None)
