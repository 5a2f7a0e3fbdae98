"""Scripts and commands that the parser does not understand: the queries in them, and what stands around.

A text is cut at the words where queries begin and end. What stands around them must be the same, word for
word, and not speak of a replaced dataset; then each query has to be the same whenever it runs, and the
scripts do the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable, Statement, StatementKind, parse_program
from greylag.verify.token_stream import mentions
from greylag.verify.words import BODIES, Word, words_of

_BEGIN = frozenset({TokenType.SELECT, TokenType.WITH})
_ENDINGS = frozenset({"END", "LOOP", "DO", "ELSE", "ELSEIF", "ELSIF", "THEN", "UNTIL"})
_WRITES = frozenset({"INSERT", "CREATE", "REPLACE"})


@dataclass(slots=True)
class Script:
    """The words around the queries (with a mark for each), the queries' texts, and whether their columns'
    names count.
    """

    around: list[Word] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)


def script_statements(old: str, new: str, names: Names) -> list[tuple[Statement, Statement]]:
    """The queries of two scripts, pair by pair.

    Raises NotComparable when they differ around the queries, or when a query does not parse.
    """
    dialect = names.migration.dialect
    try:
        before, after = _cut(words_of(old, dialect)), _cut(words_of(new, dialect))
    except (SqlglotError, RecursionError) as error:
        raise NotComparable("the text cannot be read as words") from error
    same = len(before.around) == len(after.around) and all(
        one.same(other) for one, other in zip(before.around, after.around, strict=True)
    )
    if not same or before.named != after.named:
        raise NotComparable("the scripts differ outside of their queries")
    spoken = [word.text for word in before.around if mentions(word.text, names)]
    if spoken:
        raise NotComparable(f"`{spoken[0][:80]}` speaks of a replaced dataset outside of a query")
    pairs: list[tuple[Statement, Statement]] = []
    for number, named in enumerate(before.named):
        texts = (before.queries[number], after.queries[number])
        one, other = (_query(text, dialect, named, before.variables, names) for text in texts)
        pairs.append((one, other))
    return pairs


def _query(text: str, dialect: str, named: bool, variables: set[str], names: Names) -> Statement:
    found = parse_program(text, dialect, which="script's")
    if len(found) != 1 or found[0].query is None or found[0].kind is not StatementKind.QUERY:
        raise NotComparable(f"`{text[:60]}` in a script is not one query")
    statement = found[0]
    assert statement.query is not None
    known = {name.lower() for mapping in names.migration.mappings for name in mapping.columns}
    known |= {name.lower() for table in names.catalog.tables.values() for name in table.columns}
    for column in list(statement.query.find_all(exp.Column)):
        if not column.table and column.name.lower() in variables - known:
            column.replace(exp.Parameter(this=exp.var(column.name.lower())))
    kind = StatementKind.QUERY if named else StatementKind.INSERT
    return Statement(kind=kind, node=statement.node, query=statement.query)


def _cut(words: list[Word]) -> Script:
    script = Script()
    here = 0
    while here < len(words):
        word = words[here]
        if word.kind in _BEGIN and word.source:
            end = _end(words, here)
            script.around.append(Word(TokenType.PLACEHOLDER, "greylag_query"))
            script.queries.append(word.source[word.start : words[end - 1].end + 1])
            script.named.append(not _inserted(script.around))
            here = end
            continue
        if here and words[here - 1].text.upper() == "DECLARE":
            script.variables.add(word.text.lower())
        script.around.append(word)
        here += 1
    return script


def _end(words: list[Word], start: int) -> int:
    """Behind the last word of the query that begins at `start`."""
    depth, cases = 0, 0
    for here in range(start, len(words)):
        word = words[here]
        if word.source is not words[start].source or word.kind in BODIES:
            return here
        text = word.text.upper()
        if word.kind is TokenType.L_PAREN:
            depth += 1
        elif word.kind is TokenType.R_PAREN:
            depth -= 1
            if depth < 0:
                return here
        elif word.kind is TokenType.CASE:
            cases += 1
        elif cases and word.kind is TokenType.END:
            cases -= 1
        elif depth == 0 and not cases and (word.kind is TokenType.SEMICOLON or text in _ENDINGS):
            return here
    return len(words)


def _inserted(around: list[Word]) -> bool:
    """Do the query's columns go by position, because it fills a table?"""
    for here in range(len(around) - 1, -1, -1):
        text = around[here].text.upper()
        if around[here].kind is TokenType.SEMICOLON:
            return False
        if text in _WRITES:
            # REPLACE INTO fills by position; CREATE OR REPLACE names the columns.
            return text == "INSERT" or (text == "REPLACE" and around[here - 1].text.upper() != "OR")
    return False
