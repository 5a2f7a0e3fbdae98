"""A migration file, parsed, compiled and linted: what each old column becomes."""

from greylag.mapping.load import load_migration, load_migration_text

__all__ = ["load_migration", "load_migration_text"]
