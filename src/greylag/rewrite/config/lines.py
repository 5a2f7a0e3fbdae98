"""Configuration in formats that are told apart by their lines and quotes alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from greylag.rewrite.config.scalars import Scalar, escaped, joined, raw

Found = Iterator[tuple[tuple[str, ...], Scalar]]

_PROPERTY = re.compile(
    r"^[ \t]*(?![#!;\[])(?P<key>[^\s=:]+)[ \t]*[=:][ \t]*(?P<value>.*?)[ \t]*$", re.MULTILINE
)
_QUOTED = re.compile(
    r'(?P<comment>//[^\n]*|\#[^\n]*|/\*.*?\*/)|(?P<raw>""".*?"""+)|(?P<string>"(?:[^"\\\n]|\\.)*")', re.DOTALL
)
_KEY_BEFORE = re.compile(r"([\w.()\[\]-]+)\"?\s*[:=+]*\s*$")
_LOOKML = re.compile(
    r"(?P<comment>\#[^\n]*)|(?P<open>(?P<kind>\w+)\s*:\s*(?P<name>[+\w]*)\s*\{)|(?P<close>\})"
    r"|(?P<sql>\b(?:sql\w*|html|expression\w*)\s*:)(?P<body>.*?);;|(?P<pair>\w+)\s*:\s*\"(?P<text>(?:[^\"\\]|\\.)*)\"",
    re.DOTALL,
)


def properties(text: str) -> Found:
    """`key = value` lines. A value that goes on in the next line is read as far as this one goes."""
    for found in _PROPERTY.finditer(text):
        low, high = found.span("value")
        quotes = high - low > 1 and text[low] in "\"'" and text[low] == text[high - 1]
        inner = (low + 1, high - 1) if quotes else (low, high)
        yield (found["key"],), raw(text, low, high, inner=inner, encode=joined)


def quoted(text: str) -> Found:
    """Strings in double quotes, with the word before them as their key (HOCON, Protobuf options)."""
    for found in _QUOTED.finditer(text):
        if found["comment"] is not None:
            continue
        key = _KEY_BEFORE.search(text, max(0, found.start() - 80), found.start())
        path = (key[1],) if key is not None else ()
        start, end = found.span()
        if found["raw"] is not None:
            yield path, raw(text, start, end, inner=(start + 3, end - 3), encode=lambda sql: sql)
        else:
            yield path, escaped(text, start, end)


def lookml(text: str) -> Found:
    """The SQL of LookML (`sql…: … ;;`) and its quoted strings, with the blocks around them."""
    blocks: list[str] = []
    for found in _LOOKML.finditer(text):
        if found["open"] is not None:
            blocks.append(f"{found['kind']}:{found['name']}")
        elif found["close"] is not None:
            if blocks:
                blocks.pop()
        elif found["sql"] is not None:
            key = found["sql"].rstrip(":").strip()
            low, high = found.span("body")
            yield (*blocks, key), raw(text, low, high, inner=(low, high), encode=lambda sql: sql)
        elif found["pair"] is not None:
            low, high = found.span("text")
            yield (*blocks, found["pair"]), raw(text, low - 1, high + 1, inner=(low, high), encode=joined)
