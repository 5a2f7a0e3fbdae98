"""From a text to the edits that move it: find the reads, choose forms, say what stands in the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from greylag.domain.consumer import Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Edited, Form, FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.mentions import mentioned
from greylag.rewrite.sql.autonames import edits_for
from greylag.rewrite.sql.boundary import TableText, boundary_edit, table_span
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.inline import Inliner
from greylag.rewrite.sql.inside import PATH, Inside, declared
from greylag.rewrite.sql.limits import TooMuch
from greylag.rewrite.sql.model import Owner, ReadSite, Ref, Scope
from greylag.rewrite.sql.obstacles import Obstacles
from greylag.rewrite.sql.resolve import Resolver
from greylag.rewrite.sql.soundness import Unsound
from greylag.rewrite.sql.stars import except_edits
from greylag.rewrite.sql.tables import TableNames
from greylag.rewrite.sql.tokens import Tokens

_MOST_QUALIFIED = 5  # more, and boundary form is the smaller diff
# In one SELECT: each is compared with every other. Nobody writes so many; more take boundary form.
_MOST_READS = 100
_LONE_LF = re.compile(r"(?<!\r)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPlan:
    """What is to be done to a text: edits (offsets into it), or the reasons to leave it alone.

    Without reads and without reasons the text has nothing to do with the migration. `form` is boundary as
    soon as one read takes it; `notes` say why.
    """

    edits: tuple[Edit, ...] = ()
    form: Form | None = None
    reads: tuple[Read, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: tuple[Reason, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    edits: set[Edit] = field(default_factory=set)
    forms: set[Form] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def rewrite_sql(
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    placeholders: Mapping[str, DatasetRef] | None = None,
    path: str = "<sql>",
) -> Outcome:
    """Rewrite SQL text (one or several statements in the migration's dialect)."""
    plan = plan_edits(text, migration, form=form, placeholders=placeholders, path=path)
    if plan.skipped:
        return Skipped(
            framework=Framework.SQL, reasons=plan.skipped, reads=plan.reads, questions=plan.questions
        )
    if not plan.reads or plan.form is None:
        return Unchanged()
    return Edited(
        framework=Framework.SQL,
        form=plan.form,
        text=apply_edits(text, plan.edits),
        reads=plan.reads,
        notes=plan.notes,
    )


def plan_edits(
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    placeholders: Mapping[str, DatasetRef] | None = None,
    path: str = "<sql>",
    table_text: TableText | None = None,
    keep_alias: bool = False,
    variables: Iterable[str] = (),
) -> SqlPlan:
    """Plan the edits of one text.

    `table_text` may name a new table otherwise than the mapping does (dbt); `keep_alias` names the new table
    by the old one's name wherever its columns are qualified; `variables` are names of values in the text.
    """
    if not mentioned(text, migration, placeholders or {}):
        return SqlPlan()
    try:
        tokens = Tokens(text, migration.dialect)
        statements = tokens.parse()
        variables = {*variables, *declared(tokens)}
        names = TableNames.of(migration, placeholders or {}, variables)
    except SqlglotError as error:
        return SqlPlan(skipped=(_unparsable(error, path, migration.dialect),))
    except (TypeError, AttributeError, IndexError, KeyError) as error:
        # The compiled parser, on syntax that it half knows.
        return SqlPlan(skipped=(Reason(code="unparsable", message=f"{path}: not understood: {error}"[:300]),))
    except TooMuch as much:
        line = text.count("\n", 0, much.offset) + 1
        return SqlPlan(skipped=(Reason(code=much.code, message=f"{path}:{line}: {much}", line=line),))
    except RecursionError:
        return SqlPlan(skipped=(_too_deep(path),))
    planner = _Planner(text, migration, names, tokens, form, path, table_text, keep_alias)
    try:
        return planner.plan(statements)
    except RecursionError:
        return SqlPlan(skipped=(_too_deep(path),))


def _used(resolvers: Iterable[Resolver]) -> Mapping[int, list[Ref]]:
    """The columns that are used of each source, by its identity."""
    found: dict[int, list[Ref]] = {}
    for resolver in resolvers:
        for scope in resolver.scopes:
            for ref in scope.refs:
                if ref.source is not None and ref.owner is not Owner.WHOLE_ROW:
                    found.setdefault(id(ref.source), []).append(ref)
    return found


def _too_deep(path: str) -> Reason:
    return Reason(code="too-deep", message=f"{path}: the query is nested too deeply")


def _unparsable(error: SqlglotError, path: str, dialect: str) -> Reason:
    details = (getattr(error, "errors", None) or [{}])[0]
    line, column = int(details.get("line") or 0), int(details.get("col") or 0)
    what = str(details.get("description") or str(error).splitlines()[0])
    return Reason(
        code="unparsable", message=f"{path}:{line}:{column}: not understood as {dialect}: {what}", line=line
    )


class _Planner:
    def __init__(
        self,
        text: str,
        migration: CompiledMigration,
        names: TableNames,
        tokens: Tokens,
        form: FormChoice,
        path: str,
        table_text: TableText | None,
        keep_alias: bool,
    ) -> None:
        self.text = text
        self.migration = migration
        self.names = names
        self.tokens = tokens
        self.form = form
        self.path = path
        self.table_text = table_text
        self.keep_alias = keep_alias
        self.folding: Folding = names.folding
        self.piped = any(token.token_type is TokenType.PIPE_GT for token in tokens.items)

    def plan(self, statements: list[exp.Expr]) -> SqlPlan:
        resolvers = [Resolver(statement, self.names).run() for statement in statements]
        inside = Inside(self.tokens, self.migration, self.form, self.path, self._nested)
        obstacles = Obstacles(self.tokens, self.names, self.path, statements, resolvers, inside.starts)
        sites = [site for resolver in resolvers for site in resolver.reads]
        used = _used(resolvers)
        reads = tuple(self._read(site, used.get(id(site.source), ())) for site in sites)
        reasons, questions = obstacles.find()
        reads, reasons, questions = (
            reads + inside.reads,
            reasons + inside.reasons,
            questions + inside.questions,
        )
        if reasons:
            return SqlPlan(reads=reads, skipped=reasons, questions=questions)
        if not sites and not inside.reads:
            return SqlPlan()
        draft = _Draft(edits=set(inside.edits), forms=set(inside.forms), notes=list(inside.notes))
        for resolver in resolvers:
            self._statement(resolver, draft)
        if draft.reasons:
            return SqlPlan(reads=reads, skipped=tuple(draft.reasons))
        edits = tuple(sorted(self._line_ends(draft.edits)))
        if (fault := self._broken(edits)) is not None:
            if self.form is FormChoice.AUTO and Form.INLINE in draft.forms:
                self.form = FormChoice.BOUNDARY
                return self.plan(statements)
            return SqlPlan(reads=reads, skipped=(fault,))
        form = Form.BOUNDARY if Form.BOUNDARY in draft.forms else Form.INLINE
        return SqlPlan(edits=edits, form=form, reads=reads, notes=tuple(draft.notes))

    def _nested(self, text: str, variables: Iterable[str]) -> SqlPlan:
        """The plan of SQL that stands in a string; a project's own names of tables are not known there."""
        if self.table_text is not None or self.names.placeholders:
            return SqlPlan(
                skipped=(Reason(code="dynamic-sql", message=f"{PATH}:1:1: SQL in a string", line=1),)
            )
        return plan_edits(text, self.migration, form=self.form, path=PATH, variables=variables)

    def _read(self, site: ReadSite, refs: Iterable[Ref]) -> Read:
        span = table_span(site.table)
        line, column = self.tokens.position(span.start) if span is not None else (0, 0)
        declared = self.folding.columns(site.mapping.columns)
        used = dict.fromkeys(declared.get(self.folding.ident(ref.column), ref.column.name) for ref in refs)
        order = list(site.mapping.columns)
        columns = sorted(used, key=lambda name: order.index(name) if name in order else len(order))
        return Read(dataset=site.mapping.dataset, line=line, column=column, columns=tuple(columns))

    # -- forms -----------------------------------------------------------------------------------------

    def _statement(self, resolver: Resolver, draft: _Draft) -> None:
        inliner = Inliner(
            tokens=self.tokens,
            names=self.names,
            scopes=resolver.scopes,
            table_text=self.table_text,
            keep_alias=self.keep_alias,
            most_qualified=_MOST_QUALIFIED if self.form is FormChoice.AUTO else None,
        )
        by_scope: dict[int, tuple[Scope | None, list[ReadSite]]] = {}
        for site in resolver.reads:
            by_scope.setdefault(id(site.scope), (site.scope, []))[1].append(site)
        for scope, sites in by_scope.values():
            self._scope(inliner, scope, sites, resolver, draft)
        self._names(resolver, draft)

    def _names(self, resolver: Resolver, draft: _Draft) -> None:
        """Items that an engine names after their text keep their names, under which tables they may read."""
        edits, reasons = edits_for(
            self.tokens, resolver.reads, resolver.scopes, self.folding.dialect, self.path
        )
        draft.edits |= edits
        draft.reasons.extend(reasons)

    def _scope(
        self, inliner: Inliner, scope: Scope | None, sites: list[ReadSite], resolver: Resolver, draft: _Draft
    ) -> None:
        inline = [] if self.form is FormChoice.BOUNDARY or scope is None or self.piped else list(sites)
        why: dict[int, str] = {}
        if len(inline) > _MOST_READS:
            why = {id(site): f"one SELECT reads it more than {_MOST_READS} times" for site in inline}
            inline = []
        while inline and scope is not None:
            try:
                draft.edits |= inliner.scope_edits(scope, inline)
                draft.forms.add(Form.INLINE)
                break
            except Unsound as unsound:
                why[id(unsound.site)] = str(unsound)
                inline = [site for site in inline if site is not unsound.site]
        for site in sites:
            if site not in inline:
                self._boundary(
                    site, resolver, why.get(id(site), "it is not read in the FROM of a SELECT"), draft
                )

    def _boundary(self, site: ReadSite, resolver: Resolver, why: str, draft: _Draft) -> None:
        span = table_span(site.table)
        line = self.tokens.position(span.start)[0] if span is not None else 0
        name = site.mapping.dataset
        if self.form is FormChoice.INLINE:
            draft.reasons.append(
                Reason(code="not-inline", message=f"{self.path}:{line}: {name}: {why}", line=line)
            )
            return
        if span is None:
            message = f"{self.path}: the parser kept no position for a read of {name}"
            draft.reasons.append(Reason(code="no-position", message=message))
            return
        if site.table.args.get("hints"):
            message = f"{self.path}:{line}: {name} is read with hints, and cannot be in inline form: {why}"
            draft.reasons.append(Reason(code="table-modifier", message=message, line=line))
            return
        try:
            draft.edits |= except_edits(self.tokens, site, self.folding)
        except ValueError as error:
            message = f"{self.path}:{line}: {error}"
            draft.reasons.append(Reason(code="unmapped-column", message=message, line=line))
            return
        alias = self._alias(site)
        draft.edits.add(boundary_edit(self.tokens, site.table, span, site.mapping, self.table_text, alias))
        draft.edits |= self._path_qualifiers(site, resolver, alias)
        draft.forms.add(Form.BOUNDARY)
        if self.form is FormChoice.AUTO:
            draft.notes.append(f"{self.path}:{line}: boundary form: {why}")

    def _alias(self, site: ReadSite) -> str:
        if self.keep_alias:
            identifier = exp.to_identifier(site.mapping.dataset.name)
            return identifier.sql(dialect=self.folding.dialect) if identifier is not None else ""
        last = site.table.parts[-1]
        text = self.text[last.meta["start"] : last.meta["end"] + 1]
        if "." not in text:
            return text
        identifier = exp.to_identifier(text.strip("`").split(".")[-1])
        return identifier.sql(dialect=self.folding.dialect) if identifier is not None else text

    def _path_qualifiers(self, site: ReadSite, resolver: Resolver, alias: str) -> set[Edit]:
        """`a.b.t.column` names a table by its path; the subquery has only its alias."""
        edits: set[Edit] = set()
        for scope in resolver.scopes:
            for ref in scope.refs:
                if ref.source is site.source and ref.source is not None and ref.index > 1:
                    first, last = ref.parts[0], ref.parts[ref.index - 1]
                    edits.add(Edit(first.meta["start"], last.meta["end"] + 1, alias))
        return edits

    def _line_ends(self, edits: Iterable[Edit]) -> Iterable[Edit]:
        """New lines end as the file's lines do."""
        first = self.text.find("\n")
        if first < 1 or self.text[first - 1] != "\r":
            return edits
        return [replace(edit, text=_LONE_LF.sub("\r\n", edit.text)) for edit in edits]

    def _broken(self, edits: tuple[Edit, ...]) -> Reason | None:
        """The net under it all: what was written parses, and reads the old dataset no more."""
        try:
            new = apply_edits(self.text, edits)
            reading = Tokens(new, self.migration.dialect).reading
        except (SqlglotError, ValueError) as error:
            return Reason(
                code="not-rewritable", message=f"{self.path}: the rewrite would not parse: {error}"[:300]
            )
        before = self.tokens.reading
        # In a script a statement that does not parse is passed over, and would go unseen.
        if len(reading.faults) > len(before.faults) or len(reading.statements) != len(before.statements):
            return Reason(code="not-rewritable", message=f"{self.path}: the rewrite would not parse")
        for statement in reading.statements:
            if Resolver(statement, self.names).run().reads:
                return Reason(
                    code="not-rewritable", message=f"{self.path}: the rewrite would still read the old"
                )
        return None
