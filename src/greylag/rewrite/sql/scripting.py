"""Scripts: where the statements stand in a text that also declares, branches, loops and defines routines.

Nothing is parsed here. A script is cut, by the words at which one statement ends and the next begins, into
pieces that the parser is then asked to understand; what it does not understand is left, and is a reason to
leave the file alone if it names a replaced dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlglot.tokenizer_core import Token, TokenType

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
_TRANSACTION = {"TRAN", "TRANSACTION", "WORK", ";", "ISOLATION", "READ", "DISTRIBUTED", ""}
_BLOCK_KINDS = {"IF", "WHILE", "LOOP", "FOR", "CASE", "REPEAT", "TRY", "CATCH"}
_ROUTINES = {"PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "EVENT", "TASK", "PACKAGE"}
_SECTIONS = {"postgres", "redshift", "snowflake"}
# T-SQL ends statements by beginning the next; these words begin one wherever they stand.
_BEGINS = {
    *(
        "BEGIN",
        "BREAK",
        "CLOSE",
        "COMMIT",
        "CONTINUE",
        "CREATE",
        "DEALLOCATE",
        "DECLARE",
        "DROP",
        "ELSE",
        "END",
    ),
    *(
        "EXEC",
        "EXECUTE",
        "GO",
        "IF",
        "OPEN",
        "PRINT",
        "RAISERROR",
        "RETURN",
        "ROLLBACK",
        "THROW",
        "TRUNCATE",
        "USE",
    ),
    "WHILE",
}
_MAIN = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "SET", "ALTER", "WITH"}
_JOINS_SELECTS = {"UNION", "ALL", "EXCEPT", "INTERSECT", "AS", "DISTINCT"}


class Kind(StrEnum):
    """What a piece is: a statement, the condition of an IF or a loop, or neither."""

    STATEMENT = "statement"
    CONDITION = "condition"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens `start..end` (end exclusive) of a script."""

    start: int
    end: int
    kind: Kind


def is_script(tokens: Sequence[Token], dialect: str) -> bool:
    """Does the text hold more than plain statements, or statements without an end of their own?"""
    for index, token in enumerate(tokens):
        kind = token.token_type
        if kind in (TokenType.COMMAND, TokenType.BEGIN, TokenType.DECLARE, TokenType.EXECUTE):
            return True
        first = index == 0 or tokens[index - 1].token_type is TokenType.SEMICOLON
        if first and token.text.upper() in _STARTS:
            return True
    return dialect in ("tsql", "fabric")


_STARTS = {
    *("IF", "WHILE", "LOOP", "REPEAT", "FOR", "CASE", "BEGIN", "DECLARE", "EXEC", "EXECUTE", "CALL", "LET"),
    *("ELSE", "ELSEIF", "ELSIF", "END", "REPLACE", "TABLE"),
}


def pieces(tokens: Sequence[Token], dialect: str) -> list[Piece]:
    """The pieces of a script, in order. What opens and closes blocks belongs to none."""
    return _Splitter(tokens, dialect).run()


class _Splitter:
    def __init__(self, tokens: Sequence[Token], dialect: str) -> None:
        self.tokens = tokens
        self.dialect = dialect
        self.words = [
            "" if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER) else token.text.upper()
            for token in tokens
        ]
        self.found: list[Piece] = []
        self.section = False

    def run(self) -> list[Piece]:
        index = 0
        while index < len(self.tokens):
            following = self._from(index)
            index = following if following > index else index + 1
        return self.found

    def _word(self, index: int) -> str:
        return self.words[index] if 0 <= index < len(self.words) else ""

    def _from(self, index: int) -> int:
        """Where the next piece begins, after that which begins here."""
        word, following = self._word(index), self._word(index + 1)
        if word == ";":
            return index + 1
        if self._is_go(index):
            return index + 1 + self._word(index + 1).isdecimal()
        if word == "BEGIN" and not (following in _TRANSACTION and self._transaction(index)):
            self.section = False
            return index + 1 + (following in ("TRY", "CATCH", "ATOMIC")) + 2 * (following == "NOT")
        if word == "END":
            return self._end(index)
        if word in ("IF", "ELSEIF", "ELSIF", "WHILE", "UNTIL", "WHEN"):
            return self._condition(index, word)
        if word in ("ELSE", "LOOP", "REPEAT", "THEN", "EXCEPTION") or (word == "DO" and following):
            return index + 1
        if word == "FOR":
            return self._for(index)
        if word == "CASE":
            return self._until(index + 1, {"WHEN"}, Kind.CONDITION)
        return self._plain(index, word, following)

    def _plain(self, index: int, word: str, following: str) -> int:
        """What is not a block, and does not control one."""
        if following == ":" and self._word(index + 2) in {"BEGIN", "LOOP", "WHILE", "REPEAT", "FOR"}:
            return index + 2
        if word == "DECLARE" and self.dialect in _SECTIONS:
            self.section = True
            return index + 1
        if word in ("CREATE", "ALTER") and not self.section:
            return self._create(index)
        other = self.section or word == "RETURN"
        return self._statement(index, Kind.OTHER if other else Kind.STATEMENT)

    def _transaction(self, index: int) -> bool:
        """BEGIN is a transaction's where nothing of a block follows: `BEGIN;`, `BEGIN TRANSACTION`."""
        return self._word(index + 1) != "" or index + 1 == len(self.tokens)

    def _is_go(self, index: int) -> bool:
        """GO on a line of its own: the end of a batch."""
        if self._word(index) != "GO" or self.dialect not in ("tsql", "fabric"):
            return False
        line = self.tokens[index].line
        alone = index == 0 or self.tokens[index - 1].line < line
        behind = index + 1 + (self._word(index + 1).isdecimal() and self.tokens[index + 1].line == line)
        return alone and (behind == len(self.tokens) or self.tokens[behind].line > line)

    def _end(self, index: int) -> int:
        index += 1
        if self._word(index) in _BLOCK_KINDS:
            index += 1
        if self._word(index + 1) == ";" and self._word(index) not in (";", "END"):
            index += 1  # a label
        return index

    def _condition(self, index: int, word: str) -> int:
        if self.dialect in ("tsql", "fabric"):
            return self._statement(index + 1, Kind.CONDITION, condition=True)
        if word == "UNTIL":
            return self._until(index + 1, {"END", ";"}, Kind.CONDITION)
        if word == "WHILE":
            return self._until(index + 1, {"DO", "LOOP"}, Kind.CONDITION)
        return self._until(index + 1, {"THEN"}, Kind.CONDITION)

    def _until(self, index: int, stops: set[str], kind: Kind) -> int:
        """The piece up to one of the words outside of parentheses and of CASE … END."""
        start, depth, cases = index, 0, 0
        while index < len(self.tokens):
            word = self._word(index)
            if depth == 0 and cases == 0 and word in stops:
                break
            depth += self._steps(index)
            cases += (word == "CASE") - (word == "END" and cases > 0)
            index += 1
        if index > start:
            self.found.append(Piece(start, index, kind))
        return index if self._word(index) in ("WHEN", "END", ";") else index + 1

    def _steps(self, index: int) -> int:
        kind = self.tokens[index].token_type
        return (kind in _OPEN) - (kind in _CLOSE)

    def _for(self, index: int) -> int:
        at = index + 1
        while at < len(self.tokens) and self._word(at) not in ("IN", ";"):
            at += 1
        query = self._word(at + 1) in ("SELECT", "WITH", "(")
        return self._until(at + 1, {"DO", "LOOP"}, Kind.STATEMENT if query else Kind.OTHER)

    def _create(self, index: int) -> int:
        """The head of a routine ends where its body begins; another CREATE is a statement."""
        depth, at, routine = 0, index, False
        while at < len(self.tokens) and not (depth == 0 and self._word(at) == ";"):
            word = self._word(at)
            routine = routine or (at < index + 6 and word in _ROUTINES)
            opens = word == "BEGIN" or (word in ("AS", "IS") and self._opens_body(at + 1))
            if routine and depth == 0 and opens:
                self.found.append(Piece(index, at, Kind.OTHER))
                return at if word == "BEGIN" else at + 1
            depth += self._steps(at)
            at += 1
        return self._statement(index, Kind.STATEMENT)

    def _opens_body(self, index: int) -> bool:
        word = self._word(index)
        if self.dialect in ("tsql", "fabric"):
            return word in _BEGINS | _MAIN and word != "RETURN"
        return word in ("BEGIN", "DECLARE")

    def _statement(self, index: int, kind: Kind, *, condition: bool = False) -> int:
        """The piece up to the semicolon, or to where another statement begins."""
        start, depth, cases, main = index, 0, 0, condition
        loose = self.dialect in ("tsql", "fabric")
        while index < len(self.tokens):
            word = self._word(index)
            if depth == 0 and word == ";":
                break
            if loose and depth == 0 and cases == 0 and (index > start or condition):
                if word in _BEGINS and not self._continues(start, index):
                    break
                if word in _MAIN and self._begins_main(start, index, main):
                    break
            main = main or (depth == 0 and word in ("SELECT", "UPDATE", "DELETE", "MERGE", "SET", "EXEC"))
            cases += (word == "CASE") - (word == "END" and cases > 0)
            depth += self._steps(index)
            index += 1
        if index > start:
            self.found.append(Piece(start, index, kind))
        return index

    def _continues(self, start: int, index: int) -> bool:
        """Words of T-SQL that also stand inside of a statement: INSERT … EXEC, DROP TABLE IF EXISTS."""
        word, first = self._word(index), self._word(start)
        if word == "IF":
            return first in ("DROP", "ALTER", "CREATE") and self._word(index + 1) in ("EXISTS", "NOT")
        if word == "RETURN":
            return self._word(index - 1) == "AS"
        if word in ("EXEC", "EXECUTE"):
            return first in ("INSERT", "CREATE", "GRANT")
        return word in ("CREATE", "TRUNCATE", "DROP") and first in ("ALTER", "GRANT", "DENY")

    def _begins_main(self, start: int, index: int, main: bool) -> bool:
        """Does a SELECT, INSERT, UPDATE… here begin a statement of its own?"""
        word, first, before = self._word(index), self._word(start), self._word(index - 1)
        if index == start:
            return True
        if (
            first == "MERGE"
            or before in _JOINS_SELECTS
            or first in ("CREATE", "ALTER", "GRANT", "DENY", "DECLARE")
        ):
            return False
        if word == "WITH":
            return main and self._word(index + 1) != "(" and self._word(index + 2) in ("AS", "(")
        if word == "SET":
            return first not in ("UPDATE", "WITH", "ALTER")
        if word in ("UPDATE", "DELETE") and before in ("FOR", "ON", "THEN"):
            return False
        return main
