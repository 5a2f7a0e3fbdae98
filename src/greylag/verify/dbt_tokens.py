"""Construction without parsing: is the new text the old one, with the mapping where old tables were named?

This holds for texts that no parser reads, because a macro that is not known here stands between two clauses.
"""

from __future__ import annotations

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.sqltext import PARSER_GIVES_UP

_NAME = "name"
_Token = tuple[str, str]
_DOT = (TokenType.DOT.name, ".")
_OPEN = (TokenType.L_PAREN.name, "(")
_CLOSE = (TokenType.R_PAREN.name, ")")
_AS = (TokenType.ALIAS.name, "AS")


def is_boundary(old: str, new: str, migration: CompiledMigration) -> bool:
    """True when the new text is, token by token, the old one with the mapping for each old table's name."""
    try:
        before, after = _tokens(old, migration.dialect), _tokens(new, migration.dialect)
        tables = [
            (_tokens(str(ref), migration.dialect), _tokens(mapping.sql, migration.dialect))
            for mapping in migration.mappings
            for ref in mapping.names.tables
            if len(ref.parts) > 1
        ]
    except (SqlglotError, *PARSER_GIVES_UP):
        return False
    tables.sort(key=lambda table: -len(table[0]))
    at = here = 0
    placed = False
    while at < len(before):
        step = _read(before, at, after, here, tables)
        if step is not None:
            at, here, placed = *step, True
        elif here < len(after) and before[at] == after[here]:
            at, here = at + 1, here + 1
        else:
            return False
    return placed and here == len(after)


def _tokens(text: str, dialect: str) -> list[_Token]:
    """Type and text; names are compared by their text, keywords in any case."""
    found: list[_Token] = []
    for token in sqlglot.tokenize(text, dialect=dialect):
        if token.token_type in (TokenType.VAR, TokenType.IDENTIFIER):
            found.append((_NAME, token.text))
        elif token.token_type is TokenType.STRING:
            found.append((token.token_type.name, token.text))
        else:
            found.append((token.token_type.name, token.text.upper()))
    return found


def _read(
    before: list[_Token],
    at: int,
    after: list[_Token],
    here: int,
    tables: list[tuple[list[_Token], list[_Token]]],
) -> tuple[int, int] | None:
    """Positions behind a read of an old table and behind the mapping for it; None when there is none."""
    for name, mapping in tables:
        end = at + len(name)
        if before[at:end] != name or _DOT in (before[at - 1 : at] + before[end : end + 1]):
            continue
        expected = [_OPEN, *mapping, _CLOSE]
        behind = here + len(expected)
        if after[here:behind] != expected:
            return None
        following = before[end][0] if end < len(before) else ""
        if following in (_NAME, _AS[0]):
            # An alias of its own, which must be there in both.
            return end, behind
        alias = [name[-1]] if after[behind : behind + 1] == [name[-1]] else [_AS, name[-1]]
        if after[behind : behind + len(alias)] != alias:
            return None
        return end, behind + len(alias)
    return None
