"""Texts that GitLab must not take for commands.

A line that begins with `/close`, `/merge`, `/label`… in a description or a note is a quick action, also when
the API brings it: it is carried out with our rights, and taken out of the text
(`doc/user/project/quick_actions.md`). What we write may quote such lines. A backslash before the slash leaves
the text as it looks, and no command. What others wrote is read as it is.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"/(?=\w)")
_HARMLESS = re.compile(r"\\/(?=\w)")
_OURS = ("<!-- greylag ",)
_DRAFT = re.compile(r"(\[draft\]|\(draft\)|draft:)\s*", re.IGNORECASE)


def harmless(text: str) -> str:
    """The text, with no command in it."""
    return _each_line(text, _COMMAND, r"\\/")


def as_written(text: str) -> str:
    """What of ours was made harmless, as it was; anybody else's text as it is."""
    plain = text.replace("\r\n", "\n")
    return _each_line(plain, _HARMLESS, "/") if any(mark in plain for mark in _OURS) else plain


def _each_line(text: str, pattern: re.Pattern[str], instead: str) -> str:
    """Replace what lines begin with, outside of code blocks: there, nothing is a command."""
    lines, fence = text.split("\n"), ""
    for place, line in enumerate(lines):
        found = re.match(r"\s*(```+|~~~+)", line)
        if found is not None and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else found[1]
        elif not fence and pattern.match(line):
            lines[place] = pattern.sub(instead, line, count=1)
    return "\n".join(lines)


def undrafted(title: str) -> str:
    """A title without what makes it a draft's."""
    found = _DRAFT.match(title)
    return title if found is None else title[found.end() :]


def drafted(title: str) -> str:
    """A draft's title."""
    return f"Draft: {undrafted(title)}"
