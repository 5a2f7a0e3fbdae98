"""Notebooks: code cells as one program, and cells of SQL; outputs and metadata stay byte for byte."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from greylag.domain.consumer import Framework
from greylag.domain.outcome import FormChoice, Outcome, Reason, Skipped
from greylag.domain.patch import Edit
from greylag.rewrite.embedded import EmbeddedPlan, Program, Segment, fold_plans, rewrite_embedded
from greylag.rewrite.python.cells import Cell, NotANotebook, code_cells, encode, encoder
from greylag.rewrite.python.codemod import plan_module, told
from greylag.rewrite.python.literals import CannotEncode, on_one_line
from greylag.rewrite.python.naming import Naming
from greylag.rewrite.python.others import others
from greylag.rewrite.python.program import MARK, module_program
from greylag.rewrite.python.source import NotParsed, Source

_SQL_CELL = re.compile(
    r"\s*%%(?P<magic>bigquery|sql|duckdb|sparksql|spark_sql|snowflake|read_sql)\b[^\n]*\n?"
)
_PYTHON_CELL = re.compile(r"\s*%%(?:time|timeit|capture|prun|python3?|pyspark|local|spark|memit)\b[^\n]*")
_OTHER_CELL = re.compile(r"\s*%%\w")
_MAGIC = re.compile(
    r"(?m)^(?P<before>[ \t]*(?:[\w., \t]+=[ \t]*)?)(?P<magic>[%!?][^\n]*)|^[^\n#'\"]*\?[ \t]*$"
)
_STRING = re.compile(
    r"#[^\n]*|(\"\"\"|''')(?:\\.|.)*?\1|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)
_LINE_SQL = re.compile(r"%(?:sql|bigquery)[ \t]+(?P<sql>[^\n]*)")
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}|\$?\{[^{}]*\}|\$\w+")
_MASK = re.compile("0#x+")
_DIALECTS = {"bigquery": "bigquery", "duckdb": "duckdb", "sparksql": "spark", "spark_sql": "spark"}
_DIALECTS["snowflake"] = "snowflake"


@dataclass(slots=True)
class _Program:
    """The Python of a notebook, and the pieces of SQL beside it."""

    text: str = ""
    offsets: list[int] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    sql: list[tuple[Cell, int, int, str | None]] = field(default_factory=list)
    magics: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def rewrite_notebook(
    path: str, text: str, naming: Naming, form: FormChoice, siblings: Mapping[str, str]
) -> Outcome:
    """Rewrite the code cells of a notebook."""
    try:
        cells = code_cells(text)
    except NotANotebook as error:
        reason = told(path, "unparsable", str(error), 0)
        return Skipped(framework=Framework.PYTHON, reasons=(reason,))
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    program = _program(path, text, cells, naming, lambda offset: bisect_right(lines, offset))
    plans, reasons = [], list(program.reasons)
    for cell, low, high, dialect in program.sql:
        plans.append(_sql(path, text, cell, low, high, dialect, naming, form))
    named = naming.word.search(program.text) is not None
    if named or others(siblings).known:
        try:
            source = Source(program.text)
            made, more = plan_module(source, path, naming, form, siblings)
        except (NotParsed, RecursionError) as error:
            line = error.line if isinstance(error, NotParsed) else 0
            code = error.code if isinstance(error, NotParsed) else "too-deep"
            made, more = [], [told(path, code, str(error), line)] if named else []
        there = _There(path, text, program, lines)
        plans += [there.plan(plan) for plan in made]
        reasons += [there.reason(reason) for reason in more]
    return fold_plans(plans, text, Framework.PYTHON, reasons)


def read_notebook(path: str, text: str, naming: Naming, siblings: Mapping[str, str]) -> Program:
    """The queries of a notebook's code cells, and the code without them. Raises NotParsed."""
    try:
        cells = code_cells(text)
    except NotANotebook as error:
        raise NotParsed("unparsable", str(error)) from error
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    program = _program(path, text, cells, naming, lambda offset: bisect_right(lines, offset))
    python = module_program(Source(program.text), path, naming, siblings)
    beside = [(cell, low, high, dialect) for cell, low, high, dialect in program.sql]
    queries = [cell.text[low:high] for cell, low, high, _ in beside]
    variables = [_VARIABLE.findall(query) for query in queries]
    rest = [
        f"{cell.text[:low]}{MARK}{holes}" for (cell, low, _, _), holes in zip(beside, variables, strict=True)
    ]
    place = _There(path, text, program, lines)
    return Program(
        skeleton="\n".join([_MASK.sub("0#", python.skeleton), *program.magics, *rest]),
        queries=(*python.queries, *(_masked(query) for query in queries)),
        dialects=(*python.dialects, *(dialect or naming.migration.dialect for *_, dialect in beside)),
        lines=(
            *(place.line(line) for line in python.lines),
            *(bisect_right(lines, cell.offsets[low]) for cell, low, _, _ in beside),
        ),
    )


def _masked(query: str) -> str:
    """A query with its variables as holes."""
    numbers = count()
    return _VARIABLE.sub(lambda _: f"hole_{next(numbers)}", query)


def _program(
    path: str, text: str, cells: list[Cell], naming: Naming, line_of: Callable[[int], int]
) -> _Program:
    program = _Program()
    for cell in cells:
        sql = _SQL_CELL.match(cell.text)
        if sql is not None:
            dialect = _DIALECTS.get(sql["magic"])
            dialect = None if dialect == naming.migration.dialect else dialect
            program.sql.append((cell, sql.end(), len(cell.text), dialect))
            continue
        at = 0
        python = _PYTHON_CELL.match(cell.text)
        if python is not None:
            at = python.end()
            program.magics.append(python[0])
        elif _OTHER_CELL.match(cell.text):
            program.magics.append(cell.text)
            if (found := naming.word.search(cell.text)) is not None:
                line = line_of(cell.offsets[found.start()])
                message = "names a replaced dataset in a cell that is not Python"
                program.reasons.append(told(path, "not-understood", message, line))
            continue
        masked = "#" + " " * (at - 1) if at else ""
        masked += _without_magics(path, cell, at, naming, program, line_of)
        program.text += masked + "\n"
        program.offsets += [*cell.offsets[:-1], cell.offsets[-1]]
        program.cells.append(cell)
    return program


def _without_magics(
    path: str, cell: Cell, at: int, naming: Naming, program: _Program, line_of: Callable[[int], int]
) -> str:
    """The cell's text with its magic lines as comments behind a zero, character for character."""
    pieces, position = [], at
    strings = [one.span() for one in _STRING.finditer(cell.text, at) if one[0][0] != "#"]
    for found in _MAGIC.finditer(cell.text, at):
        if any(low < found.start() < high for low, high in strings):
            continue
        low = found.start("magic") if found["magic"] is not None else found.start()
        pieces.append(cell.text[position:low])
        size = found.end() - low
        pieces.append(("0#" + "x" * size)[:size])
        position = found.end()
        sql = _LINE_SQL.match(found["magic"]) if found["magic"] is not None else None
        if sql is not None:
            program.sql.append((cell, low + sql.start("sql"), low + sql.end("sql"), None))
            continue
        program.magics.append(found[0])
        if naming.word.search(found[0]):
            message = "names a replaced dataset in a magic command"
            program.reasons.append(told(path, "not-understood", message, line_of(cell.offsets[low])))
    pieces.append(cell.text[position:])
    return "".join(pieces)


def _sql(
    path: str,
    text: str,
    cell: Cell,
    low: int,
    high: int,
    dialect: str | None,
    naming: Naming,
    form: FormChoice,
) -> EmbeddedPlan:
    """A stretch of a cell that is SQL."""
    ascii_only, between = encoder(text, cell)
    whole = low == 0 or cell.text[low - 1] == "\n"

    def write(new: str) -> str:
        new = new if whole else on_one_line(new, naming.migration.dialect)
        if not whole and "\n" in new:
            raise CannotEncode("the new text cannot be written on one line")
        return encode(new, ascii_only, between)

    segments: list[Segment] = []
    at = low
    for number, found in enumerate(_VARIABLE.finditer(cell.text, low, high)):
        segments.append(_text(cell, at, found.start(), write))
        hole = f"hole_{number}"
        start, end = cell.offsets[found.start()], cell.offsets[found.end()]
        segments.append(Segment(text=hole, start=start, end=end, offsets=None, encode=write, known=False))
        at = found.end()
    segments.append(_text(cell, at, high, write))
    try:
        return rewrite_embedded(segments, naming.migration, host=text, path=path, form=form, dialect=dialect)
    except CannotEncode as error:
        line = text.count("\n", 0, cell.offsets[low]) + 1
        return EmbeddedPlan(skipped=(told(path, "not-rewritable", str(error), line),))


def _text(cell: Cell, low: int, high: int, write: Callable[[str], str]) -> Segment:
    offsets = cell.offsets[low : high + 1]
    return Segment(text=cell.text[low:high], start=offsets[0], end=offsets[-1], offsets=offsets, encode=write)


class _There:
    """Carries what was found in the program to the notebook's file."""

    def __init__(self, path: str, text: str, program: _Program, lines: list[int]) -> None:
        self.text = text
        self.program = program
        self.lines = lines
        self.starts = [0, *(found.end() for found in re.finditer("\n", program.text))]
        self.place = re.compile(rf"{re.escape(path)}:(\d+)")
        self.path = path

    def line(self, line: int) -> int:
        """The line of the file for a line of the program; 0 stays."""
        if line < 1 or line > len(self.starts) or not self.program.offsets:
            return 0
        start = min(self.starts[line - 1], len(self.program.offsets) - 1)
        return bisect_right(self.lines, self.program.offsets[start])

    def told(self, message: str) -> str:
        return self.place.sub(lambda found: f"{self.path}:{self.line(int(found[1]))}", message)

    def reason(self, reason: Reason) -> Reason:
        return replace(reason, message=self.told(reason.message), line=self.line(reason.line))

    def plan(self, plan: EmbeddedPlan) -> EmbeddedPlan:
        fragment = plan.fragment
        return replace(
            plan,
            edits=tuple(one for edit in plan.edits for one in self.edit(edit)),
            reads=tuple(replace(read, line=self.line(read.line)) for read in plan.reads),
            notes=tuple(self.told(note) for note in plan.notes),
            skipped=tuple(self.reason(reason) for reason in plan.skipped),
            fragment=replace(fragment, line=self.line(fragment.line)) if fragment is not None else None,
        )

    def edit(self, edit: Edit) -> list[Edit]:
        """An edit of the program, string by string of its cell."""
        start = self.program.offsets[edit.start]
        cell = next(one for one in self.program.cells if one.offsets[0] <= start <= one.offsets[-1])
        new = encode(edit.text, *encoder(self.text, cell))
        if edit.start == edit.end:
            return [Edit(start, start, new)]
        end = self.program.offsets[edit.end]
        edits: list[Edit] = []
        for item in cell.items:
            low, high = max(start, item.start), min(end, item.end)
            if low < high:
                edits.append(Edit(low, high, new if not edits else ""))
        return edits
