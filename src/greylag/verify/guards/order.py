"""Guards of what names alone do not tell: the order of things, and the signs between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from greylag.verify.guards.lexing import Kind, Token, code
from greylag.verify.guards.naming import meant
from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.vocabulary import Vocabulary

# Comparisons are the filters' guard's.
_SIGNS = frozenset({"+", "-", "*", "/", "%", "^", "~", "&", "|", "&&"})
_CODE = (Language.PYTHON, Language.SQL, Language.JVM)


def order(subject: Subject) -> Iterator[Finding]:
    """What stays stands in the order of before: no two arguments, columns or branches changed places.

    The mapping's own names may come elsewhere, as a subquery does: then it is a doubt.
    """
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if file.old_data is None or file.new_data is None:
            continue
        before, after = _stays(file)
        sure = _moved(
            [t for t in before if _other(t, vocabulary)], [t for t in after if _other(t, vocabulary)]
        )
        found = sure or _moved(before, after)
        if found is not None:
            old, new = found
            message = f"`{new.text}` stands where `{old.text}` stood: something changed its place"
            yield Finding(path=file.path, line=new.line, message=message, doubt=sure is None)


def _moved(before: Sequence[Token], after: Sequence[Token]) -> tuple[Token, Token] | None:
    return next((pair for pair in zip(before, after, strict=True) if pair[0].text != pair[1].text), None)


def _other(token: Token, vocabulary: Vocabulary) -> bool:
    """A word that is none of the mapping's."""
    return not (vocabulary.old(token.text) or vocabulary.composed(token.text))


def _stays(file: FileDiff) -> tuple[list[Token], list[Token]]:
    """The words that stand as often in both versions, but for SQL's own, which come with the mapping."""
    old = [token for token in meant(file.old, file.language) if not Vocabulary.keyword(token.text)]
    new = [token for token in meant(file.new, file.language) if not Vocabulary.keyword(token.text)]
    had, has = Counter(token.text for token in old), Counter(token.text for token in new)
    same = {text for text in had if had[text] == has[text]}
    return [token for token in old if token.text in same], [token for token in new if token.text in same]


def signs(subject: Subject) -> Iterator[Finding]:
    """No sign between values came, went or became another, but for those that the mapping says."""
    said = subject.scope.signs
    for file in subject.files:
        if file.old_data is None or file.new_data is None or file.language not in _CODE:
            continue
        old, new = _signs(file.old, file.language), _signs(file.new, file.language)
        had, has = Counter(token.text for token in old), Counter(token.text for token in new)
        less = {sign for sign in had if has[sign] < had[sign] and sign not in said}
        more = {sign for sign in has if has[sign] > had[sign] and sign not in said}
        if less:
            gone = " ".join(sorted(less))
            came = f" and `{' '.join(sorted(more))}` came" if more else ""
            line = next(token.line for token in old if token.text in less)
            yield Finding(path=file.path, line=line, message=f"`{gone}` went{came}")
        elif more:
            line = next(token.line for token in reversed(new) if token.text in more)
            yield Finding(path=file.path, line=line, message=f"`{' '.join(sorted(more))}` came")


def _signs(text: str, language: Language) -> list[Token]:
    stream = code(text, language)
    return [
        token
        for index, token in enumerate(stream)
        if token.kind is Kind.OPERATOR
        and token.text in _SIGNS
        and _between(stream, index)
        # In SQL it joins texts of a template.
        and not (token.text in ("~", "%", "-") and language is Language.SQL and _in_template(stream, index))
    ]


def _between(stream: Sequence[Token], index: int) -> bool:
    """Whether a sign stands between values: no star for all columns, nothing that joins texts."""
    token = stream[index]
    before = stream[index - 1] if index else None
    after = stream[index + 1] if index + 1 < len(stream) else None
    near = {each.text.lower() for each in (before, after) if each is not None}
    if token.text == "*":
        left = before is not None and (before.kind in (Kind.WORD, Kind.NUMBER) or before.text in ")]")
        right = after is not None and (after.kind in (Kind.WORD, Kind.NUMBER) or after.text in "([-")
        return left and right and not near & {"select", "from", "distinct", "import"}
    if token.text in ("+", "%") and '"' in near:
        return False
    # A margin of Scala, and a mark of formatting.
    return not (near & {"{", "}"} or (token.quoted and token.text in ("|", "%")))


def _in_template(stream: Sequence[Token], index: int) -> bool:
    for token in reversed(stream[max(0, index - 40) : index]):
        if token.text == "}":
            return False
        if token.text == "{":
            return True
    return False
