"""Are the types of columns written so that the dialect's parser knows them?"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from greylag.mapping.document import Document, Loc
from greylag.mapping.sqltext import PARSER_GIVES_UP


def parse_type(text: str, dialect: str) -> exp.DataType | None:
    """The type that a text names; None when it is empty or no type of the dialect."""
    if not text:
        return None
    try:
        # the parser's own entry point for types overlooks what stands behind them
        cast = sqlglot.parse_one(f"CAST(NULL AS {text})", read=dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        return None
    kind = cast.args.get("to")
    return kind if isinstance(kind, exp.DataType) else None


def check_types(columns: Mapping[str, str], loc: Loc, dialect: str, document: Document) -> None:
    """Fault the types that the dialect cannot have."""
    for name, text in columns.items():
        if _unbalanced(text):
            document.fault(
                document.at_key((*loc, name)),
                f"the type `{text}` of `{name}` has a bracket without its other half; "
                'inside `{…}` a type with a comma must be quoted, like "NUMERIC(10, 2)"',
            )
        elif text and parse_type(text, dialect) is None:
            near = get_close_matches(text.upper(), _type_words(dialect), n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            document.fault(document.at((*loc, name)), f"`{text}` is not a type of {dialect}{hint}")


def _unbalanced(text: str) -> bool:
    return any(text.count(left) != text.count(right) for left, right in (("(", ")"), ("<", ">"), ("[", "]")))


def _type_words(dialect: str) -> list[str]:
    found = Dialect.get_or_raise(dialect)
    types = found.parser_class.TYPE_TOKENS
    return [word for word, token in found.tokenizer_class.KEYWORDS.items() if token in types]
