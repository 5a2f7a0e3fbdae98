"""A dbt file as SQL of the same length: every piece of Jinja gives way to an identifier, or to blanks.

Offsets, lines and columns in the masked text are those of the file. `{{ ref('orders') }}` becomes
`_g3_______.orders`, so that SQL's own rule gives an unaliased read the name that dbt gives it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from jinja2 import nodes

from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Reason
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.arguments import exposed
from greylag.rewrite.dbt.bindings import Bound
from greylag.rewrite.dbt.blocks import loop_truth
from greylag.rewrite.dbt.jinja import Span, SpanKind, expression
from greylag.rewrite.dbt.literals import Values, known_values
from greylag.rewrite.dbt.macros import Macro
from greylag.rewrite.dbt.names import DbtCall, call, match, told_names

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SILENT = frozenset({"config", "log", "print", "set_sql_header"})


class Role(StrEnum):
    """What a masked expression stands for."""

    REPLACED = "replaced"
    RELATION = "relation"
    THIS = "this"
    NUMBER = "number"
    OPAQUE = "opaque"
    SILENT = "silent"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """What stands for one expression: `text` at `start..end` of the masked text, inside the span.

    `table` is how a relation's placeholder reads as a table name; `dataset` the replaced dataset it is;
    `via` the variable that holds it. A function's `holes` are the places between the quotes of its arguments.
    """

    span: Span
    role: Role
    text: str
    start: int
    end: int
    table: DatasetRef | None = None
    dataset: DatasetRef | None = None
    call: DbtCall | None = None
    via: Bound | None = None
    holes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """The masked text, its placeholders in order, and what must be told of calls that are in doubt.

    `understood` are the starts of statements that only give a relation a name.
    """

    text: str
    placeholders: tuple[Placeholder, ...]
    doubts: tuple[Reason, ...]
    understood: frozenset[int] = frozenset()


class TooShort(Exception):
    """An expression has no room for a placeholder; `line` is 1-based."""

    def __init__(self, line: int) -> None:
        super().__init__("this Jinja cannot be masked at its length")
        self.line = line


def blank(text: str) -> str:
    """White space of the same length with the same line ends."""
    return re.sub(r"[^\r\n]", " ", text)


def mask(
    text: str,
    spans: tuple[Span, ...],
    migration: CompiledMigration,
    bound: Mapping[str, Bound] = MappingProxyType({}),
    macros: Mapping[str, Macro] | None = None,
) -> Masked:
    """Mask every span that is not data. Raises TooShort when an expression has no room for a placeholder.

    `bound` are variables that hold a relation; `macros` those of the project. Without them, no call is laid
    open.
    """
    masker = _Masker(
        text=text,
        migration=migration,
        identifiers=_Identifiers(text),
        values=known_values(spans),
        doubts=[],
        bound=bound,
        macros=macros,
    )
    pieces: list[str] = []
    placeholders: list[Placeholder] = []
    for span in spans:
        if span.kind is SpanKind.DATA:
            pieces.append(span.code)
            continue
        whole = blank(text[span.start : span.end])
        if span.kind is SpanKind.EXPRESSION:
            placeholder = masker.placeholder(span)
            placeholders.append(placeholder)
            low, high = placeholder.start - span.start, placeholder.end - span.start
            whole = whole[:low] + placeholder.text + whole[high:]
            whole = _laid_open(text, span, placeholder, whole)
        pieces.append(whole)
    understood = frozenset(item.via.statement for item in placeholders if item.via is not None)
    return Masked(
        text="".join(pieces),
        placeholders=tuple(placeholders),
        doubts=tuple(masker.doubts),
        understood=understood,
    )


class _Identifiers:
    """Hands out identifiers that stand nowhere in the text; the same one for the same Jinja."""

    def __init__(self, text: str) -> None:
        self._lower = text.lower()
        self._count = 0
        self._given: dict[str, str] = {}

    def for_code(self, code: str, length: int) -> str | None:
        """An identifier of exactly `length` characters, or None when that is too short."""
        known = self._given.get(f"{length}:{code}")
        while known is None:
            stem = f"_g{_base36(self._count)}"
            self._count += 1
            if len(stem) >= length:
                return None
            if stem not in self._lower:
                known = self._given[f"{length}:{code}"] = stem.ljust(length, "_")
        return known


def _base36(number: int) -> str:
    digits = _DIGITS[number % 36]
    while number := number // 36:
        digits = _DIGITS[number % 36] + digits
    return digits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Masker:
    """Chooses the placeholders of one file; `doubts` gathers what must be told."""

    text: str
    migration: CompiledMigration
    identifiers: _Identifiers
    values: Mapping[str, Values]
    doubts: list[Reason]
    bound: Mapping[str, Bound]
    macros: Mapping[str, Macro] | None

    def placeholder(self, span: Span) -> Placeholder:
        """What stands for one expression."""
        tree = expression(span.code)
        start, end = _room(self.text, span)
        fixed = _fixed(tree)
        if fixed is not None and len(fixed) <= end - start:
            return Placeholder(span=span, role=Role.SILENT, text=fixed, start=start, end=start + len(fixed))
        if _is_number(tree, self.values):
            digits = "1".ljust(end - start, "0")
            return Placeholder(span=span, role=Role.NUMBER, text=digits, start=start, end=end)
        via = self.bound.get(tree.name) if isinstance(tree, nodes.Name) else None
        found = via.call if via is not None else call(tree)
        if found is not None and found.args is not None and found.name is not None:
            relation = self._relation(span, found, found.name, start, end)
            return relation if via is None or relation.dataset is None else replace(relation, via=via)
        if found is not None:
            self._doubt(span, match(found, self.migration).doubt)
        function = self._function(span, tree) if found is None else None
        if function is not None:
            return function
        word = self.identifiers.for_code(span.code, end - start)
        if word is None:
            raise TooShort(span.line)
        role = Role.THIS if isinstance(tree, nodes.Name) and tree.name == "this" else Role.OPAQUE
        return Placeholder(span=span, role=role, text=word, start=start, end=end)

    def _relation(self, span: Span, found: DbtCall, name: str, start: int, end: int) -> Placeholder:
        verdict = match(found, self.migration)
        self._doubt(span, verdict.doubt)
        last: str | None = name
        if verdict.dataset is not None:
            last = verdict.dataset.name  # what the database calls it, whatever dbt does
        elif name.lower() in told_names(self.migration) or not _PLAIN.fullmatch(name):
            # Another dataset of the same name: under a name of its own it is mistaken for nothing.
            last = None
        table = self._table(span, end - start, last)
        if verdict.dataset is not None and (len(table) == 1 or not _PLAIN.fullmatch(table[-1])):
            raise TooShort(span.line)
        return Placeholder(
            span=span,
            role=Role.RELATION if verdict.dataset is None else Role.REPLACED,
            text=".".join(table),
            start=start,
            end=end,
            table=DatasetRef(table),
            dataset=verdict.dataset,
            call=found,
        )

    def _function(self, span: Span, tree: nodes.Node | None) -> Placeholder | None:
        """A call with the SQL of its arguments laid open; its word ends where the first argument begins."""
        if self.macros is None:
            return None
        call_of = exposed(self.text, span, tree, self.macros, self.migration.dialect)
        if call_of is None:
            return None
        end = call_of.holes[0][0] - 1
        start = max(span.start, self.text.rfind("\n", 0, end) + 1)
        word = self.identifiers.for_code(f"{span.code}()", end - start)
        if word is None:
            return None
        return Placeholder(
            span=span, role=Role.FUNCTION, text=word, start=start, end=end, holes=call_of.holes
        )

    def _doubt(self, span: Span, doubt: str | None) -> None:
        if doubt is not None:
            message = f"{span.code} {doubt}"
            self.doubts.append(Reason(code="dbt-name-unsure", message=message, line=span.line))

    def _table(self, span: Span, length: int, last: str | None) -> tuple[str, ...]:
        """A table name of exactly `length` characters, ending in the name that the relation has in SQL."""
        if last is not None:
            stem = self.identifiers.for_code(span.code, length - len(last) - 1)
            if stem is not None:
                return stem, last
        word = self.identifiers.for_code(span.code, length)
        if word is None:
            raise TooShort(span.line)
        return (word,)


def _laid_open(text: str, span: Span, placeholder: Placeholder, whole: str) -> str:
    """A function's brackets and arguments in its masked text, each at its own place."""
    pieces = list(whole)
    for number, (low, high) in enumerate(placeholder.holes):
        last = number == len(placeholder.holes) - 1
        if number == 0:
            pieces[low - 1 - span.start] = "("
        pieces[low - span.start : high - span.start] = text[low:high]
        pieces[high - span.start] = ")" if last else ","
    return "".join(pieces)


def _room(text: str, span: Span) -> tuple[int, int]:
    """The longest line of a span: a placeholder stands on one line, so that the others keep their places."""
    best = (span.start, span.start)
    position = span.start
    for piece in text[span.start : span.end].splitlines(keepends=True):
        length = len(piece.rstrip("\r\n"))
        if length > best[1] - best[0]:
            best = (position, position + length)
        position += len(piece)
    return best


def _is_number(tree: nodes.Node | None, values: Mapping[str, Values]) -> bool:
    """Does the expression always render as a number?"""
    match tree:
        case nodes.Const(value=bool()):
            return False
        case nodes.Const(value=int()):
            return True
        case nodes.Getattr(node=nodes.Name(name="loop"), attr="index" | "index0" | "revindex" | "length"):
            return True
        case nodes.Name(name=name) if name in values:
            return all(value.isdecimal() for value in values[name])
        case _:
            return False


def _fixed(tree: nodes.Node | None) -> str | None:
    """What an expression always renders as: nothing for `config(...)`, a text that hangs on `loop.last`.

    `{{ dbt.type_timestamp() }}` is some type's name; which one matters to nobody here.
    """
    match tree:
        case nodes.Call(node=nodes.Name(name=name)) if name in _SILENT:
            return ""
        case nodes.Call(node=nodes.Getattr(node=nodes.Name(name="dbt" | "dbt_utils"), attr=str(attr))):
            return "INT" if attr.startswith("type_") else None
        case nodes.CondExpr(test=test, expr1=nodes.Const(value=str(yes)), expr2=other):
            truth = loop_truth(test)
            if truth is None:
                return None
            if truth:
                return yes
            return other.value if isinstance(other, nodes.Const) and isinstance(other.value, str) else ""
        case _:
            return None
