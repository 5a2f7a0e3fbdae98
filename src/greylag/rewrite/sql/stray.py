"""Names of replaced datasets at places that the syntax tree does not account for."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from greylag.rewrite.sql.indirect import STRINGS, named_to_functions
from greylag.rewrite.sql.model import Trouble
from greylag.rewrite.sql.reading import NotUnderstood
from greylag.rewrite.sql.tables import TableNames
from greylag.rewrite.sql.tokens import Tokens

_NAMED_IN = (
    exp.Column,
    exp.Table,
    exp.Alias,
    exp.TableAlias,
    exp.Join,
    exp.Schema,
    exp.ColumnDef,
    exp.Star,
    exp.Window,
    exp.PropertyEQ,
)
_QUERY_WORDS = re.compile(r"\b(select|from|join|insert|merge|delete|update|table)\b", re.IGNORECASE)
_RUNS = {"EXEC", "EXECUTE", "PREPARE", "CALL"}


def strays(
    tokens: Tokens, names: TableNames, statements: Sequence[exp.Expr], bodies: Container[int]
) -> Iterator[Trouble]:
    """Every such name, as a reason. `bodies` are the offsets of strings that are looked at by themselves."""
    last = {key[-1].lower() for key in names.exact}
    # A name that is quoted as a whole, or stands in a string, may have its path before it.
    word = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(last)), re.IGNORECASE)
    opaque = _Opaque(tokens)
    accounted = _identifiers(statements)
    runs = opaque.runs or any(isinstance(one, exp.Execute) for one in statements)
    for index, token in enumerate(tokens.items):
        if not (found := word.search(token.text)):
            continue
        if token.token_type in STRINGS:
            lowered = token.text.lower()
            holds = runs or opaque.at(index) or _QUERY_WORDS.search(lowered)
            if token.start not in bodies and (holds or _told(tokens, index)):
                yield Trouble(code="dynamic-sql", message=_STRING, offset=token.start)
        elif token.token_type in (TokenType.VAR, TokenType.IDENTIFIER):
            if token.text.lower().split(".")[-1] not in last:
                continue
            if fault := opaque.at(index):
                yield _not_understood(token, found.group(), fault)
            elif not {token.start, ~token.end} & accounted and not _other_name(tokens, index):
                message = f"{token.text} is named where no table is read"
                yield Trouble(code="not-understood", message=message, offset=token.start)
    for token in named_to_functions(tokens, last):
        message = f"{token.text} is the name of a table, told to a function"
        yield Trouble(code="dynamic-sql", message=message, offset=token.start)


_STRING = "a string holds SQL that names a replaced dataset"


def _not_understood(token: Token, name: str, fault: str) -> Trouble:
    message = f"{name} is named in a statement that is not understood ({fault})"
    code = "dynamic-sql" if fault.isupper() else "unparsable"
    return Trouble(code=code, message=message, offset=token.start)


class _Opaque:
    """Which tokens belong to statements that are not understood."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.ranges = sorted(tokens.reading.opaque)
        self.starts = [start for start, _ in self.ranges]
        self.faults = sorted(
            (start, end, "" if isinstance(error, NotUnderstood) else _said(str(error)))
            for start, end, error in tokens.reading.faults
        )
        words = (
            tokens.items[index].text.upper() for start, end in self.ranges for index in range(start, end)
        )
        self.runs = any(word in _RUNS for word in words)

    def at(self, index: int) -> str:
        """The statement's first word, or what the parser says of it; empty where it is understood."""
        at = bisect_right(self.starts, index) - 1
        if at < 0 or index >= self.ranges[at][1]:
            return ""
        start = self.ranges[at][0]
        for first, end, said in self.faults:
            if first <= index < end and said:
                return said
        return self.tokens.items[start].text.upper()


def _said(error: str) -> str:
    return error.split(". ", maxsplit=1)[0].split("\n", maxsplit=1)[0][:80] or "unknown"


def _identifiers(statements: Sequence[exp.Expr]) -> set[int]:
    known: set[int] = set()
    for statement in statements:
        for identifier in statement.find_all(exp.Identifier):
            # BigQuery's INFORMATION_SCHEMA.x is one identifier that the parser makes, without an end.
            start, end = identifier.meta.get("start"), identifier.meta.get("end")
            if start is not None and end is not None and identifier.find_ancestor(*_NAMED_IN):
                # The last token of `` `a.b`.c `` is known by its end: ends are kept as negative numbers.
                known |= {start, ~end}
    return known


def _other_name(tokens: Tokens, index: int) -> bool:
    """A name of a CTE, an alias, a field or a function is not the table."""
    return tokens.kind(index + 1) in (TokenType.ALIAS, TokenType.L_PAREN, TokenType.EQ) or tokens.kind(
        index - 1
    ) in (TokenType.ALIAS, TokenType.WITH, TokenType.COLON)


def _told(tokens: Tokens, index: int) -> bool:
    """`'core.t'::regclass` names a table, and so does `TABLE 't'` of a ClickHouse dictionary."""
    following = tokens.items[index + 2].text.lower() if index + 2 < len(tokens.items) else ""
    cast = tokens.kind(index + 1) is TokenType.DCOLON and following.startswith("reg")
    return cast or tokens.kind(index - 1) is TokenType.TABLE
