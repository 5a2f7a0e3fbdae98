"""Names of datasets that are only mentioned: in comments, documents and tests' expectations."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from greylag.domain.dataset import DatasetRef
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.names import table_ref
from greylag.mapping.query import tables_read

DOCUMENTS = frozenset({".adoc", ".htm", ".html", ".markdown", ".md", ".mdx", ".org", ".rst", ".txt"})

_STRING = r"'(?:[^'\\\n]|\\.|'')*'|\"(?:[^\"\\\n]|\\.)*\""
_TRIPLE = r"\"\"\".*?\"\"\"|'''.*?'''"
_COMMENTS = {
    "sql": re.compile(rf"(?P<skip>{_STRING})|(?P<said>--[^\n]*|/\*.*?\*/|\{{#.*?#\}})", re.DOTALL),
    "hash": re.compile(rf"(?P<skip>{_TRIPLE}|{_STRING})|(?P<said>\#[^\n]*)", re.DOTALL),
    "slash": re.compile(rf"(?P<skip>{_TRIPLE}|{_STRING})|(?P<said>//[^\n]*|/\*.*?\*/)", re.DOTALL),
    "xml": re.compile(r"(?P<skip>\"[^\"]*\")|(?P<said><!--.*?-->)", re.DOTALL),
}
_KINDS = {
    "sql": ".sql .ddl .dml .hql .bq .bqsql .pgsql .psql .tsql .j2",
    "hash": ".py .pyw .yml .yaml .toml .tf .hcl .properties .cfg .ini .env .conf .sh .r .lkml .lookml .rb",
    "slash": ".scala .sc .java .kt .kts .js .ts .proto .go .rs .hocon",
    "xml": ".xml .tds .twb",
}
_KIND_OF = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes.split()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A place that names a replaced dataset and reads nothing. Lines and columns are 1-based.

    `new` is what may stand there instead; None where several new datasets take the place of the old one, or
    where the place is no comment and no document: then it is for a person to change.
    """

    line: int
    column: int
    start: int
    end: int
    text: str
    dataset: DatasetRef
    new: str | None


def mentions_of(path: str, text: str, migration: CompiledMigration) -> tuple[Mention, ...]:
    """Every place in a text that names a replaced dataset with at least two parts of its name, or all of it.

    The text is one whose reads are rewritten, or that has none: what is left in it is only said.
    """
    spans = None if PurePosixPath(path).suffix.lower() in DOCUMENTS else list(_comments(path, text))
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    return tuple(
        _mention(found, dataset, new, text, lines, spans)
        for pattern, dataset, new in _patterns(migration)
        for found in pattern.finditer(text)
    )


def rewrite_mentions(text: str, mentions: Iterable[Mention]) -> str:
    """The text with the new names where there is one for the place."""
    return apply_edits(text, {Edit(one.start, one.end, one.new) for one in mentions if one.new is not None})


def _comments(path: str, text: str) -> Iterator[tuple[int, int]]:
    kind = _KIND_OF.get(PurePosixPath(path).suffix.lower())
    if kind is not None:
        for found in _COMMENTS[kind].finditer(text):
            if found["said"] is not None:
                yield found.span()


def _mention(
    found: re.Match[str],
    dataset: DatasetRef,
    new: DatasetRef | None,
    text: str,
    lines: list[int],
    spans: list[tuple[int, int]] | None,
) -> Mention:
    start, end = found.span()
    line = bisect_right(lines, start)
    said = spans is None or any(low <= start and end <= high for low, high in spans)
    return Mention(
        line=line,
        column=start - lines[line - 1] + 1,
        start=start,
        end=end,
        text=text[start:end],
        dataset=dataset,
        new=_written(found[0], new) if said and new is not None else None,
    )


def _patterns(
    migration: CompiledMigration,
) -> Iterator[tuple[re.Pattern[str], DatasetRef, DatasetRef | None]]:
    for mapping in migration.mappings:
        read = dict.fromkeys(table_ref(table) for table in tables_read(mapping.query))
        new = next(iter(read)) if len(read) == 1 else None
        # The longest name first: a name of two parts also stands in that of three.
        names = sorted({table.parts for table in mapping.names.tables}, key=len, reverse=True)
        yield _pattern(tuple(names)), mapping.dataset, new


@lru_cache(maxsize=32)
def _pattern(names: tuple[tuple[str, ...], ...]) -> re.Pattern[str]:
    ways = []
    for parts in names:
        for size in range(len(parts), min(len(parts), 2) - 1, -1):
            ways.append(r"[`\"\]]?[.:][`\"\[]?".join(map(re.escape, parts[-size:])))
    longest = dict.fromkeys(sorted(ways, key=len, reverse=True))
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(longest)})(?![\w-]|\.\w+\()", re.IGNORECASE)


def _written(old: str, new: DatasetRef) -> str | None:
    """The new name with as many parts as the old one has there, and its quotes."""
    spans = [found.span() for found in re.finditer(r"[^.:\"`\[\]]+", old)]
    if len(spans) > len(new.parts):
        return None
    text, position = "", 0
    for (start, end), part in zip(spans, new.parts[-len(spans) :], strict=True):
        text += old[position:start] + part
        position = end
    return text + old[position:]
