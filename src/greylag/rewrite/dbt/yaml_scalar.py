"""The characters of a YAML file that stand for one text, so that only they are edited."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from greylag.domain.patch import Edit
from greylag.mapping.compiled import DbtName

_SINGLE = re.compile(r"'(?:[^']|'')*'")
_DOUBLE = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LITERAL = re.compile(r"\|[-+]?[ \t]*(?:#.*)?\r?\n")
_QUOTE = r"\\?\"|''|'"
_CALL = re.compile(
    rf"\b(?P<kind>ref|source)(?P<open>\s*\(\s*)(?P<quote>{_QUOTE})(?P<first>\w+)(?P=quote)"
    rf"(?:(?P<comma>\s*,\s*)(?P<other>{_QUOTE})(?P<second>\w+)(?P=other))?(?P<close>\s*\))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text of the file: `raw` is how it is written at `start`, quotes included; `line` is 1-based.

    `flow`: it stands between braces or brackets.
    """

    value: str
    raw: str
    start: int
    line: int
    flow: bool = False

    @property
    def is_literal(self) -> bool:
        """Is it a block in which every line is a line of the text?"""
        return self.raw.startswith("|")

    @property
    def first_line(self) -> int:
        """The file's line that the text's first line stands on."""
        return self.line + 1 if self.is_literal else self.line

    def with_call(self, old: DbtName, new: DbtName) -> Edit | None:
        """The edit that writes another `ref` or `source` in place of the one that the text holds."""
        found = [one for one in _CALL.finditer(self.raw) if _is(one, old)]
        if len(found) != 1:
            return None
        (one,) = found
        quote = one["quote"]
        arguments = (one["comma"] or ", ").join(f"{quote}{arg}{quote}" for arg in new.args)
        written = f"{new.kind}{one['open']}{arguments}{one['close']}"
        if self.flow and "," in written and self.raw[:1] not in ("'", '"'):
            # Between braces a comma ends a text without quotes.
            whole = self.raw[: one.start()] + written + self.raw[one.end() :]
            mark = "'" if '"' in whole else '"'
            return (
                None if mark in whole else Edit(self.start, self.start + len(self.raw), mark + whole + mark)
            )
        return Edit(self.start + one.start(), self.start + one.end(), written)

    def with_value(self, new: str) -> Edit | None:
        """The edit that makes it another text in the same style; None where that style cannot hold it."""
        end = self.start + len(self.raw)
        if self.is_literal:
            head, _, body = self.raw.partition("\n")
            margin = body[: len(body) - len(body.lstrip(" "))]
            if _indented(self.value, margin) != body.rstrip("\n") + "\n":
                return None
            kept = body[len(body.rstrip("\n")) :]
            return Edit(self.start, end, f"{head}\n{_indented(new, margin).rstrip()}{kept}")
        if "\n" in new:
            return None
        mark = self.raw[:1]
        if mark == '"':
            written = '"' + new.replace("\\", "\\\\").replace('"', '\\"') + '"'
        elif mark == "'":
            written = "'" + new.replace("'", "''") + "'"
        else:
            written = new
        return Edit(self.start, end, written)


def _indented(value: str, margin: str) -> str:
    lines = value.rstrip("\n").split("\n")
    return "".join(f"{margin}{line}\n" if line else "\n" for line in lines)


def _is(found: re.Match[str], name: DbtName) -> bool:
    args = tuple(arg for arg in (found["first"], found["second"]) if arg is not None)
    return (found["kind"], args) == (name.kind, name.args)


def scalar_at(text: str, node: CommentedMap | CommentedSeq, key: object) -> Scalar | None:
    """The text under a key or index; None where it is no text, or not one written there in one piece."""
    value = node[key]
    if not isinstance(value, str):
        return None
    try:
        line, column = node.lc.item(key) if isinstance(node, CommentedSeq) else node.lc.value(key)
    except (KeyError, TypeError, AttributeError):
        return None
    start = offset_of(text, line, column)
    raw = _raw(text, start, str(value))
    if raw is None:
        return None
    flow = bool(node.fa.flow_style())
    return Scalar(value=str(value), raw=raw, start=start, line=line + 1, flow=flow)


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a place; line and column are 0-based."""
    return sum(len(one) for one in text.split("\n")[:line]) + line + column


def _raw(text: str, start: int, value: str) -> str | None:
    match text[start : start + 1]:
        case "'":
            found = _SINGLE.match(text, start)
            return found[0] if found and found[0][1:-1].replace("''", "'") == value else None
        case '"':
            found = _DOUBLE.match(text, start)
            plain = found[0][1:-1].replace('\\"', '"') if found else None
            return found[0] if found and plain == value else None
        case "|":
            found = _LITERAL.match(text, start)
            return found[0] + _block(text, found.end()) if found and "\r" not in found[0] else None
        case _:
            return value if value and text.startswith(value, start) else None


def _block(text: str, start: int) -> str:
    """The lines of a literal block, without what is indented less."""
    body = text[start:].split("\n")
    first = next((line for line in body if line.strip()), "")
    margin = len(first) - len(first.lstrip(" "))
    count = 0
    for number, line in enumerate(body):
        if line.strip() and len(line) - len(line.lstrip(" ")) < margin:
            break
        if line.strip():
            count = number + 1
    return "\n".join(body[:count]) + ("\n" if count < len(body) else "")
