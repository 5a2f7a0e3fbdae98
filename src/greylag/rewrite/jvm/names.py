"""How a text names a replaced dataset."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.mentions import candidate_names, mentioned

_FILES = re.compile(
    r"(?i)(?:^|[\s\"'(=,])(?:gs|s3|s3a|s3n|hdfs|abfss?|wasbs?|dbfs|file|adl|oss|maprfs|viewfs):/"
    r"|\.(?:avro|parquet|orc|csv|tsv|json|jsonl|gz)\b"
)


class Naming(Enum):
    """FULL: by its whole name. BARE: the text is its last name or names alone. FILES: as a path of files.
    PROSE: its last name stands in a longer text."""

    NONE = auto()
    FULL = auto()
    BARE = auto()
    FILES = auto()
    PROSE = auto()


@lru_cache(maxsize=64)
def _patterns(names: tuple[tuple[str, ...], ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    full = "|".join(r"`?\s*[.:]\s*`?".join(re.escape(part) for part in parts) for parts in names)
    last = "|".join(re.escape(parts[-1]) for parts in names)
    return (
        re.compile(rf"(?i)(?<![\w\-])(?:{full})(?![\w\-])"),
        re.compile(rf"(?i)`?(?:[\w\-]+[.:]){{0,2}}`?(?:{last})(?:\$\w+|_?\*)?`?"),
    )


def _names(migration: CompiledMigration) -> tuple[tuple[str, ...], ...]:
    return tuple(ref.parts for mapping in migration.mappings for ref in mapping.names.tables)


def naming(text: str, migration: CompiledMigration) -> Naming:
    """Tell how a text names a replaced dataset."""
    if not mentioned(text, migration, {}):
        return Naming.NONE
    full, bare = _patterns(_names(migration))
    if _FILES.search(text) and (re.search(r"/", text) or not full.search(text)):
        return Naming.FILES if _word(text, migration) else Naming.NONE
    if full.search(text):
        return Naming.FULL
    if bare.fullmatch(text.strip()):
        return Naming.BARE
    return Naming.PROSE


def _word(text: str, migration: CompiledMigration) -> bool:
    return any(re.search(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", text) for name in candidate_names(migration))


def column_qualifier(text: str, migration: CompiledMigration) -> bool:
    """Is it a column, qualified by the table's name (`users_v1.user_id`)?"""
    for mapping in migration.mappings:
        columns = "|".join(re.escape(column) for column in mapping.columns)
        pattern = rf"(?i)(?:[\w`]+\.)*`?{re.escape(mapping.dataset.name)}`?\.`?(?:{columns}|\*)`?"
        if columns and re.fullmatch(pattern, text.strip()):
            return True
    return False
