"""JSON values for the columns that queries take paths out of: a path that never exists tells nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from greylag.verify.resolve import Model

_EXTRACTS = (exp.JSONExtract, exp.JSONExtractScalar)
_NUMBERS = frozenset({*exp.DataType.INTEGER_TYPES, *exp.DataType.FLOAT_TYPES, *exp.DataType.NUMERIC_TYPES})


@dataclass(slots=True)
class Document:
    """What is asked of a JSON value: its keys with what stands under them, or the texts that it may be."""

    keys: dict[str, Document] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    number: bool = False

    def draw(self, rng: random.Random, spread: int) -> str:
        """A JSON text."""
        return json.dumps(self._value(rng, spread, top=True))

    def _value(self, rng: random.Random, spread: int, *, top: bool = False) -> object:
        if self.keys:
            # A key is missing now and then, or holds nothing.
            if not top and rng.random() < 0.05:
                return None
            known = {key: part._value(rng, spread) for key, part in self.keys.items() if rng.random() < 0.9}
            return {**known, "more": rng.randrange(spread)} if rng.random() < 0.3 else known
        chance = rng.random()
        if chance < 0.08:
            return None
        if self.number:
            edges = [int(text) for text in self.texts if text.lstrip("-").isdigit()]
            near = rng.choice(edges) + rng.choice([-1, 0, 0, 1]) if edges and chance < 0.6 else None
            return near if near is not None else rng.choice([1, 1, 1, -1, 9]) * rng.randrange(spread)
        if self.texts and chance < 0.6:
            text = rng.choice(sorted(self.texts))
            return rng.choice([text, text, text, text.upper(), text + " "])
        return rng.choice(["", f"v{rng.randrange(spread)}", f"v{rng.randrange(spread)}"])


def documents(models: list[Model]) -> dict[int, Document]:
    """What the queries take out of each column, by the id of its type."""
    found: dict[int, Document] = {}
    for model in models:
        for node in model.root.node.find_all(*_EXTRACTS):
            if isinstance(node.parent, _EXTRACTS) and node.arg_key == "this":
                continue
            column, keys = _path(node)
            ref = model.refs.get(id(column))
            table = ref.source.table if ref is not None and ref.source is not None else None
            name = table.find(ref.name) if ref is not None and table is not None else None
            if table is None or name is None or not keys:
                continue
            place = found.setdefault(id(table.columns[name].root()), Document())
            for key in keys:
                place = place.keys.setdefault(key, Document())
            _leaf(place, node)
    return found


def _path(node: exp.Expr) -> tuple[exp.Expr, list[str]]:
    """The column under nested extractions, and the keys from it to here; no keys where one is not a name."""
    keys: list[str] = []
    while isinstance(node, exp.Paren | exp.JSONExtract | exp.JSONExtractScalar):
        if not isinstance(node, exp.Paren):
            parts = list(_keys(node.expression))
            keys = [*parts, *keys] if parts and (keys or node.expression) else []
            if not parts:
                return node, []
        node = node.this
    return node, keys


def _keys(path: exp.Expr | None) -> Iterator[str]:
    if isinstance(path, exp.Literal) and path.is_string:
        yield str(path.this).removeprefix("$.")
    for part in path.expressions if isinstance(path, exp.JSONPath) else []:
        if isinstance(part, exp.JSONPathKey):
            yield str(part.this)
        elif not isinstance(part, exp.JSONPathRoot):
            return


def _leaf(place: Document, node: exp.Expr) -> None:
    cast = node.find_ancestor(exp.Cast, exp.TryCast, exp.Predicate)
    if isinstance(cast, exp.Cast | exp.TryCast) and cast.to.this in _NUMBERS:
        place.number = True
    around = node.find_ancestor(exp.Predicate, exp.Case)
    if around is not None and not isinstance(around, exp.Exists):
        place.texts.update(str(text.this) for text in around.find_all(exp.Literal) if not _is_path(text))


def _is_path(literal: exp.Literal) -> bool:
    return isinstance(literal.parent, (*_EXTRACTS, exp.JSONPath))
