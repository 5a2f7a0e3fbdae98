"""How alike two column names are, as words."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

# Words that warehouses use for the same thing; the first stands for all of them.
_SYNONYMS = (
    ("id", "identifier", "key", "pk", "uid", "uuid", "code", "no", "nr"),
    ("timestamp", "ts", "time", "at", "datetime", "dttm"),
    ("date", "dt", "day", "ds"),
    ("count", "cnt", "n", "num", "number", "qty", "quantity"),
    ("amount", "amt", "total", "value", "sum"),
    ("description", "desc", "text"),
    ("country", "nation", "land"),
    ("name", "title", "label", "nm"),
    ("user", "account", "member", "customer", "cust", "client", "usr", "acct"),
    ("address", "addr"),
    ("category", "cat", "type", "kind", "class"),
    ("status", "state", "stat"),
    ("percent", "pct", "percentage"),
    ("average", "avg", "mean"),
    ("currency", "ccy", "curr"),
    ("language", "lang", "locale"),
    ("created", "create", "inserted"),
    ("updated", "modified", "changed"),
    ("flag", "is", "has"),
)
_ROOT = {word: group[0] for group in _SYNONYMS for word in group}
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def words(name: str) -> tuple[str, ...]:
    """The words of a name in snake, kebab or camel case, folded."""
    return tuple(word.casefold() for word in _WORD.findall(name))


def likeness(old: str, new: str, about: tuple[str, ...] = ()) -> float:
    """Between 0 and 1: 1 for the same name, 0.9 for the same words but for those in `about`.

    `about` are words that say nothing in this place, like those of the table's own name. Of a path, the whole
    and its last part are tried.
    """
    best = 0.0
    for part in {new, new.rsplit(".", maxsplit=1)[-1]}:
        best = max(best, _likeness(old, part, about) - (0.05 if part != new else 0.0))
    return best


def _likeness(old: str, new: str, about: tuple[str, ...]) -> float:
    one, other = words(old), words(new)
    if old.casefold() == new.casefold():
        return 1.0
    if one == other:
        return 0.97
    plain = tuple(word for word in one if word not in about), tuple(w for w in other if w not in about)
    if plain[0] and plain[0] == plain[1]:
        return 0.9
    roots = frozenset(_ROOT.get(word, word) for word in one), frozenset(_ROOT.get(w, w) for w in other)
    if roots[0] == roots[1]:
        return 0.8
    shared = len(roots[0] & roots[1])
    jaccard = shared / max(len(roots[0] | roots[1]), 1)
    letters = SequenceMatcher(None, "".join(one), "".join(other)).ratio()
    return min(0.75, max(0.7 * jaccard, 0.7 * letters if letters > 0.6 else 0.0))


def said_alike(one: str, other: str) -> float:
    """How many words two comments share, between 0 and 1; 0 when one is empty."""
    left, right = {w for w in words(one) if len(w) > 3}, {w for w in words(other) if len(w) > 3}
    return len(left & right) / max(len(left | right), 1) if left and right else 0.0
