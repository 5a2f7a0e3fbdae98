"""Edits to text, and the patch that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters `start..end` (end exclusive, offsets into the original text) by `text`."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits that do not overlap; every other character stays as it was.

    Raises ValueError when two edits overlap: a file is edited whole or not at all.
    """
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits):
        if edit.start < position:
            raise ValueError(f"edits overlap at offset {edit.start}")
        pieces.append(text[position : edit.start])
        pieces.append(edit.text)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file of a patch, before and after, as bytes."""

    path: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """The edits for one target."""

    repository: str
    base: str
    files: tuple[FileChange, ...]
