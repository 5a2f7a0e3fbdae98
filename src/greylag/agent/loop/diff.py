"""Changes as people read them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from greylag.domain.agent import Changes


def unified_diff(before: Mapping[str, bytes], changes: Changes) -> str:
    """The changes as one unified text, files in order of their paths."""
    return "".join(line for path in sorted(changes) for line in _of(path, before.get(path), changes[path]))


def _of(path: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    names = ("/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}")
    if any(b"\0" in content for content in (old, new) if content):
        yield f"Binary files {names[0]} and {names[1]} differ\n"
        return
    for line in difflib.unified_diff(_lines(old), _lines(new), *names):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(content: bytes | None) -> list[str]:
    text = (content or b"").decode("utf-8", "replace")
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
