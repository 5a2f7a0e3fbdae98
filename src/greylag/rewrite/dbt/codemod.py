"""The dbt codemod: a model, test, snapshot or analysis with Jinja, rewritten through its masked text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.consumer import Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Edited, Form, FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration, DbtName
from greylag.rewrite.dbt.blocks import Block, TooManyVariants, Variant, blocks, variants
from greylag.rewrite.dbt.exposure import Exposure, comments_hold, variant_text
from greylag.rewrite.dbt.jinja import JinjaError, Span, SpanKind, line_of, spans
from greylag.rewrite.dbt.mask import Masked, Placeholder, Role, TooShort, mask
from greylag.rewrite.dbt.mentions import around_reads, mentions, word_pattern
from greylag.rewrite.dbt.merge import Clash, agree, snap, unmask
from greylag.rewrite.dbt.names import dbt_name, told_names, write_call
from greylag.rewrite.sql import plan_edits


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
    file = _File(path=path, text=text, spans=found, tree=tree, ways=ways, masked=masked, migration=migration)
    reasons = file.objections()
    return _skipped(*reasons) if reasons else _first_form(file, form)


def _skipped(*reasons: Reason) -> Skipped:
    return Skipped(framework=Framework.DBT, reasons=tuple(dict.fromkeys(reasons)))


def _concerned(masked: Masked, found: tuple[Span, ...], migration: CompiledMigration) -> bool:
    """False when nothing that is rendered, and nothing that Jinja says, names a replaced dataset."""
    if masked.doubts or any(item.role is Role.REPLACED for item in masked.placeholders):
        return True
    if mentions(found, migration):
        return True
    told = word_pattern(told_names(migration))
    try:
        tokens = sqlglot.tokenize(masked.text, dialect=migration.dialect)
    except SqlglotError:
        return bool(told.search(masked.text))
    return any(told.search(masked.text[token.start : token.end + 1]) for token in tokens)


def _first_form(file: _File, choice: FormChoice) -> Outcome:
    match choice:
        case FormChoice.INLINE:
            forms: tuple[Form, ...] = (Form.INLINE,)
        case FormChoice.BOUNDARY:
            forms = (Form.BOUNDARY,)
        case FormChoice.AUTO:
            forms = (Form.INLINE, Form.BOUNDARY)
    outcome: Outcome = Unchanged()
    for form in forms:
        outcome = file.attempt(form)
        if not isinstance(outcome, Skipped):
            return outcome
    return outcome


@dataclass(slots=True, kw_only=True)
class _Plans:
    """What the variants of a file want."""

    edits: list[tuple[Variant, frozenset[Edit]]] = field(default_factory=list)
    reads: dict[tuple[DatasetRef, int, int], Read] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    reasons: dict[Reason, None] = field(default_factory=dict)
    questions: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: str
    text: str
    spans: tuple[Span, ...]
    tree: tuple[Block, ...]
    ways: tuple[Variant, ...]
    masked: Masked
    migration: CompiledMigration

    def objections(self) -> tuple[Reason, ...]:
        """Why the file is left alone whatever the form."""
        found = [*self.masked.doubts, *mentions(self.spans, self.migration)]
        found += around_reads(self.masked, self.spans, self.migration)
        found += self._producer()
        return tuple(found)

    def _producer(self) -> Iterator[Reason]:
        stem = PurePosixPath(self.path).stem
        for mapping in self.migration.mappings:
            if any(name.kind == "ref" and name.args[-1] == stem for name in mapping.names.dbt):
                message = f"this model makes {mapping.dataset}: a producer is retired, not rewritten"
                yield Reason(code="producer", message=message)

    def attempt(self, form: Form) -> Outcome:
        """Rewrite in one form."""
        plans = self._plans(form)
        if plans.reasons:
            return Skipped(
                framework=Framework.DBT,
                reasons=tuple(plans.reasons),
                reads=tuple(plans.reads.values()),
                questions=tuple(plans.questions),
            )
        try:
            edits = [*agree(self.text, plans.edits, self.tree), *self._comment_reads()]
            carried = unmask(self.text, edits, self.spans, self.masked, self._tables)
        except Clash as clash:
            return _skipped(clash.reason)
        new = apply_edits(self.text, carried)
        left = self._left_over(new, plans.edits, form)
        if left:
            return _skipped(*left)
        if not carried:
            return Unchanged()
        return Edited(
            framework=Framework.DBT,
            form=form,
            text=new,
            reads=tuple(plans.reads.values()),
            notes=tuple(plans.notes),
        )

    def _plans(self, form: Form) -> _Plans:
        plans = _Plans()
        exposure = Exposure.of(self.masked, self.spans, self.migration)
        for variant in self.ways:
            text, statements = variant_text(self.masked, variant, self.migration.dialect)
            if statements is None:
                if not variant.optional:
                    plans.reasons[self._unparsable(text, variant)] = None
                continue
            if form is Form.INLINE:
                plans.reasons.update(dict.fromkeys(exposure.reasons(text, statements, variant)))
            self._plan(text, variant, form, plans)
        return plans

    def _plan(self, text: str, variant: Variant, form: Form, plans: _Plans) -> None:
        plan = plan_edits(
            text,
            self._renamed(),
            form=FormChoice(form.value),
            path=self.path,
            table_text=self._table_text,
            keep_alias=True,
        )
        plans.reasons.update(dict.fromkeys(plan.skipped))
        plans.questions.update(dict.fromkeys(plan.questions))
        plans.notes.update(dict.fromkeys(plan.notes))
        for read in plan.reads:
            key = (read.dataset, read.line, read.column)
            before = plans.reads.get(key, read)
            columns = tuple(dict.fromkeys((*before.columns, *read.columns)))
            plans.reads[key] = dataclasses.replace(read, columns=columns)
        snapped = frozenset(snap(edit, self.masked.placeholders) for edit in plan.edits)
        plans.edits.append((variant, snapped))

    def _unparsable(self, text: str, variant: Variant) -> Reason:
        line, where = 0, ""
        try:
            sqlglot.parse(text, dialect=self.migration.dialect)
        except SqlglotError as error:
            details = getattr(error, "errors", None) or [{}]
            line, where = int(details[0].get("line") or 0), str(details[0].get("description") or "")
        hidden = "" if not variant.hidden else " in one branch of its Jinja"
        message = f"cannot be read as {self.migration.dialect}{hidden}: {where or 'not understood'}"
        return Reason(code="unparsable", message=message, line=line)

    # -- names -------------------------------------------------------------------------------------------

    def _renamed(self) -> CompiledMigration:
        """The migration, with the placeholders of replaced reads as further names of their datasets."""
        extra: dict[DatasetRef, list[DatasetRef]] = {}
        for item in self.masked.placeholders:
            if item.dataset is not None and item.table is not None:
                extra.setdefault(item.dataset, []).append(item.table)
        mappings = tuple(
            dataclasses.replace(
                mapping,
                names=dataclasses.replace(
                    mapping.names,
                    tables=(*mapping.names.tables, *dict.fromkeys(extra.get(mapping.dataset, []))),
                ),
            )
            for mapping in self.migration.mappings
        )
        return dataclasses.replace(self.migration, mappings=mappings)

    def _markers(self) -> Iterator[tuple[DatasetRef, str]]:
        """New datasets that dbt has a name for, each with an identifier that stands nowhere in the file."""
        if not any(item.role is Role.REPLACED for item in self.masked.placeholders):
            return
        stem = "_gnew"
        while stem in self.text.lower():
            stem += "w"
        for number, (dataset, names) in enumerate(self.migration.new_names.items()):
            if names.dbt:
                yield dataset, f"{stem}_{number}_"

    def _table_text(self, dataset: DatasetRef) -> str | None:
        return dict(self._markers()).get(dataset)

    def _tables(self, text: str, replaced: Placeholder | None) -> str:
        """Write the new tables of an edit as dbt calls, in the manner of the read that they replace."""
        like = replaced or next(
            (item for item in self.masked.placeholders if item.role is Role.REPLACED), None
        )
        for dataset, marker in self._markers():
            if marker not in text or like is None:
                continue
            name = dbt_name(self.migration.new_names.get(dataset), like.call.kind if like.call else None)
            if name is not None:
                self._check_qualifiers(dataset, name, like)
                jinja = self.text[like.span.start : like.span.end]
                controls = replaced is not None and text.startswith(marker)
                text = text.replace(marker, write_call(name, jinja, controls=controls))
        return text

    def _check_qualifiers(self, dataset: DatasetRef, name: DbtName, like: Placeholder) -> None:
        """A mapping may qualify columns by its table's name; dbt's name for it must then be the same."""
        if name.args[-1].lower() == dataset.name.lower():
            return
        qualified = (
            column.table.lower() == dataset.name.lower()
            for mapping in self.migration.mappings
            for column in mapping.query.find_all(exp.Column)
        )
        if any(qualified):
            message = f"the mapping qualifies columns by {dataset.name}, which dbt calls {name.args[-1]}"
            raise Clash(Reason(code="alias-differs", message=message, line=like.span.line))

    # -- what the variants do not show ----------------------------------------------------------------------

    def _comment_reads(self) -> Iterator[Edit]:
        """`-- depends_on: {{ ref('users_v1') }}`: dbt follows it, so it must name the new dataset."""
        reads = [item for item in self.masked.placeholders if item.role is Role.REPLACED]
        held = comments_hold(self.masked.text, [item.start for item in reads], self.migration.dialect)
        for item in reads:
            if item.start not in held:
                continue
            mapping = next(one for one in self.migration.mappings if one.dataset == item.dataset)
            tables = {DatasetRef.parse(exp.table_name(table)) for table in mapping.query.find_all(exp.Table)}
            markers = [marker for dataset, marker in self._markers() if dataset in tables]
            if len(markers) != 1:
                message = f"{item.span.code} stands in a comment, where dbt follows it all the same"
                raise Clash(Reason(code="ref-in-comment", message=message, line=item.span.line))
            yield Edit(item.span.start, item.span.end, markers[0])

    def _left_over(
        self, new: str, shown: list[tuple[Variant, frozenset[Edit]]], form: Form
    ) -> tuple[Reason, ...]:
        """Reads that are still there, and names in text that no variant showed."""
        found: list[Reason] = []
        after = mask(new, spans(new), self.migration)
        for item in after.placeholders:
            if item.role is Role.REPLACED:
                message = f"{item.span.code} stands where it could not be rewritten"
                found.append(Reason(code="read-left", message=message, line=item.span.line))
        told = told_names(self.migration)
        if form is Form.INLINE:
            told |= {column.lower() for mapping in self.migration.mappings for column in mapping.columns}
        words = word_pattern(told)
        for low, high in self._unseen([variant for variant, _ in shown]):
            hit = words.search(self.masked.text, low, high)
            if hit is not None:
                message = f"{hit[0]} stands in Jinja code that is not rendered in place"
                found.append(
                    Reason(code="not-rendered", message=message, line=line_of(self.text, hit.start()))
                )
        return tuple(found)

    def _unseen(self, shown: list[Variant]) -> Iterator[tuple[int, int]]:
        for span in self.spans:
            if span.kind is SpanKind.DATA and not any(way.shows(span.start, span.end) for way in shown):
                yield span.start, span.end
