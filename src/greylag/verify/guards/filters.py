"""Guard of filters: what was filtered before is filtered still, and no condition was made empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from greylag.verify.guards.lexing import Kind, Token, code
from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.vocabulary import Vocabulary

_SIGNS = {"==": "=", "===": "=", "=!=": "!=", "<>": "!=", "!==": "!="}
_COMPARE = frozenset({"=", "==", "===", "!=", "=!=", "<>", "<", ">", "<=", ">=", "<=>"})
_WORDS = frozenset({"in", "like", "is", "between", "isin", "rlike", "ilike"})
_SKIPPED = frozenset({"(", ")", "[", "]", '"', "`", "$", "'", "@"})
_STRUCTURE = frozenset(
    "or not limit distinct union except intersect having qualify tablesample outer left right full cross "
    "rollup cube sample fetch".split()
)
_FLOW = frozenset("try except catch finally break continue raise throw pass contextlib suppress".split())


@dataclass(frozen=True, slots=True, kw_only=True, eq=True)
class Condition:
    """`left sign right`, without qualifiers and quotes."""

    left: str
    sign: str
    right: str

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


def filters(subject: Subject) -> Iterator[Finding]:
    """Conditions of the old version stand in the new one, but for those on what the mapping replaces."""
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if file.old_data is not None and file.new_data is not None:
            yield from _conditions(file, vocabulary)


def _conditions(file: FileDiff, vocabulary: Vocabulary) -> Iterator[Finding]:
    old, new = _found(file.old, file.language), _found(file.new, file.language)
    left = Counter(condition for condition, _ in new)
    about = 0
    lost: list[int] = []
    for condition, line in old:
        if left[condition] > 0:
            left[condition] -= 1
        elif _replaced(condition, vocabulary):
            about += 1
            lost.append(line)
        else:
            yield Finding(path=file.path, line=line, message=f"a condition is gone: {condition}")
    fresh = sum(number for condition, number in left.items() if _known(condition, vocabulary))
    if about > fresh:
        message = f"{about - fresh} of the conditions on replaced columns are gone"
        yield Finding(path=file.path, line=lost[-1], message=message)
    had = {condition for condition, _ in old}
    for condition, line in new:
        if condition not in had and _constant(condition):
            yield Finding(path=file.path, line=line, message=f"a condition that decides nothing: {condition}")


def structure(subject: Subject) -> Iterator[Finding]:
    """What a query or program does with its rows stays: no OR, NOT, LIMIT, DISTINCT, join or error handling
    comes or goes that the mapping does not say.
    """
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if file.old_data is None or file.new_data is None:
            continue
        old, new = _keywords(file.old, file.language), _keywords(file.new, file.language)
        for word in sorted(set(old) | set(new)):
            if len(old.get(word, ())) == len(new.get(word, ())) or vocabulary.said(word):
                continue
            came = len(new.get(word, ())) > len(old.get(word, ()))
            line = (new if came else old)[word][-1]
            what = "came" if came else "went"
            yield Finding(path=file.path, line=line, message=f"`{word}` {what}: more changed than a dataset")


def _keywords(text: str, language: Language) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    stream = code(text, language)
    for before, token in zip((None, *stream), stream, strict=False):
        word = token.text.lower()
        if token.kind is Kind.WORD and before is not None and before.text == ".":
            continue
        if token.text == "||" and language is Language.JVM and not token.quoted:
            word = "or"
        if word in _STRUCTURE or (word in _FLOW and not token.quoted and language is not Language.SQL):
            found.setdefault(word, []).append(token.line)
        if word in ("true", "false") and before is not None and _decides(before):
            found.setdefault(f"{before.text} {token.text}".lower(), []).append(token.line)
    return found


def _decides(token: Token) -> bool:
    return token.text.lower() in ("where", "and", "or", "if", "when", "on", "elif", "while", "not", "assert")


def _found(text: str, language: Language) -> list[tuple[Condition, int]]:
    stream = [token for token in code(text, language) if token.text not in _SKIPPED or token.text in "'()"]
    found = []
    for index, token in enumerate(stream):
        sign = token.text.lower()
        if not (sign in _WORDS or sign in _COMPARE and _compares(token, language)):
            continue
        left = _left(stream, index)
        right = _right(stream, index, sign)
        if left and right:
            found.append((Condition(left=left, sign=_SIGNS.get(sign, sign), right=right), token.line))
    return found


def _compares(token: Token, language: Language) -> bool:
    """A single `=` assigns in programs, and compares in SQL."""
    return token.text != "=" or token.quoted or language is Language.SQL


def _left(stream: Sequence[Token], index: int) -> str:
    for token in reversed(stream[max(0, index - 6) : index]):
        if token.text in "'()":
            continue
        if token.text.lower() == "not":
            continue
        return token.text.lower() if token.kind in (Kind.WORD, Kind.NUMBER) else ""
    return ""


def _right(stream: Sequence[Token], index: int, sign: str) -> str:
    parts: list[str] = []
    quotes = 0
    depth = 0
    for token in stream[index + 1 : index + 60]:
        if token.text == "'":
            quotes += 1
            if quotes % 2 == 0 and depth == 0:
                break
            continue
        inside = quotes % 2 == 1
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
            if depth <= 0:
                break
        elif inside or (depth and sign in ("in", "isin")):
            parts.append(token.text)
        elif token.text in ("-", "{", "$") and not parts:
            parts.append(token.text)
        elif token.kind in (Kind.WORD, Kind.NUMBER):
            parts.append(token.text.lower())
            if not _goes_on(stream, token):
                break
        elif token.text == "." and parts:
            parts.clear()
        else:
            break
    return " ".join(parts)


def _goes_on(stream: Sequence[Token], token: Token) -> bool:
    """`b.y`: the qualifier is not what is compared."""
    place = next((at for at, each in enumerate(stream) if each is token), len(stream))
    return place + 1 < len(stream) and stream[place + 1].text == "."


def _replaced(condition: Condition, vocabulary: Vocabulary) -> bool:
    words = (condition.left, *condition.right.split())
    return any(vocabulary.old(word) or vocabulary.new(word) for word in words)


def _known(condition: Condition, vocabulary: Vocabulary) -> bool:
    words = (condition.left, *condition.right.split())
    return any(vocabulary.old(word) or vocabulary.new(word) for word in words)


def _constant(condition: Condition) -> bool:
    """`1 = 1`, `x = x`."""
    return condition.left == condition.right.lower() or (
        condition.left.isdigit() and condition.right.isdigit()
    )
