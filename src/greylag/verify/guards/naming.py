"""Guard of names: what comes and what goes is what the mapping says, and nothing else was renamed."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from greylag.verify.guards.lexing import Kind, Token, code
from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.vocabulary import Vocabulary

_SHOWN = 8
_ASSIGNED = re.compile(r"(?:^|[\s,(])(?:val |var |def |set )?\s*(\w+)(?:\s*:\s*[\w\[\], .]+)?\s*=(?![=~])")


def names(subject: Subject) -> Iterator[Finding]:
    """Names, numbers and texts that come or go are explained by the mapping's old and new names."""
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if file.new_data is not None:
            yield from _file(file, vocabulary)


def _file(file: FileDiff, vocabulary: Vocabulary) -> Iterator[Finding]:
    old, new = meant(file.old, file.language), meant(file.new, file.language)
    had, has = _counts(old), _counts(new)
    less = {word for word in had if has[word] < had[word] and not _goes(word, vocabulary)}
    more = {word for word in has if has[word] > had[word] and not _comes(word, vocabulary)}
    gone = {word for word in less if not has[word]}
    fresh = {word for word in more if not had[word]}
    if less and more and (gone or fresh or _swapped(file, less, more)):
        message = f"something else was renamed: {_list(less)} to {_list(more)}"
        yield Finding(path=file.path, line=_line(new, more) or _line(old, less), message=message)
    elif fresh:
        message = f"brings what the migration does not explain: {_list(fresh)}"
        yield Finding(path=file.path, line=_line(new, fresh), message=message)
    elif gone:
        plumbing = _assigned(file)
        message = f"drops what the migration does not replace: {_list(gone)}"
        doubt = all(word in plumbing for word in gone)
        yield Finding(path=file.path, line=_line(old, gone), message=message, doubt=doubt)


def _goes(word: str, vocabulary: Vocabulary) -> bool:
    if word[0].isdigit():
        return vocabulary.said(word)
    return vocabulary.grammar(word) or vocabulary.old(word) or vocabulary.said(word)


def _comes(word: str, vocabulary: Vocabulary) -> bool:
    if word[0].isdigit():
        return vocabulary.said(word)
    return (
        vocabulary.grammar(word)
        or vocabulary.said(word)
        or vocabulary.new(word) and vocabulary.composed(word)
        or vocabulary.composed(word)
    )


def _swapped(file: FileDiff, less: set[str], more: set[str]) -> bool:
    """Both names live on elsewhere; in one hunk the one stands for the other."""
    for hunk in file.hunks:
        before = {token.text for _, text in hunk.removed for token in code(text, file.language)}
        after = {token.text for _, text in hunk.added for token in code(text, file.language)}
        if (before - after) & less and (after - before) & more:
            return True
    return False


def _counts(words: Iterable[Token]) -> Counter[str]:
    return Counter(token.text for token in words)


@lru_cache(maxsize=256)
def meant(text: str, language: Language) -> tuple[Token, ...]:
    """Words and numbers that a program means: without comments and Python's docstrings."""
    prose = _docstrings(text) if language is Language.PYTHON else frozenset()
    return tuple(
        token
        for token in code(text, language)
        if token.kind in (Kind.WORD, Kind.NUMBER) and not (token.quoted and token.line in prose)
    )


def _docstrings(text: str) -> frozenset[int]:
    """The lines of docstrings; none where the text is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return frozenset(lines)


def _assigned(file: FileDiff) -> frozenset[str]:
    """What the removed lines assigned: a helper of the old read that has no more use."""
    if file.language not in (Language.PYTHON, Language.JVM, Language.SQL):
        return frozenset()
    return frozenset(name for _, text in file.removed for name in _ASSIGNED.findall(text))


def _line(words: tuple[Token, ...], wanted: set[str]) -> int:
    return next((token.line for token in words if token.text in wanted), 0)


def _list(words: set[str]) -> str:
    shown = sorted(words)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(f"`{word}`" for word in shown[:_SHOWN]) + more
