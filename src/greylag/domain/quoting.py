"""Other people's text inside a prompt: quoted as data, so that it can neither end its quotation nor hide.

Whatever a repository holds is written by others. In a prompt it stands between two fence lines whose marker
occurs in none of the quoted texts, every line of it behind a `|`, and every character that a reader would not
see (control, bidirectional, zero-width, tag characters) is written out as `⟦U+202E⟧`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 240
"""Characters of a quoted line; what is longer is cut, and says so."""

NAME = 160
"""Characters of a name (a path, a label) that stands in one line with our own words."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters and marks that show nothing: Hangul fillers, the grapheme joiner, Khmer and Mongolian vowels that
# are not written, the blank Braille pattern; variation selectors carry bits that no one sees.
_BLANK = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164})
_BLANK_RANGES = ((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF))


def visible(text: str, *, keep: str = "\n\t") -> str:
    """The text with every character that does not show written as `⟦U+…⟧`; `keep` stay as they are.

    A carriage return before a line feed is left out: it is a line end.
    """
    plain = text.replace("\r\n", "\n") if "\n" in keep else text
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(one if one in keep or _shows(one) else f"⟦U+{ord(one):04X}⟧" for one in plain)


def _shows(character: str) -> bool:
    if character == " ":
        return True
    code = ord(character)
    if code in _BLANK or any(first <= code <= last for first, last in _BLANK_RANGES):
        return False
    return unicodedata.category(character) not in _HIDDEN


def cut(text: str, most: int) -> str:
    """At most `most` characters and a note of how many were cut."""
    return text if len(text) <= most else f"{text[:most]}… [{len(text) - most} more characters]"


def name(text: str, most: int = NAME) -> str:
    """A path or another short name in one line: everything that does not show is written out, then cut."""
    return cut(visible(text, keep=""), most)


def plain(text: str, most: int = NAME) -> str:
    """A name that may stand among our own words: letters, digits and `._/@:+-`; all else becomes `_`."""
    return cut("".join(one if one.isalnum() or one in "._/@:+-" else "_" for one in text), most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """Text of others as the lines of a block. `left_out` counts the lines that were cut away."""

    lines: tuple[str, ...]
    left_out: int = 0


def quoted(text: str, *, lines: int = 200, characters: int = 8_000, width: int = WIDTH) -> Quoted:
    """The beginning of a text, at most so many lines and characters, each line made visible and cut."""
    return numbered(enumerate(text.removesuffix("\n").split("\n"), 1), None, lines, characters, width)


def numbered(
    rows: Iterable[tuple[int, str]],
    digits: int | None,
    lines: int = 200,
    characters: int = 8_000,
    width: int = WIDTH,
) -> Quoted:
    """Lines with their numbers, `digits` wide; None leaves the numbers out. Caps as in `quoted`."""
    kept: list[str] = []
    left = size = 0
    for number, row in rows:
        if left:
            left += 1
            continue
        # Cut before and after: an escaped character is eight times as long as it was.
        line = cut(visible(cut(row.removesuffix("\r"), width), keep="\t"), 2 * width)
        line = f"{'' if digits is None else str(number).rjust(digits)}| {line}".rstrip(" ")
        if len(kept) >= lines or size + len(line) > characters:
            left += 1
            continue
        kept.append(line)
        size += len(line) + 1
    return Quoted(lines=tuple(kept), left_out=left)


def marker_for(texts: Iterable[str]) -> str:
    """A word that occurs in none of the texts, the same for the same texts. It cannot be written in advance:
    a text that holds it has another one.
    """
    held = tuple(texts)
    lowered = [one.lower() for one in held]
    digest = hashlib.sha256()
    for one in held:
        raw = one.encode("utf-8", "surrogatepass")
        digest.update(f"{len(raw)}:".encode() + raw)
    while True:
        marker = f"data-{digest.hexdigest()[:16]}"
        if not any(marker in one for one in lowered):
            return marker
        digest.update(b"again")


def fenced(marker: str, label: str, block: Quoted) -> str:
    """A block between its fence lines. `label` says what it is, in our own words."""
    note = (f"[{block.left_out} more lines are left out]",) if block.left_out else ()
    return "\n".join((f"<<<{marker} {label}", *block.lines, *note, f"{marker}>>>"))


def titled(title: str, block: Quoted) -> Quoted:
    """A block with the name of what it is from as its first line."""
    return Quoted(lines=(f"| {name(title)}", *block.lines), left_out=block.left_out)
