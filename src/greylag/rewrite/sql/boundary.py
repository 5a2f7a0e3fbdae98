"""Boundary form: the mapping as a subquery where the old dataset was read, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.dataset import DatasetRef
from greylag.domain.patch import Edit
from greylag.mapping.compiled import Mapping
from greylag.rewrite.sql.layout import clause_lines
from greylag.rewrite.sql.tokens import JOIN_WORDS, Tokens

TableText = Callable[[DatasetRef], str | None]
_ONE_LINE = 72
_WIDE = 108
_JOIN = JOIN_WORDS - {TokenType.COMMA}


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start..end` (end exclusive) of a text."""

    start: int
    end: int


def table_span(table: exp.Table) -> Span | None:
    """The characters of a table's name; None when the parser kept no positions for it."""
    metas = [part.meta for part in table.parts]
    if not metas or any("start" not in meta for meta in metas):
        return None
    return Span(min(meta["start"] for meta in metas), max(meta["end"] for meta in metas) + 1)


def subquery(
    mapping: Mapping, indent: str, table_text: TableText | None, *, one_line: bool, joined: bool = False
) -> str:
    """The mapping in parentheses, laid out for a read that stands on a line with this indentation.

    `joined`: behind a JOIN, where a line is sooner cut into its clauses.
    """
    sql = _ordered(mapping, _named(mapping, table_text))
    lines = sql.split("\n")
    comment = "--" in lines[-1] or "#" in lines[-1]
    if len(lines) == 1 and not comment and (one_line or len(sql) <= _ONE_LINE):
        return f"({sql})"
    if _multiline_token(sql, mapping.dialect):
        return f"(\n{sql}\n{indent})"
    if len(lines) == 1 and not comment and (joined or len(indent) + len(sql) > _WIDE):
        lines = clause_lines(sql, mapping.dialect, indent + "  ")
    body = "\n".join(f"{indent}  {line}" if line.strip() else "" for line in lines)
    return f"(\n{body}\n{indent})"


def _ordered(mapping: Mapping, sql: str) -> str:
    """The SELECT with its columns in the old order: a mapping may list them in another."""
    written = [item.alias_or_name for item in mapping.query.selects]
    outputs = [output.name for output in mapping.outputs]
    if [name.lower() for name in written] == [name.lower() for name in outputs] or "*" in written:
        return sql
    names = ", ".join(exp.to_identifier(name).sql(dialect=mapping.dialect) for name in outputs)
    return f"SELECT {names}\nFROM (\n{sql}\n) AS {mapping.dataset.name}"


def _multiline_token(sql: str, dialect: str) -> bool:
    """Would indenting the text change a string that spans lines?"""
    return any("\n" in sql[token.start : token.end + 1] for token in Tokens(sql, dialect).items)


def _named(mapping: Mapping, table_text: TableText | None) -> str:
    """The mapping's SELECT, its tables named as the consumer's project names them (dbt)."""
    if table_text is None:
        return mapping.sql
    pieces, position = [], 0
    spans: list[tuple[int, int, str]] = []
    ctes = {cte.alias_or_name for cte in mapping.query.find_all(exp.CTE)}
    for table in mapping.query.find_all(exp.Table):
        span = table_span(table)
        if span is None or (len(table.parts) == 1 and table.name in ctes):
            continue
        new = table_text(DatasetRef.parse(".".join(part.name for part in table.parts)))
        if new is not None:
            spans.append((span.start, span.end, new))
    for start, end, new in sorted(spans):
        pieces.append(mapping.sql[position:start])
        pieces.append(new)
        position = end
    pieces.append(mapping.sql[position:])
    return "".join(pieces)


def boundary_edit(
    tokens: Tokens,
    table: exp.Table,
    span: Span,
    mapping: Mapping,
    table_text: TableText | None,
    alias: str | None,
) -> Edit:
    """Replace a table's name by the mapping; `alias` names it when the read had no alias of its own."""
    lead = _lead(tokens, tokens.at(span.start))
    one_line, joined = not tokens.starts_line(lead), tokens.kind(lead) in _JOIN
    text = subquery(mapping, tokens.indent(span.start), table_text, one_line=one_line, joined=joined)
    if not table.args.get("alias") and not table.args.get("pivots") and alias is not None:
        text += f" {tokens.word('AS', max(tokens.at(span.start) - 1, 0))} {alias}"
    return Edit(span.start, span.end, text)


def _lead(tokens: Tokens, table: int) -> int:
    """The first word of the clause part that reads the table: FROM, or LEFT of LEFT JOIN."""
    index = max(table - 1, 0)
    while index > 0 and tokens.kind(index) in _JOIN and tokens.kind(index - 1) in _JOIN:
        index -= 1
    return index
