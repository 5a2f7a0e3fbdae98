"""Which words a migration explains: those that it replaces, those that it brings, and what SQL is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sqlglot.tokens import Tokenizer

from greylag.verify.guards.scope import Scope
from greylag.verify.guards.tables import words

_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_GLUE = words("glue")
_SQL = frozenset(
    word for key in Tokenizer.KEYWORDS if isinstance(key, str) for word in re.findall(r"[a-z_]+", key.lower())
)
_HOST = words("host")


def stems(word: str) -> tuple[str, ...]:
    """`userIds` and `USER_ID` are both `user`, `id`."""
    return tuple(_singular(part.lower()) for piece in word.split("_") for part in _CAMEL.findall(piece))


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 2 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What a scope's words explain. Case, plurals and the ways of joining words do not matter."""

    old_names: frozenset[tuple[str, ...]]
    new_names: frozenset[tuple[str, ...]]
    pieces: frozenset[str]
    old_versions: frozenset[str]
    new_versions: frozenset[str]
    literals: frozenset[str]

    @staticmethod
    def of(scope: Scope) -> Vocabulary:
        """The vocabulary of a scope."""
        return _vocabulary(scope.old_names, scope.new_names, scope.words)

    def old(self, word: str) -> bool:
        """Whether a word is, or is made of, a name that the mapping replaces."""
        return _holds(stems(word), self.old_names)

    def new(self, word: str) -> bool:
        """Whether a word is, or is made of, a name that the mapping brings."""
        return _holds(stems(word), self.new_names)

    def whole(self, word: str) -> bool:
        """Whether a word is a replaced name with a version in it, whole."""
        parts = stems(word)
        return parts in self.old_names and parts[-1].isdigit()

    def piece(self, word: str) -> bool:
        """Whether a word is a part of a replaced name, as programs join them: `users_`, `v1`."""
        parts = stems(word)
        size = len(parts)
        return bool(parts) and any(
            parts == name[start : start + size] for name in self.old_names for start in range(len(name))
        )

    def said(self, word: str) -> bool:
        """Whether the mapping itself says the word or number."""
        return word.lower() in self.literals

    def composed(self, word: str, others: frozenset[str] = frozenset()) -> bool:
        """Whether every part of a word is one of the mapping's or of `others`, or joins them."""
        parts = stems(word)
        return bool(parts) and all(
            part in self.pieces or part in others or part in _GLUE_STEMS or len(part) == 1 or part.isdigit()
            for part in parts
        )

    @staticmethod
    def keyword(word: str) -> bool:
        """Whether a word is SQL's own."""
        return word.lower() in _SQL

    @staticmethod
    def grammar(word: str) -> bool:
        """Whether a word is SQL's or a host language's own."""
        lowered = word.lower()
        return lowered in _SQL or lowered in _HOST or len(word) == 1


_GLUE_STEMS = frozenset(_singular(word) for word in _GLUE)


@lru_cache(maxsize=16)
def _vocabulary(old: frozenset[str], new: frozenset[str], words: frozenset[str]) -> Vocabulary:
    return Vocabulary(
        # A name that stays what it was is no reason for another one to go.
        old_names=frozenset(stems(name) for name in old) - frozenset(stems(name) for name in new),
        new_names=frozenset(stems(name) for name in new),
        old_versions=_versions(old - new),
        new_versions=_versions(new - old),
        pieces=frozenset(part for name in (*old, *new, *words) for part in stems(name)),
        literals=frozenset(word.lower() for word in (*old, *new, *words)),
    )


def _versions(names: frozenset[str]) -> frozenset[str]:
    """The numbers at the end of names: `2` of `users_v2`."""
    return frozenset(stems(name)[-1] for name in names if stems(name) and stems(name)[-1].isdigit())


def _holds(parts: tuple[str, ...], names: frozenset[tuple[str, ...]]) -> bool:
    size = len(parts)
    return any(parts[start:end] in names for start in range(size) for end in range(start + 1, size + 1))
