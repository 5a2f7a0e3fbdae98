"""The boundary form without a parser: for files whose Jinja leaves no SQL that a parser takes.

A relation's call between FROM or JOIN and an alias or the next clause is a read of that relation, whatever
stands around it; the mapping in parentheses, under the same name, is the same relation. Nothing else moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from greylag.domain.consumer import Framework, Read
from greylag.domain.outcome import Edited, Form
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.rewrite.dbt.jinja import spans
from greylag.rewrite.dbt.mask import Masked, Placeholder, Role, mask
from greylag.rewrite.dbt.mentions import mentions
from greylag.rewrite.dbt.merge import Clash
from greylag.rewrite.dbt.names import told_names
from greylag.rewrite.dbt.tables import NewTables
from greylag.rewrite.dbt.words import word_pattern
from greylag.rewrite.sql.boundary import subquery

_READS = frozenset({TokenType.FROM, TokenType.JOIN})
_STARTS = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN})
_NOT_BEFORE = frozenset({"DELETE", "DISTINCT"})
# What may stand behind a table and its alias.
_BEHIND = frozenset(
    {
        "",
        ")",
        ";",
        "WHERE",
        "GROUP",
        "GROUP BY",
        "ORDER",
        "ORDER BY",
        "HAVING",
        "QUALIFY",
        "LIMIT",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "FULL",
        "CROSS",
        "ON",
        "USING",
    }
)
_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})


def lexical_boundary(path: str, text: str, masked: Masked, migration: CompiledMigration) -> Edited | None:
    """The file in boundary form, token by token; None when any read is not plainly one."""
    reads = [item for item in masked.placeholders if item.role is Role.REPLACED]
    if not reads or any(item.via is not None for item in reads):
        return None
    if all(item.role is not Role.OPAQUE for item in masked.placeholders) and "{%" not in text:
        return None  # no Jinja is to blame for what the parser says
    try:
        tokens = sqlglot.tokenize(masked.text, dialect=migration.dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        return None
    words = _Words(masked=masked, tokens=tokens, migration=migration, text=text)
    if not tokens or tokens[0].token_type not in _STARTS or not words.all_plain(reads):
        return None
    tables = NewTables.of(text, masked, migration)
    try:
        edits = [words.edit(item, tables) for item in reads]
    except Clash:
        return None
    new = apply_edits(text, [edit for edit in edits if edit is not None])
    parts = spans(new)
    left = any(item.role is Role.REPLACED for item in mask(new, parts, migration).placeholders)
    if None in edits or left or mentions(parts, migration):
        return None
    note = f"{path}: its SQL cannot be parsed with its Jinja; the mapping stands where the table was read"
    return Edited(
        framework=Framework.DBT,
        form=Form.BOUNDARY,
        text=new,
        reads=tuple(_read(item, text) for item in reads),
        notes=(note,),
    )


def only_aliases(masked: Masked, migration: CompiledMigration) -> bool:
    """Is the dataset's name only what a subquery is called, in a text that no parser reads?

    So it is in a file that already has the boundary form.
    """
    if masked.doubts or any(item.role is Role.REPLACED for item in masked.placeholders):
        return False
    told = word_pattern(told_names(migration))
    try:
        tokens = sqlglot.tokenize(masked.text, dialect=migration.dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        return False
    texts = ["", "", *(token.text for token in tokens), ""]
    for at, text in enumerate(texts):
        if not told.search(text):
            continue
        before, last = texts[at - 1], texts[at - 2]
        called = before == ")" or (before.upper() == "AS" and last == ")")
        qualifies = texts[at + 1] == "." and before not in (".", "FROM", "from", "JOIN", "join", ",")
        if not told.fullmatch(text) or not (called or qualifies):
            return False
    return True


def _read(item: Placeholder, text: str) -> Read:
    assert item.dataset is not None
    column = item.span.start - text.rfind("\n", 0, item.span.start)
    return Read(dataset=item.dataset, line=item.span.line, column=column)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    masked: Masked
    tokens: list[Token]
    migration: CompiledMigration
    text: str

    def all_plain(self, reads: list[Placeholder]) -> bool:
        """Is the dataset named by these reads alone, and is no column used that has no counterpart?"""
        told = word_pattern(told_names(self.migration))
        places = {(item.start, item.end) for item in reads}
        for hit in told.finditer(self.masked.text):
            inside = any(low <= hit.start() and hit.end() <= high for low, high in places)
            alias = self.masked.text[hit.end() : hit.end() + 1] == "."
            if not inside and not alias:
                return False
        unmapped = {name for item in reads for name in self._mapping(item).unmapped}
        if not unmapped:
            return True
        named = word_pattern(frozenset(unmapped))
        return "*" not in self.masked.text and not named.search(self.text)

    def _mapping(self, item: Placeholder) -> Mapping:
        return next(one for one in self.migration.mappings if one.dataset == item.dataset)

    def edit(self, item: Placeholder, tables: NewTables) -> Edit | None:
        """The mapping in place of one read."""
        at = next((number for number, token in enumerate(self.tokens) if token.start >= item.start), None)
        if at is None or at == 0 or self.tokens[at - 1].token_type not in _READS:
            return None
        if at > 1 and self.tokens[at - 2].text.upper() in _NOT_BEFORE:
            return None
        if not self._is_read(at - 1):
            return None
        behind = next((n for n, token in enumerate(self.tokens) if token.start >= item.end), len(self.tokens))
        alias = self._alias(behind)
        if alias is None:
            return None
        mapping = self._mapping(item)
        line = self.text.rfind("\n", 0, item.span.start) + 1
        indent = self.text[line:][: len(self.text[line:]) - len(self.text[line:].lstrip(" \t"))]
        lead = self.text[line : item.span.start].strip().upper()
        written = subquery(mapping, indent, tables.marker, one_line=lead not in ("FROM", "JOIN", "LEFT JOIN"))
        if not alias:
            written += f" as {mapping.dataset.name}"
        return Edit(item.span.start, item.span.end, tables.write(written, item))

    def _is_read(self, at: int) -> bool:
        """FROM of a SELECT, not of EXTRACT, TRIM or SUBSTRING: no bracket is open since its SELECT."""
        if self.tokens[at].token_type is TokenType.JOIN:
            return True
        depth = 0
        for token in reversed(self.tokens[:at]):
            if token.token_type is TokenType.R_PAREN:
                depth += 1
            elif token.token_type is TokenType.L_PAREN:
                depth -= 1
                if depth < 0:
                    return False
            elif token.token_type is TokenType.SELECT and depth == 0:
                return True
        return False

    def _alias(self, at: int) -> bool | None:
        """True: an alias stands at this token; False: the next clause does; None: something else."""
        following = list(self._texts(at))
        if following[0] in _BEHIND:
            return False
        name = at + 1 if following[0] == "AS" else at
        is_name = name < len(self.tokens) and self.tokens[name].token_type in _NAMES
        opaque = any(
            one.role is Role.OPAQUE and one.start <= self.tokens[name].start < one.end
            for one in self.masked.placeholders
            if is_name
        )
        after = following[2] if following[0] == "AS" else following[1]
        return True if is_name and not opaque and after in _BEHIND else None

    def _texts(self, at: int) -> Iterator[str]:
        for number in range(at, at + 3):
            yield self.tokens[number].text.upper() if number < len(self.tokens) else ""
