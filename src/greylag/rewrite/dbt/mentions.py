"""What Jinja says of a replaced dataset beside plain `{{ ref(...) }}` reads: why a file is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from greylag.domain.outcome import Reason
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.jinja import Span, SpanKind
from greylag.rewrite.dbt.mask import Masked, Role
from greylag.rewrite.dbt.names import call, calls, match, texts_outside_calls, told_names
from greylag.rewrite.dbt.trees import tree_of
from greylag.rewrite.dbt.words import word_pattern

_CONFIG = re.compile(r"config\s*\(")


def mentions(
    spans: tuple[Span, ...], migration: CompiledMigration, understood: frozenset[int] = frozenset()
) -> tuple[Reason, ...]:
    """Replaced datasets that are handed to macros, kept in variables, or named in texts inside Jinja.

    `understood` are the starts of statements that need not be told of.
    """
    words = word_pattern(told_names(migration))
    found: list[Reason] = []
    for span in spans:
        if span.kind in (SpanKind.EXPRESSION, SpanKind.STATEMENT) and span.start not in understood:
            found.extend(_in_span(span, migration, words))
    return tuple(found)


def _in_span(span: Span, migration: CompiledMigration, words: re.Pattern[str]) -> Iterator[Reason]:
    tree = tree_of(span)
    if tree is None:
        if words.search(span.code):
            yield _reason("jinja-names-dataset", "Jinja that cannot be read names a replaced dataset", span)
        return
    if span.kind is SpanKind.EXPRESSION and call(tree) is not None:
        return
    for inner in calls(tree):
        verdict = match(inner, migration)
        if verdict.dataset is not None:
            message = f"{verdict.dataset} is handed to Jinja code, which may read any of its columns"
            yield _reason("ref-in-jinja", message, span)
        elif verdict.doubt is not None:
            yield _reason("dbt-name-unsure", f"{span.code} {verdict.doubt}", span)
    hooks_only = bool(_CONFIG.match(span.code))
    for text in texts_outside_calls(tree):
        if words.search(text) and not (hooks_only and words.fullmatch(text)):
            yield _reason(
                "jinja-names-dataset", f"a text inside Jinja names a replaced dataset: {text!r}", span
            )


def _reason(code: str, message: str, span: Span) -> Reason:
    return Reason(code=code, message=message, line=span.line)


def around_reads(masked: Masked, spans: tuple[Span, ...], migration: CompiledMigration) -> tuple[Reason, ...]:
    """Jinja right behind a read (it may be an alias, or more), and replaced names with a templated prefix."""
    found: list[Reason] = []
    by_start = {placeholder.span.start: placeholder for placeholder in masked.placeholders}
    for at, span in enumerate(spans):
        placeholder = by_start.get(span.start)
        if placeholder is None or placeholder.role is not Role.REPLACED:
            continue
        for later in spans[at + 1 :]:
            behind = by_start.get(later.start)
            if behind is not None and behind.role is Role.OPAQUE:
                message = f"{later.code} follows a read of {placeholder.dataset} and may be part of it"
                found.append(_reason("jinja-behind-table", message, later))
            if (later.kind is SpanKind.DATA and later.code.strip()) or (
                behind is not None and behind.role is not Role.SILENT
            ):
                break
    found.extend(_templated(masked, migration))
    return tuple(found)


def objections(
    path: str, masked: Masked, spans: tuple[Span, ...], migration: CompiledMigration
) -> tuple[Reason, ...]:
    """Why a file is left alone whatever the form."""
    return (
        *masked.doubts,
        *mentions(spans, migration, masked.understood),
        *around_reads(masked, spans, migration),
        *_producer(path, migration),
    )


def _producer(path: str, migration: CompiledMigration) -> Iterator[Reason]:
    stem = PurePosixPath(path).stem
    for mapping in migration.mappings:
        if any(name.kind == "ref" and name.args[-1] == stem for name in mapping.names.dbt):
            message = f"{path}: this model makes {mapping.dataset}: a producer is retired, not rewritten"
            yield Reason(code="producer", message=message)


def unmapped_columns(spans: tuple[Span, ...], migration: CompiledMigration) -> dict[str, Reason]:
    """Columns without counterpart that Jinja names, by the key of the question that a person must answer."""
    found: dict[str, Reason] = {}
    for mapping in migration.mappings:
        for column, why in mapping.unmapped.items():
            pattern = word_pattern(frozenset({column}))
            for span in spans:
                if span.kind in (SpanKind.EXPRESSION, SpanKind.STATEMENT) and pattern.search(span.code):
                    message = f"Jinja names {column}, which has no counterpart: {why}"
                    key = f"{mapping.dataset}.{column}"
                    found.setdefault(key, _reason("unmapped-column", message, span))
    return found


def _templated(masked: Masked, migration: CompiledMigration) -> Iterator[Reason]:
    told = "|".join(re.escape(word) for word in sorted(told_names(migration)))
    for placeholder in masked.placeholders:
        if placeholder.role is not Role.OPAQUE:
            continue
        tail = re.compile(rf"\w*[`\"\]]?(?:\.[`\"\[]?\w+[`\"\]]?)*?\.[`\"\[]?(?:{told})\b", re.IGNORECASE)
        if tail.match(masked.text, placeholder.end):
            message = f"{placeholder.span.code} is part of a table name that may be a replaced dataset"
            yield _reason("templated-name", message, placeholder.span)
