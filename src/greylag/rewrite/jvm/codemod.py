"""Scala and Java files: found by what they name, edited by spans, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import sqlglot
from sqlglot.errors import SqlglotError

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Form, FormChoice, Fragment, Outcome, Reason, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.in_dialect import CannotTranspile, in_dialect
from greylag.rewrite.embedded import EmbeddedPlan, fold_plans, rewrite_embedded
from greylag.rewrite.jvm.finding import opened, places
from greylag.rewrite.jvm.leftovers import hidden_by_views, reason, unseen, unused
from greylag.rewrite.jvm.literals import Unreadable
from greylag.rewrite.jvm.model import Definition, File, Mention, SqlSite, TableSite, Unknown
from greylag.rewrite.jvm.names import Naming, has_word, naming
from greylag.rewrite.jvm.program import HUGE, read_program
from greylag.rewrite.jvm.syntax import Source
from greylag.rewrite.mentions import candidate_names, mentioned
from greylag.rewrite.sql.boundary import subquery
from greylag.rewrite.sql.plan import plan_edits

_HOST = (".scala", ".java", ".sc")


def rewrite_jvm(
    path: str,
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    siblings: Mapping[str, str] | None = None,
) -> Outcome:
    """Rewrite one Scala or Java file. `siblings` are the other files of its repository, path to text:
    their constants are followed, and what they do with a class that this file makes is looked at."""
    file = opened(path, text, migration, siblings)
    if file is None:
        return Unchanged()
    found = places(file)
    plans: list[EmbeddedPlan] = []
    reasons: list[Reason] = []
    for place in found:
        match place:
            case SqlSite():
                plans.append(_guarded(file, place, form))
            case TableSite():
                plans.append(_read(file, place, form))
            case Unknown():
                reasons.append(reason(file, place.span[0], place.refusal.code, place.refusal.message))
            case Definition() | Mention():
                pass
    reasons.extend(unseen(file))
    reasons.extend(hidden_by_views(file, [read for plan in plans for read in plan.reads]))
    touched = any(plan.edits or plan.skipped for plan in plans) or bool(reasons)
    if not touched:
        reasons.extend(unused(file, found))
    plans = [_without_doubles(plan) for plan in plans]
    reasons = list(dict.fromkeys(reasons))
    if not reasons and (fault := _broken(file, plans)) is not None:
        reasons.append(fault)
    return fold_plans(plans, text, Framework.SCALA, reasons)


# -- rewriting ------------------------------------------------------------------------------------------


def _guarded(file: File, site: SqlSite, form: FormChoice) -> EmbeddedPlan:
    """The plan for a statement; a place that cannot be rewritten counts only if it reads an old dataset."""
    sql = "".join(segment.text for segment in site.segments)
    if not mentioned(sql, file.migration, {}) or not has_word(sql, file.migration):
        return EmbeddedPlan()
    if site.refusal is not None:
        if (
            naming(sql, file.migration) in (Naming.NONE, Naming.PROSE)
            and site.refusal.code != "other-dialect"
        ):
            return EmbeddedPlan()
        return EmbeddedPlan(skipped=(reason(file, site.span[0], site.refusal.code, site.refusal.message),))
    glued = _glued(sql, file.migration)
    if glued is not None:
        message = f"a part of the name {glued} is put in at run time"
        return EmbeddedPlan(skipped=(reason(file, site.span[0], "dynamic-sql", message),))
    if site.boundary and form is FormChoice.INLINE:
        message = "a table's place takes the mapping itself"
        return EmbeddedPlan(skipped=(reason(file, site.span[0], "not-inline", message),))
    if site.open and form is FormChoice.INLINE:
        message = "more text may be put behind this query where it is used"
        return EmbeddedPlan(skipped=(reason(file, site.span[0], "not-inline", message),))
    try:
        plan = rewrite_embedded(
            site.segments,
            file.migration,
            host=file.source.text,
            path=file.source.path,
            form=FormChoice.BOUNDARY if site.boundary or site.open else form,
            dialect=site.dialect,
        )
    except Unreadable as why:
        return EmbeddedPlan(skipped=(reason(file, site.span[0], "not-rewritable", str(why)),))
    if not site.open or form is not FormChoice.AUTO or not plan.edits:
        return plan
    where = f"{file.source.path}:{file.source.line(site.span[0])}"
    note = f"{where}: boundary form: more text may be put behind this query where it is used"
    return replace(plan, notes=(*plan.notes, note))


def _glued(sql: str, migration: CompiledMigration) -> str | None:
    """A name of a dataset that a hole is a part of."""
    for name in candidate_names(migration):
        quoted = re.escape(name)
        if found := re.search(
            rf"(?i)\bhole_\d+[\w`.:\-]*{quoted}\b|\b{quoted}[\w`.\-$]*(?:hole_\d+|\$LATEST)", sql
        ):
            return found[0]
    return None


def _read(file: File, site: TableSite, form: FormChoice) -> EmbeddedPlan:
    """The plan for a call that reads a table by its name: it runs the mapping instead."""
    try:
        spoken = in_dialect(file.migration, site.dialect) if site.dialect is not None else file.migration
    except CannotTranspile as error:
        return EmbeddedPlan(skipped=(reason(file, site.at, "other-dialect", str(error)),))
    wanted = FormChoice.BOUNDARY if site.whole else form
    plan = plan_edits(site.sql, spoken, form=wanted, path=file.source.path)
    line = file.source.line(site.at)
    column = site.at - file.source.text.rfind("\n", 0, site.at)
    reads = tuple(replace(read, line=line, column=column) for read in plan.reads)
    if plan.skipped:
        told = tuple(reason(file, site.at, each.code, _bare(each.message)) for each in plan.skipped)
        return EmbeddedPlan(reads=reads, skipped=told, questions=plan.questions)
    if not reads or plan.form is None:
        return EmbeddedPlan()
    if site.whole and form is FormChoice.INLINE:
        message = "a read of a whole table takes the mapping itself"
        return EmbeddedPlan(reads=reads, skipped=(reason(file, site.at, "not-inline", message),))
    mapping = next(each for each in spoken.mappings if each.dataset == reads[0].dataset)
    new = (
        _select(subquery(mapping, "", None, one_line=False))
        if site.whole
        else apply_edits(site.sql, plan.edits)
    )
    assert site.write is not None
    notes = [f"{file.source.path}:{line}: {site.note}"] if site.note is not None else []
    return EmbeddedPlan(
        edits=(Edit(*site.span, site.write(new)),),
        form=plan.form if not site.whole else Form.BOUNDARY,
        reads=reads,
        notes=tuple(notes),
        fragment=Fragment(old=site.sql, new=new, line=line, dialect=spoken.dialect),
    )


def _select(text: str) -> str:
    """The SELECT of a subquery, without its parentheses and its indentation."""
    lines = text[1:-1].strip("\n").split("\n")
    if lines and all(line.startswith("  ") or not line for line in lines):
        lines = [line[2:] for line in lines]
    return "\n".join(lines).rstrip()


def _without_doubles(plan: EmbeddedPlan) -> EmbeddedPlan:
    """A format's argument that stands for several holes is replaced once."""
    return replace(plan, edits=tuple(dict.fromkeys(plan.edits)))


def _bare(message: str) -> str:
    return re.sub(r"^[^\s:]+(?::\d+)*:\s*", "", message)


def _broken(file: File, plans: Iterable[EmbeddedPlan]) -> Reason | None:
    """The net under it all: what was written has no syntax error that was not there before."""
    edits = [edit for plan in plans for edit in plan.edits]
    if not edits or any(plan.skipped for plan in plans):
        return None
    first = min(edits).start
    try:
        new = Source(file.source.path, apply_edits(file.source.text, edits))
    except ValueError as error:
        return reason(file, first, "not-rewritable", f"the edits do not fit together: {error}")
    if new.root.has_error and not file.source.root.has_error:
        return reason(file, first, "not-rewritable", "the rewrite would not parse")
    return _said_otherwise(file, new, [plan.fragment for plan in plans if plan.fragment is not None])


def _said_otherwise(file: File, new: Source, fragments: Iterable[Fragment]) -> Reason | None:
    """Does the new text, read again, hold the very SQL that was meant (and that is proven)?"""
    if len(new.text) > HUGE:
        return None
    program = read_program(new.path, new.text, file.migration, {**file.siblings, new.path: new.text})
    held = {_words(query, dialect) for query, dialect in zip(program.queries, program.dialects, strict=True)}
    for fragment in fragments:
        if _words(fragment.new, fragment.dialect) not in held:
            message = "the rewrite would not be read as it is meant"
            line = fragment.line
            return Reason(code="not-rewritable", message=f"{new.path}:{line}: {message}", line=line)
    return None


def _words(sql: str, dialect: str) -> tuple[str, ...]:
    """The tokens of a query, and nothing of its layout."""
    try:
        return tuple(token.text for token in sqlglot.tokenize(sql, dialect=dialect))
    except SqlglotError:
        return (sql,)
