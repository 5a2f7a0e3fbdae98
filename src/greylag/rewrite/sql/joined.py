"""A mapping that joins tables, dissolved: its further tables are joined right behind the read.

`(t JOIN (a JOIN b ON p) ON q)` and `((t JOIN a ON q) JOIN b ON p)` are the same rows where q speaks of a
alone; with outer joins in the mapping or around the read the same holds under the conditions below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.patch import Edit
from greylag.mapping.compiled import Inlining, JoinPart, Mapping
from greylag.rewrite.sql.boundary import Span, table_span
from greylag.rewrite.sql.clauses import Clause, behind_comment, is_loose
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import ReadSite, Scope, Source
from greylag.rewrite.sql.names_out import explicit_aliases
from greylag.rewrite.sql.soundness import Place, Unsound, nullable, place, within
from greylag.rewrite.sql.tokens import CLAUSE_ENDS, JOIN_WORDS, Tokens

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Dissolved, Inliner

_LEADS = JOIN_WORDS - {TokenType.COMMA}


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A further table of the mapping: `alias` qualifies its columns, and is `given` by AS if it must be."""

    part: JoinPart
    alias: str
    given: bool


def check_joins(site: ReadSite, scope: Scope, source: Source, inlining: Inlining, folding: Folding) -> None:
    """The mapping's joins may stand behind the read, at the level of the query's own. Raises Unsound."""
    if scope.using:
        raise Unsound(site, "the mapping joins tables, and a USING join merges columns")
    join = source.join
    side = (join.side or "").upper() if join is not None else ""
    kind = (join.kind or "").upper() if join is not None else ""
    if kind in ("SEMI", "ANTI") or not isinstance(source.node, exp.Table):
        raise Unsound(site, f"the mapping joins tables, which a {kind} JOIN does not")
    filled = side in ("LEFT", "FULL")
    if filled and not all(part.outer and part.rejects for part in inlining.joins):
        raise Unsound(site, "the mapping joins tables, and an outer join may fill them with NULLs together")
    if nullable(scope, source) and folding.dialect == "clickhouse":
        raise Unsound(site, "the mapping joins tables, and an outer join may fill their keys with values")
    _check_predicate(site, scope, source, inlining)


def _check_predicate(site: ReadSite, scope: Scope, source: Source, inlining: Inlining) -> None:
    """The mapping's WHERE, where an outer join of the query may fill its tables."""
    condition, owners = inlining.predicate_expression, inlining.owners
    if condition is None or owners is None:
        return
    where, holder = place(scope, source)
    if where is Place.SUBQUERY:
        raise Unsound(site, "the mapping joins tables and filters them, for which there is no place here")
    if where is Place.ON and holder is source and owners.within(condition) != {inlining.index}:
        raise Unsound(site, "the mapping filters a table that it joins, for which there is no place here")


def in_sight(scope: Scope, source: Source, folding: Folding) -> set[str]:
    """Every name that means something where the read stands, in the queries around it and inside of it."""
    names: set[str] = set()
    for each in related(scope):
        for other in each.sources:
            if other is not source or other.aliased:
                names |= {other.name or ""} | set(other.columns or {})
        names |= {folding.ident(part) for ref in each.refs for part in ref.parts if ref.source is not source}
        names |= {folding.ident(ref.column) for ref in each.refs if ref.source is source}
        names |= set(explicit_aliases(each, folding))
    return names


def related(scope: Scope) -> Iterator[Scope]:
    """The scope, those inside of it, and those around it whose names it sees."""
    yield from within(scope)
    around = scope.parent
    while around is not None:
        yield around
        around = around.parent


def columns_named(mapping: Mapping, columns: Iterable[str], folding: Folding) -> set[str]:
    """The new columns, declared or used by the mapping: no table may be called as one of them."""
    names = {folding.fold(name) for name in columns}
    inlining = mapping.inlining
    own = inlining.owners.qualifiers if inlining is not None and inlining.owners is not None else {}
    for column in mapping.query.find_all(exp.Column):
        parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
        if len(parts) > 1 and parts[0].name.casefold() in own:
            parts = parts[1:]
        names |= {folding.ident(part) for part in parts}
    return names


def free(name: str, taken: set[str], folding: Folding) -> str:
    """The name, or the name with the first number that makes it another than those taken; now taken too."""
    made, number = name, 1
    while folding.fold(made) in taken or folding.fold(made, quoted=True) in taken:
        number += 1
        made = f"{name}{number}"
    taken |= {folding.fold(made), folding.fold(made, quoted=True)}
    return made


def join_edit(inliner: Inliner, read: Dissolved, clause: Clause) -> Edit:
    """The mapping's joins, put behind the read: behind its ON, or else its alias."""
    tokens = inliner.tokens
    span = table_span(read.site.table)
    assert span is not None
    end = _item_end(tokens, read, span, clause)
    lead = _lead(tokens, tokens.at(span.start), clause)
    following = tokens.items[end + 1].start if end + 1 < len(tokens.items) else len(tokens.text)
    at, separator = tokens.end(end), " "
    gap = tokens.text[at:following]
    closes = end + 1 >= len(tokens.items) or tokens.depths[end + 1] < clause.depth
    if tokens.starts_line(lead) and ("\n" in gap or closes):
        at, separator = (
            behind_comment(tokens.text, at, following),
            "\n" + tokens.indent(tokens.items[lead].start),
        )
    return Edit(at, at, "".join(f"{separator}{_text(inliner, read, one, lead)}" for one in read.joins))


def _item_end(tokens: Tokens, read: Dissolved, span: Span, clause: Clause) -> int:
    """The last token of the read in its FROM clause."""
    index = tokens.at(span.end - 1)
    join = read.source.join
    if join is not None and join.args.get("on") is not None:
        on = tokens.forward(index, {TokenType.ON} | CLAUSE_ENDS | JOIN_WORDS, clause.depth)
        if tokens.kind(on) is not TokenType.ON or tokens.depths[on] != clause.depth:
            raise Unsound(read.site, "the ON of its join was not found")
        return tokens.forward(on + 1, CLAUSE_ENDS | JOIN_WORDS, clause.depth) - 1
    if read.source.aliased:
        alias = read.site.table.args["alias"].this
        if "start" not in alias.meta:
            raise Unsound(read.site, "the parser kept no position for its alias")
        return tokens.at(alias.meta["start"])
    return index


def _lead(tokens: Tokens, index: int, clause: Clause) -> int:
    """The first word of the join that reads the table, or FROM."""
    if tokens.kind(index - 1) not in _LEADS:
        return clause.from_
    while tokens.kind(index - 1) in _LEADS:
        index -= 1
    return index


def _text(inliner: Inliner, read: Dissolved, one: Joined, lead: int) -> str:
    part = one.part
    name = inliner.written.name(read.site, read.site.mapping, part.table, part.node)
    pieces = read.pieces.conditions[part.index]
    word = "LEFT JOIN" if part.outer else "JOIN" if pieces else "CROSS JOIN"
    text = f"{inliner.tokens.word(word, lead)} {name}"
    if one.given:
        text += f" {inliner.tokens.word('AS', lead)} {one.alias}"
    if not pieces:
        return text
    conditions = [piece.qualified(read.qualifier) for piece in pieces]
    if len(conditions) > 1:
        loose = [is_loose(condition.expression) for condition in part.conditions]
        conditions = [f"({c})" if yes else c for c, yes in zip(conditions, loose, strict=True)]
    both = f" {inliner.tokens.word('AND', lead)} "
    return f"{text} {inliner.tokens.word('ON', lead)} {both.join(conditions)}"
