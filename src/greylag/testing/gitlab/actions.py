"""Quick actions: lines of a text that are commands to GitLab, also when the API brings them.

`doc/user/project/quick_actions.md`. Lines in code blocks are none, and words that GitLab does not know stay.
"""

from __future__ import annotations

import re

_KNOWN = frozenset(
    {"close", "reopen", "merge", "draft", "ready", "label", "assign", "title", "approve", "wip"}
)
_LINE = re.compile(r"/(\w+)(?=\s|$)")


def split(text: str) -> tuple[str, list[str]]:
    """The text without the commands, and the commands' names in their order."""
    kept: list[str] = []
    actions: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        found = None if fenced else _LINE.match(line)
        if found is not None and found[1] in _KNOWN:
            actions.append(found[1])
        else:
            kept.append(line)
    return ("\n".join(kept), actions) if actions else (text, [])
