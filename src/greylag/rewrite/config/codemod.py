"""The configuration codemod: SQL in configuration files, and names of datasets by what their keys mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.config.datasets import Named, distinctive, names_in
from greylag.rewrite.config.lookml import default_tables, is_expression, is_lookml
from greylag.rewrite.config.scalars import Scalar, Unreadable, segments_of
from greylag.rewrite.config.tools import boundary_place
from greylag.rewrite.config.tree import SUFFIXES, Broken, Document, Entry, TooDeep, read_document
from greylag.rewrite.embedded import (
    EmbeddedPlan,
    Program,
    Segment,
    fold_plans,
    read_site_sql,
    rewrite_embedded,
)
from greylag.rewrite.mentions import candidate_names

_SQL = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:select|with|insert|merge|update|delete|create|from|declare)\b",
    re.IGNORECASE | re.DOTALL,
)
# What stands before an expression so that it can be read; there no name is given to it.
_EXPRESSION = "SELECT 1 FROM looker_table WHERE "
# `${view.field}`: names of LookML and of templates, not of datasets.
_LOOKER_NAME = re.compile(r"\$\{[^{}]*\}")
# Keys whose values are read by people.
_PROSE = re.compile(
    r"(?:^|_)(?:desc|description|doc|docs|documentation|comment|comments|title|label|labels|summary|notes?|help|"
    r"message|tooltip|tags?|owner|url|link|href|markdown|text_description|caption)$",
    re.IGNORECASE,
)


def is_config_file(path: str) -> bool:
    """Does the codemod know this kind of file?"""
    return any(path.lower().endswith(suffix) for suffix in SUFFIXES)


def rewrite_config(
    path: str, text: str, migration: CompiledMigration, *, form: FormChoice = FormChoice.AUTO
) -> Outcome:
    """Rewrite one configuration file: the SQL in it, and places that take a query for a table.

    A plain name of a dataset is only changed where whoever reads it would see the same columns with the same
    values; else the file is left alone, with what would change.
    """
    word = _word(candidate_names(migration))
    if not word.search(text):
        return Unchanged()
    try:
        document = read_document(path, text)
    except TooDeep as error:
        return _left(path, text, word, "too-deep", str(error))
    except (Broken, Unreadable) as error:
        return _left(path, text, word, "unparsable", str(error))
    try:
        plans, reasons = _plans(path, text, document, migration, word, form)
        outcome = fold_plans(plans, text, Framework.CONFIG, reasons)
    except Unreadable as error:
        return _left(path, text, word, "not-rewritable", str(error))
    if isinstance(outcome, Edited) and (fault := _broken(path, outcome)) is not None:
        return Skipped(framework=Framework.CONFIG, reasons=(fault,), reads=outcome.reads)
    return outcome


def read_program(path: str, text: str, migration: CompiledMigration) -> Program | None:
    """The SQL of a configuration file, and the rest of it; None where it cannot be read."""
    try:
        document = read_document(path, text)
    except (Broken, Unreadable):
        return None
    skeleton: list[str] = []
    queries: list[str] = []
    lines: list[int] = []
    position = 0
    for entry in document.entries:
        scalar = entry.scalar
        if not _SQL.match(scalar.text):
            continue
        skeleton += [text[position : scalar.start], "\0"]
        position = scalar.end
        queries.append("".join(segment.text for segment in segments_of(scalar)))
        lines.append(text.count("\n", 0, scalar.start) + 1)
    skeleton.append(text[position:])
    return Program(
        skeleton="".join(skeleton),
        queries=tuple(queries),
        dialects=(migration.dialect,) * len(queries),
        lines=tuple(lines),
    )


def _word(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(names)))})(?![\w-])", re.IGNORECASE)


def _left(path: str, text: str, word: re.Pattern[str], code: str, why: str) -> Skipped:
    found = word.search(text)
    line = text.count("\n", 0, found.start()) + 1 if found is not None else 0
    reason = Reason(code=code, message=f"{path}:{line}: {why}", line=line)
    return Skipped(framework=Framework.CONFIG, reasons=(reason,))


def _plans(
    path: str,
    text: str,
    document: Document,
    migration: CompiledMigration,
    word: re.Pattern[str],
    form: FormChoice,
) -> tuple[list[EmbeddedPlan], list[Reason]]:
    plans: list[EmbeddedPlan] = []
    reasons: list[Reason] = []
    told = list(document.comments)
    for entry in document.entries:
        scalar = entry.scalar
        told.append((scalar.start, scalar.end))
        said = _LOOKER_NAME.sub("", scalar.text)
        if not word.search(said) or (entry.path and _PROSE.search(entry.path[-1])):
            continue
        if _SQL.match(scalar.text):
            plans.append(_query(path, text, scalar, migration, form))
            continue
        if is_expression(path, entry):
            plans.append(_expression(path, text, scalar, migration, form))
            continue
        for named in names_in(entry, document.entries, migration):
            plan, reason = _named(path, text, entry, named, document, migration, form)
            plans += [plan] if plan is not None else []
            reasons += [reason] if reason is not None else []
    reasons += default_tables(path, text, word) if is_lookml(path) else _elsewhere(path, text, word, told)
    return plans, reasons


def _query(
    path: str, text: str, scalar: Scalar, migration: CompiledMigration, form: FormChoice
) -> EmbeddedPlan:
    return rewrite_embedded(tuple(segments_of(scalar)), migration, host=text, path=path, form=form)


def _expression(
    path: str, text: str, scalar: Scalar, migration: CompiledMigration, form: FormChoice
) -> EmbeddedPlan:
    """SQL that is no query of its own."""
    start = scalar.offsets[0]
    offsets = (start,) * (len(_EXPRESSION) + 1)
    opening = Segment(text=_EXPRESSION, start=start, end=start, offsets=offsets, encode=scalar.encode)
    segments = (opening, *segments_of(scalar))
    return rewrite_embedded(segments, migration, host=text, path=path, form=form)


def _named(
    path: str,
    text: str,
    entry: Entry,
    named: Named,
    document: Document,
    migration: CompiledMigration,
    form: FormChoice,
) -> tuple[EmbeddedPlan | None, Reason | None]:
    """What is to be done about a dataset's name in a string that is no SQL."""
    line = text.count("\n", 0, named.start) + 1
    column = named.start - (text.rfind("\n", 0, named.start) + 1) + 1
    place = boundary_place(path, text, entry, named, document)
    if place is not None and place.is_label:
        return None, None
    if not named.certain:
        message = f"{path}:{line}: names {named.text}, which may be {named.mapping.dataset}"
        return None, Reason(code="maybe-old", message=message, line=line)
    if place is not None and form is not FormChoice.INLINE and not named.mapping.unmapped:
        return place.plan(named, migration.dialect, line, column), None
    plan, why = named.moved(migration, line, column)
    if plan is not None:
        return plan, None
    keys = ".".join(key for key in entry.path if not key.startswith("#"))
    at = f" at {keys}" if keys else ""
    message = f"{path}:{line}: names {named.mapping.dataset}{at}: {why}"
    return None, Reason(code="named-in-config", message=message, line=line)


def _elsewhere(path: str, text: str, word: re.Pattern[str], told: list[tuple[int, int]]) -> Iterator[Reason]:
    """Names that stand in no string and no comment: keys, blocks, identifiers."""
    covered = sorted(told)
    position = 0
    for found in word.finditer(text):
        while position < len(covered) and covered[position][1] <= found.start():
            position += 1
        if position < len(covered) and covered[position][0] <= found.start():
            continue
        if not distinctive(found[0]):
            continue
        line = text.count("\n", 0, found.start()) + 1
        message = f"{path}:{line}: {found[0]} names a key or a block, which may stand for the dataset"
        yield Reason(code="named-in-config", message=message, line=line)


def _broken(path: str, outcome: Edited) -> Reason | None:
    """The net under it all: what was written says what it should."""
    try:
        document = read_document(path, outcome.text)
    except (Broken, Unreadable) as error:
        return Reason(code="not-rewritable", message=f"{path}: the rewrite would not parse: {error}")
    texts = {_plain("".join(one.text for one in segments_of(entry.scalar))) for entry in document.entries}
    for fragment in outcome.fragments:
        new = _plain(fragment.new.removeprefix(_EXPRESSION))
        if new.startswith(read_site_sql("")):
            continue  # a name, which is written as the old one was
        if new not in texts and not any(new in text for text in texts):
            message = f"{path}:{fragment.line}: the rewrite would not say what it should"
            return Reason(code="not-rewritable", message=message, line=fragment.line)
    return None


def _plain(sql: str) -> str:
    """SQL without what differs between layouts, and between the ways in which a hole is written."""
    return re.sub(r"\s+", " ", re.sub(r"[:$]?(?:/\*)?(hole_\d+)(?:\*/)?", r"\1", sql)).strip().rstrip(";")
