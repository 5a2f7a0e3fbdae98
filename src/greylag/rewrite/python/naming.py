"""Which strings name a replaced dataset, and how surely."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.in_dialect import in_dialect
from greylag.mapping.query import tables_read
from greylag.rewrite.mentions import candidate_names
from greylag.rewrite.sql.tables import TableNames

BARE = re.compile(r"\s*[`\"\[]?[\w-]+[`\"\]]?(?:[.:][`\"\[]?[\w$*@-]+[`\"\]]?)*\s*")
_SQL_START = re.compile(
    r"(?is)\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*\(*\s*(?:select|with|insert|create|merge|delete|update|replace"
    r"|declare|begin|explain|export|copy|unload|truncate|drop|alter|describe|set|call|execute|from)\b"
)
_READING = r"(?is)\b(?:from|join|into|table|using|update)\s+[`\"\[]?(?:[\w{}$-]+[`\"\]]?\.[`\"\[]?)*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A table's name as written, and the mapping of the dataset; `doubt` where it only may be the dataset."""

    written: str
    mapping: Mapping | None = None
    doubt: str | None = None


class Naming:
    """Names of one migration, in a dialect."""

    def __init__(self, migration: CompiledMigration, further: frozenset[str] = frozenset()) -> None:
        """`further` are words to look for besides the names of old datasets."""
        self.migration = migration
        self.words = candidate_names(migration) | further
        words = "|".join(re.escape(name) for name in sorted(self.words))
        self.word = re.compile(rf"(?i)(?<![\w-])(?:{words})(?![\w-])")
        self._reading = re.compile(rf"{_READING}(?:{words})(?![\w-])")
        self._half = re.compile(
            rf"(?i)hole_\d+[`\"\]]?\.?[`\"\[]?(?:[\w-]+[`\"\]]?\.[`\"\[]?)*(?:{words})(?![\w-])"
        )
        columns = {column for mapping in migration.mappings for column in mapping.columns}
        listed = "|".join(re.escape(name) for name in sorted(columns))
        self._column = re.compile(rf"(?i)(?<![\w-])(?:{words})[`\"\]]?\.[`\"\[]?(?:{listed})\b")
        self._spoken: dict[str | None, CompiledMigration] = {None: migration}

    def spoken(self, dialect: str | None) -> CompiledMigration:
        """The migration in another dialect. Raises CannotTranspile."""
        if dialect not in self._spoken:
            self._spoken[dialect] = in_dialect(self.migration, dialect or self.migration.dialect)
        return self._spoken[dialect]

    def sql_like(self, text: str) -> bool:
        """Does the text begin as a statement, or have the dataset's name where SQL has a table's?"""
        return bool(_SQL_START.match(text)) and " " in text.strip()

    def reads_in_prose(self, text: str) -> bool:
        """Does the name stand where a piece of SQL has a table's name?"""
        return bool(self._reading.search(text))

    def column_of(self, text: str) -> str | None:
        """A column that the text names by an old table's name (`users_v1.country`); None without one."""
        found = self._column.search(text)
        return found[0] if found is not None else None

    def half_known(self, text: str) -> bool:
        """Is the dataset's name put together with something unknown?"""
        return bool(self._half.search(text))

    def named(self, text: str, dialect: str | None = None) -> Named | None:
        """What a table's name stands for; None when it has nothing to do with the migration."""
        names = TableNames.of(self.spoken(dialect), {})
        try:
            table = exp.to_table(text.strip().replace(":", "."), dialect=self.spoken(dialect).dialect)
        except (SqlglotError, ValueError):
            return None
        key = names.key(table)
        mapping = names.match(key)
        if mapping is not None:
            return Named(written=text.strip(), mapping=mapping)
        doubt = names.doubt(key)
        return Named(written=text.strip(), doubt=doubt) if doubt is not None else None


def new_tables(mapping: Mapping) -> list[str]:
    """The tables that a mapping reads, spelled as it spells them."""
    found: dict[str, None] = {}
    for table in tables_read(mapping.query):
        metas = [part.meta for part in table.parts]
        if any("start" not in meta for meta in metas):
            continue
        found[mapping.sql[min(m["start"] for m in metas) : max(m["end"] for m in metas) + 1]] = None
    return list(found)
