"""Changes as people read them."""

from __future__ import annotations

from collections.abc import Mapping

import pygit2

from greylag.domain.agent import Changes


def unified_diff(before: Mapping[str, bytes], changes: Changes) -> str:
    """The changes as one unified text, files in order of their paths.

    By git's own algorithm: an agent may write files on which that of `difflib` takes minutes.
    """
    return "".join(_of(path, before.get(path), changes[path]) for path in sorted(changes))


def _of(path: str, old: bytes | None, new: bytes | None) -> str:
    names = ("/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}")
    if any(b"\0" in content for content in (old, new) if content):
        return f"Binary files {names[0]} and {names[1]} differ\n"
    patch = pygit2.Patch.create_from(old or b"", new or b"", flag=pygit2.enums.DiffOption.FORCE_TEXT)
    lines = [f"--- {names[0]}\n+++ {names[1]}\n"]
    for hunk in patch.hunks if patch else ():
        lines.append(hunk.header)
        lines += [_line(line.origin, line.raw_content) for line in hunk.lines]
    return "".join(lines)


def _line(origin: str, content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    if origin in "<>=":
        # A line without an end is followed by one that says so, with the end in front of it.
        return text.removeprefix("\n")
    return f"{origin}{text}" if text.endswith("\n") else f"{origin}{text}\n"
