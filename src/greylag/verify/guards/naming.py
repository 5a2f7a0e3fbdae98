"""Guard of names: what comes and what goes is what the mapping says, and nothing else was renamed."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from greylag.verify.guards.lexing import Kind, Token, code
from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.vocabulary import Vocabulary, stems

_SHOWN = 8
_CONSTANT = re.compile(r"(?m)^\s*(?:(?:private |final |static |val )*)([A-Z][A-Z0-9_]+)(?::[^=\n]+)? = ")
_LABEL = re.compile(r"(?i)\bAS\s+[`\"]?(\w+)")
_TEMPLATE = re.compile(r"\{[{%].*?[%}]\}|\$?\{\w+\}", re.DOTALL)
_COMPARED = re.compile(r"(\w+)\s*(?:=|==|===|<>|!=|[Ii][Nn]\s*\()\s*['\"]?(\w+)")
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
    pieces = {token.text for token in old if token.quoted and vocabulary.piece(token.text)}
    dropped = {word for word in had if has[word] < had[word]}
    replaced = {part for word in dropped if vocabulary.old(word) for part in stems(word)}
    less = {word for word in dropped - pieces if not _goes(word, vocabulary)}
    more = {
        word for word in has if has[word] > had[word] and not _comes(word, vocabulary, frozenset(replaced))
    }
    less, more = _without_version(less, more, old, vocabulary)
    gone, fresh = {word for word in less if not has[word]}, {word for word in more if not had[word]}
    if less and more and (gone or fresh or _swapped(file, less, more)):
        message = f"something else was renamed: {_list(less)} to {_list(more)}"
        yield Finding(path=file.path, line=_line(new, more) or _line(old, less), message=message)
    elif fresh:
        own = fresh <= _labels(file) | _indices(file) | _constants(file)
        message = f"brings what the migration does not explain: {_list(fresh)}"
        yield Finding(path=file.path, line=_line(new, fresh), message=message, doubt=own)
    elif gone:
        message = f"drops what the migration does not replace: {_list(gone)}"
        chosen = {word for word in gone if word.isdigit()} if vocabulary.said("union") else set()
        doubt = gone - chosen <= _plumbing(file, vocabulary)
        yield Finding(path=file.path, line=_line(old, gone), message=message, doubt=doubt)
    elif more or less:
        what = "says more often" if more else "says less often"
        message = f"{what} than before: {_list(more or less)}"
        yield Finding(path=file.path, line=_line(new, more or less), message=message, doubt=True)


def _without_version(
    less: set[str], more: set[str], old: tuple[Token, ...], vocabulary: Vocabulary
) -> tuple[set[str], set[str]]:
    """Where a name is built of parts, the number of its version may become that of the new one."""
    if any(vocabulary.whole(token.text) for token in old):
        return less, more
    return less - vocabulary.old_versions, more - vocabulary.new_versions


def _indices(file: FileDiff) -> set[str]:
    """Numbers that only ever stand alone in brackets: places in a pair."""
    stream = code(file.new, file.language)
    inside: set[str] = set()
    outside: set[str] = set()
    for before, token, after in zip(stream, stream[1:], stream[2:], strict=False):
        if token.kind is Kind.NUMBER:
            (inside if (before.text, after.text) == ("[", "]") else outside).add(token.text)
    return inside - outside


def _constants(file: FileDiff) -> set[str]:
    """What a module names for its own use: assigned in capitals, and used."""
    text = "\n".join(line for _, line in file.added)
    return {name for name in _CONSTANT.findall(text) if len(re.findall(rf"\b{name}\b", file.new)) > 1}


def _labels(file: FileDiff) -> set[str]:
    """What `AS` names now: a column that had no name of its own."""
    return {name for _, text in file.added for name in _LABEL.findall(text)}


def _plumbing(file: FileDiff, vocabulary: Vocabulary) -> frozenset[str]:
    """Words that only led to the old dataset: in a host language or a template, beside its name; or values of
    a replaced column that the mapping decides about.
    """
    found: set[str] = set()
    for hunk in file.hunks:
        text = "\n".join(line for _, line in hunk.removed)
        stream = code(text, file.language)
        added = code("\n".join(line for _, line in hunk.added), file.language)
        about = any(vocabulary.old(token.text) for token in stream) or any(
            vocabulary.new(token.text) for token in added
        )
        found.update(name for name in _ASSIGNED.findall(text))
        for template in _TEMPLATE.findall(text):
            found.update(re.findall(r"\w+", template))
        if file.language in (Language.PYTHON, Language.JVM) and about:
            found.update(token.text for token in stream if not token.quoted)
        found.update(value for name, value in _COMPARED.findall(text) if vocabulary.old(name))
    return frozenset(found)


def _goes(word: str, vocabulary: Vocabulary) -> bool:
    if word[0].isdigit():
        return vocabulary.said(word)
    return vocabulary.grammar(word) or vocabulary.old(word) or vocabulary.said(word)


def _comes(word: str, vocabulary: Vocabulary, replaced: frozenset[str]) -> bool:
    """`replaced` are the parts of names that went: `user_id_is_kept` may become `account_id_is_kept`."""
    if word[0].isdigit():
        return vocabulary.said(word)
    return vocabulary.grammar(word) or vocabulary.said(word) or vocabulary.composed(word, replaced)


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


def _line(words: tuple[Token, ...], wanted: set[str]) -> int:
    return next((token.line for token in words if token.text in wanted), 0)


def _list(words: set[str]) -> str:
    shown = sorted(words)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(f"`{word}`" for word in shown[:_SHOWN]) + more
