"""A migration file, parsed, compiled and linted: what each old column becomes."""

from greylag.mapping.lint import lint
from greylag.mapping.load import load_migration, load_migration_text
from greylag.mapping.schema_json import migration_schema

__all__ = ["lint", "load_migration", "load_migration_text", "migration_schema"]
