"""SQL put together from pieces of a migration file, each character of which can be found again."""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from greylag.mapping.document import Document, Loc, Position

# The compiled parser checks the kinds of its own nodes: some valid but rare SQL ends in one of these.
PARSER_GIVES_UP = (TypeError, AttributeError, ValueError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """`text` taken from offset `offset` of the value at `loc`; `exact` False: made because of that value."""

    text: str
    loc: Loc
    offset: int = 0
    exact: bool = True


class SqlFault(Exception):
    """Wrong SQL: what is wrong, and at which character."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class SqlText:
    """SQL text and where in the file each part of it came from."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The SQL."""
        return "".join(piece.text for piece in self.pieces)

    def position(self, document: Document, offset: int) -> Position:
        """Where in the file the character at `offset` of the SQL was written, or what made it."""
        for piece in self.pieces:
            if offset < len(piece.text):
                return _in_piece(document, piece, offset)
            offset -= len(piece.text)
        return _in_piece(document, self.pieces[-1], len(self.pieces[-1].text))

    def slice(self, start: int, end: int | None = None) -> SqlText:
        """The part from `start` to `end` (exclusive)."""
        found: list[Piece] = []
        at = 0
        stop = len(self.text) if end is None else end
        for piece in self.pieces:
            low, high = max(start - at, 0), min(stop - at, len(piece.text))
            if low < high:
                offset = piece.offset + (low if piece.exact else 0)
                found.append(
                    Piece(text=piece.text[low:high], loc=piece.loc, offset=offset, exact=piece.exact)
                )
            at += len(piece.text)
        return SqlText(tuple(found))

    def __add__(self, other: SqlText) -> SqlText:
        return SqlText(self.pieces + other.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOrigin:
    """Where a mapping's parts stand: its file, the place of its entry, and its SQL in pieces."""

    document: Document
    entry: Loc
    source: SqlText

    def sql(self, offset: int) -> Position:
        """Where the character at `offset` of the SQL was written, or what made it."""
        return self.source.position(self.document, offset)

    def key(self, *keys: str) -> Position:
        """Where a key of the entry stands."""
        return self.document.at_key((*self.entry, *keys))


def _in_piece(document: Document, piece: Piece, offset: int) -> Position:
    if not piece.loc:
        return document.at(piece.loc)
    return document.inside(piece.loc, piece.offset + (offset if piece.exact else 0))


def made(text: str, loc: Loc) -> SqlText:
    """SQL that stands nowhere in the file, written because of the value at `loc`."""
    return SqlText((Piece(text=text, loc=loc, exact=False),))


def written(value: str, loc: Loc) -> SqlText:
    """The SQL of a value, without blank space around it."""
    body = value.strip()
    return SqlText((Piece(text=body, loc=loc, offset=value.find(body)),))


def tokens(sql: str, dialect: str) -> list[Token]:
    """The tokens of a text.

    Raises:
        SqlFault: a string, name or comment is not closed.
    """
    try:
        return sqlglot.tokenize(sql, read=dialect)
    except TokenError:
        opening = _unclosed(sql, dialect)
        raise SqlFault(
            f"not valid {dialect} SQL: `{sql[opening]}` opens a string, name or comment that is never closed",
            opening,
        ) from None


def _unclosed(sql: str, dialect: str) -> int:
    for index in range(len(sql) - 1, -1, -1):
        if sql[index] in "'\"`/$":
            try:
                sqlglot.tokenize(sql[:index], read=dialect)
            except TokenError:
                continue
            return index
    return 0


def parse_statements(sql: str, dialect: str) -> list[exp.Expr]:
    """Every statement of a text.

    Raises:
        SqlFault: the text does not parse.
    """
    tokens(sql, dialect)
    try:
        return [node for node in sqlglot.parse(sql, read=dialect) if node is not None]
    except ParseError as error:
        raise _parse_fault(error, sql, dialect) from None
    except PARSER_GIVES_UP as error:
        raise SqlFault(f"the parser cannot read this {dialect} SQL ({type(error).__name__})", 0) from None


def parse_condition(sql: str, dialect: str) -> exp.Expr:
    """One expression.

    Raises:
        SqlFault: the text does not parse, or holds more than an expression.
    """
    listed = tokens(sql, dialect)
    if not listed:
        raise SqlFault("expected an SQL expression, found nothing", 0)
    for token in listed:
        if token.token_type == TokenType.SEMICOLON:
            raise SqlFault("expected one SQL expression, without `;`", token.start)
    try:
        return sqlglot.parse_one(sql, read=dialect, into=exp.Condition)
    except ParseError as error:
        raise _parse_fault(error, sql, dialect) from None
    except PARSER_GIVES_UP as error:
        raise SqlFault(f"the parser cannot read this {dialect} SQL ({type(error).__name__})", 0) from None


def _parse_fault(error: ParseError, sql: str, dialect: str) -> SqlFault:
    detail = error.errors[0] if error.errors else {}
    offset = _offset_of(sql, int(detail.get("line") or 1), int(detail.get("col") or 1))
    shown = str(detail.get("highlight") or "")
    offset = max(offset - max(len(shown) - 1, 0), 0)
    text = str(detail.get("description") or error).split(" but got ", 1)[0].rstrip(". ")
    if text.startswith("Required keyword"):
        text = "something is missing here"
    near = f" near `{shown}`" if shown else ""
    return SqlFault(f"not valid {dialect} SQL{near}: {text[:1].lower()}{text[1:]}", offset)


def _offset_of(sql: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = sql.find("\n", start) + 1
    return min(start + column - 1, max(len(sql) - 1, 0))
