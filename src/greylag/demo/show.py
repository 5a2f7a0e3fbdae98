"""Tables, diffs and proofs on the console. Width: whatever the console has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from greylag.agent.transcript import Summary as AttemptSummary
from greylag.demo.figures import Left, Summary
from greylag.domain.change import SchemaChange
from greylag.domain.check import Counterexample, Proof
from greylag.domain.quoting import visible

_INDENT = (0, 0, 0, 2)
_ROWS = 4


def heading(console: Console, number: int, text: str) -> None:
    """The heading of an act."""
    console.print()
    console.print(f"[bold white on blue] {number} [/] [bold]{escape(text)}[/]")


def line(console: Console, text: str) -> None:
    """One indented line; `text` may hold markup."""
    console.print(Padding(Text.from_markup(text), _INDENT, expand=False))


def schema_changes(console: Console, changes: Iterable[SchemaChange]) -> None:
    """The schema changes, a table."""
    table = _table("dataset", "change", "before", "now")
    for change in changes:
        kind = f"[red]{change.kind}[/]" if change.breaking else f"[green]{change.kind}[/]"
        table.add_row(str(change.dataset), kind, change.before or "", escape(change.after or ""))
    console.print(Padding(table, _INDENT, expand=False))


def diff(console: Console, text: str) -> None:
    """A unified diff, without the lines that only git reads."""
    kept = [line for line in text.splitlines() if not line.startswith(("diff ", "index ", "--- ", "+++ "))]
    console.print(Padding(_coloured(kept), (0, 0, 0, 4), expand=False))


def _coloured(lines: Sequence[str]) -> Text:
    styles = {"+": "green", "-": "red", "@": "cyan"}
    text = Text()
    for number, content in enumerate(lines):
        text.append(("\n" if number else "") + content, style=styles.get(content[:1], ""))
    return text


def sql(console: Console, text: str) -> None:
    """SQL, with colours where there are any."""
    if console.color_system is None:
        console.print(Padding(Text(text), (0, 0, 0, 4), expand=False))
    else:
        syntax = Syntax(text, "sql", theme="ansi_dark", background_color="default")
        console.print(Padding(syntax, (0, 0, 0, 4), expand=False))


def proof(console: Console, found: Proof) -> None:
    """A verdict, and how it was reached."""
    colour = {"proven": "bold green", "tested": "green", "refuted": "bold red"}.get(found.verdict, "yellow")
    rows = f", {found.rows} rows compared" if found.rows else ""
    line(console, f"[{colour}]{found.verdict}[/] by {escape(found.method)}{rows}")
    for reason in found.reasons[:2]:
        line(console, f"[dim]{escape(reason)}[/]")
    if found.counterexample is not None:
        counterexample(console, found.counterexample)


def counterexample(console: Console, found: Counterexample) -> None:
    """The smallest tables on which two versions differ, and what each returned."""
    for name, rows in found.tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if rows:
            _rows(console, f"with {name}", columns, [[row.get(column) for column in columns] for row in rows])
    empty = [name for name, rows in found.tables.items() if not rows]
    if empty:
        console.print(_inset(Text(f"and no row in {', '.join(empty)}", style="dim")))
    _rows(console, "the query before returns", found.old_columns, found.old)
    _rows(console, "the patched one returns", found.new_columns, found.new)


def _rows(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    console.print(_inset(Text(title, style="dim")))
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(escape(column), overflow="fold")
    for row in rows[:_ROWS]:
        table.add_row(*(_cell(value) for value in row))
    console.print(Padding(table, (0, 0, 0, 6), expand=False))
    more = len(rows) - _ROWS
    if not rows or more > 0:
        console.print(Padding(Text(f"and {more} more" if rows else "(no row)", style="dim"), (0, 0, 0, 6)))


def _inset(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 4), expand=False)


def _cell(value: object) -> str:
    return "[dim]NULL[/]" if value is None else escape(str(value))


def ledger(console: Console, summary: Summary) -> None:
    """The ledger, added up."""
    table = _table("consumers", "", "")
    for state, number in summary.states.items():
        notes = ""
        if state in ("migrated", "retired"):
            notes = f"{_counts(summary.forms)}; {_counts(summary.verdicts)}"
        table.add_row(str(number), state.replace("_", " "), notes)
    table.add_row(str(summary.consumers), f"in {summary.repositories} repositories", "", style="bold")
    console.print(Padding(table, _INDENT, expand=False))


def agent_runs(console: Console, runs: Mapping[str, AttemptSummary]) -> None:
    """How each run of the agent ended, and what it took."""
    table = _table("run", "ended", "rounds", "tool calls", "cost", "why")
    for name, run in runs.items():
        end = (run.end or "not ended").replace("_", " ")
        cost = f"${run.usage.cost:.3f}"
        why = "" if run.end == "accepted" else run.reason.split(": ", 1)[-1]
        table.add_row(escape(name), end, str(run.rounds), str(run.tool_calls), cost, escape(visible(why)))
    console.print(Padding(table, _INDENT, expand=False))


def left_for_people(console: Console, left: Iterable[Left]) -> None:
    """What waits for a person, with the command to type."""
    table = _table("repository", "why", "what to type")
    for item in left:
        where = f"{item.where}: " if item.where else ""
        table.add_row(item.repository, escape(where + item.reason), escape(item.command))
    console.print(Padding(table, _INDENT, expand=False))


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items())


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
