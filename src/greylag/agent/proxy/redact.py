"""Takes secrets out of text: the host's own ones by their value, others by the form of known keys."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import quote

SHORTEST = 8
"""A literal that is shorter is not searched for: it would be found in ordinary words."""

KEY_FORMS: tuple[str, ...] = (
    r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20,}",
    r"(?<![A-Za-z0-9])sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}",
    r"gh[pousr]_[A-Za-z0-9]{30,}",
    r"github_pat_[A-Za-z0-9_]{40,}",
    r"glpat-[A-Za-z0-9_-]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"npm_[A-Za-z0-9]{36}",
    r"hf_[A-Za-z0-9]{30,}",
    r"pypi-AgEI[A-Za-z0-9_-]{50,}",
    r"dapi[a-f0-9]{32}",
    r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    r"-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z ]+ )?PRIVATE KEY-----|\Z)",
    r"(?<=://)[^/\s:@]+:[^/\s:@]+(?=@)",
)
"""Forms of keys and of passwords in URLs, as regular expressions; what they match goes whole."""


class Redactor:
    """Replaces secrets by `[secret]`, or by `[secret:<name>]` where the literal has a name.

    `literals` are values that this host holds: model keys, forge tokens, database passwords. They are found
    as they are and in base64, in hexadecimal, percent-encoded and escaped as in JSON. `patterns` are regular
    expressions besides `KEY_FORMS`. No method and no repr shows a literal. Thread-safe.
    """

    def __init__(self, patterns: Collection[str] = (), literals: Collection[str] = ()) -> None:
        self._patterns = re.compile("|".join(f"(?:{form})" for form in (*KEY_FORMS, *patterns)))
        self._literals: frozenset[str] = frozenset()
        self._spellings: re.Pattern[str] | None = None
        self.add(*literals)

    def __repr__(self) -> str:
        return f"Redactor({len(self._literals)} literals)"

    def add(self, *literals: str) -> None:
        """Search for these too; those shorter than `SHORTEST` are left out."""
        self._literals |= {literal for literal in literals if len(literal) >= SHORTEST}
        spellings = sorted(
            {form for each in self._literals for form in _spellings(each)}, key=len, reverse=True
        )
        self._spellings = re.compile("|".join(map(re.escape, spellings))) if spellings else None

    def __call__(self, text: str) -> str:
        """The text without secrets of either kind; doing it twice changes nothing more."""
        return self._patterns.sub("[secret]", self.own(text))

    def own(self, text: str) -> str:
        """The text without the literals only: for what must otherwise stay as it is."""
        return text if self._spellings is None else self._spellings.sub("[secret]", text)

    def holds_own(self, text: str) -> bool:
        """Whether a literal stands in the text."""
        return self._spellings is not None and self._spellings.search(text) is not None

    def own_in(self, value: Any) -> Any:
        """Plain JSON data with every string (keys too) through `own`."""
        if self._spellings is None:
            return value
        match value:
            case str():
                return self.own(value)
            case list():
                return [self.own_in(item) for item in value]
            case dict():
                return {self.own(key): self.own_in(item) for key, item in value.items()}
            case _:
                return value

    def in_data(self, value: Any) -> Any:
        """Plain data (mappings, sequences, scalars) with every string through this redactor."""
        match value:
            case str():
                return self(value)
            case list() | tuple():
                return [self.in_data(item) for item in value]
            case dict():
                return {self(str(key)): self.in_data(item) for key, item in value.items()}
            case _:
                return value


def _spellings(literal: str) -> Iterable[str]:
    """A literal as it may stand in text. Base64 has three spellings, by the place that it begins at."""
    raw = literal.encode()
    yield literal
    yield quote(literal, safe="")
    yield json.dumps(literal)[1:-1]
    yield raw.hex()
    yield raw.hex().upper()
    for shift in range(3):
        # The first and the last characters also depend on the neighbours: only those in between are certain.
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=").decode()
        sure = coded[(0, 2, 3)[shift] : len(coded) - (1 if (len(raw) + shift) % 3 else 0)]
        yield sure
        yield sure.replace("+", "-").replace("/", "_")
