"""CODEOWNERS as Gitea and Forgejo read it: regular expressions, and every rule that matches counts.

Source: docs.gitea.com, "Code Owners". A line is an expression and its owners; `!` before the expression turns
it round; a backslash takes the next character as it is, so that a dot is written with two before it; `#`
begins a comment. An expression must match the whole path. Lines that are wrong are passed over.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import duckdb

OWN_PLACES = (".gitea/CODEOWNERS", ".forgejo/CODEOWNERS")
"""Where no other forge looks."""

PLACES = ("CODEOWNERS", "docs/CODEOWNERS", *OWN_PLACES)
"""Where they look; the first that exists counts. The last is Forgejo's alone."""


@dataclass(frozen=True, slots=True)
class RegexRule:
    """One line: an expression in RE2's syntax (Go's), with `^` and `$` around it."""

    pattern: str
    negative: bool
    owners: tuple[str, ...]

    def matches(self, path: str) -> bool:
        """Whether a file is theirs."""
        return _search(self.pattern, path) is not self.negative


class RegexOwners:
    """The rules of one file."""

    def __init__(self, data: bytes) -> None:
        lines = data.decode("utf-8", "replace").split("\n")
        self._rules = tuple(rule for line in lines if (rule := _rule(line)) is not None)

    def of(self, path: str) -> tuple[str, ...]:
        """Everybody who owns a file, in the order in which they are named."""
        found = (owner for rule in self._rules if rule.matches(path) for owner in rule.owners)
        return tuple(dict.fromkeys(found))


def _rule(line: str) -> RegexRule | None:
    tokens = _tokens(line)
    if len(tokens) < 2:
        return None
    expression, *words = tokens
    owners = tuple(word if "@" in word else f"@{word}" for word in words)
    pattern = f"^{expression.removeprefix('!')}$"
    if not _is_valid(pattern):
        return None
    return RegexRule(pattern=pattern, negative=expression.startswith("!"), owners=owners)


def _tokens(line: str) -> list[str]:
    tokens, token, escaped = [], "", False
    for character in line.strip().replace("\t", " "):
        if escaped:
            token, escaped = token + character, False
        elif character == "\\":
            escaped = True
        elif character == "#":
            break
        elif character == " ":
            tokens.append(token)
            token = ""
        else:
            token += character
    tokens.append(token)
    return [one for one in tokens if one]


class _Engine:
    """RE2, which is the syntax that Go's expressions have, and which none of them makes slow: DuckDB's."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    def ask(self, pattern: str, path: str) -> bool:
        """Whether the expression is found. Raises duckdb.Error for one that is wrong."""
        with self._lock:
            if self._connection is None:
                self._connection = duckdb.connect(config={"threads": 1})
            row = self._connection.execute("SELECT regexp_matches($1, $2)", [path, pattern]).fetchone()
        return row is not None and bool(row[0])


_ENGINE = _Engine()


@lru_cache(maxsize=65_536)
def _search(pattern: str, path: str) -> bool:
    return _ENGINE.ask(pattern, path)


def _is_valid(pattern: str) -> bool:
    try:
        _ENGINE.ask(pattern, "")
    except duckdb.Error:
        return False
    return True
