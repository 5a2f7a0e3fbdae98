"""Words that stand in files beside the code: one list a file, `#` begins a comment."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def words(name: str) -> frozenset[str]:
    """The words of `words/<name>.txt`, in small letters."""
    text = (files(__package__) / "words" / f"{name}.txt").read_text(encoding="utf-8")
    lines = (line.split("#")[0] for line in text.splitlines())
    return frozenset(word.lower() for line in lines for word in line.split())
