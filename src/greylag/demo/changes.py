"""What changed between an old dataset and the new ones, named by the mapping."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from greylag.domain.change import ChangeKind, SchemaChange
from greylag.mapping.compiled import CompiledMigration, Mapping, Output


def schema_changes(migration: CompiledMigration) -> tuple[SchemaChange, ...]:
    """Every difference that a reader of the old datasets can notice; columns that stay are left out."""
    return tuple(change for mapping in migration.mappings for change in _changes(migration, mapping))


def _changes(migration: CompiledMigration, mapping: Mapping) -> Iterator[SchemaChange]:
    for output in mapping.outputs:
        kind = _kind(output)
        if kind is not None:
            yield _column(mapping, output.name, kind, " ".join(output.text.split()))
    for column in mapping.unmapped:
        yield _column(mapping, column, ChangeKind.REMOVED, None)
    yield from _added(migration, mapping)


def _kind(output: Output) -> ChangeKind | None:
    node = output.expression.unalias()
    if not isinstance(node, exp.Column):
        return ChangeKind.REPLACED
    if len(node.parts) > 1:
        return ChangeKind.REPLACED
    return None if node.name.lower() == output.name.lower() else ChangeKind.RENAMED


def _column(mapping: Mapping, column: str, kind: ChangeKind, after: str | None) -> SchemaChange:
    before = f"{column} {mapping.columns.get(column, '')}".strip()
    return SchemaChange(
        dataset=mapping.dataset, kind=kind, column=column, before=before, after=after, breaking=True
    )


def _added(migration: CompiledMigration, mapping: Mapping) -> Iterator[SchemaChange]:
    """Columns of the new dataset that no old column comes from; breaking when rows multiply by them."""
    if mapping.inlining is None:
        return
    used = {column.name.lower() for output in mapping.outputs for column in _roots(output.expression)}
    condition = mapping.inlining.predicate_expression
    filtered = {column.name.lower() for column in condition.find_all(exp.Column)} if condition else set()
    provided = next((one for one in migration.provides if one.dataset == mapping.inlining.table), None)
    for column, kind in provided.columns.items() if provided is not None else ():
        if column.lower() in used:
            continue
        after = f"{column} {kind}"
        if column.lower() in filtered:
            after += f", the old rows are those with {mapping.inlining.predicate}"
        yield SchemaChange(
            dataset=mapping.dataset,
            kind=ChangeKind.ADDED,
            column=column,
            before=None,
            after=after,
            breaking=column.lower() in filtered,
        )


def _roots(node: exp.Expr) -> Iterator[exp.Identifier]:
    """The first name part of every column: `geo` in `geo.country`."""
    for column in node.find_all(exp.Column):
        part = column.parts[0]
        if isinstance(part, exp.Identifier):
            yield part
