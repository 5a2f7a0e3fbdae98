"""Are the types of columns written so that the dialect's parser knows them?"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.mapping.document import Document, Loc


def parse_type(text: str, dialect: str) -> exp.DataType | None:
    """The type that a text names; None when it is empty or no type of the dialect."""
    if not text:
        return None
    try:
        return exp.DataType.build(text, dialect=dialect)
    except (SqlglotError, ValueError):
        return None


def check_types(columns: Mapping[str, str], loc: Loc, dialect: str, document: Document) -> None:
    """Fault the types that cannot even be a user's own."""
    for name, text in columns.items():
        if not text or parse_type(text, dialect) is not None:
            continue
        try:
            exp.DataType.build(text, dialect=dialect, udt=True)
        except (SqlglotError, ValueError):
            document.fault(document.at((*loc, name)), f"`{text}` is not a type of {dialect}")
