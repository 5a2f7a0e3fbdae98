"""What a Jinja expression can render as, where that follows from the file and its project alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from greylag.rewrite.dbt.jinja import expression
from greylag.rewrite.dbt.literals import Values

UNKNOWN = "\0"
"""Stands in a spelling for a piece of text that is not known."""
_MANY = 200
_FILTERS: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "string": str,
    "as_text": str,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is known: values of the file's own variables, and the variables of `dbt_project.yml`.

    With `defaults`, what has a default and no value in the project is its default; else it may be anything.
    """

    values: Mapping[str, Values] = field(default_factory=dict)
    variables: Mapping[str, object] = field(default_factory=dict)
    defaults: bool = False

    def spellings(self, node: nodes.Node | None) -> Values:
        """Every text that an expression may render as; UNKNOWN stands where a piece of it is not known."""
        found = self._of(node)
        return found if len(found) <= _MANY else frozenset({UNKNOWN})

    def _of(self, node: nodes.Node | None) -> Values:
        match node:
            case nodes.Const(value=bool()):
                return frozenset({UNKNOWN})
            case nodes.Const(value=str() | int() as value):
                return frozenset({str(value)})
            case nodes.TemplateData(data=data):
                return frozenset({data})
            case nodes.Name(name=name):
                return self.values.get(name, frozenset({UNKNOWN}))
            case nodes.Concat(nodes=parts):
                return self._joined(parts)
            case nodes.Add(left=left, right=right):
                return self._joined((left, right))
            case nodes.CondExpr(expr1=first, expr2=second) if second is not None:
                return self.spellings(first) | self.spellings(second)
            case nodes.Filter(node=inner, name=name) if inner is not None and name in _FILTERS:
                return frozenset(_FILTERS[name](text) for text in self.spellings(inner))
            case nodes.Call(node=nodes.Name(name="var" | "env_var" as kind), args=[nodes.Const(), *_]):
                return self._variable(kind, node)
            case _:
                return frozenset({UNKNOWN})

    def _joined(self, parts: Iterable[nodes.Node]) -> Values:
        pieces = [self.spellings(part) for part in parts]
        total = 1
        for piece in pieces:
            total *= len(piece)
        if total > _MANY:
            return frozenset({UNKNOWN})
        return frozenset("".join(choice) for choice in itertools.product(*pieces))

    def _variable(self, kind: str, node: nodes.Call) -> Values:
        """The project's value, else the default; an environment is nobody's to know but for its default."""
        first = node.args[0]
        name = first.value if isinstance(first, nodes.Const) else None
        if kind == "var" and name in self.variables:
            value = self.variables[str(name)]
            known = isinstance(value, str | int) and not isinstance(value, bool)
            return frozenset({str(value)}) if known else frozenset({UNKNOWN})
        default = self.spellings(node.args[1]) if len(node.args) > 1 else frozenset({UNKNOWN})
        return default if self.defaults else default | {UNKNOWN}


def may_be(spelling: str, names: Iterable[str]) -> bool:
    """Can a spelling with unknown pieces come out as one of the names, in any case?"""
    pattern = re.compile(".*".join(map(re.escape, spelling.lower().split(UNKNOWN))), re.DOTALL)
    return any(pattern.fullmatch(name.lower()) for name in names)


def rendered(text: str, scope: Scope) -> str | None:
    """What a YAML value with Jinja renders as; None when that is not known.

    Only texts with one `{{ }}` are looked through: `{{ env_var('SCHEMA', 'core') }}`, `raw_{{ var('x') }}`.
    """
    if "{" not in text:
        return text
    opening, closing = text.find("{{"), text.rfind("}}")
    if opening < 0 or closing < opening or "{%" in text or text.count("{{") > 1:
        return None
    found = scope.spellings(expression(text[opening + 2 : closing].strip().strip("-").strip()))
    (spelling,) = found if len(found) == 1 else (UNKNOWN,)
    return None if UNKNOWN in spelling else text[:opening] + spelling + text[closing + 2 :]
