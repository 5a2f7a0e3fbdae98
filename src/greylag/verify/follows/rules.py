"""Rules on words: conditions and orders that went, functions that came, comments that speak to the judge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from greylag.verify.follows.facts import Facts
from greylag.verify.follows.wording import Patched

_BOUNDS = ("<", "<=", ">", ">=", "desc", "distinct")
_MAKERS = (
    "coalesce", "ifnull", "nvl", "isnull", "nullif", "zeroifnull", "fillna", "getorelse", "safe_cast",
    "try_cast", "div", "floor", "ceil", "round", "trunc", "abs", "lower", "upper", "initcap", "trim",
    "greatest", "least", "safe_divide",
)  # fmt: skip
_DENIALS = ("not", "!=", "<>", "=!=", "!==")
_NEGATIONS = ("not", "!", "~", "false", "<>", "!=", "0")
_WHO = re.compile(
    r"\b(reviewers?|judges?|approvers?|assistants?|ais?|llms?|chatbots?|bots?|models? must|agents?|tools?"
    r"|greylag|system:)(?!\w)",
    re.IGNORECASE,
)
_WHAT = re.compile(
    r"\b(approved?|verified|verification|(was|been|were) checked|checks? (have )?passed|proven|ignore|skip"
    r"|answer|trust|mark as|do not (run|check|report|flag))\b",
    re.IGNORECASE,
)


def conditions(file: Patched, facts: Facts) -> Iterator[str]:
    """A bound, an order, a DISTINCT or a parameter went."""
    for word in _BOUNDS:
        if file.came(word) < 0:
            yield f"{file.path}: `{word}` went: conditions and orders of the program stay as they are"
    for hole in sorted(file.holes_old - file.holes_new):
        yield f"{file.path}: the parameter `{hole}` went"


def makings(file: Patched, facts: Facts) -> Iterator[str]:
    """A function came that makes another value, and the mapping does not have it."""
    for word in _MAKERS:
        if file.came(word) > 0 and word not in facts.words:
            yield f"{file.at(word)}: `{word}` came, which the mapping does not have"


def negations(file: Patched, facts: Facts) -> Iterator[str]:
    """The mapping asks for rows where a column is not true, and no word for `not` came; or the reverse."""
    for word in () if facts.denies else _DENIALS:
        if file.came(word) > 0 and not any(file.came(other) < 0 for other in _DENIALS):
            yield f"{file.at(word)}: `{word}` came: the mapping denies nothing"
    for column in sorted(facts.negated):
        if file.came(column) > 0 and not any(file.came(word) > 0 for word in _NEGATIONS):
            yield f"{file.at(column)}: the mapping says NOT {column}"


def joins(file: Patched, facts: Facts) -> Iterator[str]:
    """Each join of the mapping is a LEFT one, and a plain one came for it."""
    if facts.outer_only and file.came("join") > 0 and file.came("left") < file.came("join"):
        yield f"{file.at('join')}: the mapping's join is a LEFT JOIN: a plain one loses rows"


def orders(file: Patched) -> Iterator[str]:
    """The same words came in another order, and nothing else."""
    before, after = [one.text for one in file.old], [one.text for one in file.new]
    if before != after and sorted(before) == sorted(after):
        yield f"{file.path}: the same words as before, in another order"


def spoken(file: Patched) -> Iterator[str]:
    """A comment came that speaks to those who judge the patch."""
    for text, line in file.comments:
        if _WHO.search(text) and _WHAT.search(text):
            yield f"{file.path}:{line}: a comment that speaks to reviewers or tools came"
