"""As much of GraphQL as clients of GitHub write: named fields with arguments, aliases, fragments, variables.

A field that a type has not is an error, as is a connection without `first` or `last`.
https://docs.github.com/en/graphql
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"\s*(?:,|#[^\n]*)*\s*(\.\.\.|[{}()\[\]:!$=]|\"[^\"\\]*\"|-?\d+|\w+)")


class GraphError(Exception):
    """An error of the query or of one field; `kind` is what GitHub calls `type`."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True, kw_only=True)
class Selection:
    """A field that is asked for; `on`: only of that type (an inline fragment); `spread`: a fragment."""

    name: str = ""
    alias: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: list[Selection] = field(default_factory=list)
    on: str = ""
    spread: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that the request gives the value of."""

    name: str


Resolve = Callable[[Any, Mapping[str, Any]], Any]
Schema = Mapping[str, Mapping[str, tuple[str, Resolve]]]
"""By type and field: the type of what it is (`[T]` for a list; empty for a scalar), and how it is found."""


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = [match[1] for match in _TOKEN.finditer(text)]
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def next(self) -> str:
        if self._at >= len(self._tokens):
            raise GraphError("Unexpected end of document")
        self._at += 1
        return self._tokens[self._at - 1]

    def expect(self, token: str) -> None:
        found = self.next()
        if found != token:
            raise GraphError(f"Expected {token}, found {found}")

    def document(self) -> tuple[str, list[Selection], dict[str, list[Selection]]]:
        operation, fields, fragments = "", [], {}
        while self.peek():
            word = self.next()
            if word == "fragment":
                name = self.next()
                self.expect("on")
                self.next()
                fragments[name] = self.selections()
                continue
            if word not in ("query", "mutation"):
                raise GraphError(f"Expected an operation, found {word}")
            operation = word
            while self.peek() != "{":
                self.next()  # its name and its variables, whose types are the server's to know
            fields = self.selections()
        return operation, fields, fragments

    def selections(self) -> list[Selection]:
        self.expect("{")
        found = []
        while self.peek() != "}":
            found.append(self._selection())
        self.expect("}")
        return found

    def _selection(self) -> Selection:
        if self.peek() == "...":
            self.next()
            name = self.next()
            if name == "on":
                return Selection(on=self.next(), fields=self.selections())
            return Selection(spread=name)
        name = alias = self.next()
        if self.peek() == ":":
            self.next()
            name = self.next()
        arguments = self._arguments() if self.peek() == "(" else {}
        fields = self.selections() if self.peek() == "{" else []
        return Selection(name=name, alias=alias, arguments=arguments, fields=fields)

    def _arguments(self) -> dict[str, Any]:
        self.expect("(")
        found = {}
        while self.peek() != ")":
            name = self.next()
            self.expect(":")
            found[name] = self._value()
        self.expect(")")
        return found

    def _value(self) -> Any:
        token = self.next()
        if token == "$":
            return Variable(self.next())
        if token == "{":
            found = {}
            while self.peek() != "}":
                name = self.next()
                self.expect(":")
                found[name] = self._value()
            self.expect("}")
            return found
        if token == "[":
            items = []
            while self.peek() != "]":
                items.append(self._value())
            self.expect("]")
            return items
        if token.startswith('"'):
            return token[1:-1]
        if token.lstrip("-").isdigit():
            return int(token)
        return {"true": True, "false": False, "null": None}.get(token, token)


def answered(schema: Schema, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The document that answers a query: `data`, and `errors` where there are some."""
    errors: list[dict[str, Any]] = []
    try:
        operation, fields, fragments = _Reader(query).document()
        asking = _Asking(schema, variables, fragments, errors)
        data = asking.of("Mutation" if operation == "mutation" else "Query", None, fields, [])
    except GraphError as error:
        return {"errors": [_shaped(error, [])]}
    return {"data": data} | ({"errors": errors} if errors else {})


@dataclass(frozen=True, slots=True)
class _Asking:
    schema: Schema
    variables: Mapping[str, Any]
    fragments: Mapping[str, list[Selection]]
    errors: list[dict[str, Any]]

    def of(self, kind: str, value: Any, fields: list[Selection], path: list[Any]) -> dict[str, Any]:
        if not fields:
            raise GraphError(f"Field must have selections (type {kind})")
        found: dict[str, Any] = {}
        for one in self._flat(kind, value, fields):
            if one.name == "__typename":
                found[one.alias] = kind
                continue
            if one.name not in self.schema[kind]:
                raise GraphError(f"Field '{one.name}' doesn't exist on type '{kind}'")
            inner, resolve = self.schema[kind][one.name]
            here = [*path, one.alias]
            try:
                told = resolve(value, self._given(one.arguments))
            except GraphError as error:
                # Of one field: the others are answered.
                self.errors.append(_shaped(error, here))
                found[one.alias] = None
                continue
            found[one.alias] = self._shape(inner, told, one, here)
        return found

    def _shape(self, kind: str, told: Any, one: Selection, path: list[Any]) -> Any:
        if told is None:
            return None
        if not kind:
            if one.fields:
                raise GraphError(f"Selections can't be made on scalars (field '{one.name}')")
            return told
        if kind.startswith("["):
            return [self.of(kind[1:-1], item, one.fields, [*path, at]) for at, item in enumerate(told)]
        if kind.endswith("Connection") and not {"first", "last"} & set(one.arguments):
            raise GraphError(f"You must provide a `first` or `last` value to paginate `{one.name}`.")
        return self.of(kind, told, one.fields, path)

    def _flat(self, kind: str, value: Any, fields: list[Selection]) -> Iterator[Selection]:
        for one in fields:
            if one.spread:
                if one.spread not in self.fragments:
                    raise GraphError(f"Fragment {one.spread} was used, but not defined")
                yield from self._flat(kind, value, self.fragments[one.spread])
            elif one.on:
                if one.on == kind:
                    yield from self._flat(kind, value, one.fields)
            else:
                yield one

    def _given(self, value: Any) -> Any:
        if isinstance(value, Variable):
            if value.name not in self.variables:
                raise GraphError(f"Variable ${value.name} was not provided")
            return self.variables[value.name]
        if isinstance(value, dict):
            return {name: self._given(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._given(one) for one in value]
        return value


def _shaped(error: GraphError, path: list[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"message": str(error)}
    if error.kind:
        told["type"] = error.kind
    return told | ({"path": path} if path else {})
