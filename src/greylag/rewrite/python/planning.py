"""From a string, and what is done with it, to the edits that move it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import libcst as cst
from sqlglot import exp

from greylag.domain.consumer import Read
from greylag.domain.outcome import Form, FormChoice, Fragment, Reason
from greylag.domain.patch import Edit
from greylag.mapping.compiled import Mapping
from greylag.mapping.in_dialect import CannotTranspile
from greylag.rewrite.embedded import EmbeddedPlan, read_site_sql, rewrite_embedded
from greylag.rewrite.python.calls import Fate, Use, advice, called
from greylag.rewrite.python.compose import Composer
from greylag.rewrite.python.composed import Composed
from greylag.rewrite.python.declared import Declared, Unmapped, declares
from greylag.rewrite.python.frames import columns_read
from greylag.rewrite.python.literals import CannotEncode
from greylag.rewrite.python.naming import BARE, Named, Naming, new_tables
from greylag.rewrite.python.sensors import named_in_parts, sensor_edits
from greylag.rewrite.python.source import Source
from greylag.rewrite.python.tables import NotRead, Reader, reader, select_text

# `schema"."table`: what puts quotes around it makes it the name of a table in a schema.
_INNER = re.compile(r"[\"`]\.[\"`]")
_RESOURCE = re.compile(r"projects/([^/]+)/datasets/([^/]+)/tables/([\w-]+)")
_LEGACY = re.compile(r"(?i)use_?legacy_?sql[\"']?\s*[=:]\s*True|dialect\s*=\s*[\"']legacy")


@dataclass(slots=True, kw_only=True)
class Planned:
    """A whole expression, what it composes to, and its plan. `mention`: it is no code that reads."""

    root: cst.BaseExpression
    composed: Composed | None
    plan: EmbeddedPlan = field(default_factory=EmbeddedPlan)
    mention: bool = False
    table: bool = False


class Planner:
    """Plans the strings of one module."""

    def __init__(
        self, source: Source, composer: Composer, naming: Naming, path: str, form: FormChoice
    ) -> None:
        self.source = source
        self.composer = composer
        self.naming = naming
        self.path = path
        self.form = form

    def plan(self, root: cst.BaseExpression, fates: Iterable[Fate], *, exported: bool) -> Planned:
        """What to do about an expression with which all of these things are done."""
        real = [fate for fate in fates if fate.use is not Use.MENTION]
        composed = self.composer.compose(root)
        done = Planned(root=root, composed=composed)
        if not real:
            done.mention = True
            return done
        if composed is None:
            done.plan = self.skip(root, "dynamic-sql", "the name of a replaced dataset is put together here")
            return done
        try:
            self._decide(done, composed, real, exported)
        except CannotEncode as error:
            done.plan = self.skip(root, "not-rewritable", str(error))
        except CannotTranspile as error:
            done.plan = self.skip(root, "other-dialect", str(error))
        return done

    def skip(self, node: cst.CSTNode, code: str, message: str) -> EmbeddedPlan:
        """A plan that leaves the file alone, for a reason at a node."""
        line = self.source.line(self.source.span(node)[0])
        return EmbeddedPlan(skipped=(Reason(code=code, message=f"{self.path}:{line}: {message}", line=line),))

    def _decide(self, done: Planned, composed: Composed, fates: list[Fate], exported: bool) -> None:
        text = composed.sql
        uses = {fate.use for fate in fates}
        if not self.naming.word.search(text) and "*" not in text:
            return
        if BARE.fullmatch(text) and self.naming.column_of(text) is None:
            done.table = True
            done.plan = self._table(done.root, composed, fates)
            return
        sql = Use.SQL in uses
        column = self.naming.column_of(text) if not sql and not self.naming.sql_like(text) else None
        if column is not None:
            message = f"{column} is a column by the name of its table, which it may not have any more"
            done.plan = self.skip(done.root, "not-understood", message)
            return
        resource = _RESOURCE.search(text)
        if not sql and (resource or ("://" in text and any(_asset(fate.call) for fate in fates))):
            done.plan = self._asset(done.root, ".".join(resource.groups()) if resource else text)
            return
        if not sql and not self.naming.sql_like(text):
            done.mention = not self.naming.reads_in_prose(text)
            if not done.mention:
                done.plan = self.skip(done.root, "dynamic-sql", "a piece of SQL names a replaced dataset")
            elif uses & {Use.TABLE, Use.NAME_ONLY, Use.SENSOR, Use.WRITE}:
                done.plan = self.skip(
                    done.root, "not-understood", "names a replaced dataset in a way of its own"
                )
            return
        done.plan = self._sql(done.root, composed, fates, exported)

    # -- SQL -------------------------------------------------------------------------------------------

    def _sql(
        self, root: cst.BaseExpression, composed: Composed, fates: list[Fate], exported: bool
    ) -> EmbeddedPlan:
        dialects = {fate.dialect for fate in fates if fate.use is Use.SQL} or {None}
        if len(dialects) > 1:
            return self.skip(root, "other-dialect", "the same SQL is run by engines of different dialects")
        if any(fate.call is not None and _LEGACY.search(self.source.code(fate.call)) for fate in fates):
            return self.skip(root, "other-dialect", "this is BigQuery's legacy SQL")
        added_to = exported or any(fate.use is not Use.SQL for fate in fates)
        added_to = added_to and not composed.sql.rstrip().endswith(";")
        if added_to and self.form is FormChoice.INLINE:
            return self.skip(root, "not-inline", "the SQL is passed on, and may be added to")
        form = FormChoice.BOUNDARY if added_to else self.form
        plan = rewrite_embedded(
            composed.segments,
            self.naming.migration,
            host=self.source.text,
            path=self.path,
            form=form,
            dialect=next(iter(dialects)),
        )
        changes = [fate.changes for fate in fates if fate.changes is not None]
        if any(re.search(pattern, edit.text) for pattern in changes for edit in plan.edits):
            return self.skip(root, "dynamic-sql", "the program changes its text, and the mapping's with it")
        if any("%" in edit.text for edit in plan.edits) and _has_parameters(composed):
            return self.skip(root, "not-rewritable", "the new text has %, which the driver would read")
        if added_to and any(char in edit.text for edit in plan.edits for char in "{}%"):
            return self.skip(root, "not-rewritable", "the SQL is passed on, and may be formatted")
        if added_to and plan.edits and self.form is FormChoice.AUTO:
            line = plan.reads[0].line if plan.reads else 0
            note = f"{self.path}:{line}: boundary form: the SQL is passed on, and may be added to"
            plan = replace(plan, notes=(*plan.notes, note))
        return replace(plan, edits=tuple(trimmed(plan.edits, composed)))

    def _asset(self, root: cst.BaseExpression, uri: str) -> EmbeddedPlan:
        """`Dataset("bigquery://project/schema/table")`: tasks wait for each other by that text."""
        name = ".".join(re.split(r"[/.]", uri.rpartition("://")[2].partition("?")[0])[-3:])
        named = self.naming.named(name)
        if named is None:
            return EmbeddedPlan()
        what = named.mapping.dataset if named.mapping is not None else f"{name} ({named.doubt})"
        if "://" not in uri:
            return self.skip(root, "table-only", f"the name of a resource, which is {what}")
        message = f"an asset of Airflow names {what}: move it together with all that produce or await it"
        return self.skip(root, "table-only", message)

    # -- names of tables -------------------------------------------------------------------------------

    def _table(self, root: cst.BaseExpression, composed: Composed, fates: list[Fate]) -> EmbeddedPlan:
        if self.naming.half_known(composed.sql):
            return self.skip(root, "dynamic-sql", "the dataset's name is put together at run time")
        uses = {fate.use for fate in fates}
        if uses == {Use.SENSOR}:
            return self._sensor(root, fates)
        if declares(self.source, root):
            return self._declared(root, fates)
        dialects = {fate.dialect for fate in fates}
        named = self.naming.named(composed.sql, next(iter(dialects)) if len(dialects) == 1 else None)
        if named is None:
            if self.naming.named(_INNER.sub(".", composed.sql)) is None:
                return EmbeddedPlan()
            return self.skip(root, "not-understood", "names a replaced dataset with quotes of its own")
        if uses in ({Use.TABLE}, {Use.SQL}):
            return self._read(root, named, fates)
        return self._no_query(root, named, fates)

    def _no_query(self, root: cst.BaseExpression, named: Named, fates: list[Fate]) -> EmbeddedPlan:
        """A dataset's name where no query can take its place."""
        uses = {fate.use for fate in fates}
        if named.mapping is None and Use.NAME_ONLY in uses and fates[0].call is not None:
            named = named_in_parts(self.composer, self.naming, fates[0].call) or named
        if named.mapping is None:
            return self.skip(root, "maybe-old", named.doubt or "")
        if Use.WRITE in uses:
            return self.skip(root, "writes-old", f"{named.mapping.dataset} is written here")
        if Use.NAME_ONLY in uses or Use.SENSOR in uses:
            message = f"this takes the name of a table: {named.mapping.dataset} cannot be a query here"
            message += next((text for fate in fates if (text := advice(fate.call))), "")
            return self.skip(root, "table-only", message)
        message = f"holds the name of {named.mapping.dataset}; what is done with it is not understood"
        return self.skip(root, "dynamic-sql", message)

    def read_site(self, root: cst.BaseExpression, named: Named, fate: Fate) -> tuple[Named, Reader] | None:
        """A call that is told a table's name, whole or with its schema apart; None where it is another table.

        Raises NotRead.
        """
        assert fate.call is not None
        if _LEGACY.search(self.source.code(fate.call)):
            raise NotRead("other-dialect", "this is BigQuery's legacy SQL")
        read = reader(self.source, fate.call, root)
        if read.schema is None:
            return named, read
        schema = self.composer.compose(read.schema)
        if schema is None or schema.unknown:
            raise NotRead("maybe-old", "the table's schema is put in at run time")
        whole = self.naming.named(f"{schema.sql}.{named.written}", fate.dialect)
        return (whole, read) if whole is not None else None

    def _read(self, root: cst.BaseExpression, named: Named, fates: list[Fate]) -> EmbeddedPlan:
        if len(fates) != 1 or fates[0].call is None:
            return self.skip(root, "dynamic-sql", f"{named.written} is read in ways that are not understood")
        call = fates[0].call
        try:
            found = self.read_site(root, named, fates[0])
        except NotRead as error:
            dataset = named.mapping.dataset if named.mapping else named.written
            return self.skip(root, error.code, f"{error}: {dataset}")
        if found is None:
            return EmbeddedPlan()
        named, read = found
        if named.mapping is None:
            return self.skip(root, "maybe-old", named.doubt or "")
        if self.form is FormChoice.INLINE:
            return self.skip(root, "not-inline", "the table is read whole, by its name")
        mapping = named.mapping
        start, end = self.source.span(root)
        line = self.source.line(start)
        columns = columns_read(self.source, call)
        questions = tuple(
            f"{mapping.dataset}.{column}"
            for column in mapping.unmapped
            if columns is None or column.lower() in {one.lower() for one in columns}
        )
        place = Read(
            dataset=mapping.dataset, line=line, column=self.source.column(start), columns=columns or ()
        )
        if questions:
            told = [f"uses {one.rsplit('.', 1)[1]}, which has no counterpart" for one in questions]
            reasons = tuple(
                Reason(code="unmapped-column", message=f"{self.path}:{line}: {one}", line=line)
                for one in told
            )
            return EmbeddedPlan(reads=(place,), skipped=reasons, questions=questions)
        alias = mapping.dataset.name
        holes = self._holes(root, mapping)
        if holes is None:
            return self.skip(
                root,
                "dynamic-sql",
                f"{self.source.code(root)} names {mapping.dataset}: no one name takes its place",
            )
        edits = [replace(edit, text=edit.text.replace("{name}", alias)) for edit in read.edits]
        literal = select_text(mapping, self.source, read, alias, names=holes)
        edits.append(Edit(start, end, literal))
        return EmbeddedPlan(
            edits=tuple(sorted(edits)),
            form=Form.BOUNDARY,
            reads=(place,),
            fragment=_read_fragment(named.written, mapping, columns, line),
        )

    def _holes(self, root: cst.BaseExpression, mapping: Mapping) -> dict[str, str] | None:
        """For a constant's name in place of a table's: where the new table's name is put in."""
        if isinstance(root, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString):
            return {}
        tables = new_tables(mapping)
        composed = self.composer.compose(root)
        if composed is not None and not composed.atoms:
            return {}  # a constant of another module: nothing is edited there
        if len(tables) != 1 or mapping.sql.count(tables[0]) != 1:
            return None
        return {tables[0]: self.source.code(root)}

    def _declared(self, root: cst.BaseExpression, fates: list[Fate]) -> EmbeddedPlan:
        declared = Declared(self.source, self.composer.bindings, self.naming)
        inline = None if self.form is FormChoice.AUTO else self.form is FormChoice.INLINE
        try:
            if len(fates) > 1:
                raise NotRead("not-understood", "the declared table's name is used otherwise as well")
            moved = declared.moved(root, inline=inline)
        except Unmapped as error:
            questions = tuple(f"{error.dataset}.{column}" for column in error.columns)
            return replace(self.skip(root, error.code, str(error)), questions=questions)
        except NotRead as error:
            return self.skip(root, error.code, str(error))
        if moved is None:
            return EmbeddedPlan()
        start = self.source.span(root)[0]
        line = self.source.line(start)
        dataset = moved.mapping.dataset
        read = Read(dataset=dataset, line=line, column=self.source.column(start), columns=moved.columns or ())
        fragment = _read_fragment(str(dataset), moved.mapping, moved.columns, line)
        return EmbeddedPlan(edits=moved.edits, form=moved.form, reads=(read,), fragment=fragment)

    def _sensor(self, root: cst.BaseExpression, fates: list[Fate]) -> EmbeddedPlan:
        call = fates[0].call
        assert call is not None
        try:
            edits, dataset, new = sensor_edits(self.source, self.composer, self.naming, call)
        except NotRead as error:
            return self.skip(root, error.code, str(error))
        if dataset is None:
            return EmbeddedPlan()
        line = self.source.line(self.source.span(call)[0])
        read = Read(dataset=dataset, line=line, column=self.source.column(self.source.span(call)[0]))
        note = f"{self.path}:{line}: waits for {new} now, which is all that {dataset} is made of"
        return EmbeddedPlan(edits=tuple(edits), form=Form.INLINE, reads=(read,), notes=(note,))


def _asset(call: cst.Call | None) -> bool:
    return call is not None and called(call) in ("Dataset", "Asset", "DatasetAlias", "AssetAlias")


def _has_parameters(composed: Composed) -> bool:
    """Does the driver put values in, for `%s`?"""
    return any(code.startswith("%") for code in composed.unknown.values())


def _read_fragment(name: str, mapping: Mapping, columns: tuple[str, ...] | None, line: int) -> Fragment:
    """What a read by name means before and after; of the columns that are picked at once, where they are."""
    old, new = read_site_sql(name), mapping.sql
    if columns:
        listed = ", ".join(exp.to_identifier(one).sql(dialect=mapping.dialect) for one in columns)
        alias = exp.to_identifier(mapping.dataset.name).sql(dialect=mapping.dialect)
        old, new = f"SELECT {listed} FROM {name}", f"SELECT {listed} FROM (\n{mapping.sql}\n) AS {alias}"
    return Fragment(old=old, new=new, line=line, dialect=mapping.dialect)


def trimmed(edits: Iterable[Edit], composed: Composed) -> list[Edit]:
    """Edits that leave alone what they would write again: `prod.{DATASET}.` of a table's name."""
    listed = list(edits)
    done: list[Edit] = []
    index = 0
    while index < len(listed):
        run = [listed[index]]
        while index + len(run) < len(listed):
            following = listed[index + len(run)]
            if following.text or following.start == following.end:
                break
            run.append(following)
        index += len(run)
        done.extend(_shortened(run, composed) if len(run) > 1 else run)
    return done


def _shortened(run: list[Edit], composed: Composed) -> list[Edit]:
    """One edit that is spread over several pieces, without the pieces that it begins with."""
    texts = [_sql_of(edit, composed) for edit in run]
    rest, kept = run[0].text, 0
    while kept < len(run) - 1 and texts[kept] and rest.startswith(texts[kept] or "\0"):
        rest = rest[len(texts[kept] or "") :]
        kept += 1
    last = len(run)
    while last - 1 > kept and texts[last - 1] and rest.endswith(texts[last - 1] or "\0"):
        rest = rest[: -len(texts[last - 1] or "")]
        last -= 1
    return [replace(run[kept], text=rest), *run[kept + 1 : last]]


def _sql_of(edit: Edit, composed: Composed) -> str | None:
    """The SQL that the characters of an edit stood for."""
    for one in composed.segments:
        if one.offsets is None:
            if (one.start, one.end) == (edit.start, edit.end):
                return one.text
        elif edit.start in one.offsets and edit.end in one.offsets:
            low, high = one.offsets.index(edit.start), one.offsets.index(edit.end)
            return one.text[low:high]
    return None
