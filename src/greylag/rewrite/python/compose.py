"""From an expression to the SQL that it is at run time: literals, what is joined to them, what is put in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

import libcst as cst

from greylag.rewrite.embedded import Segment
from greylag.rewrite.python.bindings import Bindings, Foreign
from greylag.rewrite.python.composed import (
    Composed,
    Fill,
    as_values,
    extend,
    pieces,
    refuse,
    right_side,
    undoubled,
)
from greylag.rewrite.python.literals import Style, opening, segment, sliced
from greylag.rewrite.python.source import Source

# What is filled in after the string is made: by a template engine, and bound by the driver (a value).
_LATER = re.compile(r"(?P<jinja>\{\{.*?\}\})|%(?:\(\w+\))?s(?!\w)", re.DOTALL)
_FIELD = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}!:]*)(?P<rest>[^{}]*)\}")
_PERCENT = re.compile(r"%%|%(?:\((?P<name>\w+)\))?[-#0 +]*\d*(?:\.\d+)?[sdifrge]")
_KEEPS = {"strip", "lstrip", "rstrip"}
_DEDENTS = {"dedent", "cleandoc"}
_NAME = re.compile(r"[`\"\[]?[\w-]+[`\"\]]?(?:[.:][`\"\[]?[\w$*-]+[`\"\]]?)*")


class Composer:
    """Composes the strings of one module; `dialect` is that of the SQL, for its layout."""

    def __init__(self, source: Source, bindings: Bindings, dialect: str) -> None:
        self.source = source
        self.bindings = bindings
        self.dialect = dialect
        self.newline = "\r\n" if "\r\n" in source.text[:10_000] else "\n"

    def compose(self, node: cst.BaseExpression) -> Composed | None:
        """The string that an expression is; None when no part of it is known to be one."""
        into = Composed()
        if not self._add(node, into, "", 0):
            return None
        into.segments = list(as_values(list(self._later(into))))
        return into

    # -- expressions -----------------------------------------------------------------------------------

    def _add(self, node: cst.BaseExpression, into: Composed, doubled: str, depth: int) -> bool:
        """Append what the node is; False, and nothing appended, when it is not known to be a string."""
        if depth > 40:
            return False
        match node:
            case cst.SimpleString():
                return self._simple(node, into, doubled)
            case cst.FormattedString():
                return self._formatted(node, into, doubled, depth)
            case cst.ConcatenatedString():
                left = self._add(node.left, into, doubled, depth + 1)
                return self._add(node.right, into, doubled, depth + 1) and left
            case cst.BinaryOperation(operator=cst.Add()):
                return self._joined(node, into, doubled, depth)
            case cst.BinaryOperation(operator=cst.Modulo()):
                return self._percent(node, into, depth)
            case cst.Call():
                return self._call(node, into, doubled, depth)
            case cst.NamedExpr():
                return self._add(node.value, into, doubled, depth + 1)
            case cst.Name() | cst.Attribute() | cst.Subscript():
                return self._followed(node, into, doubled, depth)
        return False

    def _simple(self, node: cst.SimpleString, into: Composed, doubled: str) -> bool:
        prefix, quote = opening(node.value)
        if "b" in prefix:
            return False
        style = Style(
            quote=quote, raw="r" in prefix, doubled=doubled, newline=self.newline, dialect=self.dialect
        )
        start = self.source.span(node)[0] + len(prefix) + len(quote)
        body = node.value[len(prefix) + len(quote) : -len(quote)]
        into.segments.append(segment(body, start, style))
        into.atoms.add(node)
        return True

    def _formatted(self, node: cst.FormattedString, into: Composed, doubled: str, depth: int) -> bool:
        prefix, quote = opening(node.start)
        style = Style(
            quote=quote,
            raw="r" in prefix,
            doubled=doubled + "{}",
            newline=self.newline,
            dialect=self.dialect,
        )
        into.atoms.add(node)
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                start = self.source.span(part)[0]
                into.segments.append(segment(part.value, start, style, braces=True))
            elif isinstance(part, cst.FormattedStringExpression):
                plain = part.conversion in (None, "s") and not part.format_spec and part.equal is None
                span = self.source.span(part)
                self._hole(part.expression, span, style.encode, into, depth, plain=plain)
                into.segments.append(segment("", span[1], style))
        return True

    def _joined(self, node: cst.BinaryOperation, into: Composed, doubled: str, depth: int) -> bool:
        parts: list[Composed | None] = []
        for one in (node.left, node.right):
            part = Composed(unknown=into.unknown)
            parts.append(part if self._add(one, part, doubled, depth + 1) else None)
        if parts == [None, None]:
            return False
        for one, found in zip((node.left, node.right), parts, strict=True):
            if found is not None and not isinstance(one, cst.Name | cst.Attribute | cst.Subscript):
                extend(into, found)
                continue
            span = self.source.span(one)
            self._hole(one, span, self._literal, into, depth, plain=found is not None)
            if not getattr(one, "lpar", ()) and isinstance(one, cst.Name | cst.Attribute | cst.Subscript):
                end, style = span[1], Style(quote='"')
                into.segments.append(replace(segment("", end, style), encode=self._operand))
        return True

    def _operand(self, text: str) -> str:
        """SQL behind an operand: one more operand."""
        return f" + {self._literal(text)}"

    def _literal(self, text: str) -> str:
        """SQL in place of an operand: a literal of its own."""
        style = Style(quote='"' if "\n" not in text else '"""', dialect=self.dialect, newline=self.newline)
        return f"{style.quote}{style.encode(text)}{style.quote}"

    def _hole(
        self,
        value: cst.BaseExpression,
        span: tuple[int, int],
        encode: Callable[[str], str],
        into: Composed,
        depth: int,
        *,
        plain: bool,
        field: str = "",
    ) -> None:
        """What is put in: the text of a constant, else a hole. The name of a table keeps its place; longer
        text is edited where it is written."""
        inner = Composed(unknown=into.unknown)
        if plain and self._add(value, inner, "", depth + 1):
            text = inner.sql
            if _NAME.fullmatch(text.strip()) and not inner.unknown.keys() & set(
                re.findall(r"hole_\d+", text)
            ):
                inner.segments = [Segment(text=text, start=span[0], end=span[1], offsets=None, encode=encode)]
                inner.named = {span: value}
            extend(into, inner)
            return
        name = self._name(value, into, field)
        into.segments.append(
            Segment(text=name, start=span[0], end=span[1], offsets=None, encode=refuse, known=False)
        )

    def _name(self, value: cst.BaseExpression, into: Composed, field: str) -> str:
        """A hole for a value; the same for the same name, and the same field of it."""
        code = f"{self.source.code(value)} {field}".rstrip()
        if isinstance(value, cst.Name | cst.Attribute):
            for name, seen in into.unknown.items():
                if seen == code:
                    return name
        name = f"hole_{len(into.unknown)}"
        into.unknown[name] = code
        return name

    # -- names -----------------------------------------------------------------------------------------

    def _followed(self, node: cst.BaseExpression, into: Composed, doubled: str, depth: int) -> bool:
        value = self.bindings.value(node)
        if value is None:
            return False
        if isinstance(value, Foreign):
            if not _NAME.fullmatch(value.text.strip()):
                return False  # edited where it is written, in boundary form: it keeps its columns
            start, end = self.source.span(node)
            into.segments.append(
                Segment(text=value.text, start=start, end=end, offsets=None, encode=self._literal)
            )
            into.constants.add(node)
            return True
        inner = Composed(unknown=into.unknown)
        if not self._add(value, inner, doubled, depth + 1):
            return False
        into.constants.add(node)
        extend(into, inner)
        return True

    # -- calls -----------------------------------------------------------------------------------------

    def _call(self, node: cst.Call, into: Composed, doubled: str, depth: int) -> bool:
        function = node.func
        name = function.attr.value if isinstance(function, cst.Attribute) else ""
        if isinstance(function, cst.Attribute) and name in _KEEPS:
            return self._add(function.value, into, doubled, depth + 1)
        if (name or self.source.code(function)) in _DEDENTS and node.args:
            return self._add(node.args[0].value, into, doubled, depth + 1)
        if isinstance(function, cst.Attribute) and name == "format":
            return self._format(function.value, node, into, depth)
        if isinstance(function, cst.Attribute) and name == "join" and len(node.args) == 1:
            return self._join(function.value, node.args[0].value, into, depth)
        return False

    def _format(self, base: cst.BaseExpression, call: cst.Call, into: Composed, depth: int) -> bool:
        by_position = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        by_name = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
        counter = count()

        def value(found: re.Match[str]) -> cst.BaseExpression | None:
            key = found["name"].strip() or str(next(counter))
            if not key.isdigit():
                return by_name.get(key)
            return by_position[int(key)] if int(key) < len(by_position) else None

        starred = next(
            (arg.value for arg in call.args if arg.star), call.args[0].value if call.args else base
        )
        fill = Fill(_FIELD, value, lambda found: found["rest"] == "", starred)
        return self._filled(base, "{}", fill, into, depth)

    def _percent(self, node: cst.BinaryOperation, into: Composed, depth: int) -> bool:
        by_position, by_name = right_side(node.right)
        counter = count()

        def value(found: re.Match[str]) -> cst.BaseExpression | None:
            if found["name"] is not None:
                return by_name.get(found["name"])
            index = next(counter)
            return by_position[index] if index < len(by_position) else None

        fill = Fill(_PERCENT, value, lambda found: found[0].endswith("s"), node.right)
        return self._filled(node.left, "%", fill, into, depth)

    def _filled(self, base: cst.BaseExpression, doubled: str, fill: Fill, into: Composed, depth: int) -> bool:
        """A format with its fields filled in."""
        inner = Composed(unknown=into.unknown)
        if not self._add(base, inner, doubled, depth + 1):
            return False
        segments, inner.segments = inner.segments, []
        fields = count()
        for one in segments:
            if one.offsets is None:
                inner.segments.append(one)
                continue
            for low, high, found in pieces(one.text, fill.pattern):
                if found is None or (len(found[0]) == 2 and found[0][0] == found[0][1]):
                    inner.segments.append(undoubled(one, low, high, found))
                    continue
                value = fill.value(found)
                span = one.offsets[low], one.offsets[high]
                plain = value is not None and fill.plain(found)
                self._hole(
                    value or fill.otherwise,
                    span,
                    one.encode,
                    inner,
                    depth,
                    plain=plain,
                    field=f"{next(fields)} {found[0]}" if value is None else "",
                )
                inner.segments.append(sliced(one, high, high))
        extend(into, inner)
        return True

    def _join(self, glue: cst.BaseExpression, parts: cst.BaseExpression, into: Composed, depth: int) -> bool:
        between = Composed(unknown=into.unknown)
        if not isinstance(parts, cst.List | cst.Tuple) or not self._add(glue, between, "", depth + 1):
            return False
        inner = Composed(unknown=into.unknown)
        for index, element in enumerate(parts.elements):
            if isinstance(element, cst.StarredElement):
                return False
            start, end = self.source.span(element.value)
            if index:
                inner.segments.append(
                    Segment(text=between.sql, start=start, end=start, offsets=None, encode=refuse)
                )
            if not self._add(element.value, inner, "", depth + 1):
                self._hole(element.value, (start, end), refuse, inner, depth, plain=False)
        extend(into, inner)
        return True

    # -- templates inside the text ---------------------------------------------------------------------

    def _later(self, into: Composed) -> Iterable[Segment]:
        """Templates that are still there when the string is made, and parameters of the driver."""
        for one in into.segments:
            if one.offsets is None or _LATER.search(one.text) is None:
                yield one
                continue
            for low, high, found in pieces(one.text, _LATER):
                if found is None:
                    yield sliced(one, low, high)
                    continue
                name = f"hole_{len(into.unknown)}"
                into.unknown[name] = found[0]
                yield Segment(
                    text=name,
                    start=one.offsets[low],
                    end=one.offsets[high],
                    offsets=None,
                    encode=refuse,
                    known=found["jinja"] is None,
                )
