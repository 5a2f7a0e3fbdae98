"""Guard of tests in YAML (dbt and its like): none removed, lowered, narrowed or switched off."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.vocabulary import Vocabulary

_TESTS = frozenset({"tests", "data_tests", "unit_tests", "constraints", "assertions", "quality", "checks"})
_WEAK = re.compile(
    r"^\+?(?:enabled|severity|warn_if|error_if|where|limit|fail_calc|skip|xfail|enforced|store_failures|"
    r"allow_failure|continue[-_]on[-_]error|required|disabled|ignore\w*|exclude\w*|fail_under|warn_after|"
    r"error_after|freshness|nullable|optional|on_schema_change|contract|static_analysis|error_on\w*|warn_error\w*)$"
)
_DBT = re.compile(
    r"(?m)^\s*(?:-\s+)?(?:version|models|sources|seeds|snapshots|unit_tests|exposures|data_tests|tests):"
)
_NAMES = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def weak_yaml(subject: Subject) -> Iterator[Finding]:
    """Every test of before is there with the same arguments and configuration."""
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if file.language is Language.YAML and file.old_data is not None and file.new_data is not None:
            yield from _file(file, vocabulary)


def _file(file: FileDiff, vocabulary: Vocabulary) -> Iterator[Finding]:
    old, new = _load(file.old), _load(file.new)
    if old is None:
        return
    if new is None:
        yield Finding(path=file.path, line=0, message="it was valid YAML, and is no more")
        return
    left = Counter(_same(item, vocabulary) for item, _ in _tests(new, ()))
    for item, line in _tests(old, ()):
        key = _same(item, vocabulary)
        if left[key] > 0:
            left[key] -= 1
        else:
            message = f"a test is gone, or says something else: {_short(item)}"
            yield Finding(path=file.path, line=line, message=message)
    tests = _DBT.search(file.new) is not None
    had = Counter((key, _same(value, vocabulary)) for key, value, _ in _weak(old) if tests or not _said(key))
    for key, value, line in _weak(new):
        if not tests and _said(key):
            continue
        mark = (key, _same(value, vocabulary))
        if had[mark] > 0:
            had[mark] -= 1
        else:
            message = f"`{key}: {_short(value)}` decides how strict a check is, and was not here before"
            yield Finding(path=file.path, line=line, message=message)
    for (key, _), number in had.items():
        if number > 0 and not _lifted(key):
            yield Finding(path=file.path, line=0, message=f"`{key}`, which decides about checks, is gone")


def _said(key: str) -> bool:
    """Outside of dbt these say what a job reads."""
    return key in ("where", "limit", "required", "nullable", "optional", "enabled") or key.startswith(
        ("ignore", "exclude")
    )


def _lifted(key: str) -> bool:
    """Without these a check is as strict as can be."""
    return key.lstrip("+") in (
        "where",
        "limit",
        "skip",
        "xfail",
        "warn_if",
        "allow_failure",
        "store_failures",
    )


def _load(text: str) -> Any:
    try:
        return list(YAML(typ="rt").load_all(text))
    except (YAMLError, ValueError, RecursionError):
        return None


def _tests(node: Any, owner: tuple[str, ...]) -> Iterator[tuple[Any, int]]:
    """Each test with what it is about, and its line."""
    if isinstance(node, list):
        for item in node:
            yield from _tests(item, owner)
    elif isinstance(node, dict):
        named = node.get("name")
        inner = (*owner, str(named)) if isinstance(named, str) else owner
        for key, value in node.items():
            if str(key) in _TESTS and isinstance(value, list):
                for index, item in enumerate(value):
                    yield [list(inner), key, _plain(item)], _line(value, index)
            else:
                yield from _tests(value, inner)


def _weak(node: Any) -> Iterator[tuple[str, Any, int]]:
    if isinstance(node, list):
        for item in node:
            yield from _weak(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if _WEAK.match(str(key)):
                yield str(key), _plain(value), _line(node, key)
            yield from _weak(value)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node if isinstance(node, bool | int | float | type(None)) else str(node)


def _line(node: Any, key: Any) -> int:
    if isinstance(node, CommentedMap):
        return int(node.lc.key(key)[0]) + 1
    if isinstance(node, CommentedSeq):
        return int(node.lc.item(key)[0]) + 1
    return 0


def _same(item: Any, vocabulary: Vocabulary) -> str:
    """The item as text in which the mapping's names, old or new, are one and the same."""

    def swap(match: re.Match[str]) -> str:
        words = match.group().split(".")
        return "@" if any(vocabulary.old(word) or vocabulary.new(word) for word in words) else match.group()

    return _NAMES.sub(swap, json.dumps(item, default=str))


def _short(item: Any) -> str:
    text = json.dumps(item, default=str)
    return text if len(text) <= 90 else f"{text[:87]}..."
