"""SQL that stands inside a program of another language: pieced together, rewritten, put back."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import sqlglot
from sqlglot.errors import SqlglotError

from greylag.domain.consumer import Framework, Read
from greylag.domain.outcome import (
    Edited,
    Form,
    FormChoice,
    Fragment,
    Outcome,
    Reason,
    Skipped,
    Unchanged,
)
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.in_dialect import CannotTranspile, in_dialect
from greylag.rewrite.holes import Hole, Part, holes_of, open_holes, written
from greylag.rewrite.mentions import candidate_names, mentioned
from greylag.rewrite.sql.plan import SqlPlan, plan_edits

# Stands for the path while the SQL codemod speaks; lines that follow it are turned into the host's.
_PATH = "\0"
_PLACE = re.compile(rf"{_PATH}(?::(\d+)(?::(\d+))?)?")
# What belongs to a dotted name behind a hole in it.
_REST_OF_NAME = re.compile(r"[\w$.`\"\[\]-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of source that stands for a stretch of SQL.

    `text` is the SQL; `start..end` (end exclusive) are the characters of the host file that stand for it.
    `offsets` holds, for literal text, the host offset of every character of `text` and of its end
    (len(text) + 1 numbers); None for a hole, which is replaced whole or not at all, and whose `text` is an
    identifier. `encode` turns SQL into source at this place. A hole is `known` when it can only be a value,
    or a name that the codemod has followed.
    """

    text: str
    start: int
    end: int
    offsets: tuple[int, ...] | None
    encode: Callable[[str], str]
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPlan:
    """What is to be done to the host file for one piece of SQL; offsets, lines and columns are the host's."""

    edits: tuple[Edit, ...] = ()
    form: Form | None = None
    reads: tuple[Read, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: tuple[Reason, ...] = ()
    questions: tuple[str, ...] = ()
    fragment: Fragment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of another language, with its SQL taken out.

    Two versions with the same `skeleton` differ in their `queries` alone: pairs in order, each in the
    dialect of the same index of `dialects`, at the line of the same index of `lines`.
    """

    skeleton: str
    queries: tuple[str, ...]
    dialects: tuple[str, ...]
    lines: tuple[int, ...]


def read_site_sql(table: str) -> str:
    """What a call that reads the whole of a table means."""
    return f"SELECT * FROM {table}"


def one_line(sql: str, dialect: str) -> str | None:
    """The SQL on one line; None where a line break matters (in a string, or behind a comment).

    An edit that begins with one may stand behind a comment, which it has to end.
    """
    if sql.lstrip(" \t").startswith(("\n", "\r")):
        return None
    lines = sql.splitlines()
    try:
        tokens = sqlglot.tokenize(sql, dialect=dialect)
    except SqlglotError:
        return None
    if any(token.comments or "\n" in sql[token.start : token.end + 1] for token in tokens):
        return None
    return " ".join(line.strip() for line in lines if line.strip())


def rewrite_embedded(
    segments: Sequence[Segment],
    migration: CompiledMigration,
    *,
    host: str,
    path: str,
    form: FormChoice = FormChoice.AUTO,
    dialect: str | None = None,
) -> EmbeddedPlan:
    """Rewrite the SQL that the segments make up; `host` is the text of the file that they stand in.

    A hole of unknown content outside of a string literal may name columns: then only boundary form is sound,
    which keeps every name that it may hold. `dialect` is that of this SQL, where it is not the migration's.
    """
    pieces = _Pieces(tuple(segments), host, path)
    if not mentioned(pieces.sql, migration, {}):
        return EmbeddedPlan()
    spoken = migration
    if dialect is not None and dialect != migration.dialect:
        try:
            spoken = in_dialect(migration, dialect)
        except CannotTranspile as error:
            return pieces.refused("other-dialect", str(error))
    holes = holes_of(segments, spoken.dialect)
    if holes is None:
        return pieces.refused("unparsable", f"not understood as {spoken.dialect}")
    if (place := _named_at_run_time(segments, holes, candidate_names(migration))) is not None:
        return pieces.refused("dynamic-sql", "the dataset's name is put together at run time", place)
    open_ = open_holes(segments, holes)
    if open_ and form is FormChoice.INLINE:
        return pieces.refused("not-inline", "what is put in at run time may name columns")
    pieces = _Pieces(written(segments, holes, spoken.dialect), host, path)
    plan = plan_edits(pieces.sql, spoken, form=FormChoice.BOUNDARY if open_ else form, path=_PATH)
    if (index := pieces.behind_a_read(plan, holes)) is not None:
        message = "what is put in behind the dataset's name may be its alias"
        return pieces.refused("dynamic-sql", message, index)
    return pieces.carried(plan, spoken.dialect, forced=open_ and form is FormChoice.AUTO)


def _named_at_run_time(
    segments: Sequence[Segment], holes: Sequence[Hole], names: frozenset[str]
) -> int | None:
    """The index of a hole that is a part of a replaced dataset's name (`{schema}.users_v1`)."""
    sql = "".join(segment.text for segment in segments).lower()
    starts = [0, *accumulate(len(segment.text) for segment in segments)]
    for hole in holes:
        if hole.part is Part.NAME:
            behind = _REST_OF_NAME.match(sql, starts[hole.index + 1])
            words = re.findall(r"[\w-]+", behind[0]) if behind is not None else []
            if names.intersection(words):
                return hole.index
    return None


class _Pieces:
    """The segments, joined; knows where each character of the SQL stands in the host."""

    def __init__(self, segments: tuple[Segment, ...], host: str, path: str) -> None:
        self.segments = segments
        self.host = host
        self.path = path
        self.sql = "".join(segment.text for segment in segments)
        self.starts = [0, *accumulate(len(segment.text) for segment in segments)]

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(r"\n", self.host))]

    @cached_property
    def _sql_lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(r"\n", self.sql))]

    def host_offset(self, offset: int) -> int:
        """Where a character of the SQL stands in the host; a hole's characters all stand at its start."""
        if not self.segments:
            return 0
        index = min(bisect_right(self.starts, offset) - 1, len(self.segments) - 1)
        segment = self.segments[index]
        return segment.start if segment.offsets is None else segment.offsets[offset - self.starts[index]]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column in the host, 1-based, of a character of the SQL."""
        where = self.host_offset(offset)
        line = bisect_right(self._line_starts, where)
        return line, where - self._line_starts[line - 1] + 1

    def line(self, sql_line: int) -> int:
        """The host's line for a line of the SQL; line 0 is the place where the SQL begins."""
        return self.place(self._sql_lines[min(max(sql_line, 1), len(self._sql_lines)) - 1])[0]

    def behind_a_read(self, plan: SqlPlan, holes: Sequence[Hole]) -> int | None:
        """The index of a hole that follows a name that boundary form replaces, with no alias between."""
        ends = {edit.end for edit in plan.edits if edit.end > edit.start}
        for hole in holes:
            if hole.part is Part.CLAUSE:
                start = self.starts[hole.index]
                if len(self.sql[:start].rstrip()) in ends:
                    return hole.index
        return None

    def refused(self, code: str, message: str, index: int = 0) -> EmbeddedPlan:
        """A reason to leave the file alone, at the segment of this index."""
        line = self.place(self.starts[index])[0]
        return EmbeddedPlan(skipped=(Reason(code=code, message=f"{self.path}:{line}: {message}", line=line),))

    def carried(self, plan: SqlPlan, dialect: str, *, forced: bool) -> EmbeddedPlan:
        """The plan in the host's terms."""
        reads = tuple(self._read(read) for read in plan.reads)
        skipped = tuple(
            replace(reason, message=self._told(reason.message), line=self.line(reason.line))
            for reason in plan.skipped
        )
        if skipped or plan.form is None:
            return EmbeddedPlan(reads=reads, skipped=skipped, questions=plan.questions)
        try:
            edits = tuple(one for edit in plan.edits for one in self._edit(edit))
        except _CutsHole as cut:
            line = self.place(cut.offset)[0]
            message = f"{self.path}:{line}: what would be edited is put in at run time"
            reason = Reason(code="dynamic-sql", message=message, line=line)
            return EmbeddedPlan(reads=reads, skipped=(reason,))
        notes = tuple(self._told(note) for note in plan.notes)
        if forced:
            line = reads[0].line if reads else self.line(0)
            what = "what is put in at run time may name columns"
            notes = (*notes, f"{self.path}:{line}: boundary form: {what}")
        fragment = Fragment(
            old=self.sql,
            new=apply_edits(self.sql, plan.edits),
            line=self.line(0),
            dialect=dialect,
        )
        return EmbeddedPlan(
            edits=edits,
            form=plan.form,
            reads=reads,
            notes=notes,
            questions=plan.questions,
            fragment=fragment,
        )

    def _read(self, read: Read) -> Read:
        if read.line < 1 or read.line > len(self._sql_lines):
            return replace(read, line=self.line(0), column=0)
        line, column = self.place(self._sql_lines[read.line - 1] + max(read.column - 1, 0))
        return replace(read, line=line, column=column)

    def _told(self, message: str) -> str:
        return _PLACE.sub(lambda found: f"{self.path}:{self.line(int(found[1] or 0))}", message)

    def _edit(self, edit: Edit) -> Iterable[Edit]:
        """One edit of the SQL as edits of the host: its text goes where it begins, the rest goes away."""
        text: str | None = edit.text
        for index, segment in enumerate(self.segments):
            low, high = self.starts[index], self.starts[index + 1]
            if edit.start == edit.end:
                if not low <= edit.start <= high or segment.offsets is None or text is None:
                    continue
                at = segment.offsets[edit.start - low]
                yield Edit(at, at, segment.encode(text))
                text = None
                continue
            start, end = max(edit.start, low), min(edit.end, high)
            if start >= end:
                continue
            if segment.offsets is None:
                if (start, end) != (low, high):
                    raise _CutsHole(start)
                yield Edit(segment.start, segment.end, segment.encode(text or ""))
            else:
                where = segment.offsets[start - low], segment.offsets[end - low]
                yield Edit(*where, segment.encode(text or ""))
            text = None
        if text is not None:
            raise _CutsHole(edit.start)


class _CutsHole(Exception):
    """An edit of a part of what is put in at run time, or one that has no place in literal text."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def fold_plans(
    plans: Iterable[EmbeddedPlan],
    text: str,
    framework: Framework,
    reasons: Iterable[Reason] = (),
) -> Outcome:
    """What the plans of one file come to: it is edited whole or not at all.

    `reasons` are those that the codemod has besides: each of them leaves the file alone.
    """
    done = list(plans)
    reads = tuple(read for plan in done for read in plan.reads)
    skipped = tuple(dict.fromkeys([*(reason for plan in done for reason in plan.skipped), *reasons]))
    if skipped:
        questions = tuple(dict.fromkeys(question for plan in done for question in plan.questions))
        return Skipped(framework=framework, reasons=skipped, reads=reads, questions=questions)
    edits = [edit for plan in done for edit in plan.edits]
    if not edits:
        return Unchanged()
    form = Form.BOUNDARY if any(plan.form is Form.BOUNDARY for plan in done) else Form.INLINE
    return Edited(
        framework=framework,
        form=form,
        text=apply_edits(text, edits),
        reads=reads,
        notes=tuple(dict.fromkeys(note for plan in done for note in plan.notes)),
        fragments=tuple(plan.fragment for plan in done if plan.fragment is not None),
    )
