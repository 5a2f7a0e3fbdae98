"""Right by construction, told from the tokens alone: for what the parser does not understand.

The new text is the old one, token for token, with the mapping in parentheses where the old dataset was read
and its name as the alias where it had none. What the program around it means does not matter then: it is
the same program over the same relation, in any dialect, with whatever functions, parameters and commands.

Only reads that are certain count: a name after FROM (of a SELECT), JOIN, MERGE … USING, or a comma in FROM,
and before something that cannot belong to it. One mention that is not such a read ends the attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from greylag.mapping.compiled import Mapping
from greylag.verify.names import TableKey, fold, real_tables
from greylag.verify.prepare import Names
from greylag.verify.words import BODIES, NAMES, TEXTS, Word, words_of

_CLAUSES = frozenset(
    {
        TokenType.SELECT,
        TokenType.FROM,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.ORDER_BY,
        TokenType.HAVING,
        TokenType.QUALIFY,
        TokenType.LIMIT,
        TokenType.OFFSET,
        TokenType.WINDOW,
        TokenType.ON,
        TokenType.USING,
        TokenType.SET,
        TokenType.VALUES,
        TokenType.WITH,
        TokenType.MERGE,
        TokenType.INTO,
        TokenType.INSERT,
        TokenType.UPDATE,
        TokenType.DELETE,
        TokenType.WHEN,
        TokenType.THEN,
        TokenType.BEGIN,
        TokenType.END,
        TokenType.UNION,
        TokenType.EXCEPT,
        TokenType.INTERSECT,
        TokenType.PIVOT,
        TokenType.UNPIVOT,
        TokenType.DESCRIBE,
        TokenType.SUMMARIZE,
    }
)
_ENDS = frozenset(
    {
        TokenType.SEMICOLON,
        TokenType.R_PAREN,
        TokenType.COMMA,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.ORDER_BY,
        TokenType.HAVING,
        TokenType.QUALIFY,
        TokenType.LIMIT,
        TokenType.WINDOW,
        TokenType.ON,
        TokenType.USING,
        TokenType.JOIN,
        TokenType.LEFT,
        TokenType.RIGHT,
        TokenType.FULL,
        TokenType.INNER,
        TokenType.CROSS,
        TokenType.UNION,
        TokenType.EXCEPT,
        TokenType.INTERSECT,
        TokenType.WHEN,
        TokenType.END,
        TokenType.INTO,
        TokenType.FORMAT,
        TokenType.SETTINGS,
        TokenType.SELECT,
        TokenType.INSERT,
        TokenType.PIPE_GT,
    }
)
# Words that the tokenizer has no type for, and that end a read as well.
_END_WORDS = frozenset({"LOOP", "DO", "THEN"})
_LOWER_FOLDING = frozenset({"postgres", "redshift", "trino", "presto", "athena"})


def same_by_tokens(old: str, new: str, names: Names) -> bool:
    """Is the new text the old one with mappings where old datasets were read, and nothing else?"""
    dialect = names.migration.dialect
    try:
        return _Match(words_of(old, dialect), words_of(new, dialect), names).holds()
    except (SqlglotError, RecursionError):
        return False


def mentions(text: str, names: Names) -> bool:
    """Does the last part of a replaced dataset's name stand in a text, in any case?"""
    lowered = text.lower()
    return any(key[-1].lower() in lowered for key in names.replaced)


class _Match:
    def __init__(self, old: list[Word], new: list[Word], names: Names) -> None:
        self._old = old
        self._new = new
        self._names = names
        self._dialect = names.migration.dialect
        # The last clause word of every open parenthesis, and the one before it.
        self._clauses: list[tuple[str, str]] = [("", "")]
        self._used: list[Mapping] = []

    def holds(self) -> bool:
        """Walk both; every mention of a replaced dataset must be a read that became the mapping."""
        here, there = 0, 0
        while here < len(self._old):
            found = self._dataset(here)
            if found is None:
                if there >= len(self._new) or not self._old[here].same(self._new[there]):
                    return False
                if not self._harmless(here):
                    return False
                self._step(self._old[here])
                here, there = here + 1, there + 1
                continue
            mapping, end = found
            after = self._read(mapping, here, end, there)
            if after is None:
                return False
            here, there = end, after
        return there == len(self._new) and all(self._safe(mapping) for mapping in self._used)

    # -- where we are ------------------------------------------------------------------------------------

    def _step(self, word: Word) -> None:
        if word.kind is TokenType.L_PAREN:
            self._clauses.append(("", ""))
        elif word.kind is TokenType.R_PAREN:
            if len(self._clauses) > 1:
                self._clauses.pop()
        elif word.kind is TokenType.SEMICOLON:
            self._clauses[-1] = ("", "")
        elif word.kind is TokenType.INTO and self._clauses[-1][0] == "SELECT":
            # SELECT … INTO … FROM: still the FROM of a SELECT.
            return
        elif word.kind in _CLAUSES:
            self._clauses[-1] = (word.kind.name, self._clauses[-1][0])
        elif word.text.upper() == "PERFORM":
            self._clauses[-1] = ("SELECT", self._clauses[-1][0])

    def _is_read(self, here: int) -> bool:
        """Does the name at `here` stand where only a table can stand?"""
        before = self._old[here - 1] if here else Word(TokenType.SEMICOLON, ";")
        earlier = self._old[here - 2] if here > 1 else Word(TokenType.SEMICOLON, ";")
        last, previous = self._clauses[-1]
        match before.kind:
            case TokenType.FROM:
                if previous == "" and earlier.kind is TokenType.SEMICOLON:
                    return True
                return previous in {"SELECT", "SET"} and earlier.kind is not TokenType.DISTINCT
            case TokenType.JOIN:
                return earlier.kind is not TokenType.ARRAY and earlier.text.upper() != "ARRAY"
            case TokenType.COMMA:
                return last == "FROM" and previous == "SELECT"
            case TokenType.USING:
                return previous in {"INTO", "MERGE", "FROM"}
            case _:
                return False

    # -- names -------------------------------------------------------------------------------------------

    def _parts(self, here: int) -> tuple[list[str], list[int]]:
        """The parts of the dotted name at `here`, and where each of its identifiers ends."""
        parts: list[str] = []
        ends: list[int] = []
        position = here
        while position < len(self._old):
            word = self._old[position]
            text = word.text
            position += 1
            while self._dialect == "bigquery" and self._dash(position):
                text += "-" + self._old[position + 1].text
                position += 2
            quoted = word.kind is TokenType.IDENTIFIER and self._dialect == "bigquery"
            parts.extend(text.split(".") if quoted else [text])
            ends.append(position)
            if not (position + 1 < len(self._old) and self._old[position].kind is TokenType.DOT):
                break
            position += 1
        return parts, ends

    def _dash(self, position: int) -> bool:
        if position + 1 >= len(self._old):
            return False
        dash, after = self._old[position], self._old[position + 1]
        return dash.kind is TokenType.DASH and not dash.spaced and not after.spaced

    def _dataset(self, here: int) -> tuple[Mapping, int] | None:
        """The replaced dataset that is named at `here`, whole, and where its name ends."""
        word = self._old[here]
        inside = here > 0 and self._old[here - 1].kind in {TokenType.DOT, TokenType.PARAMETER}
        if inside or not (word.kind in NAMES or word.text.isidentifier()):
            return None
        parts, ends = self._parts(here)
        mapping = self._names.replaced.get(fold(tuple(parts), self._dialect))
        if mapping is None or (len(parts) == 1 and not self._is_read(here)):
            return None
        return mapping, ends[-1]

    def _harmless(self, here: int) -> bool:
        """A word that stays as it is must not name a replaced dataset, or speak of one in a text."""
        word = self._old[here]
        if word.kind in NAMES or word.text.isidentifier():
            return not self._names_replaced(here)
        if word.kind in TEXTS or len(word.text) > 20:
            return not mentions(word.text, self._names)
        return True

    def _names_replaced(self, here: int) -> bool:
        """Is it the name of a replaced dataset, or does it end in one (`b.t.column` of `a.b.t`)?

        A name of one part may qualify a column: the alias that the mapping got is that name.
        """
        if here > 0 and self._old[here - 1].kind is TokenType.DOT:
            return False
        parts, _ = self._parts(here)
        lowered = [part.lower() for part in parts]
        for key in self._names.replaced:
            known = [part.lower() for part in key]
            if len(known) == 1 and lowered[0] == known[0]:
                return len(lowered) == 1
            for start in range(len(known) - 1):
                tail = known[start:]
                if len(tail) > 1 and lowered[: len(tail)] == tail:
                    return True
        return False

    # -- a read ------------------------------------------------------------------------------------------

    def _read(self, mapping: Mapping, here: int, end: int, there: int) -> int | None:
        """Where the new text goes on behind the mapping that stands for the read `here..end`."""
        if not self._is_read(here):
            return None
        inner = words_of(mapping.sql, self._dialect)
        opening, closing = Word(TokenType.L_PAREN, "("), Word(TokenType.R_PAREN, ")")
        wanted = [opening, *inner, closing]
        given = self._new[there : there + len(wanted)]
        if len(given) < len(wanted) or not all(a.same(b) for a, b in zip(wanted, given, strict=True)):
            return None
        there += len(wanted)
        self._used.append(mapping)
        if self._ends(end):
            return self._alias(end, there)
        # The read has an alias of its own, and then ends.
        alias = end + 1 if self._at(end).kind is TokenType.ALIAS else end
        return there if self._at(alias).kind in NAMES and self._ends(alias + 1) else None

    def _alias(self, end: int, there: int) -> int | None:
        """Behind the alias that says the name by which the query knows the dataset."""
        if there < len(self._new) and self._new[there].kind is TokenType.ALIAS:
            there += 1
        if there >= len(self._new):
            return None
        name = self._old[end - 1]
        last = name.text.split(".")[-1] if self._dialect == "bigquery" else name.text
        alias = self._new[there]
        if alias.kind not in NAMES or alias.text != last:
            return None
        if alias.kind is name.kind or alias.text == self._folded(last):
            return there + 1
        return None

    def _folded(self, text: str) -> str:
        """The text as the dialect stores it when it is not quoted; where quotes say nothing, the text."""
        if self._dialect in _LOWER_FOLDING:
            return text.lower()
        return text.upper() if self._dialect in {"snowflake", "oracle"} else text

    def _at(self, position: int) -> Word:
        return self._old[position] if position < len(self._old) else Word(TokenType.SEMICOLON, ";")

    def _ends(self, position: int) -> bool:
        word = self._at(position)
        return word.kind in _ENDS or word.kind in BODIES or word.text.upper() in _END_WORDS

    # -- the mapping in its new surroundings ---------------------------------------------------------------

    def _safe(self, mapping: Mapping) -> bool:
        """Nothing around it may catch a name of the mapping, or see a column that it does not have."""
        names = {word.text.lower() for word in self._old if word.kind in NAMES}
        if any(key[-1].lower() in names for key in _short_tables(mapping, self._dialect)):
            return False
        written = [item.alias_or_name.lower() for item in mapping.query.selects]
        same_order = written == [output.name.lower() for output in mapping.outputs]
        if same_order and not mapping.unmapped:
            return True
        return not self._stars() and not any(name.lower() in names for name in mapping.unmapped)

    def _stars(self) -> bool:
        for before, word in pairwise(self._old):
            if word.kind is TokenType.STAR and before.kind in {
                TokenType.SELECT,
                TokenType.COMMA,
                TokenType.DOT,
                TokenType.DISTINCT,
                TokenType.ALL,
            }:
                return True
        return False


def _short_tables(mapping: Mapping, dialect: str) -> Iterator[TableKey]:
    """The tables of a mapping that have a name of one part: a WITH entry could be called the same."""
    holder = exp.Subquery(this=mapping.query.copy())
    for table in real_tables(holder):
        if len(table.parts) == 1:
            yield fold((table.name,), dialect)
