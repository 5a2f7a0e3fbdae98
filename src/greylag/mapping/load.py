"""Load a migration file: read, check, compile; refused whole when anything in it is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as AbcMapping
from dataclasses import replace
from pathlib import Path

from greylag.domain.dataset import DatasetRef
from greylag.domain.errors import FileFaults
from greylag.mapping.answers import answers_of, check_answers, normalised_answers, said_to_agents
from greylag.mapping.column_types import check_types
from greylag.mapping.compile import Context, Entry
from greylag.mapping.compiled import CompiledMigration, Mapping, Names, Provided
from greylag.mapping.document import Document, Loc, parse_yaml, read_file
from greylag.mapping.messages import check_sql, shape_faults
from greylag.mapping.model import MigrationModel, ProvidesModel, ReplacesModel
from greylag.mapping.names import column_key, nearest, table_key, table_ref
from greylag.mapping.order import compile_entries
from greylag.mapping.policy import rollout
from greylag.mapping.query import tables_read
from greylag.mapping.refs import all_names
from greylag.mapping.schema_files import read_columns


def load_migration(path: str | Path) -> CompiledMigration:
    """Read and compile a migration file.

    Raises:
        FileFaults: everything that is wrong with it, each with file, line and column.
    """
    shown = str(path)
    text = read_file(Path(path), shown)
    return load_migration_text(text, path=shown, base=Path(path).parent)


def load_migration_text(text: str, *, path: str, base: Path) -> CompiledMigration:
    """Compile the text of a migration file; `path` is its name in messages, `base` the folder of `schema:`.

    Raises:
        FileFaults: everything that is wrong with it, each with file, line and column.
    """
    document, data = parse_yaml(text, path)
    model = shape_faults(document, data)
    if model is None:
        check_sql(document, data)
        document.raise_faults()
    assert model is not None
    migration = _compile(model, document, base)
    document.raise_faults()
    assert migration is not None
    return replace(migration, basis=_basis(migration, model, document, base))


def _basis(migration: CompiledMigration, model: MigrationModel, document: Document, base: Path) -> str:
    """The digest of the same file without answers."""
    if not migration.answers:
        return migration.digest
    bare = Document(path=document.path, text=document.text, root=document.root)
    unanswered = _compile(model.model_copy(update={"answers": {}}), bare, base)
    bare.raise_faults()
    assert unanswered is not None
    return unanswered.digest


def _compile(model: MigrationModel, document: Document, base: Path) -> CompiledMigration | None:
    dialect = model.dialect
    provided = _provided(model, document, base)
    replaced = _replaced(model, provided, document)
    names = all_names(model, document, replaced, provided)
    policy = rollout(model.rollout, document)
    context = Context(document=document, dialect=dialect, provided=provided, replaced=replaced)
    entries = _entries(model, document, base, names)
    mappings = compile_entries(entries, context)
    if document.faults or policy is None:
        return None
    good = tuple(mapping for mapping in mappings if mapping is not None)
    old = {mapping.dataset for mapping in good}
    return CompiledMigration(
        name=model.name,
        path=document.path,
        dialect=dialect,
        mappings=good,
        provides=tuple(provided.values()),
        new_names={ref: name for ref, name in names.items() if ref not in old} | _others(good, names),
        rollout=policy,
        digest=_digest(model, good, tuple(provided.values()), names),
        answers=normalised_answers(model),
        said=said_to_agents(model),
    )


def _columns(
    entry: ReplacesModel | ProvidesModel, loc: Loc, model: MigrationModel, document: Document, base: Path
) -> dict[str, str]:
    """The columns of an entry, from `columns` or `schema`; empty when there are none, or they are wrong."""
    if entry.columns is not None and entry.schema_ is not None:
        document.fault(document.at_key((*loc, "schema")), "give `columns` or `schema`, not both")
        return {}
    if entry.schema_ is not None:
        try:
            return read_columns(base / entry.schema_, DatasetRef.parse(entry.dataset), model.dialect)
        except FileFaults as error:
            for fault in error.faults:
                document.fault(document.at((*loc, "schema")), f"`schema`: {fault}")
            return {}
    columns = {name: text or "" for name, text in (entry.columns or {}).items()}
    check_types(columns, (*loc, "columns"), model.dialect, document)
    return columns


def _provided(model: MigrationModel, document: Document, base: Path) -> dict[tuple[str, ...], Provided]:
    found: dict[tuple[str, ...], Provided] = {}
    for index, entry in enumerate(model.provides):
        loc: Loc = ("provides", index)
        ref = DatasetRef.parse(entry.dataset)
        key = table_key(ref, model.dialect)
        if key in found:
            document.fault(document.at((*loc, "dataset")), f"{ref} stands under `provides` twice; keep one")
        columns = _columns(entry, loc, model, document, base)
        _check_unique(entry, loc, columns, document)
        found[key] = Provided(
            dataset=ref, columns=columns, unique=tuple(tuple(columns) for columns in entry.unique)
        )
    return found


def _check_unique(entry: ProvidesModel, loc: Loc, columns: AbcMapping[str, str], document: Document) -> None:
    declared = {column_key(name) for name in columns}
    for number, group in enumerate(entry.unique):
        for position, name in enumerate(group):
            if columns and column_key(name) not in declared:
                document.fault(
                    document.at((*loc, "unique", number, position)),
                    f"`{name}` is not a column of {entry.dataset}{nearest(name, columns, 'its columns')}",
                )


def _replaced(
    model: MigrationModel, provided: AbcMapping[tuple[str, ...], Provided], document: Document
) -> dict[tuple[str, ...], DatasetRef]:
    found: dict[tuple[str, ...], DatasetRef] = {}
    for index, entry in enumerate(model.replaces):
        ref = DatasetRef.parse(entry.dataset)
        key = table_key(ref, model.dialect)
        where = document.at(("replaces", index, "dataset"))
        if key in found:
            document.fault(where, f"{ref} stands under `replaces` twice; keep one")
        if key in provided:
            document.fault(
                where, f"{ref} stands under `replaces` and under `provides`; a dataset is old or new"
            )
        found[key] = ref
    return found


def _entries(
    model: MigrationModel, document: Document, base: Path, names: AbcMapping[DatasetRef, Names]
) -> list[Entry]:
    entries = []
    for index, entry in enumerate(model.replaces):
        loc: Loc = ("replaces", index)
        ref = DatasetRef.parse(entry.dataset)
        columns = _columns(entry, loc, model, document, base)
        if entry.columns is None and entry.schema_ is None:
            document.fault(
                document.at(loc), "`columns` is missing: name to type of each old column, or `schema`"
            )
        answers = answers_of(entry, model, columns, document)
        entries.append(
            Entry(model=entry, loc=loc, dataset=ref, columns=columns, names=names[ref], answers=answers)
        )
    check_answers(model, document)
    return entries


def _others(mappings: tuple[Mapping, ...], names: AbcMapping[DatasetRef, Names]) -> dict[DatasetRef, Names]:
    """New datasets that only the mappings themselves mention."""
    known = {table_key(ref, mapping.dialect) for ref in names for mapping in mappings}
    read = [(table_ref(table), m.dialect) for m in mappings for table in tables_read(m.query)]
    return {ref: Names(tables=(ref,)) for ref, dialect in read if table_key(ref, dialect) not in known}


def _digest(
    model: MigrationModel,
    mappings: tuple[Mapping, ...],
    provides: tuple[Provided, ...],
    names: AbcMapping[DatasetRef, Names],
) -> str:
    """What a rewrite depends on: everything but the policy and the layout of the file."""
    content = {
        "name": model.name,
        "dialect": model.dialect,
        "mappings": [
            [
                str(m.dataset),
                list(m.columns.items()),
                m.sql,
                sorted(m.unmapped.items()),
                sorted(m.differs.items()),
            ]
            for m in mappings
        ],
        "provides": [[str(p.dataset), list(p.columns.items()), sorted(p.unique)] for p in provides],
        "names": sorted(
            [str(ref), [str(table) for table in n.tables], [[d.kind, *d.args] for d in n.dbt]]
            for ref, n in names.items()
        ),
        "answers": sorted(normalised_answers(model).items()),
    }
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
