"""The dbt codemod: a model, test, snapshot or analysis with Jinja, rewritten through its masked text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import sqlglot
from sqlglot.errors import SqlglotError

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.rewrite.dbt.attempt import DbtFile
from greylag.rewrite.dbt.bindings import bindings
from greylag.rewrite.dbt.blocks import Block, TooManyVariants, Variant, alone, blocks, variants
from greylag.rewrite.dbt.built import write_out
from greylag.rewrite.dbt.config_hooks import with_hooks
from greylag.rewrite.dbt.context import Project, localised, project_around
from greylag.rewrite.dbt.jinja import JinjaError, Span, SpanKind, spans
from greylag.rewrite.dbt.lexical import lexical_boundary, only_aliases
from greylag.rewrite.dbt.macros import Macro
from greylag.rewrite.dbt.mask import Masked, Role, TooShort, mask
from greylag.rewrite.dbt.mentions import mentions, objections, unmapped_columns
from greylag.rewrite.dbt.names import match, told_names
from greylag.rewrite.dbt.told_by_dbt import hidden_reads
from greylag.rewrite.dbt.words import word_pattern

# Each tag is parsed, and its branches are followed: generated templates have a few hundred.
_MOST_TAGS = 5_000
_TAG = re.compile(r"\{[{%#]")
_STEM = 8  # of a placeholder in front of a table's name, with the dot


def rewrite_dbt(
    path: str,
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    siblings: Mapping[str, str] | None = None,
) -> Outcome:
    """Rewrite one dbt file: plain table names and `ref`/`source` reads of replaced datasets.

    Pure. Every branch of the file's Jinja is looked at; an edit is made only when every branch that shows its
    place wants it. `path` decides whether the file makes the replaced dataset rather than reads it;
    `siblings` are the files of its repository, which say what variables and macros of the project are.
    """
    project = project_around(path, siblings)
    migration = localised(path, migration, siblings)
    if (tags := sum(1 for _ in _TAG.finditer(text))) > _MOST_TAGS:
        message = f"{tags:,} tags of Jinja; at most {_MOST_TAGS:,} are followed"
        named = word_pattern(told_names(migration)).search(text)
        return _skipped(Reason(code="too-large", message=message)) if named else Unchanged()
    try:
        hooked = with_hooks(
            text, migration, lambda sql: rewrite_dbt(path, sql, migration, form=form, siblings=siblings)
        )
    except JinjaError as error:
        return _unreadable(error, text, migration)
    return hooked.joined(_rewrite_file(path, hooked.shown, migration, form, project))


def _rewrite_file(
    path: str, text: str, migration: CompiledMigration, form: FormChoice, project: Project | None
) -> Outcome:
    try:
        written = write_out(path, text, migration, project)
    except JinjaError as error:
        return _unreadable(error, text, migration)
    if not word_pattern(told_names(migration)).search(written.text):
        return _skipped(*written.doubts) if written.doubts else hidden_reads(path, text, migration, project)
    outcome = _rewrite(path, _roomy(written.text, migration), migration, form, project)
    if isinstance(outcome, Unchanged):
        return _skipped(*written.doubts) if written.doubts else hidden_reads(path, text, migration, project)
    if isinstance(outcome, Edited):
        if written.doubts:
            return Skipped(framework=Framework.DBT, reasons=written.doubts, reads=outcome.reads)
        return replace(outcome, notes=(*outcome.notes, *written.notes))
    if isinstance(outcome, Skipped):
        return replace(outcome, reasons=tuple(dict.fromkeys((*outcome.reasons, *written.doubts))))
    return outcome


def _unreadable(error: JinjaError, text: str, migration: CompiledMigration) -> Outcome:
    if not word_pattern(told_names(migration)).search(text):
        return Unchanged()
    return _skipped(Reason(code="jinja-unreadable", message=str(error), line=error.line))


def _roomy(text: str, migration: CompiledMigration) -> str:
    """The text with `{{ users }}` of variables that hold a replaced dataset wide enough to be masked."""
    try:
        found = spans(text)
        bound = bindings(text, found, blocks(found))
    except JinjaError:
        return text
    edits: list[Edit] = []
    for span in found:
        held = bound.get(span.code) if span.kind is SpanKind.EXPRESSION else None
        dataset = match(held.call, migration).dataset if held is not None else None
        if dataset is not None:
            missing = len(dataset.name) + _STEM - (span.end - span.start)
            edits.append(Edit(span.end - 2, span.end - 2, " " * max(0, missing)))
    return apply_edits(text, edits)


def _rewrite(
    path: str, text: str, migration: CompiledMigration, form: FormChoice, project: Project | None
) -> Outcome:
    """With the arguments of macros laid open; where that does not do, with macros as unknown words."""
    laid_open = _planned(path, text, migration, form, project, project.macros if project is not None else {})
    if not isinstance(laid_open, Skipped):
        return laid_open
    closed = _planned(path, text, migration, form, project, None)
    if isinstance(closed, Edited):
        return closed
    if not _unread(laid_open):
        return laid_open
    return _without_a_parser(path, text, migration, form) or laid_open


def _unread(outcome: Skipped) -> bool:
    """Was the file left alone only because its SQL could not be read as a whole?"""
    return {reason.code for reason in outcome.reasons} <= {"unparsable", "too-many-branches"}


def _without_a_parser(
    path: str, text: str, migration: CompiledMigration, form: FormChoice
) -> Edited | Unchanged | None:
    """Token by token, where Jinja leaves no SQL that can be parsed; None when that does not do."""
    try:
        found = spans(text)
        masked = mask(text, found, migration)
    except (JinjaError, TooShort):
        return None
    if objections(path, masked, found, migration) or unmapped_columns(found, migration):
        return None
    if only_aliases(masked, migration):
        return Unchanged()
    return lexical_boundary(path, text, masked, migration) if form is not FormChoice.INLINE else None


def _planned(
    path: str,
    text: str,
    migration: CompiledMigration,
    form: FormChoice,
    project: Project | None,
    macros: Mapping[str, Macro] | None,
) -> Outcome:
    try:
        found = spans(text)
        tree = blocks(found)
        masked = mask(text, found, migration, bindings(text, found, tree), macros)
        ways = (*variants(tree, found), *_bodies(tree, found, masked, migration))
    except (JinjaError, TooShort) as error:
        return _skipped(Reason(code="jinja-unreadable", message=str(error), line=error.line))
    except TooManyVariants:
        return _skipped(
            Reason(code="too-many-branches", message="its Jinja branches combine in too many ways")
        )
    if not _concerned(masked, found, migration):
        return Unchanged()
    if reasons := (*objections(path, masked, found, migration), *_elsewhere(masked, migration, project)):
        return _skipped(*reasons)
    if unmapped := unmapped_columns(found, migration):
        return _skipped(*unmapped.values(), questions=tuple(unmapped))
    file = DbtFile(
        path=path,
        text=text,
        spans=found,
        tree=tree,
        ways=ways,
        masked=masked,
        migration=migration,
        project=project,
    )
    outcome = file.attempt(form)
    if form is FormChoice.AUTO and isinstance(outcome, Skipped):
        # What Jinja hides may be a column: then no column is touched.
        return file.attempt(FormChoice.BOUNDARY)
    return outcome


def _bodies(
    tree: tuple[Block, ...], found: tuple[Span, ...], masked: Masked, migration: CompiledMigration
) -> Iterator[Variant]:
    """The bodies that may read a replaced dataset."""
    told = word_pattern(told_names(migration))
    for way in alone(tree, found, masked.text):
        if way.body is not None and told.search(masked.text, *way.body):
            yield way


def _elsewhere(masked: Masked, migration: CompiledMigration, project: Project | None) -> Iterator[Reason]:
    """Reads of a source that has the dataset's name, and is declared as another table in this project."""
    tables = {mapping.dataset: mapping.names.tables for mapping in migration.mappings}
    for item in masked.placeholders:
        if item.dataset is None or item.call is None or item.call.kind != "source" or project is None:
            continue
        same = [one for one in project.sources(migration) if (one.source, one.name) == item.call.args]
        known = tables[item.dataset]
        if same and all(one.is_other(ref, migration.dialect) for one in same for ref in known):
            called = ".".join(part or "?" for part in same[0].parts)
            message = f"{item.span.code} is declared as {called} in {same[0].path}, not as {item.dataset}"
            yield Reason(code="dbt-name-unsure", message=message, line=item.span.line)


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
