"""Scala and Java files: found by what they name, edited by spans, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tree_sitter import Node

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Form, FormChoice, Fragment, Outcome, Reason, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.in_dialect import CannotTranspile, in_dialect
from greylag.rewrite.embedded import EmbeddedPlan, Program, fold_plans, rewrite_embedded
from greylag.rewrite.jvm.constants import constants_in
from greylag.rewrite.jvm.literals import Unreadable
from greylag.rewrite.jvm.model import Definition, File, Mention, Place, SqlSite, TableSite, Unknown
from greylag.rewrite.jvm.names import Naming, column_qualifier, naming
from greylag.rewrite.jvm.places import place_of, root_of
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
    file = _open(path, text, migration, siblings)
    if file is None:
        return Unchanged()
    places = _places(file)
    plans: list[EmbeddedPlan] = []
    reasons: list[Reason] = []
    for place in places:
        match place:
            case SqlSite():
                plans.append(_guarded(file, place, form))
            case TableSite():
                plans.append(_read(file, place, form))
            case Unknown():
                reasons.append(_reason(file, place.span[0], place.refusal.code, place.refusal.message))
            case Definition() | Mention():
                pass
    reasons.extend(_unseen(file))
    touched = any(plan.edits or plan.skipped for plan in plans) or bool(reasons)
    if not touched:
        reasons.extend(_dead(file, places))
    plans = [_without_doubles(plan) for plan in plans]
    reasons = list(dict.fromkeys(reasons))
    if not reasons and (fault := _broken(file, plans)) is not None:
        reasons.append(fault)
    return fold_plans(plans, text, Framework.SCALA, reasons)


def read_program(
    path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str] | None = None
) -> Program:
    """A file with its SQL taken out: what `greylag prove` compares of two versions.

    Every statement of SQL is taken out, and every read of a table by its name, whatever they name.
    """
    others = constants_in(siblings, migration)
    file = File(source=Source(path, text), migration=migration, siblings=dict(siblings or {}), others=others)
    found: dict[tuple[int, int], SqlSite | TableSite] = {}
    for node in file.source.strings():
        place = place_of(file, root_of(file.source, node))
        if isinstance(place, SqlSite | TableSite):
            found[place.span] = place
    for place in _places(file):
        if isinstance(place, SqlSite | TableSite):
            found[place.span] = place
    spans = _outermost(found)
    edits = [Edit(*span, f"\0{'|'.join(_holes(found[span]))}\0") for span in spans]
    queries = [_query(found[span]) for span in spans]
    return Program(
        skeleton=apply_edits(text, edits),
        queries=tuple(queries),
        dialects=tuple(file.spoken(found[span].dialect) for span in spans),
        lines=tuple(file.source.line(span[0]) for span in spans),
    )


def _open(
    path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str] | None
) -> File | None:
    """The file, if it has to do with the migration: by a name in it, or by a constant of a sibling."""
    others = tuple(each for each in constants_in(siblings, migration) if each.path != path)
    used = any(re.search(rf"\b{re.escape(each.name)}\b", text) for each in others)
    if not mentioned(text, migration, {}) and not used:
        return None
    near = {name: other for name, other in (siblings or {}).items() if name != path and name.endswith(_HOST)}
    return File(source=Source(path, text), migration=migration, siblings=near, others=others)


# -- finding --------------------------------------------------------------------------------------------


def _places(file: File) -> list[Place]:
    """Every place that names a replaced dataset, by its name or by a constant, in order."""
    found: dict[tuple[int, int], Place] = {}
    queue = [*_named(file), *_by_constants(file)]
    seen: set[tuple[int, int]] = set()
    while queue:
        root = root_of(file.source, queue.pop())
        span = file.source.span(root)
        if span in seen:
            continue
        seen.add(span)
        place = place_of(file, root)
        if isinstance(place, Mention) and _qualifier(file, root):
            continue
        found[place.span] = place
        if isinstance(place, Definition):
            queue.extend(_uses(file, place.name, root))
    return [found[span] for span in sorted(found)]


def _named(file: File) -> Iterable[Node]:
    """The string literals that name a replaced dataset."""
    words = "|".join(re.escape(name) for name in sorted(candidate_names(file.migration)))
    for found in re.finditer(rf"(?i){words}", file.source.text):
        node = file.source.string_at(found.start(), found.end())
        if node is not None:
            yield node
    stems = {name[:size] for name in candidate_names(file.migration) for size in range(3, len(name))}
    for found in re.finditer(r"([\w-]+)\*", file.source.text):
        if found[1].lower() in stems:
            node = file.source.string_at(found.start(), found.end())
            if node is not None:
                yield node


def _by_constants(file: File) -> Iterable[Node]:
    """The uses of what siblings define."""
    for name in {each.name for each in file.others}:
        for node in file.source.words(name):
            whole = node.parent if node.parent is not None and _is_field(node) else node
            text = file.constants.text(whole)
            if text is not None and naming(text, file.migration) in (Naming.FULL, Naming.BARE, Naming.FILES):
                yield whole


def _is_field(node: Node) -> bool:
    parent = node.parent
    return (
        parent is not None
        and parent.type in ("field_expression", "field_access")
        and parent.child_by_field_name("field") == node
    )


def _uses(file: File, name: str, value: Node) -> Iterable[Node]:
    """Where a constant of this file is used."""
    for node in file.source.words(name):
        whole = node.parent if node.parent is not None and _is_field(node) else node
        other = file.source.span(whole) != file.source.span(value)
        bound = node.parent is not None and node.parent == value.parent and _is_name(node)
        if other and not bound and file.constants.text(whole) is not None:
            yield whole


def _is_name(node: Node) -> bool:
    parent = node.parent
    return parent is not None and node in (
        parent.child_by_field_name("pattern"),
        parent.child_by_field_name("name"),
    )


def _qualifier(file: File, node: Node) -> bool:
    return column_qualifier(file.text(node) or "", file.migration) and False


# -- rewriting ------------------------------------------------------------------------------------------


def _guarded(file: File, site: SqlSite, form: FormChoice) -> EmbeddedPlan:
    """The plan for a statement; a place that cannot be rewritten counts only if it reads an old dataset."""
    sql = "".join(segment.text for segment in site.segments)
    if not mentioned(sql, file.migration, {}):
        return EmbeddedPlan()
    if site.refusal is not None:
        if (
            naming(sql, file.migration) in (Naming.NONE, Naming.PROSE)
            and site.refusal.code != "other-dialect"
        ):
            return EmbeddedPlan()
        return EmbeddedPlan(skipped=(_reason(file, site.span[0], site.refusal.code, site.refusal.message),))
    glued = _glued(sql, file.migration)
    if glued is not None:
        message = f"a part of the name {glued} is put in at run time"
        return EmbeddedPlan(skipped=(_reason(file, site.span[0], "dynamic-sql", message),))
    if site.boundary and form is FormChoice.INLINE:
        message = "a table's place takes the mapping itself"
        return EmbeddedPlan(skipped=(_reason(file, site.span[0], "not-inline", message),))
    try:
        return rewrite_embedded(
            site.segments,
            file.migration,
            host=file.source.text,
            path=file.source.path,
            form=FormChoice.BOUNDARY if site.boundary else form,
            dialect=site.dialect,
        )
    except Unreadable as why:
        return EmbeddedPlan(skipped=(_reason(file, site.span[0], "not-rewritable", str(why)),))


def _glued(sql: str, migration: CompiledMigration) -> str | None:
    """A name of a dataset that a hole is a part of."""
    for name in candidate_names(migration):
        quoted = re.escape(name)
        if found := re.search(rf"(?i)\bhole_\d+[\w`.:\-]*{quoted}\b|\b{quoted}[\w`.\-$]*hole_\d+", sql):
            return found[0]
    return None


def _read(file: File, site: TableSite, form: FormChoice) -> EmbeddedPlan:
    """The plan for a call that reads a table by its name: it runs the mapping instead."""
    try:
        spoken = in_dialect(file.migration, site.dialect) if site.dialect is not None else file.migration
    except CannotTranspile as error:
        return EmbeddedPlan(skipped=(_reason(file, site.at, "other-dialect", str(error)),))
    wanted = FormChoice.BOUNDARY if site.whole else form
    plan = plan_edits(site.sql, spoken, form=wanted, path=file.source.path)
    line = file.source.line(site.at)
    column = site.at - file.source.text.rfind("\n", 0, site.at)
    reads = tuple(_at(read, line, column) for read in plan.reads)
    if plan.skipped:
        told = tuple(_reason(file, site.at, each.code, _bare(each.message)) for each in plan.skipped)
        return EmbeddedPlan(reads=reads, skipped=told, questions=plan.questions)
    if not reads or plan.form is None:
        return EmbeddedPlan()
    if site.whole and form is FormChoice.INLINE:
        message = "a read of a whole table takes the mapping itself"
        return EmbeddedPlan(reads=reads, skipped=(_reason(file, site.at, "not-inline", message),))
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


def _at(read, line: int, column: int):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(read, line=line, column=column)


def _select(text: str) -> str:
    """The SELECT of a subquery, without its parentheses and its indentation."""
    lines = text[1:-1].strip("\n").split("\n")
    if lines and all(line.startswith("  ") or not line for line in lines):
        lines = [line[2:] for line in lines]
    return "\n".join(lines).rstrip()


def _without_doubles(plan: EmbeddedPlan) -> EmbeddedPlan:
    """A format's argument that stands for several holes is replaced once."""
    from dataclasses import replace

    return replace(plan, edits=tuple(dict.fromkeys(plan.edits)))


# -- what is left over -----------------------------------------------------------------------------------


def _reason(file: File, offset: int, code: str, message: str) -> Reason:
    line = file.source.line(offset)
    return Reason(code=code, message=f"{file.source.path}:{line}: {message}", line=line)


def _bare(message: str) -> str:
    return re.sub(r"^[^\s:]+(?::\d+)*:\s*", "", message)


def _unseen(file: File) -> list[Reason]:
    """In a file with syntax errors: whole names that stand neither in a string nor in a comment."""
    if not file.source.root.has_error:
        return []
    found: list[Reason] = []
    for name in candidate_names(file.migration):
        for match in re.finditer(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", file.source.text):
            node = file.source.at(match.start(), match.end())
            while node is not None and not node.is_error:
                node = node.parent
            if node is None or file.source.in_comment(match.start()):
                continue
            if file.source.string_at(match.start(), match.end()) is None:
                message = "the syntax around a name of the dataset is not understood"
                found.append(_reason(file, match.start(), "unparsable", message))
    return found


def _dead(file: File, places: Iterable[Place]) -> list[Reason]:
    """Constants that nobody here uses: somebody reads by them, and it is not known who."""
    found: list[Reason] = []
    for place in places:
        if isinstance(place, Definition) and naming(_value(file, place), file.migration) is not Naming.NONE:
            if any(re.search(rf"\b{re.escape(place.name)}\b", text) for text in file.siblings.values()):
                continue
            uses = sum(1 for _ in file.source.words(place.name))
            if uses < 2 and naming(_value(file, place), file.migration) in (Naming.FULL, Naming.FILES):
                message = f"{place.name} names the dataset, and who uses it is not known"
                found.append(_reason(file, place.span[0], "dynamic-sql", message))
    return found


def _value(file: File, place: Definition) -> str:
    return file.source.text[place.span[0] : place.span[1]]


def _broken(file: File, plans: Iterable[EmbeddedPlan]) -> Reason | None:
    """The net under it all: what was written has no syntax error that was not there before."""
    edits = [edit for plan in plans for edit in plan.edits]
    if not edits or any(plan.skipped for plan in plans):
        return None
    first = min(edits).start
    try:
        new = Source(file.source.path, apply_edits(file.source.text, edits))
    except ValueError as error:
        return _reason(file, first, "not-rewritable", f"the edits do not fit together: {error}")
    if new.root.has_error and not file.source.root.has_error:
        return _reason(file, first, "not-rewritable", "the rewrite would not parse")
    return None


# -- two versions of a file ------------------------------------------------------------------------------


def _outermost(found: Mapping[tuple[int, int], SqlSite | TableSite]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for span in sorted(found, key=lambda each: (each[0], -each[1])):
        if not spans or span[0] >= spans[-1][1]:
            spans.append(span)
    return spans


def _query(place: SqlSite | TableSite) -> str:
    if isinstance(place, TableSite):
        return place.sql
    return "".join(segment.text for segment in place.segments)


def _holes(place: SqlSite | TableSite) -> tuple[str, ...]:
    return place.holes if isinstance(place, SqlSite) else ()
