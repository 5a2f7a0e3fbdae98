"""What names mean in LookML: views and fields of its own, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from greylag.domain.outcome import Reason
from greylag.rewrite.config.tree import Entry

_VIEW = re.compile(r"^[ \t]*view\s*:\s*(\w+)\s*\{", re.MULTILINE)
_OWN_TABLE = re.compile(r"^[ \t]*(?:sql_table_name\s*:|derived_table\s*:|extension\s*:)", re.MULTILINE)


def is_lookml(path: str) -> bool:
    """By the file's name."""
    return path.lower().endswith((".lkml", ".lookml"))


def is_expression(path: str, entry: Entry) -> bool:
    """Is the entry the SQL of a field, a join or a filter: an expression, not a query or a table?"""
    key = entry.path[-1] if entry.path else ""
    return is_lookml(path) and key.startswith("sql") and key != "sql_table_name"


def default_tables(path: str, text: str, word: re.Pattern[str]) -> Iterator[Reason]:
    """Views without a table of their own read one that is called as they are, in the default schema.

    All other names in LookML (views, explores, fields, files) are its own.
    """
    views = list(_VIEW.finditer(text))
    if not views:
        return
    ends = [*(found.start() for found in views[1:]), len(text)]
    for found, end in zip(views, ends, strict=True):
        if word.fullmatch(found[1]) and not _OWN_TABLE.search(text, found.end(), end):
            line = text.count("\n", 0, found.start(1)) + 1
            message = (
                f"{path}:{line}: the view {found[1]} reads a table of its own name, of an unknown schema"
            )
            yield Reason(code="maybe-old", message=message, line=line)
