"""What only a person can decide: asked once, answered once, applied to every target that waits on it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from greylag.domain.quoting import visible

MOST_CHARACTERS = 4000
"""Of a question, and of an answer in free text."""

MOST_OPTIONS = 20
"""Of a question; each is at most `OPTION` characters long."""

OPTION = 200


class QuestionKind(StrEnum):
    """`column`: an old column has no counterpart, and the answer is SQL. `agent`: the answer is free text."""

    COLUMN = "column"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`key` is the same for every target with the same question, e.g. `prod.core.users_v1.legacy_score`.

    Of an agent's question it is `q-` and twelve hexadecimal digits: see `question_key`.
    """

    key: str
    text: str
    answer: str | None = None
    kind: QuestionKind = QuestionKind.COLUMN
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where a question came up. `line` is 1-based; 0: not known. `path` may be empty."""

    repository: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{self.repository}: {where}" if where else self.repository


_KEY = re.compile(r"q-[0-9a-f]{12}")
_PATH = r"[`'\"]?[\w./-]*\w\.\w{1,8}[`'\"]?"
_LINES = r"(?:\s*:\s*\d+(?:\s*[:-]\s*\d+)?|,?\s+(?:on\s+|at\s+)?lines?\s+\d+(?:\s*(?:-|–|to)\s*\d+)?)"
# Where a question came up is not part of it: `a/b.sql:3: …`, `In a/b.sql, line 3, …`, `(a/b.sql)`.
_PLACES = (
    re.compile(rf"^\s*(?:(?:in|at|from|see)\s+)?{_PATH}{_LINES}\s*[,:;–—-]*\s+", re.IGNORECASE),
    re.compile(rf"[(\[]\s*(?:(?:in|at|from|see)\s+)?{_PATH}{_LINES}?\s*[)\]]", re.IGNORECASE),
)
# What stands between quotation marks is a value: its letters count as they are written.
_VALUE = re.compile(r"(?<!\w)(?:'([^'\n]+)'|\"([^\"\n]+)\"|“([^”\n]+)”)(?!\w)")
# The marks of a sentence do not count; every other sign does.
_WORD = re.compile(r"-?\w+(?:['’.:/@-]+\w+)*|!=|[^\w\s.,;:!?…\"'‘’“”«»–—-]+")
_EMPHASIS = re.compile(r"\*\*|`+")


def is_question_key(key: str) -> bool:
    """Is this the key of an agent's question? Every other key is `dataset.column`."""
    return _KEY.fullmatch(key) is not None


def question_key(text: str) -> str:
    """`q-` and twelve hexadecimal digits: the same for the same question, however it is typed.

    Case, spaces, the marks of a sentence, emphasis, and the file and line where it came up do not count;
    names, numbers, operators and what stands in quotation marks do: two questions are never taken for one.
    """
    return f"q-{hashlib.sha256(_normal(text).encode()).hexdigest()[:12]}"


def clean_question(text: str) -> str:
    """The question as it is kept: what does not show is written out, what is too long is cut."""
    return visible(text.strip())[:MOST_CHARACTERS].strip()


def _normal(text: str) -> str:
    plain = _EMPHASIS.sub("", unicodedata.normalize("NFKC", clean_question(text)))
    for pattern in _PLACES:
        plain = pattern.sub(" ", plain)
    parts: list[str] = []
    last = 0
    for value in _VALUE.finditer(plain):
        parts += _WORD.findall(plain[last : value.start()].casefold())
        parts.append((value.group(1) or value.group(2) or value.group(3)).strip())
        last = value.end()
    parts += _WORD.findall(plain[last:].casefold())
    return " ".join(parts)


def text_fault(text: str, what: str = "the answer", most: int = MOST_CHARACTERS) -> str | None:
    """What is wrong with a text that a person or an agent wrote; None: nothing is.

    It is kept, shown on terminals and put into briefs: characters that steer a terminal, or that a reader
    does not see, are refused.
    """
    if not text.strip():
        return f"{what} is empty; expected text"
    if len(text) > most:
        return f"{what} has {len(text)} characters; expected at most {most}"
    for index, character in enumerate(text):
        if character not in "\n\t" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            name = f"U+{ord(character):04X} ({unicodedata.name(character, 'a control character')})"
            return f"{what} holds a character that does not show: {name}, as number {index + 1}"
    return None
