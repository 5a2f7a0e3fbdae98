"""A diff made by us from bytes, with the numbers of its lines: a place in it can be named and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pygit2

from greylag.domain.agent import Changes
from greylag.domain.quoting import cut, name, visible

CONTEXT = 4
_WIDTH = 400
_SIGNS = frozenset({" ", "+", "-"})
# Marks of libgit2 for a last line without a line feed: both sides, the new one, the old one.
_ENDS = frozenset({"=", ">", "<"})


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
        if not (_is_text(old) and _is_text(new)):
            hidden.append(shown)
            lines.append("not text| ")
            continue
        rows = _rows(old or b"", new or b"")
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


def _is_text(data: bytes | None) -> bool:
    try:
        (data or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows(old: bytes, new: bytes) -> Iterator[tuple[str, int, int, str]]:
    """(sign, number before, number after, text); 0 where there is none; `@` between parts.

    By libgit2: linear in practice, where difflib may take minutes on a file made for that.
    """
    flags = pygit2.enums.DiffOption.FORCE_TEXT
    patch = pygit2.Patch.create_from(old, new, flag=flags, context_lines=CONTEXT)
    for index, hunk in enumerate(patch.hunks):
        if index:
            yield "@", 0, 0, ""
        for line in hunk.lines:
            text = line.raw_content.decode("utf-8")
            if line.origin in _ENDS:
                yield " ", 0, 0, "[no line feed at the end]"
            elif line.origin in _SIGNS:
                yield line.origin, max(line.old_lineno, 0), max(line.new_lineno, 0), text.removesuffix("\n")
