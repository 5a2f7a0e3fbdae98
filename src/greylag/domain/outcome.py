"""What a codemod did to a file. Expected results are values; surprises are exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greylag.domain.check import Proof
from greylag.domain.consumer import Framework, Read


class Form(StrEnum):
    """How a rewrite uses the mapping: dissolved into the query, or put where the old dataset was read."""

    INLINE = "inline"
    BOUNDARY = "boundary"


class FormChoice(StrEnum):
    """What the caller asks for; auto is inline where sound, else boundary."""

    INLINE = "inline"
    BOUNDARY = "boundary"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A piece of SQL inside a program of another language, before and after; it stands at `line` (1-based).

    What the host language puts in at run time stands as an identifier, the same in both texts. `dialect` is
    the one that both are written in.
    """

    old: str
    new: str
    line: int
    dialect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The file was rewritten; `text` is the whole new text.

    `notes` are things that a reviewer should know (`file:line: …`), not faults. `fragments` is what was
    edited in a program of another language than SQL: all of it, and nothing else was. `left` says what in
    the new text still reads an old dataset and why; `left_reads` are those reads. They are rows of their own.
    """

    framework: Framework
    form: Form
    text: str
    reads: tuple[Read, ...]
    notes: tuple[str, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    left: tuple[Reason, ...] = ()
    left_reads: tuple[Read, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The file reads no replaced dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a file was left alone: a code from a closed list, and where. `line` is 1-based, 0 for the file."""

    code: str
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The file reads a replaced dataset, or may, and every byte was left alone.

    `questions` are keys (`dataset.column`) of unmapped columns that a person must decide about.
    """

    framework: Framework | None
    reasons: tuple[Reason, ...]
    reads: tuple[Read, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Our own error; the file was left alone."""

    message: str


Outcome = Edited | Unchanged | Skipped | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """One file of a rewrite: what the codemod did, and what the proof says of it."""

    path: str
    outcome: Outcome
    proof: Proof | None = None
