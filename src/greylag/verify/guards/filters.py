"""Guard of filters: what was filtered before is filtered still, and no condition was made empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from greylag.verify.guards.lexing import Kind, Token, code
from greylag.verify.guards.scope import Scope
from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.tables import words
from greylag.verify.guards.vocabulary import Vocabulary

_SIGNS = {"==": "=", "===": "=", "=!=": "!=", "<>": "!=", "!==": "!="}
_COMPARE = frozenset({"=", "==", "===", "!=", "=!=", "<>", "<", ">", "<=", ">=", "<=>"})
_WORDS = frozenset({"in", "like", "is", "between", "isin", "rlike", "ilike"})
_SKIPPED = frozenset({"(", ")", "[", "]", '"', "`", "$", "'", "@"})
_STRUCTURE = words("structure")
_FLOW = words("flow")


@dataclass(frozen=True, slots=True, kw_only=True, eq=True)
class Condition:
    """`left sign right`, without qualifiers and quotes."""

    left: str
    sign: str
    right: str
    qualified: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


def filters(subject: Subject) -> Iterator[Finding]:
    """Conditions of the old version stand in the new one, but for those on what the mapping replaces."""
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if file.old_data is not None and file.new_data is not None:
            yield from _conditions(file, vocabulary, subject.scope)


def _conditions(file: FileDiff, vocabulary: Vocabulary, scope: Scope) -> Iterator[Finding]:
    old, new = conditions(file.old, file.language), conditions(file.new, file.language)
    left = Counter(condition for condition, _ in new)
    about = 0
    lost: list[int] = []
    asked: list[tuple[Condition, int]] = []
    for condition, line in old:
        if left[condition] > 0:
            left[condition] -= 1
        elif _constant(condition):
            continue
        elif _known(condition, vocabulary):
            about += 1
            lost.append(line)
            asked.append((condition, line))
        else:
            yield Finding(path=file.path, line=line, message=f"a condition is gone: {condition}")
    # The mapping's own condition is none of those that the old version had.
    own = {column for replaced in scope.replaced for column in replaced.filtered}
    fresh = sum(
        number
        for condition, number in left.items()
        if _known(condition, vocabulary) and condition.left not in own
    )
    if about > fresh:
        message = f"{about - fresh} of the conditions on replaced columns are gone"
        # A condition may choose between the parts of a union: then the choice stands for it.
        yield Finding(path=file.path, line=lost[-1], message=message, doubt=vocabulary.said("union"))
    else:
        yield from _compared(file, asked, [each for each in left.elements()], vocabulary)
    had = {condition for condition, _ in old}
    for condition, line in new:
        if condition not in had and _constant(condition):
            yield Finding(path=file.path, line=line, message=f"a condition that decides nothing: {condition}")


def _compared(
    file: FileDiff, old: list[tuple[Condition, int]], new: list[Condition], vocabulary: Vocabulary
) -> Iterator[Finding]:
    """A condition on a replaced column compares as before, but for values that the mapping recodes."""
    for condition, line in old:
        words = condition.right.split()
        recoded = any(vocabulary.old(w) or vocabulary.new(w) or vocabulary.said(w) for w in words)
        alike = [each for each in new if each.right.lower() == condition.right.lower()]
        match = next((each for each in alike if each.sign == condition.sign), None)
        if match is not None:
            new.remove(match)
        elif not vocabulary.said("union") and (alike or not recoded):
            yield Finding(path=file.path, line=line, message=f"a condition changed: it was {condition}")
    rights = {condition.right.lower() for condition, _ in old}
    for each in new:
        if each.left == "end" and rights and each.right.lower() not in rights:
            message = f"a condition compares with `{each.right}`, and did not before"
            yield Finding(path=file.path, line=old[0][1], message=message)


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
    for before, token, after in zip((None, *stream), stream, (*stream[1:], None), strict=False):
        word = token.text.lower()
        if (before is not None and before.text in (".", "*")) or (after is not None and after.text == "="):
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


def conditions(text: str, language: Language) -> list[tuple[Condition, int]]:
    """Everything that is compared in a text, in SQL and in programs, with its line."""
    stream = [token for token in code(text, language) if token.text not in _SKIPPED or token.text in "'()"]
    found = []
    template = False
    for index, token in enumerate(stream):
        sign = token.text.lower()
        if sign in ("{", "}"):
            template = sign == "{"
        if not (sign in _WORDS or (sign in _COMPARE and _compares(token, language))):
            continue
        if template and sign == "=":
            continue
        left = _left(stream, index)
        right = _right(stream[index + 1 : index + 60], sign)
        if left and right:
            # `a.x = b.x` says something, and so does `2 * x = 2`.
            near = {
                each.text for each in (*stream[max(0, index - 3) : index], *stream[index + 1 : index + 4])
            }
            dotted = bool(near & {".", "*", "/", "+", "-", "%"})
            sign = _SIGNS.get(sign, sign)
            found.append((Condition(left=left, sign=sign, right=right, qualified=dotted), token.line))
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


def _right(stream: Sequence[Token], sign: str) -> str:
    """What is compared with: a text up to its quote, a list up to its bracket, else a name or number."""
    first = next((token for token in stream if token.text != "("), None)
    if first is not None and first.text == "'":
        start = stream.index(first)
        if sign not in ("in", "isin"):
            return " ".join(token.text for token in _until(stream[start + 1 :], "'"))
    if sign in ("in", "isin"):
        return " ".join(token.text for token in _until(stream, ")") if token.text not in "'(,")
    parts: list[str] = []
    for token in stream:
        if token.text in "(-{" and not parts:
            parts += ["-"] if token.text == "-" else []
        elif token.text == ".":
            # The qualifier is not what is compared.
            parts.clear()
        elif token.kind in (Kind.WORD, Kind.NUMBER) and (not parts or parts == ["-"]):
            parts.append(token.text.lower())
        else:
            break
    return " ".join(parts)


def _until(stream: Sequence[Token], end: str) -> Iterator[Token]:
    for token in stream:
        if token.text == end:
            return
        yield token


def _known(condition: Condition, vocabulary: Vocabulary) -> bool:
    """It speaks of what the mapping replaces or brings."""
    words = (condition.left, *condition.right.split())
    return any(vocabulary.old(word) or vocabulary.new(word) or vocabulary.said(word) for word in words)


def _constant(condition: Condition) -> bool:
    """`1 = 1`, `x = x`."""
    same = condition.left == condition.right.lower()
    numbers = condition.left.isdigit() and condition.right.isdigit()
    return (same or numbers) and not condition.qualified
