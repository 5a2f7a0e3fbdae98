"""One try at a dbt file in one form: plan every variant, agree, put the Jinja back, look what was missed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlglot
from sqlglot.errors import SqlglotError

from greylag.domain.consumer import Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Edited, Form, FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.rewrite.dbt.blocks import Block, Variant
from greylag.rewrite.dbt.context import Project
from greylag.rewrite.dbt.disguise import Statements, disguised
from greylag.rewrite.dbt.exposure import Exposure, comments_hold, variant_text
from greylag.rewrite.dbt.jinja import Span, SpanKind, line_of, spans
from greylag.rewrite.dbt.mask import Masked, Placeholder, Role, mask
from greylag.rewrite.dbt.mentions import mentions
from greylag.rewrite.dbt.merge import Clash, agree, snap, unmask
from greylag.rewrite.dbt.names import told_names
from greylag.rewrite.dbt.settle import Planned, settle
from greylag.rewrite.dbt.tables import NewTables
from greylag.rewrite.dbt.words import word_pattern
from greylag.rewrite.sql import plan_edits


@dataclass(slots=True, kw_only=True)
class _Plans:
    """What the variants of a file want."""

    edits: list[Planned] = field(default_factory=list)
    forms: set[Form] = field(default_factory=set)
    reads: dict[tuple[DatasetRef, int, int], Read] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    reasons: dict[Reason, None] = field(default_factory=dict)
    questions: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtFile:
    """A file, read: its spans, the ways through its branches, and its masked text."""

    path: str
    text: str
    spans: tuple[Span, ...]
    tree: tuple[Block, ...]
    ways: tuple[Variant, ...]
    masked: Masked
    migration: CompiledMigration
    project: Project | None = None

    def attempt(self, form: FormChoice) -> Outcome:
        """Rewrite in one form; Skipped with reasons when that form does not do."""
        plans = self._plans(form)
        if plans.reasons:
            return Skipped(
                framework=Framework.DBT,
                reasons=tuple(plans.reasons),
                reads=tuple(plans.reads.values()),
                questions=tuple(plans.questions),
            )
        tables = NewTables.of(self.text, self.masked, self.migration)
        try:
            settled = settle(plans.edits, self.migration.dialect)
            edits = [*agree(self.text, settled, self.tree), *self._comment_edits(tables, plans)]
            carried = unmask(self.text, edits, self.spans, self.masked, tables.write)
            carried = (*carried, *self._variable_edits(tables))
        except Clash as clash:
            return Skipped(
                framework=Framework.DBT, reasons=(clash.reason,), reads=tuple(plans.reads.values())
            )
        new = apply_edits(self.text, carried)
        shown = [one.variant for one in plans.edits]
        if left := tuple(dict.fromkeys((*self._left_over(new), *self._unseen(shown, form)))):
            return Skipped(framework=Framework.DBT, reasons=left, reads=tuple(plans.reads.values()))
        if not carried:
            return Unchanged()
        return Edited(
            framework=Framework.DBT,
            form=Form.BOUNDARY if Form.BOUNDARY in plans.forms else Form.INLINE,
            text=new,
            reads=tuple(sorted(plans.reads.values(), key=lambda read: (read.line, read.column))),
            notes=tuple(plans.notes),
        )

    # -- planning ------------------------------------------------------------------------------------------

    def _plans(self, form: FormChoice) -> _Plans:
        plans = _Plans()
        exposure = Exposure.of(self.masked, self.spans, self.migration)
        for variant in self.ways:
            text, statements = variant_text(self.masked, variant, self.migration.dialect)
            if statements is None:
                if not variant.optional:
                    plans.reasons[self._unparsable(text, variant)] = None
                continue
            chosen = self._form(form, variant)
            if form is FormChoice.INLINE and chosen is not form:
                message = (
                    f"macro {variant.owner} may go on where it is called: only the boundary form is right"
                )
                plans.reasons[Reason(code="not-inline", message=message)] = None
                continue
            if chosen is not FormChoice.BOUNDARY:
                found = exposure.reasons(text, statements, variant)
                plans.reasons.update(dict.fromkeys(found))
                if found:
                    continue
            self._plan(text, statements, variant, chosen, plans)
        return plans

    def _form(self, form: FormChoice, variant: Variant) -> FormChoice:
        """A macro's text may go on where it is called, in this project or in one that installs it."""
        return FormChoice.BOUNDARY if variant.macro else form

    def _used(self, variant: Variant) -> str:
        """Where a macro that is left alone is called, for those who must act on it."""
        calls = self.project.uses(variant.owner) if self.project is not None and variant.macro else ()
        places = list(dict.fromkeys(f"{use.path}:{use.line}" for use in calls))
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        return f"; macro {variant.owner} is used in {', '.join(places[:3])}{more}" if places else ""

    def _plan(
        self, text: str, statements: Statements, variant: Variant, form: FormChoice, plans: _Plans
    ) -> None:
        plan = plan_edits(
            text,
            disguised(self.migration, self.masked, statements, opaque_columns=form is FormChoice.BOUNDARY),
            form=form,
            path=self.path,
            table_text=NewTables.of(self.text, self.masked, self.migration).marker,
            keep_alias=True,
        )
        plans.reasons.update(dict.fromkeys(plan.skipped))
        plans.questions.update(dict.fromkeys(plan.questions))
        plans.notes.update(dict.fromkeys(plan.notes))
        if plan.form is not None:
            plans.forms.add(plan.form)
        declared = {mapping.dataset: mapping.columns for mapping in self.migration.mappings}
        for read in plan.reads:
            key = (read.dataset, read.line, read.column)
            before = plans.reads.get(key, read)
            # Placeholders counted as columns while planning; they are none.
            used = [name for name in (*before.columns, *read.columns) if name in declared[read.dataset]]
            columns = tuple(dict.fromkeys(used))
            plans.reads[key] = dataclasses.replace(read, columns=columns)
        snapped = frozenset(snap(edit, self.masked.placeholders) for edit in plan.edits)
        plans.edits.append(Planned(variant=variant, text=text, edits=snapped))

    def _unparsable(self, text: str, variant: Variant) -> Reason:
        line, what = 0, "not understood"
        try:
            sqlglot.parse(text, dialect=self.migration.dialect)
        except SqlglotError as error:
            details = (getattr(error, "errors", None) or [{}])[0]
            line, what = int(details.get("line") or 0), str(details.get("description") or what)
        except RecursionError:
            what = "nested too deeply"
        except PARSER_GIVES_UP as error:
            what = f"{what}: {error}"[:200]
        where = " in one branch of its Jinja" if variant.hidden and variant.body is None else ""
        message = f"{self.path}:{line}: cannot be read as {self.migration.dialect}{where}: {what}"
        message += self._used(variant)
        return Reason(code="unparsable", message=message, line=line)

    def _comment_edits(self, tables: NewTables, plans: _Plans) -> Iterator[Edit]:
        """`-- depends_on: {{ ref('users_v1') }}`: dbt follows it, so it must name the new dataset."""
        reads = [item for item in self.masked.placeholders if item.role is Role.REPLACED]
        held = comments_hold(self.masked.text, [item.start for item in reads], self.migration.dialect)
        for item in reads:
            if item.start not in held or item.dataset is None or self._is_hidden(item):
                continue
            marker = tables.only_table(item.dataset)
            if marker is None:
                message = f"{item.span.code} stands in a comment, where dbt follows it all the same"
                raise Clash(Reason(code="ref-in-comment", message=message, line=item.span.line))
            column = item.span.start - self.text.rfind("\n", 0, item.span.start)
            read = Read(dataset=item.dataset, line=item.span.line, column=column)
            plans.reads[item.dataset, read.line, read.column] = read
            yield Edit(item.span.start, item.span.end, marker)

    def _is_hidden(self, item: Placeholder) -> bool:
        """Inside of a body that no way shows: what was missed is told elsewhere."""
        return not any(way.shows(item.start, item.end) for way in self.ways)

    def _variable_edits(self, tables: NewTables) -> Iterator[Edit]:
        """`{% set users = ref('users_v1') %}`: the variable holds the new dataset from now on."""
        bound = {item.via.name: item for item in self.masked.placeholders if item.via is not None}
        for item in bound.values():
            marker = tables.only_table(item.dataset) if item.dataset is not None else None
            if item.via is None or marker is None:
                message = f"variable {item.span.code} holds {item.dataset}, for which several tables stand"
                raise Clash(Reason(code="relation-variable", message=message, line=item.span.line))
            yield Edit(item.via.start, item.via.end, tables.call_for(marker, item))

    # -- what was missed -----------------------------------------------------------------------------------

    def _left_over(self, new: str) -> Iterator[Reason]:
        """Reads of replaced datasets that are still there."""
        parts = spans(new)
        for item in mask(new, parts, self.migration).placeholders:
            if item.role is Role.REPLACED:
                message = f"{item.span.code} stands where it could not be rewritten"
                yield Reason(code="read-left", message=message, line=item.span.line)
        yield from mentions(parts, self.migration)

    def _unseen(self, shown: list[Variant], form: FormChoice) -> Iterator[Reason]:
        """Names in text that no variant showed: macro bodies, captured blocks, rounds of a loop."""
        told = told_names(self.migration)
        if form is not FormChoice.BOUNDARY:
            told |= {column.lower() for mapping in self.migration.mappings for column in mapping.columns}
        words = word_pattern(told)
        for span in self.spans:
            if span.kind is not SpanKind.DATA or any(way.shows(span.start, span.end) for way in shown):
                continue
            hit = words.search(self.masked.text, span.start, span.end)
            if hit is not None:
                message = f"{hit[0]} stands in Jinja code that is not rendered in place"
                yield Reason(code="not-rendered", message=message, line=line_of(self.text, hit.start()))
