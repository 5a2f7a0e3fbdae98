"""Schema readers, schema differences and their compatibility, and drafts of mappings."""

from greylag.schema.data import Data
from greylag.schema.diff import diff
from greylag.schema.document import migration_file
from greylag.schema.draft import Draft, draft
from greylag.schema.model import Column, Guess, TableSchema
from greylag.schema.read import find_table, read_schemas, tables_of

__all__ = [
    "Column",
    "Data",
    "Draft",
    "Guess",
    "TableSchema",
    "diff",
    "draft",
    "find_table",
    "migration_file",
    "read_schemas",
    "tables_of",
]
