"""Macros that are functions of the SQL that is handed to them as text: `{{ cents('amount') }}`.

In the masked text such a call stands as `_g3_(  amount  )`: the text between the quotes is SQL, at its own
place, and an edit of it is an edit of the macro's argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from jinja2 import nodes
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.dbt import FUNCTIONS
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.rewrite.dbt.jinja import JinjaError, Span, SpanKind, expression, spans, string_tokens
from greylag.rewrite.dbt.macros import Macro

_PATH = re.compile(r"[\w`\"\[\]]+(?:\.[\w`\"\[\]]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """A call with its SQL laid open: the places (of the file) between the quotes of each argument."""

    holes: tuple[tuple[int, int], ...]


def exposed(
    text: str, span: Span, tree: nodes.Node | None, macros: Mapping[str, Macro], dialect: str
) -> Exposed | None:
    """The SQL in the arguments of a call; None when the call is no function of SQL handed to it."""
    if not isinstance(tree, nodes.Call) or tree.dyn_args or tree.dyn_kwargs:
        return None
    letters = _letters(tree, macros, dialect)
    if letters is None:
        return None
    texts = list(_texts(tree, letters))
    places = list(string_tokens(text[span.start : span.end]))
    if len(texts) != len(places) or not any(is_sql for _, is_sql in texts):
        return None
    holes: list[tuple[int, int]] = []
    for (value, is_sql), (low, high) in zip(texts, places, strict=True):
        start, end = span.start + low + 1, span.start + high - 1
        if not is_sql:
            continue
        if text[start:end] != value or not value.strip() or "\n" in value or "\\" in value:
            return None
        holes.append((start, end))
    return Exposed(holes=tuple(holes))


def _letters(tree: nodes.Call, macros: Mapping[str, Macro], dialect: str) -> str | None:
    """One letter a positional argument, as in FUNCTIONS."""
    match tree.node:
        case nodes.Getattr(node=nodes.Name(name=package), attr=name) if package in FUNCTIONS:
            return FUNCTIONS[package].get(name)
        case nodes.Name(name=name) if name in macros and is_function(macros[name], dialect):
            return "c" * max(1, len(macros[name].parameters))
        case _:
            return None


def _texts(tree: nodes.Call, letters: str) -> Iterator[tuple[str, bool]]:
    """Every text constant of the arguments in their order, and whether it is SQL."""
    given = [*tree.args, *(pair.value for pair in tree.kwargs)]
    kinds = "*" * len(given) if letters == "*" else letters.ljust(len(given), "l")
    for kind, argument in zip(kinds, given, strict=False):
        items = argument.items if isinstance(argument, nodes.List | nodes.Tuple) else [argument]
        for item in items:
            if not isinstance(item, nodes.Const):
                yield "", True  # something else than a text: then nothing is laid open
            elif isinstance(item.value, str):
                yield item.value, kind in "c*"


@lru_cache(maxsize=512)
def is_function(macro: Macro, dialect: str) -> bool:
    """Does a macro render as one scalar expression, whose only columns are its parameters?"""
    if not macro.parameters:
        return False
    try:
        parts = spans(macro.body)
    except JinjaError:
        return False
    words = {name: f"_gp{number}_" for number, name in enumerate(macro.parameters)}
    text, count = "", 0
    for part in parts:
        if part.kind is SpanKind.DATA:
            text += part.code
        elif part.kind is SpanKind.EXPRESSION:
            tree = expression(part.code)
            if not isinstance(tree, nodes.Name) or tree.name not in words:
                return False
            text, count = text + words[tree.name], count + 1
        elif part.kind is SpanKind.STATEMENT:
            return False
    return _is_scalar(text, frozenset(words.values()), count, dialect)


def _is_scalar(text: str, words: frozenset[str], count: int, dialect: str) -> bool:
    try:
        statements = sqlglot.parse(f"SELECT {text}", dialect=dialect)
    except (SqlglotError, *PARSER_GIVES_UP):
        return False
    query = statements[0] if len(statements) == 1 else None
    if (
        not isinstance(query, exp.Select)
        or len(query.selects) != 1
        or set(_clauses(query)) != {"expressions"}
    ):
        return False
    odd = (exp.Alias, exp.AggFunc, exp.Window, exp.Star, exp.Table)
    if query.find(*odd) is not None:
        return False
    if any(isinstance(node, exp.Query) and node is not query for node in query.walk()):
        return False
    columns = list(query.find_all(exp.Column))
    return len(columns) == count and all(len(one.parts) == 1 and one.name in words for one in columns)


def _clauses(query: exp.Select) -> Iterator[str]:
    yield from (key for key, value in query.args.items() if value)


def as_argument(quoted: str, old: str, new: str) -> str | None:
    """The text of an argument with new SQL: `quoted` is what stood there with its quotes.

    More than a name goes into parentheses: the macro may put an operator beside it. None when the SQL cannot
    stand between quotes.
    """
    written = new if old == new or _PATH.fullmatch(new) else f"({new})"
    if "\n" in written or "\\" in written or "{" in written:
        return None
    quote = next((mark for mark in (quoted[0], "'", '"') if mark not in written), None)
    return None if quote is None else f"{quote}{written}{quote}"
