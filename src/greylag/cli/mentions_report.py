"""Names that are only mentioned, for people and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from typing import TYPE_CHECKING

from greylag.cli.console import out
from greylag.domain.words import count

if TYPE_CHECKING:
    from greylag.engine.mentions import MentioningFile


def as_json(files: Sequence[MentioningFile]) -> list[dict[str, object]]:
    """One entry a place; `new` is null where a person has to say what should stand there."""
    return [
        {
            "repository": file.repository,
            "path": file.path,
            "line": one.line,
            "column": one.column,
            "dataset": str(one.dataset),
            "text": one.text,
            "new": one.new,
        }
        for file in files
        for one in file.mentions
    ]


def print_mentions(files: Sequence[MentioningFile], *, diff: bool, written: bool = True) -> None:
    """The places; with `diff`, what would change."""
    from rich.markup import escape

    console = out()
    for file in files:
        if diff:
            before, after = file.text.splitlines(keepends=True), file.new.splitlines(keepends=True)
            made = unified_diff(before, after, f"a/{file.path}", f"b/{file.path}")
            console.file.write("".join(line if line.endswith("\n") else f"{line}\n" for line in made))
            continue
        where = f"{file.repository}/{file.path}" if file.repository else file.path
        for one in file.mentions:
            becomes = f" -> {one.new}" if one.new is not None and written else ""
            console.print(f"mention   {escape(f'{where}:{one.line}: {one.text}{becomes}')}")
    places = sum(len(file.mentions) for file in files)
    console.print(f"{count(places, 'mention')} in {count(len(files), 'file')}")
