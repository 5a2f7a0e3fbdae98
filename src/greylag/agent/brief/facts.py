"""What a brief says of the migration: the mapping of each old dataset that the consumers read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from greylag.agent.brief.model import BriefInput
from greylag.agent.brief.places import dialect_of, mentioned
from greylag.domain.quoting import Quoted, quoted
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.told import NotCarried, ToldColumn, ToldMapping, told

_WORD = re.compile(r"[A-Za-z_]\w{0,30}")

WIDE = 40
"""A mapping with more columns is told only as far as the consumers' texts name its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One mapping in one dialect, in blocks that can be quoted. `hidden` columns of it are not told.

    `renamed` is a column of it that keeps its old name, as it would be written; empty where there is none.
    """

    dataset: str
    dialect: str
    columns: Quoted
    names: Quoted
    rows: Quoted
    view: Quoted
    hidden: int = 0
    renamed: str = ""


def relevant(given: BriefInput) -> CompiledMigration:
    """The migration with those mappings alone that the leftovers read, by their reads or by name."""
    read = {str(one.dataset).casefold() for left in given.leftovers for one in left.reads}
    unsure = {left.path: given.files.get(left.path, "") for left in given.leftovers if not left.reads}
    named = {str(one.dataset): (one.dataset.name,) for one in given.migration.mappings}
    read |= {one.casefold() for one in mentioned(named, unsure)} if unsure else set()
    chosen = tuple(one for one in given.migration.mappings if str(one.dataset).casefold() in read)
    return replace(given.migration, mappings=chosen or given.migration.mappings)


def dialects(given: BriefInput) -> tuple[str, ...]:
    """The dialects that the leftovers' SQL is written in, each once."""
    own = given.migration.dialect
    found = (
        given.dialects.get(one.path) or dialect_of(one.path, given.files.get(one.path, ""), own)
        for one in given.leftovers
    )
    return tuple(dict.fromkeys(found)) or (own,)


def facts(given: BriefInput, characters: int) -> tuple[tuple[Fact, ...], tuple[NotCarried, ...]]:
    """The mappings in every dialect in use; those that cannot be said in one are told in their own."""
    migration = relevant(given)
    text = "\n".join(given.files.get(one.path, "") for one in given.leftovers)
    made: dict[str, tuple[Fact, ...]] = {}
    failed: list[NotCarried] = []
    for dialect in dialects(given):
        found = told(migration, dialect)
        if isinstance(found, NotCarried):
            failed.append(found)
            found = told(migration)
        assert not isinstance(found, NotCarried), "a migration is told in its own dialect"
        made[found[0].dialect] = tuple(fact(one, text, characters) for one in found)
    return tuple(one for each in made.values() for one in each), tuple(failed)


def fact(one: ToldMapping, text: str | None, characters: int) -> Fact:
    """A mapping in blocks. Of a wide one only the columns that `text` names are told (None: all)."""
    columns = one.columns
    if len(columns) > WIDE and text is not None:
        words = {word.casefold() for word in re.findall(r"\w+", text)}
        columns = tuple(column for column in columns if column.name.casefold() in words) or columns
    return Fact(
        dataset=one.dataset,
        dialect=one.dialect,
        columns=quoted("\n".join(_table(columns)), characters=characters, width=600),
        names=quoted("\n".join(_names(one)), lines=20, characters=min(characters, 1_500)),
        rows=quoted("\n".join(one.rows), lines=20, characters=characters, width=1_200),
        view=quoted(one.view, characters=characters, width=600),
        hidden=len(one.columns) - len(columns),
        renamed=next(filter(None, map(_renamed, columns)), ""),
    )


def _renamed(column: ToldColumn) -> str:
    plain = (
        column.expression is not None and _WORD.fullmatch(column.expression) and _WORD.fullmatch(column.name)
    )
    return f"{column.expression} AS {column.name}" if plain and column.expression != column.name else ""


def _table(columns: tuple[ToldColumn, ...]) -> Iterator[str]:
    """One old column a line: name, type, the expression to write, what to know of it."""
    wide = min(max(len(one.name) for one in columns), 30)
    typed = min(max(len(one.type) for one in columns), 20)
    for one in columns:
        remark = f"   -- {one.remark}" if one.remark else ""
        value = one.expression if one.expression is not None else "NO COUNTERPART"
        yield f"{one.name.ljust(wide)}  {one.type.ljust(typed)}  {value}{remark}"


def _names(one: ToldMapping) -> Iterator[str]:
    for index, (dataset, others) in enumerate(one.names):
        also = f", also {', '.join(others)}" if others else ""
        yield f"{'new' if index else 'old'}: {dataset}{also}"
