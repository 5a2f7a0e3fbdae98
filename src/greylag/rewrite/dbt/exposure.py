"""Could Jinja render to a column of a replaced dataset? Then only the boundary form is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.outcome import Reason
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.rewrite.dbt.blocks import Variant
from greylag.rewrite.dbt.jinja import Span
from greylag.rewrite.dbt.literals import Values, known_values
from greylag.rewrite.dbt.mask import Masked, Placeholder, Role, blank
from greylag.rewrite.dbt.names import told_names


def variant_text(
    masked: Masked, variant: Variant, dialect: str
) -> tuple[str, tuple[exp.Expr | None, ...] | None]:
    """The masked text of one variant and its statements (None when it cannot be parsed).

    Jinja that stands where no identifier can (`where a = 1 {{ more_filters() }}`) is blanked.
    """
    text = masked.text
    for low, high in variant.hidden:
        text = text[:low] + blank(text[low:high]) + text[high:]
    statements = _parse(text, dialect)
    if statements is not None:
        return text, statements
    lenient = text
    for item in masked.placeholders:
        if item.role is Role.OPAQUE and _stands_alone(text, item):
            lenient = lenient[: item.start] + blank(item.text) + lenient[item.end :]
    statements = _parse(lenient, dialect) if lenient != text else None
    return (lenient, statements) if statements is not None else (text, None)


def _parse(text: str, dialect: str) -> tuple[exp.Expr | None, ...] | None:
    try:
        return tuple(sqlglot.parse(text, dialect=dialect))
    except (SqlglotError, *PARSER_GIVES_UP):
        return None


def _stands_alone(text: str, item: Placeholder) -> bool:
    glued = text[item.start - 1 : item.start] + text[item.end : item.end + 1]
    return not any(char.isalnum() or char in "_.`" for char in glued)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Finds the Jinja that could name a column in a query which reads a replaced dataset.

    `columns` are the old columns (lower case), `told` the last parts of the replaced datasets' names,
    `values` what variables can hold.
    """

    masked: Masked
    dialect: str
    told: frozenset[str]
    columns: frozenset[str]
    values: Mapping[str, Values]

    @classmethod
    def of(cls, masked: Masked, spans: tuple[Span, ...], migration: CompiledMigration) -> Exposure:
        """Prepare for one file."""
        columns = {column.lower() for mapping in migration.mappings for column in mapping.columns}
        return cls(
            masked=masked,
            dialect=migration.dialect,
            told=told_names(migration),
            columns=frozenset(columns),
            values=known_values(spans),
        )

    def reasons(
        self, text: str, statements: tuple[exp.Expr | None, ...], variant: Variant
    ) -> tuple[Reason, ...]:
        """Where one variant lets Jinja name a column of a replaced dataset; empty when nowhere."""
        opaque = {
            item.text: item
            for item in self.masked.placeholders
            if item.role is Role.OPAQUE and variant.shows(item.span.start, item.span.end)
        }
        if not opaque:
            return ()
        seen: dict[str, bool] = {}
        for statement in statements:
            for node in statement.walk() if statement is not None else ():
                items = tuple(_placeholders_in(node, opaque))
                for item in items:
                    reached = self._reaches(node, item, alone=len(items) == 1)
                    seen[item.text] = seen.get(item.text, False) or reached
        unplaced = [item for item in opaque.values() if item.text not in seen]
        outside = comments_hold(text, [item.start for item in unplaced], self.dialect) if unplaced else set()
        found = [item for word, item in opaque.items() if seen.get(word)]
        found += [item for item in unplaced if item.start not in outside]
        return tuple(
            Reason(
                code="jinja-in-scope",
                message=f"{item.span.code} may name a column of the replaced dataset",
                line=item.span.line,
            )
            for item in found
        )

    def _reaches(self, node: exp.Expr, item: Placeholder, *, alone: bool) -> bool:
        if isinstance(node, exp.Literal) or not _reads_replaced(node, self.told):
            return False
        values = self.values.get(item.span.code)
        if values is None or not alone:
            return True
        written = [str(node.this).lower().replace(item.text.lower(), value.lower()) for value in values]
        return any(not word.isidentifier() or word in self.columns for word in written)


def comments_hold(text: str, offsets: list[int], dialect: str) -> set[int]:
    """Those of the offsets that stand in SQL comments: in text, but in no token.

    None of them when the whole cannot be cut into tokens: branches that are never rendered together may not.
    """
    try:
        tokens = sqlglot.tokenize(text, dialect=dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        return set()
    return {
        offset
        for offset in offsets
        if not text[offset].isspace() and not any(token.start <= offset <= token.end for token in tokens)
    }


def _placeholders_in(node: exp.Expr, opaque: Mapping[str, Placeholder]) -> Iterator[Placeholder]:
    if isinstance(node, exp.Identifier | exp.Literal | exp.Var | exp.Anonymous) and isinstance(
        node.this, str
    ):
        name = node.this.lower()
        for word, item in opaque.items():
            if word.lower() in name:
                yield item


def _reads_replaced(node: exp.Expr, told: frozenset[str]) -> bool:
    """Does any query around the node read a replaced dataset in its own FROM?"""
    select = node.find_ancestor(exp.Select)
    while select is not None:
        clauses = [select.args.get("from_"), *(select.args.get("joins") or [])]
        for clause in clauses:
            if clause is not None and any(_may_be_replaced(table, told) for table in _tables(clause)):
                return True
        select = select.find_ancestor(exp.Select)
    return not isinstance(node.root(), exp.Query)


def _may_be_replaced(table: exp.Table, told: frozenset[str]) -> bool:
    """Is it named as a replaced dataset, and no CTE of that name?"""
    if table.name.lower() not in told:
        return False
    name = table.name.lower()
    ctes = [cte for cte in table.root().find_all(exp.CTE) if cte.alias.lower() == name]
    own = table.find_ancestor(exp.CTE)
    return len(table.parts) > 1 or not ctes or own in ctes


def _tables(node: exp.Expr) -> Iterator[exp.Table]:
    if isinstance(node, exp.Table):
        yield node
    if isinstance(node, exp.Select | exp.SetOperation):
        return
    for child in node.iter_expressions():
        yield from _tables(child)
