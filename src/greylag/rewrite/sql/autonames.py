"""Names that an engine makes from an item's text: a table renamed inside the item would change them.

`SELECT (SELECT COUNT(*) FROM old)` is a column called `(SELECT count_star() FROM old)` in DuckDB. Whatever
the form, the item gets its old name as an alias, wherever somebody can see the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.outcome import Reason
from greylag.domain.patch import Edit
from greylag.rewrite.sql.boundary import table_span
from greylag.rewrite.sql.model import ReadSite, Scope
from greylag.rewrite.sql.outputs import Unnamed, names_matter, subquery_name
from greylag.rewrite.sql.tokens import CLAUSE_ENDS, Tokens


@dataclass(frozen=True, slots=True)
class _Enclosing:
    """A SELECT, and the item of its list in which something stands; None where it stands elsewhere in it."""

    select: exp.Select
    item: exp.Expr | None


def name_edits(tokens: Tokens, site: ReadSite, scopes: Iterable[Scope], dialect: str) -> set[Edit]:
    """Aliases for the unaliased items, of SELECTs around the read, that are named after their text.

    Raises Unnamed where such a name cannot be told.
    """
    span = table_span(site.table)
    if span is None:
        return set()
    by_select = {id(scope.select): scope for scope in scopes}
    edits: set[Edit] = set()
    for found, words in _around(tokens, site.table, span.start):
        scope = by_select.get(id(found.select))
        item = found.item
        if item is None or scope is None or isinstance(item, exp.Alias | exp.Aliases) or item.is_star:
            continue
        if not names_matter(scope, dialect):
            continue
        place = _place(tokens, words, found.select, item, span.start)
        if place is None:
            raise Unnamed
        start, end, text = place
        name = subquery_name(item, dialect, text)
        if name is not None:
            word = tokens.word("AS", tokens.at(start) if words is None else words)
            edits.add(Edit(end, end, f" {word} {name}"))
    return edits


def _around(tokens: Tokens, node: exp.Expr, offset: int) -> Iterator[tuple[_Enclosing, int | None]]:
    """Every SELECT around a node, inside out, with the index of its SELECT word where that is known."""
    index: int | None = tokens.at(offset)
    assert index is not None
    depth = tokens.depths[index] + 1
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.Select) and child.arg_key != "with_":
            index = _select_word(tokens, index, depth) if index is not None else None
            depth = tokens.depths[index] if index is not None else 0
            yield _Enclosing(parent, child if child.arg_key == "expressions" else None), index
        child, parent = parent, parent.parent


def _select_word(tokens: Tokens, index: int, depth: int) -> int | None:
    """The SELECT before a token that is less deep than `depth`, and not closed before the token."""
    lowest = tokens.depths[index]
    while index > 0:
        index -= 1
        lowest = min(lowest, tokens.depths[index])
        if tokens.kind(index) is TokenType.SELECT and tokens.depths[index] == lowest < depth:
            return index
    return None


def _place(
    tokens: Tokens, word: int | None, select: exp.Select, item: exp.Expr, offset: int
) -> tuple[int, int, str] | None:
    """Where the item stands, and its text; None unless token and tree agree on it."""
    if word is None:
        return None
    spans = list(_items(tokens, word))
    index = next(at for at, other in enumerate(select.expressions) if other is item)
    if len(spans) != len(select.expressions):
        return None
    first, last = spans[index]
    if index == 0 and tokens.kind(first) in (TokenType.DISTINCT, TokenType.ALL):
        first += 1
    if tokens.items[first].text.upper() in ("ON", "TOP"):
        return None
    start, end = tokens.items[first].start, tokens.end(last)
    return (start, end, tokens.text[start:end]) if start <= offset < end else None


def _items(tokens: Tokens, word: int) -> Iterator[tuple[int, int]]:
    """Token ranges (inclusive) of the items behind a SELECT word."""
    depth, first = tokens.depths[word], word + 1
    end = tokens.forward(word + 1, CLAUSE_ENDS | {TokenType.FROM, TokenType.INTO}, depth)
    for index in range(word + 1, end + 1):
        closing = index == end
        if closing or (tokens.depths[index] == depth and tokens.kind(index) is TokenType.COMMA):
            if index > first:
                yield first, index - 1
            first = index + 1


def edits_for(
    tokens: Tokens, sites: Sequence[ReadSite], scopes: Sequence[Scope], dialect: str, path: str
) -> tuple[set[Edit], list[Reason]]:
    """The aliases for several reads, and a reason for each in an item whose name cannot be told."""
    edits: set[Edit] = set()
    reasons: list[Reason] = []
    for site in sites:
        try:
            edits |= name_edits(tokens, site, scopes, dialect)
        except Unnamed:
            span = table_span(site.table)
            line = tokens.position(span.start)[0] if span is not None else 0
            message = f"{path}:{line}: {dialect} names an unaliased column after text that names "
            message += f"{site.mapping.dataset}; give the column an alias"
            reasons.append(Reason(code="unnamed-column", message=message, line=line))
    return edits, reasons
