"""Text that others wrote, made safe to show on a terminal."""

from __future__ import annotations

import re

# Controls (7 and 8 bit), marks that turn the direction of writing, line separators, lone surrogates.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with everything that could drive a terminal spelled out, e.g. `\\x1b`; lines and tabs stay."""
    return _UNSAFE.sub(_spelled, text.replace("\r\n", "\n"))


def _spelled(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
