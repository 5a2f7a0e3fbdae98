"""A diff made by us from bytes, with the numbers of its lines: a place in it can be named and checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from greylag.domain.agent import Changes
from greylag.domain.quoting import cut, name, visible

CONTEXT = 4
_WIDTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedDiff:
    """A diff in lines: number before, number after, sign, and behind a `|` the text, all of it visible.

    `places` holds every (path, line) that it shows, by the old and by the new number. `files` are the paths
    as they are shown. `hidden` are those of which a part cannot be shown (binary, lines that are too long).
    """

    lines: tuple[str, ...]
    places: frozenset[tuple[str, int]]
    files: tuple[str, ...]
    hidden: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)


def diff_of(before: Mapping[str, bytes], changes: Changes) -> NumberedDiff:
    """The diff of changes, in the order of the paths. A file whose bytes are the same is left out."""
    lines: list[str] = []
    places: set[tuple[str, int]] = set()
    files: list[str] = []
    hidden: list[str] = []
    for path in sorted(changes):
        old, new = before.get(path), changes[path]
        if old == new:
            continue
        shown = name(path)
        files.append(shown)
        places.add((shown, 1))
        what = "new file" if old is None else "deleted" if new is None else "changed"
        lines.append(f"{what}| {shown}")
        try:
            rows = list(_rows(_lines(old), _lines(new)))
        except UnicodeDecodeError:
            hidden.append(shown)
            lines.append("not text| ")
            continue
        for sign, first, second, text in rows:
            if sign == "@":
                lines.append("...")
                continue
            places.update((shown, number) for number in (first, second) if number)
            if len(text) > _WIDTH:
                hidden.append(shown)
            lines.append(
                f"{first or '':>5} {second or '':>5} {sign}| {cut(visible(text, keep=chr(9)), 4 * _WIDTH)}"
            )
    return NumberedDiff(
        lines=tuple(lines), places=frozenset(places), files=tuple(files), hidden=tuple(dict.fromkeys(hidden))
    )


def _lines(data: bytes | None) -> list[str]:
    """Lines with what ends them made visible where it is not a plain line feed."""
    if not data:
        return []
    text = data.decode("utf-8")
    rows = text.split("\n")
    if rows[-1] == "":
        return rows[:-1]
    rows[-1] += " [no line feed at the end]"
    return rows


def _rows(old: list[str], new: list[str]) -> Iterator[tuple[str, int, int, str]]:
    """(sign, number before, number after, text); 0 where there is none; `@` between parts."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for index, group in enumerate(matcher.get_grouped_opcodes(CONTEXT)):
        if index:
            yield "@", 0, 0, ""
        for tag, first, last, second, end in group:
            if tag == "equal":
                for step, text in enumerate(old[first:last]):
                    yield " ", first + step + 1, second + step + 1, text
                continue
            for number, text in enumerate(old[first:last], first + 1):
                yield "-", number, 0, text
            for number, text in enumerate(new[second:end], second + 1):
                yield "+", 0, number, text
