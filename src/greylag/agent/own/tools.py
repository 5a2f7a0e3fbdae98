"""What the model can do with the folder: read, search, edit. Results are short, and the same every time."""

from __future__ import annotations

import re

from greylag.agent.own.folder import MAX_FILE, Folder, Refused

RESULT = 12_000
"""Characters of one result."""

_HITS = 80
_PATHS = 400
_LINE = 240


def read(folder: Folder, path: str, start: int, lines: int) -> str:
    """Lines of a file with their numbers."""
    text, _ = _text(folder, path)
    every = _split(text)
    first = max(1, start)
    shown = every[first - 1 : first - 1 + max(1, lines)]
    if not shown:
        return f"{path} has {len(every)} lines."
    told: list[str] = []
    room = RESULT
    for number, line in enumerate(shown, first):
        entry = f"{number}\t{line}"
        if told and len(entry) + 1 > room:
            break
        told.append(entry[:RESULT])
        room -= len(entry) + 1
    last = first + len(told) - 1
    head = f"{path}, lines {first} to {last} of {len(every)}:"
    return "\n".join([head, *told])


def search(folder: Folder, text: str, path: str) -> str:
    """Lines that hold a text, in all files or under a path; without a text, the paths themselves."""
    found: list[str] = []
    limit = _HITS if text else _PATHS
    for name in _files(folder, path):
        if len(found) > limit:
            break
        found += _hits(folder, name, text) if text else [name]
    if not found:
        return "No file holds it." if text else "There are no files."
    shown = "\n".join(found[:limit])
    if len(shown) > RESULT:
        shown = shown[: shown.rindex("\n", 0, RESULT)] if "\n" in shown[:RESULT] else shown[:RESULT]
    cut = shown.count("\n") + 1 < len(found)
    return f"{shown}\n… there are more: search for more words, or under a path" if cut else shown


def edit(folder: Folder, path: str, old: str, new: str) -> str:
    """Replace the one place in a file that reads `old`."""
    text, ends = _text(folder, path)
    if not old:
        raise Refused("`old` is empty: give the words that shall be replaced, with enough around them")
    if old == new:
        raise Refused("`old` and `new` are the same")
    count = text.count(old)
    if count == 0:
        raise Refused(f"{path} does not hold `old`{_nearly(text, old)}")
    if count > 1:
        raise Refused(f"{path} holds `old` {count} times, in lines {_lines(text, old)}: give more around it")
    at = text.index(old)
    after = text[:at] + new + text[at + len(old) :]
    content = (after.replace("\n", "\r\n") if ends == "\r\n" else after).encode("utf-8", "surrogatepass")
    if len(content) > MAX_FILE:
        raise Refused(f"{path} would have {len(content)} bytes, more than {MAX_FILE}")
    folder.write(path, content)
    return f"{path} is changed:\n{_around(after, at, len(new))}"


def _text(folder: Folder, path: str) -> tuple[str, str]:
    """A file's text with `\\n` as line ends, and its own line ends where they are all alike."""
    content = folder.read(path)
    if b"\0" in content:
        raise Refused(f"{path} is no text")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not written in UTF-8 (byte {error.start}): leave it alone") from None
    crlf = text.count("\r\n")
    if crlf and crlf == text.count("\n") == text.count("\r"):
        return text.replace("\r\n", "\n"), "\r\n"
    return text, "\n"


def _split(text: str) -> list[str]:
    """Lines as git and editors count them, not at every separator that Unicode has."""
    return text.removesuffix("\n").split("\n") if text else []


def _files(folder: Folder, path: str) -> list[str]:
    try:
        return [entry.path for entry in folder.entries(path) if entry.regular]
    except Refused:
        # Of a file, not of a folder: searched by itself. What is neither is told by reading it.
        folder.read(path)
        return ["/".join(folder.parts(path))]


def _hits(folder: Folder, path: str, text: str) -> list[str]:
    try:
        content, _ = _text(folder, path)
    except Refused:
        return []
    wanted = text.casefold()
    if wanted not in content.casefold():
        return []
    return [
        f"{path}:{number}: {line.strip()[:_LINE]}"
        for number, line in enumerate(_split(content), 1)
        if wanted in line.casefold()
    ][: _HITS + 1]


def _lines(text: str, old: str) -> str:
    at, lines = -1, list[str]()
    while len(lines) < 10 and (at := text.find(old, at + 1)) >= 0:
        lines.append(str(text.count("\n", 0, at) + 1))
    return ", ".join(lines)


def _nearly(text: str, old: str) -> str:
    """Where the words stand with other white space; numbers of lines are a usual slip."""
    words = old.split()
    if not words or len(old) > 5_000:
        return ""
    found = re.search(r"\s+".join(map(re.escape, words)), text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        return f"; with other white space it stands in line {line}:\n{found[0][:1000]}"
    if re.match(r"\s*\d+\t", old):
        return ": leave the numbers of the lines out"
    return ": copy it exactly from what `read` shows"


def _around(text: str, at: int, length: int) -> str:
    first = max(0, text.count("\n", 0, at) - 2)
    last = text.count("\n", 0, at + length) + 3
    lines = _split(text)[first:last]
    told = "\n".join(f"{number}\t{line[:_LINE]}" for number, line in enumerate(lines, first + 1))
    return told if len(told) <= 3000 else told[:3000] + "\n…"
