"""What we write into bodies, unseen, so that we know our own again from whatever machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

Unseen: TypeAlias = Literal["comment", "reference"]

_STYLES: Mapping[Unseen, tuple[str, str]] = {
    "comment": ("<!-- greylag ", " -->"),
    "reference": ("[//]: # (greylag ", ")"),
}
"""How a text is hidden in Markdown: an HTML comment, or a link reference that nothing refers to."""

_ROOM = 5_536
"""Characters of a body that are kept for the marker."""

_HEADS = 20
"""Commits of ours that a pull request remembers: more re-runs than anybody makes between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a pull request of ours remembers: its key, where it starts, and what we put on its branch.

    `labels`: where the forge itself has no place for them.
    """

    key: str
    head: str = ""
    base: str = ""
    heads: tuple[str, ...] = ()
    reverts: int | None = None
    labels: tuple[str, ...] = ()

    def with_head(self, commit: str) -> Marker:
        """The same, with one more commit that is ours."""
        heads = tuple(dict.fromkeys((*self.heads, commit)))[-_HEADS:]
        return replace(self, heads=heads)


def mark(body: str, marker: Marker, *, unseen: Unseen = "comment", most: int = 65_536) -> str:
    """The body of a pull request, with its marker at the end; `most` characters in all."""
    if len(body) > most - _ROOM:
        body = f"{body[: most - _ROOM]}\n\n… (cut: it is longer than a forge takes)"
    fields = asdict(marker)
    # What is empty is not written: most forges have a place of their own for it.
    return f"{body}\n\n{_written({k: v for k, v in fields.items() if v not in ((), None, '')}, unseen)}"


def unmark(body: str | None) -> tuple[str, Marker | None]:
    """The body without its marker, and the marker; None where it is none of ours."""
    text = (body or "").replace("\r\n", "\n")
    for start, end in _STYLES.values():
        before, found, rest = text.rpartition(start)
        if not found or not rest.rstrip().endswith(end):
            continue
        fields = _read(rest.rstrip().removesuffix(end))
        if fields is not None and isinstance(fields.get("key"), str):
            return before.rstrip("\n"), _marker(fields)
    return text, None


def mark_comment(key: str, body: str, *, unseen: Unseen = "comment") -> str:
    """A comment of ours: its marker comes first, so that a quotation of it is not taken for it."""
    # A link reference is one only before an empty line.
    between = "\n" if unseen == "comment" else "\n\n"
    return f"{_written({'comment': key}, unseen)}{between}{body}"


def unmark_comment(body: str) -> tuple[str, str] | None:
    """Key and words of a comment of ours; None for anybody else's."""
    first, _, rest = body.replace("\r\n", "\n").partition("\n")
    for unseen, (start, end) in _STYLES.items():
        if not first.startswith(start) or not first.rstrip().endswith(end):
            continue
        fields = _read(first.rstrip().removeprefix(start).removesuffix(end))
        if fields is not None and isinstance(fields.get("comment"), str):
            return fields["comment"], rest if unseen == "comment" else rest.removeprefix("\n")
    return None


def _marker(fields: dict[str, Any]) -> Marker:
    """Anybody may write one: what is no marker's is left out."""
    reverts = fields.get("reverts")
    return Marker(
        key=fields["key"],
        head=_text(fields.get("head")),
        base=_text(fields.get("base")),
        heads=_texts(fields.get("heads")),
        labels=_texts(fields.get("labels")),
        reverts=reverts if isinstance(reverts, int) else None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _written(fields: dict[str, Any], unseen: Unseen) -> str:
    start, end = _STYLES[unseen]
    text = json.dumps(fields, sort_keys=True)
    # "--" would end an HTML comment, a parenthesis a reference; inside JSON's strings there is another way.
    for char, other in (("--", "-\\u002d"), ("(", "\\u0028"), (")", "\\u0029")):
        text = text.replace(char, other)
    return f"{start}{text}{end}"


def _read(text: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None
