"""Table names in a syntax tree: which of them are real tables, and by what key they are known.

A key is the tuple of a name's parts, folded as the dialect folds them: BigQuery tables keep their case,
everything else is compared without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Mapping

TableKey = tuple[str, ...]


def fold(parts: tuple[str, ...], dialect: str) -> TableKey:
    """Fold the parts of a table's name as `dialect` compares them."""
    return parts if dialect == "bigquery" else tuple(part.lower() for part in parts)


def key_of(ref: DatasetRef, dialect: str) -> TableKey:
    """The key of a dataset that a migration names."""
    return fold(ref.parts, dialect)


def table_key(table: exp.Table, dialect: str) -> TableKey:
    """The key of a table that a query names; empty when its name is not made of identifiers."""
    names: list[str] = []
    for part in table.parts:
        if not isinstance(part, exp.Identifier):
            return ()
        names.extend(
            part.name.split(".") if part.args.get("quoted") and dialect == "bigquery" else [part.name]
        )
    return fold(tuple(names), dialect)


def cte_of(table: exp.Table) -> exp.CTE | None:
    """The WITH entry that an unqualified table reference means, or None when it means a real table.

    An entry sees the entries before it (and itself when the WITH is recursive); the body sees all of them.
    """
    if table.args.get("db") is not None or not isinstance(table.this, exp.Identifier):
        return None
    name = table.name.lower()
    child: exp.Expr = table
    node = table.parent
    while node is not None:
        with_ = node.args.get("with_") if not isinstance(node, exp.With) else None
        if with_ is not None:
            found = _entry(with_, name, inside=child)
            if found is not None:
                return found
        elif isinstance(node, exp.With) and isinstance(child, exp.CTE):
            found = _earlier_entry(node, name, child)
            if found is not None:
                return found
            # The parent's WITH is this very node: step over it, so that later entries stay unseen.
            child, node = (node.parent, node.parent.parent) if node.parent is not None else (node, None)
            continue
        child, node = node, node.parent
    return None


def _entry(with_: exp.With, name: str, *, inside: exp.Expr) -> exp.CTE | None:
    if inside is with_:
        return None
    for entry in with_.expressions:
        if entry.alias.lower() == name:
            return entry  # type: ignore[no-any-return]
    return None


def _earlier_entry(with_: exp.With, name: str, inside: exp.CTE) -> exp.CTE | None:
    for entry in with_.expressions:
        if entry is inside:
            return entry if with_.args.get("recursive") and entry.alias.lower() == name else None
        if entry.alias.lower() == name:
            return entry  # type: ignore[no-any-return]
    return None


def real_tables(node: exp.Expr) -> Iterator[exp.Table]:
    """Every reference to a real table (not to a WITH entry) under `node`."""
    for table in node.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and cte_of(table) is None:
            yield table


def replaced_keys(migration: CompiledMigration) -> dict[TableKey, Mapping]:
    """Every key by which a replaced dataset is known, with its mapping."""
    return {
        key_of(ref, migration.dialect): mapping
        for mapping in migration.mappings
        for ref in (mapping.dataset, *mapping.names.tables)
    }


def provided_keys(migration: CompiledMigration) -> dict[TableKey, TableKey]:
    """Every key by which a new dataset is known, with its first key."""
    keys: dict[TableKey, TableKey] = {}
    for ref, names in migration.new_names.items():
        first = key_of(ref, migration.dialect)
        for other in (ref, *names.tables):
            keys[key_of(other, migration.dialect)] = first
    for provided in migration.provides:
        key = key_of(provided.dataset, migration.dialect)
        keys.setdefault(key, key)
    return keys
