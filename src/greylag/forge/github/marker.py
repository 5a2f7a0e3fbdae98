"""What we write into bodies, unseen, so that we know our own again from whatever machine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

_OPEN, _CLOSE = "<!-- greylag ", " -->"
_BODY = 60_000
"""Characters of a body; GitHub takes 65,536 with the marker."""

_HEADS = 20
"""Commits of ours that a pull request remembers: more re-runs than anybody makes between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a pull request of ours remembers: its key, where it starts, and what we put on its branch."""

    key: str
    head: str = ""
    base: str = ""
    heads: tuple[str, ...] = ()
    reverts: int | None = None

    def with_head(self, commit: str) -> Marker:
        """The same, with one more commit that is ours."""
        heads = tuple(dict.fromkeys((*self.heads, commit)))[-_HEADS:]
        return replace(self, heads=heads)


def mark(body: str, marker: Marker) -> str:
    """The body of a pull request, with its marker at the end."""
    if len(body) > _BODY:
        body = f"{body[:_BODY]}\n\n… (cut: it is longer than a forge takes)"
    return f"{body}\n\n{_written(asdict(marker))}"


def unmark(body: str | None) -> tuple[str, Marker | None]:
    """The body without its marker, and the marker; None where it is none of ours."""
    text = (body or "").replace("\r\n", "\n")
    before, found, rest = text.rpartition(_OPEN)
    if not found or not rest.rstrip().endswith(_CLOSE):
        return text, None
    fields = _read(rest.rstrip().removesuffix(_CLOSE))
    if fields is None or not isinstance(fields.get("key"), str):
        return text, None
    known = {name: fields[name] for name in Marker.__slots__ if name in fields}
    known["heads"] = tuple(str(one) for one in fields.get("heads") or ())
    return before.rstrip("\n"), Marker(**known)


def mark_comment(key: str, body: str) -> str:
    """A comment of ours: its marker comes first, so that a quotation of it is not taken for it."""
    return f"{_written({'comment': key})}\n{body}"


def unmark_comment(body: str) -> tuple[str, str] | None:
    """Key and words of a comment of ours; None for anybody else's."""
    first, _, rest = body.replace("\r\n", "\n").partition("\n")
    if not first.startswith(_OPEN) or not first.rstrip().endswith(_CLOSE):
        return None
    fields = _read(first.rstrip().removeprefix(_OPEN).removesuffix(_CLOSE))
    if fields is None or not isinstance(fields.get("comment"), str):
        return None
    return fields["comment"], rest


def _written(fields: dict[str, Any]) -> str:
    # "--" would end an HTML comment; inside JSON's strings it can be written otherwise.
    return f"{_OPEN}{json.dumps(fields, sort_keys=True).replace('--', '-' + chr(92) + 'u002d')}{_CLOSE}"


def _read(text: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
