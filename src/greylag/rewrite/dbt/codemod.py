"""The dbt codemod: a model, test, snapshot or analysis with Jinja, rewritten through its masked text."""

from __future__ import annotations

import sqlglot
from sqlglot.errors import SqlglotError

from greylag.domain.consumer import Framework
from greylag.domain.outcome import FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.rewrite.dbt.attempt import DbtFile
from greylag.rewrite.dbt.blocks import TooManyVariants, blocks, variants
from greylag.rewrite.dbt.jinja import JinjaError, Span, spans
from greylag.rewrite.dbt.mask import Masked, Role, TooShort, mask
from greylag.rewrite.dbt.mentions import mentions, objections, unmapped_columns, word_pattern
from greylag.rewrite.dbt.names import told_names


def rewrite_dbt(
    path: str, text: str, migration: CompiledMigration, *, form: FormChoice = FormChoice.AUTO
) -> Outcome:
    """Rewrite one dbt file: plain table names and `ref`/`source` reads of replaced datasets.

    Pure. Every branch of the file's Jinja is looked at; an edit is made only when every branch that shows its
    place wants it. `path` decides whether the file makes the replaced dataset rather than reads it.
    """
    if not word_pattern(told_names(migration)).search(text):
        return Unchanged()
    try:
        found = spans(text)
        tree = blocks(found)
        ways = variants(tree, found)
        masked = mask(text, found, migration)
    except (JinjaError, TooShort) as error:
        return _skipped(Reason(code="jinja-unreadable", message=str(error), line=error.line))
    except TooManyVariants:
        return _skipped(
            Reason(code="too-many-branches", message="its Jinja branches combine in too many ways")
        )
    if not _concerned(masked, found, migration):
        return Unchanged()
    if reasons := objections(path, masked, found, migration):
        return _skipped(*reasons)
    if unmapped := unmapped_columns(found, migration):
        return _skipped(*unmapped.values(), questions=tuple(unmapped))
    file = DbtFile(
        path=path, text=text, spans=found, tree=tree, ways=ways, masked=masked, migration=migration
    )
    outcome = file.attempt(form)
    if form is FormChoice.AUTO and isinstance(outcome, Skipped):
        # What Jinja hides may be a column: then no column is touched.
        return file.attempt(FormChoice.BOUNDARY)
    return outcome


def _skipped(*reasons: Reason, questions: tuple[str, ...] = ()) -> Skipped:
    return Skipped(framework=Framework.DBT, reasons=tuple(dict.fromkeys(reasons)), questions=questions)


def _concerned(masked: Masked, found: tuple[Span, ...], migration: CompiledMigration) -> bool:
    """False when nothing that is rendered, and nothing that Jinja says, names a replaced dataset."""
    if masked.doubts or any(item.role is Role.REPLACED for item in masked.placeholders):
        return True
    if mentions(found, migration):
        return True
    told = word_pattern(told_names(migration))
    try:
        tokens = sqlglot.tokenize(masked.text, dialect=migration.dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        return bool(told.search(masked.text))
    return any(told.search(masked.text[token.start : token.end + 1]) for token in tokens)
