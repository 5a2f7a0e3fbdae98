"""What every guard of tests shares: which files are tests, and whether an expectation was kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from greylag.verify.guards.lexing import Kind, Token, code
from greylag.verify.guards.subject import Language
from greylag.verify.guards.vocabulary import Vocabulary

_TEST_NAME = re.compile(
    r"(?i)^(?:test_.*|.*_tests?|tests?|conftest|.*(?:spec|specs|suite|tests?|it)|assert_.*|.*_assert(?:ion)?s?)$"
)
_TEST_FOLDERS = frozenset(
    {"test", "tests", "testing", "spec", "specs", "it", "__tests__", "assertions", "fixtures"}
)
_ACCESS = frozenset({".", "[", "]", '"', "'", "`", "(", ")", ",", "$", "@", "{", "}"})


def is_test(path: str) -> bool:
    """By its folder or its name."""
    pure = PurePosixPath(path)
    if any(part.lower() in _TEST_FOLDERS for part in pure.parts[:-1]):
        return True
    stem = pure.name.split(".")[0]
    return bool(_TEST_NAME.match(stem)) and (stem.islower() or stem[:1].isupper())


def unexplained(
    old: Sequence[Token], new: Sequence[Token], vocabulary: Vocabulary, *, wide: bool = False
) -> str | None:
    """What differs between two expectations besides the mapping's names, in words; None where nothing does.

    `wide`: what the mapping's SQL says (literals, functions) may come too, as in an input of a test.
    """
    before = [token for token in old if token.text not in _ACCESS and token.kind is not Kind.COMMENT]
    after = [token for token in new if token.text not in _ACCESS and token.kind is not Kind.COMMENT]
    matcher = SequenceMatcher(None, [t.text for t in before], [t.text for t in after], autojunk=False)
    gone: list[str] = []
    came: list[str] = []
    for tag, low, high, start, end in matcher.get_opcodes():
        if tag != "equal":
            gone += [t.text for t in before[low:high] if not _may_go(t, vocabulary, wide)]
            came += [t.text for t in after[start:end] if not _may_come(t, vocabulary, wide)]
    if not gone and not came:
        return None
    return f"{_join(gone) or 'nothing'} became {_join(came) or 'nothing'}"


def _may_go(token: Token, vocabulary: Vocabulary, wide: bool) -> bool:
    if token.kind is Kind.OPERATOR:
        return token.quoted or (wide and token.text == ":")
    if vocabulary.old(token.text):
        return True
    return (wide or (token.quoted and not _value(token))) and vocabulary.said(token.text)


def _may_come(token: Token, vocabulary: Vocabulary, wide: bool) -> bool:
    if token.kind is Kind.OPERATOR:
        return token.quoted or (wide and token.text == ":")
    if vocabulary.new(token.text) or vocabulary.old(token.text):
        return True
    if wide and vocabulary.said(token.text):
        return True
    return token.quoted and not _value(token) and vocabulary.grammar(token.text)


def _value(token: Token) -> bool:
    return token.kind is Kind.NUMBER or token.text.lower() in ("true", "false", "none", "null")


def _join(words: list[str]) -> str:
    shown = " ".join(words[:8])
    return f"`{shown}`" if shown else ""


def lexed(text: str, language: Language = Language.PYTHON) -> tuple[Token, ...]:
    """A piece of code as its tokens."""
    return code(text, language)
