"""The hooks in a model's `config(...)`: SQL of its own, which rendering the model does not show."""

from __future__ import annotations

from collections.abc import Iterator

import jinja2
from jinja2 import nodes

_ENVIRONMENT = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False, keep_trailing_newline=True)
_HOOKS = ("pre_hook", "post_hook")


def split_hooks(text: str) -> tuple[str, tuple[str, ...], str]:
    """A template without the SQL of its hooks, that SQL in its order, and the `config` calls that have any.

    A template that Jinja cannot cut, or that has no hooks, comes back as it is.
    """
    if not any(hook in text for hook in _HOOKS):
        return text, (), ""
    try:
        tokens = [(kind, value) for _, kind, value in _ENVIRONMENT.lex(text)]
    except jinja2.TemplateSyntaxError:
        return text, (), ""
    rest: list[str] = []
    found: list[str] = []
    calls: list[str] = []
    inside: list[tuple[str, str]] = []
    for kind, value in tokens:
        if kind == "variable_begin" or inside:
            inside.append((kind, value))
            if kind == "variable_end":
                whole = _without(inside, found)
                calls += [whole] if any(hook in whole for hook in _HOOKS) else []
                rest.append(whole)
                inside = []
        else:
            rest.append(value)
    return "".join([*rest, *(value for _, value in inside)]), tuple(found), "\n".join(calls)


def _without(tokens: list[tuple[str, str]], found: list[str]) -> str:
    """One expression, its hooks taken out and put into `found`."""
    whole = "".join(value for _, value in tokens)
    code = "".join(value for _, value in tokens[1:-1])
    wanted = set(_hooks(code)) if code.strip().startswith("config") else set()
    written: list[str] = []
    for kind, value in tokens:
        if kind == "string" and value[1:-1] in wanted:
            found.append(value[1:-1])
            written.append("''")
        else:
            written.append(value)
    return "".join(written) if wanted else whole


def _hooks(code: str) -> Iterator[str]:
    try:
        tree = _ENVIRONMENT.parse("{{ " + code + " }}")
    except jinja2.TemplateSyntaxError:
        return
    for call in tree.find_all(nodes.Call):
        for pair in call.kwargs:
            if pair.key in _HOOKS:
                values = [pair.value, *pair.value.find_all(nodes.Const)]
                yield from (
                    one.value for one in values if isinstance(one, nodes.Const) and isinstance(one.value, str)
                )
