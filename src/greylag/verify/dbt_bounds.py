"""A Jinja environment for templates of strangers: what they cost is counted, and bounded before it is spent.

Jinja's own sandbox keeps a template away from Python; it does not keep it from filling the memory or from
running for ever (https://jinja.palletsprojects.com/en/stable/sandbox/).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import filters, nodes, runtime
from jinja2.sandbox import SandboxedEnvironment

from greylag.verify.dbt_world import Unrenderable

STEPS = 200_000
"""Iterations and calls in one rendering, weighted by the text that they write."""
LENGTH = 200_000
"""Characters of a string, items of a list."""
_TEXT_A_STEP = 200
_SHORT = 500
_EACH, _JOINED = "greylag_each", "greylag_joined"
_WIDE = re.compile(r"\d{5,}|\*")
_WIDE_FORMAT = re.compile(r"%[-+ #0]*(?:\d{5,}|\*)")
_PADDING = {"center", "ljust", "rjust", "zfill", "expandtabs"}


class BoundedEnvironment(SandboxedEnvironment):
    """Counts; `start` begins a new count. Trees have to go through `bound` before they are compiled."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._left = STEPS
        self.globals["range"] = self._range
        self.globals.pop("lipsum", None)
        for name in ("batch", "slice", "wordwrap"):
            self.filters.pop(name, None)
        own: dict[str, Callable[..., Any]] = {
            _EACH: self._each,
            _JOINED: lambda parts: self._short("".join(map(str, parts))) if self._fits(parts) else "",
            "join": self._join,
            "replace": self._replace,
            "center": self._padded(filters.do_center),
            "indent": self._padded(filters.do_indent),
            "format": self._format,
        }
        self.filters.update(own)

    def start(self) -> None:
        """A new rendering."""
        self._left = STEPS

    def call_binop(self, context: runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """See Jinja: operators whose result may be large."""
        if operator == "*":
            for text, number in ((left, right), (right, left)):
                if isinstance(text, str | list | tuple) and isinstance(number, int):
                    self._limit(len(text) * number)
        power = operator == "**" and isinstance(right, int | float) and abs(right) > 64
        wide = operator == "%" and isinstance(left, str) and _WIDE_FORMAT.search(left)
        if power or wide:
            self._limit(LENGTH + 1)
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, str | list | tuple):
            self._limit(len(result))
        return result

    def call(self, context: runtime.Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """See Jinja: every call is a step, and what a macro writes are more."""
        self._spend(1)
        result = super().call(context, obj, *args, **kwargs)
        if isinstance(result, str):
            self._spend(len(result) // _TEXT_A_STEP)
            self._limit(len(result))
        return result

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """See Jinja: methods of strings that make long ones of short ones."""
        if isinstance(obj, str):
            if attr in _PADDING or (attr in {"format", "format_map"} and _WIDE.search(obj)):
                return False
            if attr in {"replace", "join", "translate"} and len(obj) > _SHORT:
                return False
        return super().is_safe_attribute(obj, attr, value)

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise Unrenderable("its Jinja takes too many steps")

    def _limit(self, length: int) -> None:
        if length > LENGTH:
            raise Unrenderable("its Jinja makes too long a text or list")

    def _short(self, text: str) -> str:
        self._limit(len(text))
        return text

    def _fits(self, parts: Iterable[Any]) -> bool:
        self._limit(sum(len(part) if isinstance(part, str) else 1 for part in parts))
        return True

    def _each(self, items: Any, weight: int) -> list[Any]:
        found = []
        for item in items:
            self._spend(weight)
            found.append(item)
        return found

    def _range(self, *bounds: int) -> range:
        made = range(*bounds)
        self._limit(len(made))
        return made

    def _join(self, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
        items = list(value)
        if attribute is not None:
            items = [filters.make_attrgetter(self, attribute)(one) for one in items]
        texts = [str(one) for one in items]
        self._limit(len(texts) * len(str(d)) + sum(map(len, texts)))
        return str(d).join(texts)

    def _replace(self, s: str, old: str, new: str, count: int | None = None) -> str:
        text, times = str(s), -1 if count is None else count
        self._limit(len(text) + (text.count(str(old)) + 1) * len(str(new)))
        return text.replace(str(old), str(new), times)

    def _padded(self, made: Callable[..., str]) -> Callable[..., str]:
        def padded(text: str, width: Any = 4, *args: Any, **kwargs: Any) -> str:
            if isinstance(width, int):
                self._limit(width * (str(text).count("\n") + 1))
            return self._short(str(made(text, width, *args, **kwargs)))

        return padded

    def _format(self, value: str, *args: Any, **kwargs: Any) -> str:
        if _WIDE.search(str(value)):
            self._limit(LENGTH + 1)
        return self._short(str(filters.do_format(value, *args, **kwargs)))


def bound(tree: nodes.Node) -> None:
    """Let every loop and every `~` of a template be counted."""
    for loop in list(tree.find_all(nodes.For)):
        written = sum(len(data.data) for part in loop.body for data in _texts(part))
        weight = nodes.Const(1 + written // _TEXT_A_STEP, lineno=loop.lineno)
        loop.iter = nodes.Filter(loop.iter, _EACH, [weight], [], None, None, lineno=loop.lineno)
    for joined in list(tree.find_all(nodes.Concat)):
        parts = nodes.List(joined.nodes, lineno=joined.lineno)
        made = nodes.Filter(parts, _JOINED, [], [], None, None, lineno=joined.lineno)
        joined.nodes = [made]


def _texts(node: nodes.Node) -> Iterable[nodes.TemplateData]:
    if isinstance(node, nodes.TemplateData):
        return [node]
    return list(node.find_all(nodes.TemplateData))
