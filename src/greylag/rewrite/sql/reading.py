"""From tokens to syntax trees: plain SQL as one, a script piece by piece, with what is not understood."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import Token, TokenType

from greylag.rewrite.sql.scripting import Kind, Piece, is_script, pieces

# The compiled parser checks the kinds of its own nodes: some SQL that it half knows ends in one of these.
GIVES_UP = (TypeError, AttributeError, IndexError, KeyError, ValueError)
# Of a statement that is not understood as a whole: so often it is asked whether a query begins in it.
_MOST_TRIES = 40
_WRITES = {
    "INSERT": ("INTO", "OVERWRITE", "TABLE"),
    "MERGE": ("INTO",),
    "DELETE": ("FROM",),
    "REPLACE": ("INTO",),
}


class NotUnderstood(ParseError):
    """A statement whose meaning is not known, though there may be nothing wrong with it."""


@dataclass(slots=True)
class Reading:
    """What a text says: its statements, and the tokens (start, end) that are not understood, with the fault.

    `ends` are the indices of tokens at which statements end, in order.
    """

    statements: list[exp.Expr] = field(default_factory=list)
    opaque: list[tuple[int, int]] = field(default_factory=list)
    faults: list[tuple[int, int, ParseError]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    script: bool = False


class Reader:
    """Reads the tokens of one text."""

    def __init__(self, tokens: Sequence[Token], text: str, dialect: Dialect, name: str) -> None:
        self.tokens = list(tokens)
        self.text = text
        self.dialect = dialect
        self.name = name
        self.reading = Reading()

    def read(self) -> Reading:
        """Read the whole. Raises SqlglotError where plain SQL does not parse."""
        reading = self._read()
        if self.name == "bigquery" and "`" in self.text:
            self._whole_paths(reading.statements)
        return reading

    def _read(self) -> Reading:
        if not is_script(self.tokens, self.name):
            try:
                found = [one for one in self._parse(0, len(self.tokens)) if one is not None]
            except (ParseError, *GIVES_UP):
                pass  # statement by statement, then
            else:
                if not any(one.find(exp.Command) for one in found):
                    self.reading.statements = found
                    return self.reading
        self.reading.script = True
        for piece in pieces(self.tokens, self.name):
            self.reading.ends.append(piece.end)
            self._piece(piece)
        faults = self.reading.faults
        alone = not self.reading.statements and len(faults) == 1 == len(self.reading.ends)
        if alone and not isinstance(faults[0][2], NotUnderstood):
            raise faults[0][2]
        return self.reading

    def _parse(self, start: int, end: int) -> list[exp.Expr | None]:
        return self.dialect.parser().parse(self.tokens[start:end], self.text)

    def _piece(self, piece: Piece) -> None:
        try:
            self._understood(piece)
        except ParseError as error:
            self._inside(piece, error)
        except GIVES_UP as error:
            self._inside(piece, ParseError(str(error)))

    def _understood(self, piece: Piece) -> None:
        start, end = piece.start, piece.end
        if piece.kind is Kind.CONDITION:
            found = self.dialect.parser().parse_into(exp.Condition, self.tokens[start:end], self.text)
        elif piece.kind is Kind.OTHER or self.tokens[start].token_type in (
            TokenType.COMMAND,
            TokenType.EXECUTE,
        ):
            raise NotUnderstood("a statement that is not understood")
        else:
            found = self._parse(start, end)
        good = [one for one in found if one is not None]
        # A FROM without SELECT is DuckDB's; elsewhere it is the rest of a statement that was cut wrongly.
        rest = self.tokens[start].token_type is TokenType.FROM and self.name in ("tsql", "fabric")
        if rest or len(good) != 1 or good[0].find(exp.Command):
            raise NotUnderstood("a statement that is not understood")
        self.reading.statements.extend(good)

    def _whole_paths(self, statements: Sequence[exp.Expr]) -> None:
        """The parser keeps the place of the last token alone of `` `a.b`.c `` and `` a.`b.c` ``."""
        starts = [token.start for token in self.tokens]
        for table in (table for one in statements for table in one.find_all(exp.Table)):
            metas = [part.meta for part in table.parts if "start" in part.meta]
            if len(metas) < 2 or len({meta["start"] for meta in metas}) > 1:
                continue
            index = bisect_left(starts, metas[0]["start"])
            first = index
            while first > 1 and self.tokens[first - 1].token_type is TokenType.DOT:
                first -= 2
            for meta in metas if first < index else ():
                meta["start"] = starts[first]

    def _inside(self, piece: Piece, error: ParseError) -> None:
        """A statement of unknown kind may end in a query, or hold some in parentheses: those are read."""
        at, opaque = piece.start, piece.start
        for _ in range(_MOST_TRIES):
            start = self._query_from(at, piece)
            if start is None:
                break
            before = self.tokens[start - 1].token_type if start > piece.start else None
            nested = before is TokenType.L_PAREN
            end = self._closing(start, piece.end) if nested else piece.end
            statement = self._query(start, end)
            if statement is None:
                at = start + 1
                continue
            self.reading.statements.append(statement)
            self.reading.opaque.append((opaque, start))
            at = opaque = end
        if opaque < piece.end:
            self.reading.opaque.append((opaque, piece.end))
            self.reading.faults.append((opaque, piece.end, error))

    def _query_from(self, at: int, piece: Piece) -> int | None:
        """The next token at which a query, or a statement that writes, may begin."""
        for index in range(at, piece.end):
            word = self.tokens[index].text.upper()
            following = self.tokens[index + 1].text.upper() if index + 1 < piece.end else ""
            kind = self.tokens[index].token_type
            if kind in (TokenType.STRING, TokenType.IDENTIFIER):
                continue
            if word in ("SELECT", "PERFORM") or following in _WRITES.get(word, ()):
                return index
            behind = self.tokens[index + 2].text.upper() if index + 2 < piece.end else ""
            if word == "WITH" and (following == "RECURSIVE" or behind in ("AS", "(")):
                return index
        return None

    def _closing(self, start: int, end: int) -> int:
        depth = 0
        for index in range(start, end):
            kind = self.tokens[index].token_type
            if kind is TokenType.R_PAREN and depth == 0:
                return index
            depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
        return end

    def _query(self, start: int, end: int) -> exp.Expr | None:
        tokens = self.tokens[start:end]
        first = tokens[0]
        if first.text.upper() in ("PERFORM", "REPLACE"):
            kind = TokenType.SELECT if first.text.upper() == "PERFORM" else TokenType.INSERT
            word = kind.name
            tokens[0] = Token(kind, word, first.line, first.col, first.start, first.end, [])
        for stop in (len(tokens), self._without_options(tokens)):
            if stop is None:
                break
            try:
                found = self.dialect.parser().parse(tokens[:stop], self.text)
            except (ParseError, *GIVES_UP):
                continue
            good = [one for one in found if one is not None]
            if len(good) == 1 and isinstance(good[0], exp.Query | exp.DML) and not good[0].find(exp.Command):
                return good[0]
        return None

    def _without_options(self, tokens: list[Token]) -> int | None:
        """Where `WITH NO DATA` and the like begin, behind a query."""
        depth = 0
        for index, token in enumerate(tokens):
            if depth == 0 and token.token_type is TokenType.WITH and index > 0:
                following = tokens[index + 1].text.upper() if index + 1 < len(tokens) else ""
                if following in ("NO", "DATA", "CHECK", "LOCAL", "CASCADED", "READ"):
                    return index
            depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        return None
