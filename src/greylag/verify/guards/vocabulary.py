"""Which words a migration explains: those that it replaces, those that it brings, and what SQL is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sqlglot.tokens import Tokenizer

from greylag.verify.guards.scope import Scope

_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_GLUE = frozenset(
    "a an and as at by for from get in into is it its list map mapping name names new not of old on or per set the "
    "then to tmp view with core src source sources table tables col cols column columns field fields row rows "
    "query sql ref record records value values key keys id ids expr renamed mapped greylag version v".split()
)
_SQL = frozenset(
    word
    for key in Tokenizer.KEYWORDS
    if isinstance(key, str)
    for word in re.findall(r"[a-z_]+", key.lower())
)
_HOST = frozenset(
    # What programs around SQL say when they rename: never a name of theirs.
    "alias aliased asc ascending cast coalesce col column concat desc descending drop expr filter first flatten get "
    "getas getfield getitem getstring getlong getint getdouble getboolean if ifnull item join lambda last left lit "
    "lower map none null nullif option otherwise rename rename_columns renamed right row select selectexpr self "
    "some spark string strip struct then this toDF todf trim true false upper val def return var final static "
    "public private case class new import when where withcolumn withcolumnrenamed withcolumns df dict str int "
    "float bool list tuple columns assign axis inplace orelse else elif let yield override inner outer isin "
    "fromquery fromtable format f r s u raw sql query unnest safe_offset offset ordinal left_on right_on on how "
    "config tests data_tests description source sources ref models version identifier database schema tables is "
    "object type implicit long double boolean integer bigint varchar numeric text symbol getorelse typed "
    "source_column target_column any all macro set endset endmacro do var env_var usestandardsql withstandardsql "
    "usingstandardsql standardsql".lower().split()
)


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

    def said(self, word: str) -> bool:
        """Whether the mapping itself says the word or number."""
        return word.lower() in self.literals

    def composed(self, word: str) -> bool:
        """Whether every part of a word is one of the mapping's, or joins them."""
        parts = stems(word)
        return bool(parts) and all(part in self.pieces or part in _GLUE_STEMS for part in parts)

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
        pieces=frozenset(part for name in (*old, *new, *words) for part in stems(name)),
        literals=frozenset(word.lower() for word in (*old, *new, *words)),
    )


def _holds(parts: tuple[str, ...], names: frozenset[tuple[str, ...]]) -> bool:
    size = len(parts)
    return any(
        parts[start:end] in names for start in range(size) for end in range(start + 1, size + 1)
    )
