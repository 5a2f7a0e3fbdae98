"""The places that a codemod left over, as an agent sees them: the lines around them, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from greylag.domain.agent import Leftover
from greylag.domain.quoting import Quoted, cut, name, numbered, visible

WHOLE = 40
"""A file of at most so many lines is shown whole."""

_DIALECTS = (
    (re.compile(r"\bpyspark\b|\bSparkSession\b|\bspark\.(sql|table|read)\b|org\.apache\.spark"), "spark"),
    (re.compile(r"\bsnowflake\b", re.IGNORECASE), "snowflake"),
    (re.compile(r"\bpsycopg2?\b|\bPostgresHook\b|org\.postgresql"), "postgres"),
    (re.compile(r"google\.cloud\.bigquery|\bBigQuery\w*|scio\.bigquery|\bbigquery\b"), "bigquery"),
)
_SQL = (".sql", ".ddl", ".dml", ".hql", ".sql.j2")


def dialect_of(path: str, text: str, default: str) -> str:
    """The dialect of the SQL in a file: of the one engine that its text names, else `default`.

    Files of SQL are in the migration's own; a program that names two engines too, as no one knows then.
    """
    if path.endswith(_SQL):
        return default
    named = [dialect for pattern, dialect in _DIALECTS if pattern.search(text)]
    return named[0] if len(named) == 1 else default


def shown(leftover: Leftover, text: str, *, context: int, characters: int) -> Quoted:
    """The lines of a file around its places; the whole file where that is short."""
    rows = text.removesuffix("\n").split("\n")
    digits = len(str(len(rows)))
    places = _lines(leftover)
    if len(rows) <= WHOLE or not places:
        picked: Iterable[int] = range(1, len(rows) + 1)
    else:
        near = {
            line
            for place in places
            for line in range(max(1, place - context), min(len(rows), place + context) + 1)
        }
        picked = sorted(near)
    numbers = list(picked)
    block = numbered(((number, rows[number - 1]) for number in numbers), digits, 160, characters)
    return Quoted(lines=_with_gaps(block.lines, numbers), left_out=block.left_out)


def _lines(leftover: Leftover) -> list[int]:
    lines = [read.line for read in leftover.reads] + [reason.line for reason in leftover.reasons]
    return sorted({line for line in lines if line > 0})


def _with_gaps(lines: tuple[str, ...], numbers: list[int]) -> tuple[str, ...]:
    """Lines that do not follow each other are kept apart."""
    apart: list[str] = []
    for index, line in enumerate(lines):
        if index and numbers[index] != numbers[index - 1] + 1:
            apart.append("...")
        apart.append(line)
    return tuple(apart)


def reasons(leftovers: tuple[Leftover, ...], characters: int) -> Quoted:
    """Which files may be edited, what each reads, and why a codemod left it alone."""
    rows: list[str] = []
    for one in leftovers:
        rows.append(name(one.path))
        for read in one.reads[:12]:
            columns = f": {', '.join(read.columns)}" if read.columns else ""
            rows.append(cut(f"  line {read.line} reads {read.dataset}{columns}", 240))
        rows += [
            f"  why left: {_said(one.path, reason.message)} [{reason.code}]" for reason in one.reasons[:12]
        ]
    return numbered(((0, row) for row in rows), None, 200, characters, 420)


def _said(path: str, message: str) -> str:
    """A reason in one line, without the path that stands above it."""
    return cut(visible(message.replace(f"{path}:", "line ", 1), keep=""), 300)


def mentioned(datasets: Mapping[str, tuple[str, ...]], files: Mapping[str, str]) -> set[str]:
    """The datasets (own name to all its short names) that a text names."""
    text = "\n".join(files.values()).casefold()
    return {one for one, names in datasets.items() if any(short.casefold() in text for short in names)}
