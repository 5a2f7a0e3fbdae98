"""A proof as text: its verdict, and a counterexample as small tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from greylag.domain.check import Counterexample, Proof

_MAX_ROWS = 8


def proof_summary(proof: Proof) -> str:
    """One line: `tested by execution, 120 rows`."""
    rows = f", {proof.rows} rows" if proof.rows else ""
    method = "" if proof.method == "none" else f" by {proof.method}"
    return f"{proof.verdict}{method}{rows}"


def render_proof(proof: Proof) -> RenderableType:
    """A proof for a terminal: summary, reasons, and the counterexample where there is one."""
    parts: list[RenderableType] = [Text(proof_summary(proof))]
    parts.extend(Text(f"  {reason}") for reason in proof.reasons)
    if proof.counterexample is not None:
        parts.extend(render_counterexample(proof.counterexample))
    return Group(*parts)


def render_counterexample(example: Counterexample) -> Iterator[RenderableType]:
    """The input tables, then what each version returned."""
    for name, rows in example.tables.items():
        columns = tuple(dict.fromkeys(column for row in rows for column in row))
        if not rows:
            yield Text(f"{name} is empty")
            continue
        yield _table(name, columns, [tuple(row.get(column) for column in columns) for row in rows])
    yield _table("old version returned", example.old_columns, example.old)
    yield _table("new version returned", example.new_columns, example.new)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Group:
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows[:_MAX_ROWS]:
        table.add_row(*(cell_text(value) for value in row))
    if len(rows) > _MAX_ROWS:
        table.caption = f"and {len(rows) - _MAX_ROWS} more rows"
    if not rows:
        table.caption = "no rows"
    # A title of the table itself would be folded to the width of its columns.
    return Group(Text(title, style="bold"), table)


def cell_text(value: object) -> str:
    """A value as a person reads it; NULL and the empty text are told apart."""
    match value:
        case None:
            return "NULL"
        case "":
            return "''"
        case dict():
            return "{" + ", ".join(f"{name}: {cell_text(part)}" for name, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(cell_text(part) for part in value) + "]"
        case _:
            return str(value)


def counterexample_json(example: Counterexample | None) -> Mapping[str, object] | None:
    """The counterexample in the shape that the command line prints as JSON."""
    if example is None:
        return None
    return {
        "tables": {
            name: [{c: plain(v) for c, v in row.items()} for row in rows]
            for name, rows in example.tables.items()
        },
        "old": [dict(zip(example.old_columns, map(plain, row), strict=False)) for row in example.old],
        "new": [dict(zip(example.new_columns, map(plain, row), strict=False)) for row in example.new],
    }


def plain(value: object) -> object:
    """A value that JSON can hold."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(name): plain(part) for name, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
        case _:
            return str(value)
