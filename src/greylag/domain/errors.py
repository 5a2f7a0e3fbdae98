"""Errors that end a command, each with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


class GreylagError(Exception):
    """Base of every error that Greylag raises on purpose."""


class UsageError(GreylagError):
    """Wrong use or bad input: exit status 2, the message on standard error."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One thing wrong in an input file.

    `line` and `column` are 1-based; `file` is the path as the user gave it.
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class FileFaults(UsageError):
    """An input file that is refused whole, with one message a fault."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
