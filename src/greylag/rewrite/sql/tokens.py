"""The tokens of a file, with nesting depth: where clauses begin and end, without parsing twice."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from greylag.rewrite.sql.limits import check_size, check_tokens
from greylag.rewrite.sql.reading import Reader, Reading

_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}

CLAUSE_ENDS = {
    TokenType.WHERE,
    TokenType.GROUP_BY,
    TokenType.HAVING,
    TokenType.QUALIFY,
    TokenType.WINDOW,
    TokenType.ORDER_BY,
    TokenType.LIMIT,
    TokenType.FETCH,
    TokenType.UNION,
    TokenType.EXCEPT,
    TokenType.INTERSECT,
    TokenType.SEMICOLON,
    TokenType.CLUSTER_BY,
    TokenType.DISTRIBUTE_BY,
    TokenType.SORT_BY,
    TokenType.CONNECT_BY,
    TokenType.START_WITH,
    TokenType.PREWHERE,
    TokenType.SETTINGS,
    TokenType.FORMAT,
    TokenType.FOR,
    TokenType.SELECT,
    TokenType.OFFSET,
    TokenType.WITH,
    TokenType.RETURNING,
    TokenType.OPTION,
}
# Two words that end a SELECT without being a clause of it.
_ENDS = {
    ("LOCK", "IN"),
    ("ON", "DUPLICATE"),
    ("ON", "CONFLICT"),
    ("DO", "UPDATE"),
    ("INTO", "OUTFILE"),
}
_END_KINDS = {TokenType.ON, TokenType.VAR, TokenType.INTO, TokenType.LOCK}
_NOT_BEHIND_WITH = {"ORDINALITY", "OFFSET", "POSITION"}
JOIN_WORDS = {
    TokenType.JOIN,
    TokenType.LEFT,
    TokenType.RIGHT,
    TokenType.FULL,
    TokenType.INNER,
    TokenType.OUTER,
    TokenType.CROSS,
    TokenType.NATURAL,
    TokenType.SEMI,
    TokenType.ANTI,
    TokenType.ASOF,
    TokenType.STRAIGHT_JOIN,
    TokenType.LATERAL,
    TokenType.COMMA,
}


@cache
def _tokenizer(dialect: str) -> Tokenizer:
    """A tokenizer that does not swallow the rest of statements which the parser will not understand."""
    known = Dialect.get_or_raise("trino" if dialect == "athena" else dialect)
    plain: type[Tokenizer] = type("Plain", (known.tokenizer_class,), {"COMMANDS": set()})
    return plain(dialect=known)


def tokenize(text: str, dialect: str) -> list[Token]:
    """Every token of a text. Raises SqlglotError."""
    if dialect == "athena":
        # It speaks two languages; which one, the parser's own way to tokens tells.
        listed = list(Dialect.get_or_raise(dialect).tokenize(text))
        if not any(token.token_type is TokenType.COMMAND for token in listed):
            return listed
    return list(_tokenizer(dialect).tokenize(text))


class Tokens:
    """The tokens of one text. Offsets are characters, `end` of a token is inclusive as in sqlglot."""

    def __init__(self, text: str, dialect: str) -> None:
        self.text = text
        self._dialect = Dialect.get_or_raise(dialect)
        self._name = dialect
        check_size(text)
        self.items: list[Token] = tokenize(text, dialect)
        check_tokens(self.items)
        self._reading: Reading | None = None
        self.starts = [token.start for token in self.items]
        self.depths: list[int] = []
        depth = 0
        for token in self.items:
            if token.token_type in _CLOSE:
                depth -= 1
            self.depths.append(depth)
            if token.token_type in _OPEN:
                depth += 1
        self._lines = [0]
        self._lines.extend(index + 1 for index, char in enumerate(text) if char == "\n")

    def parse(self) -> list[exp.Expr]:
        """The statements of the text. Raises SqlglotError."""
        return self.reading.statements

    @property
    def reading(self) -> Reading:
        """What the text says, read once. Raises SqlglotError."""
        if self._reading is None:
            self._reading = Reader(self.items, self.text, self._dialect, self._name).read()
        return self._reading

    def at(self, offset: int) -> int:
        """Index of the token that covers `offset` or is the last one before it."""
        return bisect_right(self.starts, offset) - 1

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column of an offset."""
        line = bisect_right(self._lines, offset) - 1
        return line + 1, offset - self._lines[line] + 1

    def line_start(self, offset: int) -> int:
        """Offset of the first character of the line that holds `offset`."""
        return self._lines[bisect_right(self._lines, offset) - 1]

    def indent(self, offset: int) -> str:
        """Leading white space of the line that holds `offset`."""
        start = self.line_start(offset)
        end = start
        while end < len(self.text) and self.text[end] in " \t":
            end += 1
        return self.text[start:end]

    def starts_line(self, index: int) -> bool:
        """Is the token the first thing on its line?"""
        start = self.items[index].start
        return not self.text[self.line_start(start) : start].strip()

    def kind(self, index: int) -> TokenType | None:
        """Type of the token, None outside the text."""
        return self.items[index].token_type if 0 <= index < len(self.items) else None

    def end(self, index: int) -> int:
        """Offset just behind the token."""
        return self.items[index].end + 1

    def forward(self, index: int, stops: Iterable[TokenType], depth: int) -> int:
        """First token from `index` on that is one of `stops` at `depth`, or closes it; len() at the end."""
        wanted = set(stops)
        ends = self._reading.ends if self._reading is not None else []
        last = next((end for end in ends[bisect_right(ends, index) :]), len(self.items))
        while index < last:
            if self.depths[index] < depth:
                return index
            if self.depths[index] == depth and self._is_stop(index, wanted):
                return index
            index += 1
        return index

    def _is_stop(self, index: int, wanted: set[TokenType]) -> bool:
        kind = self.items[index].token_type
        if kind not in wanted:
            return kind in _END_KINDS and TokenType.QUALIFY in wanted and self._words(index) in _ENDS
        if kind is TokenType.OFFSET:
            return self.kind(index - 1) is not TokenType.WITH
        if kind is TokenType.WITH:
            # A hint `WITH (NOLOCK)` belongs to a table, `WITH OFFSET` and `WITH ORDINALITY` to UNNEST.
            behind = self._words(index)[1]
            return self.kind(index + 1) is not TokenType.L_PAREN and behind not in _NOT_BEHIND_WITH
        if kind in (TokenType.LEFT, TokenType.RIGHT, TokenType.FORMAT, TokenType.FOR):
            # LEFT(x, 2) is a function, not a join.
            return self.kind(index + 1) is not TokenType.L_PAREN
        return True

    def _words(self, index: int) -> tuple[str, str]:
        two = [one.text.upper() for one in self.items[index : index + 2]]
        return two[0], two[1] if len(two) > 1 else ""

    def word(self, keyword: str, like: int) -> str:
        """A keyword in the case in which the token at `like` is written."""
        return keyword.lower() if self.items[like].text.islower() else keyword

    def from_before(self, index: int, depth: int) -> int | None:
        """The FROM that begins the clause of the token, at its own depth; None when none does."""
        while index >= 0 and self.depths[index] >= depth:
            if self.depths[index] == depth and self.kind(index) is TokenType.FROM:
                if self.kind(index - 1) is not TokenType.DISTINCT or self.kind(index - 2) not in (
                    TokenType.IS,
                    TokenType.NOT,
                ):
                    return index
            elif self.depths[index] == depth and self.kind(index) in (TokenType.SEMICOLON, TokenType.SELECT):
                return None
            index -= 1
        return None

    def select_before(self, index: int, depth: int) -> int | None:
        """The SELECT whose list ends at the FROM at `index`; None when FROM comes first."""
        index -= 1
        while index >= 0 and self.depths[index] >= depth:
            if self.depths[index] == depth:
                kind = self.kind(index)
                if kind is TokenType.SELECT:
                    return index
                if kind in (TokenType.SEMICOLON, TokenType.FROM):
                    return None
            index -= 1
        return None
