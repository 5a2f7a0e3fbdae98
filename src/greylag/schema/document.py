"""A drafted mapping as a migration file, with the evidence as comments."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import LiteralScalarString

from greylag.schema.draft import Draft
from greylag.schema.model import TableSchema


def migration_file(drafts: Sequence[Draft], *, name: str, dialect: str) -> str:
    """The text of a migration file with these mappings; a draft without any guess maps nothing.

    Each old column says in a comment what it was taken for and why; `provides` are the datasets read.
    """
    document = CommentedMap()
    document["name"] = name
    document["dialect"] = dialect
    document["replaces"] = [_entry(draft) for draft in drafts]
    provided = {source.schema.dataset: source.schema for draft in drafts for source in draft.sources}
    document["provides"] = [_provided(schema) for schema in provided.values()]
    document.yaml_set_start_comment(
        "A draft: read every line before you use it. `greylag check` lints it.\n"
        "A comment behind a column is the evidence for its expression."
    )
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.width = 4096
    out = io.StringIO()
    writer.dump(document, out)
    return out.getvalue()


def _entry(draft: Draft) -> CommentedMap:
    entry = CommentedMap()
    entry["dataset"] = str(draft.old.dataset)
    columns = CommentedMap()
    guesses = {guess.column: guess for guess in draft.guesses}
    for column in draft.old.columns:
        columns[column.name] = column.type or None
        guess = guesses.get(column.name)
        if guess is not None:
            said = "; ".join(guess.evidence)
            columns.yaml_add_eol_comment(f"{guess.leaf}, {guess.confidence:.2f}: {said}", column.name)
    entry["columns"] = columns
    sql = draft.sql()
    if sql is not None:
        entry["as"] = LiteralScalarString(f"{sql}\n")
    if draft.questions:
        entry["unmapped"] = CommentedMap(draft.questions)
    if draft.notes:
        entry.yaml_set_start_comment("\n".join(draft.notes), indent=4)
    return entry


def _provided(schema: TableSchema) -> CommentedMap:
    entry = CommentedMap()
    entry["dataset"] = str(schema.dataset)
    entry["columns"] = CommentedMap((column.name, column.type or None) for column in schema.columns)
    if schema.unique:
        entry["unique"] = [list(key) for key in schema.unique]
    return entry
