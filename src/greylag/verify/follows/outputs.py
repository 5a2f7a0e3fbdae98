"""Rules on what a program returns: names that stay, expressions that are whole."""

from __future__ import annotations

from collections.abc import Iterator

from greylag.verify.follows.facts import Facts
from greylag.verify.follows.wording import Patched
from greylag.verify.guards.lexing import Token


def bare(file: Patched, facts: Facts) -> Iterator[str]:
    """A new column got the name of an old one that it is not: `tier AS plan`, `account_id AS sessions`."""
    stood = {(one, name) for one, name, _ in _named(file.old)}
    for one, name, line in _named(file.new):
        if (one, name) in stood:
            continue
        right = facts.plain.get(name)
        if one in facts.made.get(name, frozenset()) or (
            right is not None and one != right and one in facts.columns
        ):
            yield f"{file.path}:{line}: `{one} AS {name}`: the mapping has another expression for `{name}`"


def _named(tokens: tuple[Token, ...]) -> Iterator[tuple[str, str, int]]:
    """(column, name, line) of every `column AS name` that is no end of a longer expression."""
    for index, (one, word, name) in enumerate(zip(tokens, tokens[1:], tokens[2:], strict=False)):
        if word.text.casefold() == "as" and not _within(tokens[max(index - 2, 0) : index]):
            yield one.text.casefold(), name.text.casefold(), one.line


def _within(before: tuple[Token, ...]) -> bool:
    """Whether what stands before says that the next word is only the end of an expression."""
    last = before[-1].text if before else ""
    entry = len(before) < 2 or before[0].line != before[-1].line
    return last in {"+", "*", "/", "%", "||", "."} or (last == "-" and not entry)


def kept(file: Patched, facts: Facts) -> Iterator[str]:
    """A column stood in a list of names; the new one stands there alone, and the old name is gone."""
    for old, new in facts.plain.items():
        went = old != new and old in file.items_old and not file.has[old]
        if went and new in file.items_new and new not in file.items_old:
            yield f"{file.at(new)}: the name `{old}` went from what is read: write `{new} AS {old}`"
