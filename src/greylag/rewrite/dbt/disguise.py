"""The migration as the masked text sees it: placeholders are names of datasets, columns and tables too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Mapping, Provided
from greylag.rewrite.dbt.mask import Masked, Role

Statements = tuple[exp.Expr | None, ...]


def disguised(
    migration: CompiledMigration, masked: Masked, statements: Statements, *, opaque_columns: bool
) -> CompiledMigration:
    """A migration whose datasets are known by their placeholders as well.

    With `opaque_columns`, every identifier that holds unknown Jinja counts as a column of the old datasets
    (right where columns are left alone). An incremental model's `{{ this }}` has the model's own columns.
    """
    columns = dict.fromkeys(_opaque_names(masked, statements), "") if opaque_columns else {}
    mappings = tuple(_known(mapping, masked, columns) for mapping in migration.mappings)
    this = {item.text for item in masked.placeholders if item.role is Role.THIS}
    return dataclasses.replace(
        migration, mappings=mappings, provides=(*migration.provides, *_own_tables(this, statements))
    )


def _known(mapping: Mapping, masked: Masked, columns: dict[str, str]) -> Mapping:
    tables = [
        item.table
        for item in masked.placeholders
        if item.dataset == mapping.dataset and item.table is not None
    ]
    names = dataclasses.replace(mapping.names, tables=tuple(dict.fromkeys((*mapping.names.tables, *tables))))
    return dataclasses.replace(mapping, names=names, columns={**mapping.columns, **columns})


def _opaque_names(masked: Masked, statements: Statements) -> Iterator[str]:
    words = [item.text.lower() for item in masked.placeholders if item.role is Role.OPAQUE]
    for statement in statements if words else ():
        for identifier in statement.find_all(exp.Identifier) if statement is not None else ():
            if any(word in identifier.name.lower() for word in words):
                yield identifier.name


def _own_tables(this: set[str], statements: Statements) -> Iterator[Provided]:
    """`{{ this }}` with the model's output columns, where its readers need no others."""
    own = _outputs(statements[0]) if len(statements) == 1 else None
    if not this or own is None or statements[0] is None:
        return
    folded = {name.lower() for name in own}
    for table in statements[0].find_all(exp.Table):
        reader = table.find_ancestor(exp.Select)
        if table.name not in this or reader is None:
            continue
        if not all(column.name.lower() in folded for column in reader.find_all(exp.Column)):
            return
    for name in sorted(this):
        yield Provided(dataset=DatasetRef((name,)), columns=dict.fromkeys(own, ""))


def _outputs(statement: exp.Expr | None) -> tuple[str, ...] | None:
    """The output columns of a query, through `select * from last_cte`; None when a star hides them."""
    if not isinstance(statement, exp.Query):
        return None
    ctes = {cte.alias: cte.this for cte in statement.ctes}
    query: exp.Expr = statement
    for _ in range(len(ctes) + 1):
        if not isinstance(query, exp.Query):
            return None
        if not query.is_star:
            names = query.named_selects
            return tuple(names) if all(names) else None
        source = query.args.get("from_") if isinstance(query, exp.Select) else None
        alone = source is not None and not query.args.get("joins") and query.selects == [exp.Star()]
        if not alone or source is None or source.this.name not in ctes or len(source.this.parts) > 1:
            return None
        query = ctes[source.this.name]
    return None
