"""What `greylag draft` found, for people and for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from greylag.cli.console import out

if TYPE_CHECKING:
    from greylag.schema import Draft


def as_json(draft: Draft, text: str, output: Path | None) -> dict[str, object]:
    """The draft as one document; `migration` is the text of the file."""
    guesses = {guess.column: guess for guess in draft.guesses}
    return {
        "dataset": str(draft.old.dataset),
        "sources": [str(source.schema.dataset) for source in draft.sources],
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "expression": guesses[column.name].expression if column.name in guesses else None,
                "confidence": guesses[column.name].confidence if column.name in guesses else None,
                "evidence": list(guesses[column.name].evidence) if column.name in guesses else [],
                "question": draft.questions.get(column.name),
            }
            for column in draft.old.columns
        ],
        "predicate": draft.predicate,
        "notes": list(draft.notes),
        "path": str(output) if output is not None else None,
        "migration": text,
    }


def show(draft: Draft, output: Path) -> None:
    """A table of the guesses and the questions, and where the file is."""
    from rich.markup import escape
    from rich.table import Table

    console = out()
    table = Table(box=None, pad_edge=False)
    for heading in ("old column", "becomes", "sure", "why"):
        table.add_column(heading, overflow="fold")
    guesses = {guess.column: guess for guess in draft.guesses}
    for column in draft.old.columns:
        guess = guesses.get(column.name)
        if guess is None:
            question = draft.questions[column.name]
            table.add_row(escape(column.name), "[yellow]?[/]", "", escape(question))
        else:
            why = "; ".join(guess.evidence)
            table.add_row(
                escape(column.name), escape(guess.expression), f"{guess.confidence:.2f}", escape(why)
            )
    console.print(table)
    for note in draft.notes:
        console.print(escape(note))
    console.print(f"wrote {escape(str(output))}: read it, then `greylag check {escape(str(output))}`")
