"""What a star changes of the columns that it brings: `* REPLACE (a * 2 AS a)`, `* RENAME (a AS b)`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.patch import Edit, apply_edits
from greylag.rewrite.sql.model import Owner, Ref, Scope
from greylag.rewrite.sql.tokens import Tokens

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Inliner
    from greylag.rewrite.sql.references import References


class NotFound(Exception):
    """The list of the star is laid out in a way that we do not follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StarChanges:
    """By folded column name: the text of the expression that replaces it, the name that it gets."""

    replaced: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


def star_changes(
    inliner: Inliner,
    scope: Scope,
    star: exp.Star,
    references: dict[int, References],
    first: int,
    last: int,
) -> StarChanges:
    """The changes of a star that stands in the tokens first to last. Raises NotFound."""
    tokens, folding = inliner.tokens, inliner.names.folding
    replaced: dict[str, str] = {}
    renamed: dict[str, str] = {}
    if wanted := star.args.get("replace"):
        for node, (low, high) in _parts(tokens, "REPLACE", wanted, first, last):
            text = _rewritten(tokens, scope, references, tokens.items[low].start, tokens.end(high - 2))
            replaced[folding.ident(node.args["alias"])] = text
    if wanted := star.args.get("rename"):
        for node, (_, high) in _parts(tokens, "RENAME", wanted, first, last):
            item = tokens.items[high]
            renamed[folding.ident(node.this.this)] = tokens.text[item.start : item.end + 1]
    return StarChanges(replaced=replaced, renamed=renamed)


def _parts(
    tokens: Tokens, word: str, nodes: list[exp.Expr], first: int, last: int
) -> Iterator[tuple[exp.Alias, tuple[int, int]]]:
    """The parts of the list behind a word, each `… AS name`, with their first and last tokens."""
    depth = tokens.depths[first]
    at = next(
        (
            index
            for index in range(first, last + 1)
            if tokens.depths[index] == depth and tokens.items[index].text.upper() == word
        ),
        None,
    )
    if at is None or tokens.kind(at + 1) is not TokenType.L_PAREN:
        raise NotFound
    spans: list[tuple[int, int]] = []
    low = at + 2
    for index in range(at + 2, last + 1):
        closing = tokens.depths[index] == depth and tokens.kind(index) is TokenType.R_PAREN
        if closing or (tokens.depths[index] == depth + 1 and tokens.kind(index) is TokenType.COMMA):
            spans.append((low, index - 1))
            low = index + 1
        if closing:
            break
    if len(spans) != len(nodes):
        raise NotFound
    for node, (begin, end) in zip(nodes, spans, strict=True):
        if not isinstance(node, exp.Alias) or tokens.kind(end - 1) is not TokenType.ALIAS:
            raise NotFound
        yield node, (begin, end)


def _rewritten(tokens: Tokens, scope: Scope, references: dict[int, References], start: int, end: int) -> str:
    """An expression of the star, its columns said in new ones."""
    edits: set[Edit] = set()
    for ref in _all_refs(scope):
        if start <= ref.parts[0].meta.get("start", -1) < end:
            mine = references.get(id(ref.source)) if ref.owner is Owner.SOURCE else None
            if mine is None:
                raise NotFound
            edits |= mine.edits(ref)
    moved = [Edit(edit.start - start, edit.end - start, edit.text) for edit in edits]
    return apply_edits(tokens.text[start:end], moved)


def _all_refs(scope: Scope) -> Iterator[Ref]:
    yield from scope.refs
    for child in scope.children:
        yield from _all_refs(child)
