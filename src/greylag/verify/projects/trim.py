"""Output of tools, made short and the same for the same result, to be fed back to an agent."""

from __future__ import annotations

import re

from greylag.workspace.cage import WORK

LIMIT = 2000
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r(?!\n)")
_VARIES = (
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "0x…"),
    (re.compile(r"\b(in|after|took) \d+(?:\.\d+)? ?(?:ms|s|seconds?|minutes?)\b(?: \([\d:]+\))?"), r"\1 …s"),
    (re.compile(r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b"), "…"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2}[T ]…Z?"), "…"),
    (re.compile(r"Total time: .*"), "Total time: …"),
    (re.compile(r"/tmp/pytest-of-\w+/pytest-\d+"), "/tmp/pytest"),
    (re.compile(r"/tmp/tmp\w{6,}"), "/tmp/tmp"),
    (re.compile(r"-p=\d+|\bpid[ =:]\d+", re.IGNORECASE), "pid …"),
)


def plain(text: str, *folders: str) -> str:
    """Without colours, times, addresses and the place of the folder."""
    text = _ANSI.sub("", text)
    for folder in (*folders, WORK):
        text = text.replace(f"{folder}/", "").replace(folder, ".")
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def trimmed(text: str, limit: int = LIMIT) -> str:
    """Head and tail of a text, whole lines where it can be; the tail says more, and gets two thirds."""
    text = text.strip("\n")
    if len(text) <= limit:
        return text
    head, tail = text[: limit // 3], text[-(limit * 2 // 3) :]
    head = head[: head.rfind("\n")] if "\n" in head else head
    tail = tail[tail.find("\n") + 1 :] if "\n" in tail else tail
    left = text.count("\n") - head.count("\n") - tail.count("\n") - 1
    return f"{head}\n[… {max(left, 0)} lines left out …]\n{tail}"
