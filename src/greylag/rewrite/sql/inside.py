"""The plans of all SQL that a text holds in strings, as plans of the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from sqlglot.tokenizer_core import TokenType

from greylag.domain.consumer import Read
from greylag.domain.outcome import Form, FormChoice, Reason
from greylag.domain.patch import Edit
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.mentions import mentioned
from greylag.rewrite.sql.bodies import Body, bodies, carried, parameters_between
from greylag.rewrite.sql.tokens import Tokens

# Stands for the path in what the plan of a string says.
PATH = "\0"
_PLACE = re.compile(rf"{PATH}(?::(\d+)(?::(\d+))?)?")


class Plan(Protocol):
    """What is used here of the plan of a text."""

    @property
    def edits(self) -> tuple[Edit, ...]: ...
    @property
    def form(self) -> Form | None: ...
    @property
    def reads(self) -> tuple[Read, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def skipped(self) -> tuple[Reason, ...]: ...
    @property
    def questions(self) -> tuple[str, ...]: ...


class Inside:
    """Plans every string that is run as a whole; `starts` are the offsets of those that were understood."""

    def __init__(
        self,
        tokens: Tokens,
        migration: CompiledMigration,
        form: FormChoice,
        path: str,
        plan: Callable[[str, Iterable[str]], Plan],
    ) -> None:
        self.tokens = tokens
        self.path = path
        self.form = form
        self.starts: set[int] = set()
        self.edits: list[Edit] = []
        self.forms: list[Form] = []
        self.reads: tuple[Read, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.reasons: tuple[Reason, ...] = ()
        self.questions: tuple[str, ...] = ()
        for body in bodies(tokens, migration.dialect):
            if mentioned(body.text, migration, {}):
                self.starts.add(body.start)
                self._add(body, plan(body.text, body.variables))

    def _add(self, body: Body, plan: Plan) -> None:
        try:
            self.edits.extend(carried(body, plan.edits))
        except ValueError as error:
            line = self.tokens.position(body.start)[0]
            message = f"{self.path}:{line}: {error}"
            self.reasons += (Reason(code="not-rewritable", message=message, line=line),)
        if plan.form is not None:
            self.forms.append(plan.form)
        self.reads += tuple(self._read(body, read) for read in plan.reads)
        self.notes += tuple(self._placed(body, note) for note in plan.notes)
        self.reasons += tuple(
            replace(
                reason,
                message=self._placed(body, reason.message),
                line=self._position(body, max(reason.line, 1), 1)[0],
            )
            for reason in plan.skipped
        )
        self.questions += plan.questions

    def _read(self, body: Body, read: Read) -> Read:
        line, column = self._position(body, read.line, read.column)
        return replace(read, line=line, column=column)

    def _position(self, body: Body, line: int, column: int) -> tuple[int, int]:
        """The place in the file of a place in the string (lines and columns are 1-based)."""
        at = 0
        for _ in range(line - 1):
            at = body.text.find("\n", at) + 1
        return self.tokens.position(body.offsets[min(at + max(column - 1, 0), len(body.offsets) - 1)])

    def _placed(self, body: Body, message: str) -> str:
        def place(found: re.Match[str]) -> str:
            if found[1] is None:
                return self.path
            line, column = self._position(body, int(found[1]), int(found[2] or 1))
            return f"{self.path}:{line}" + (f":{column}" if found[2] else "")

        return _PLACE.sub(place, message)


def declared(tokens: Tokens) -> Iterator[str]:
    """Names of variables, cursors and parameters that a script declares."""
    items = tokens.items
    start, section = 0, False
    for index, token in enumerate(items):
        word = token.text.upper() if token.token_type is not TokenType.STRING else ""
        begins = index == start
        if word == ";":
            start = index + 1
        elif word == "BEGIN":
            section, start = False, index + 1
        elif word == "DECLARE":
            section, start = True, index + 1
            yield from _list(tokens, index + 1)
        elif (section and begins and token.token_type is TokenType.VAR) or (
            index > 0
            and tokens.depths[index] == 0
            and items[index - 1].text.upper() in ("LET", "FOR")
            and tokens.kind(index) is TokenType.VAR
        ):
            yield token.text
        elif begins and word in ("CREATE", "ALTER"):
            yield from parameters_between(tokens, index, _end(tokens, index))


def _list(tokens: Tokens, index: int) -> Iterator[str]:
    """`DECLARE a, b INT64`: names up to the one that no comma follows."""
    while index < len(tokens.items):
        yield tokens.items[index].text
        if tokens.kind(index + 1) is not TokenType.COMMA:
            return
        index += 2


def _end(tokens: Tokens, index: int) -> int:
    while index < len(tokens.items) and tokens.kind(index) is not TokenType.SEMICOLON:
        index += 1
    return index
