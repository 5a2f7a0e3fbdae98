"""A migration file, parsed, compiled and linted: what each old column becomes."""
