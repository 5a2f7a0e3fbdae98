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
def _pattern(names: tuple[tuple[str, ...], ...]) -> re.Pattern[str]:
    full = "|".join(r"`?\s*[.:]\s*`?".join(re.escape(part) for part in parts) for parts in names)
    return re.compile(rf"(?i)(?<![\w\-])(?:{full})(?![\w\-])")


def _names(migration: CompiledMigration) -> tuple[tuple[str, ...], ...]:
    return tuple(ref.parts for mapping in migration.mappings for ref in mapping.names.tables)


def full_name(migration: CompiledMigration) -> re.Pattern[str]:
    """Finds replaced datasets by their whole names."""
    return _pattern(_names(migration))


def has_word(text: str, migration: CompiledMigration) -> bool:
    """Does a dataset's last name stand in a text as a word, or may a wildcard there cover it?"""
    names = "|".join(re.escape(name) for name in candidate_names(migration))
    return "*" in text or re.search(rf"(?i)(?<!\w)(?:{names})(?!\w)|hole_\d|\$LATEST", text) is not None


def naming(text: str, migration: CompiledMigration) -> Naming:
    """Tell how a text names a replaced dataset."""
    if not mentioned(text, migration, {}):
        return Naming.NONE
    full = _pattern(_names(migration)).search(text) is not None
    if _FILES.search(text) and ("/" in text or not full):
        return Naming.FILES if _segment(text, migration) else Naming.PROSE
    if full and (len(text.split()) == 1 or any(len(parts) > 1 for parts in _names(migration))):
        return Naming.FULL
    return Naming.BARE if any(_tail(text, parts) for parts in _names(migration)) else Naming.PROSE


def _segment(text: str, migration: CompiledMigration) -> bool:
    """Is a part of a path the dataset's last name?"""
    names = "|".join(re.escape(name) for name in candidate_names(migration))
    return re.search(rf"(?i)(?:^|[/.=])(?:{names})(?:$|[/.*=?{{])", text) is not None


def _tail(text: str, parts: tuple[str, ...]) -> bool:
    """Is a text the last names of a dataset, or a partition or a wildcard of it?"""
    given = re.split(r"[.:]", text.strip().strip("`").lower())
    given[-1] = re.sub(r"(?:\$\w+|_?\*)$", "", given[-1])
    return given == [part.lower() for part in parts[-len(given) :]]


def column_qualifier(text: str, migration: CompiledMigration) -> bool:
    """Is it a column, qualified by the table's name (`users_v1.user_id`)?"""
    for mapping in migration.mappings:
        columns = "|".join(re.escape(column) for column in mapping.columns)
        pattern = rf"(?i)(?:[\w`]+\.)*`?{re.escape(mapping.dataset.name)}`?\.`?(?:{columns}|\*)`?"
        if columns and re.fullmatch(pattern, text.strip()):
            return True
    return False
