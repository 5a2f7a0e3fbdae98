"""Rules on recoded values: the arms of a CASE, and what the old text compared with."""

from __future__ import annotations

from collections.abc import Iterator

from greylag.verify.follows.facts import Facts, Recoding
from greylag.verify.follows.wording import Patched
from greylag.verify.guards.lexing import Kind, Token


def recodings(file: Patched, facts: Facts) -> Iterator[str]:
    """An arm of a CASE has another value, or a value of the old column went without its code."""
    old, new = _arms(file.old), _arms(file.new)
    for one in facts.recodings:
        for when, then, line in new:
            known = {pair[0] for pair in one.pairs} | one.values
            fits = (when, then) in one.pairs or ("else", then) == (when, one.other)
            stood = (when, then) in {(first, second) for first, second, _ in old}
            if not fits and not stood and (when in known or then in one.values):
                yield f"{file.path}:{line}: `{when}` becomes `{then}`: the mapping has another value for it"
        yield from _lost(file, one, sum((when, then) in one.pairs for when, then, _ in new))


def _lost(file: Patched, one: Recoding, arms: int) -> Iterator[str]:
    """What the old text compared with is still there: as a value, or as a code that stands for it."""
    times = arms // max(len(one.pairs), 1)
    # Codes beyond those of whole CASEs: each may stand for one value, or for `<> 'free'`.
    codes = sum(max(file.came(code), 0) for code, _ in one.pairs) - times * len(one.pairs)
    for value in sorted(one.values):
        missing = file.had[value] + times - file.has[value]
        if file.had[value] and missing > max(codes, 0):
            yield f"{file.path}: the value `{value}` went, which the old text asked for"


def _arms(tokens: tuple[Token, ...]) -> list[tuple[str, str, int]]:
    """(WHEN, THEN, line) and ("else", value, line) of every CASE of plain literals."""
    words = [one for one in tokens if one.kind in (Kind.WORD, Kind.NUMBER) or one.text in (".", "(")]
    found: list[tuple[str, str, int]] = []
    for index, one in enumerate(words):
        after = [word.text.casefold() for word in words[index + 1 : index + 5]]
        match one.text.casefold(), after:
            case "when", [when, "then", then, *rest] if rest[:1] not in (["."], ["("]):
                found.append((when, then, one.line))
            case "else", [value, "end", *_]:
                found.append(("else", value, one.line))
            case _:
                pass
    return found
