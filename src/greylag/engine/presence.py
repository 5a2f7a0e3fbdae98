"""Is the new dataset there where the old one was read? By words alone; what is read is the proof's to say.

Names may be put together at run time, so that little is asked for: a word of a new dataset's name, and, where
it is named whole, one of its columns. Patches that take a read away, or only exchange the name, fail by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlglot import exp

from greylag.domain.check import Check, CheckStatus
from greylag.mapping.compiled import CompiledMigration

NAME = "new-dataset-read"

_WORD = re.compile(r"[a-z]{3,}")
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u\{?([0-9a-fA-F]{4})\}?|U([0-9a-fA-F]{8})|([0-3]?[0-7]{1,2})(?![0-9]))"
)
_SPELLED = re.compile(r"\\N\{([A-Z0-9 -]{1,80})\}")


def unescaped(text: str) -> str:
    """The text with the escapes of string literals resolved: `\\x31`, `\\u0031`, `\\N{DIGIT ONE}`."""
    if "\\" not in text:
        return text
    return _SPELLED.sub(_by_name, _ESCAPE.sub(_by_number, text))


def _by_number(found: re.Match[str]) -> str:
    *hexadecimal, octal = found.groups()
    digits = next((one for one in hexadecimal if one is not None), None)
    code = int(octal, 8) if digits is None else int(digits, 16)
    return chr(code) if code <= 0x10FFFF else found.group()


def _by_name(found: re.Match[str]) -> str:
    import unicodedata

    try:
        return unicodedata.lookup(found.group(1))
    except KeyError:
        return found.group()


def present(
    migration: CompiledMigration, before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[Check, ...]:
    """A failed check where the new dataset is missing in the changed files; `before` are the same files."""
    new = "\n".join(unescaped(text) for text in after.values()).lower()
    names = [provided.dataset.name.lower() for provided in migration.provides]
    words = {word for name in names for word in _WORD.findall(name)}
    if not words:
        return ()
    if after and not any(word in new for word in words):
        return (_failed(after, f"it names neither an old nor a new dataset ({', '.join(names)}) now"),)
    if not any(name in new for name in names):
        return ()
    old = "\n".join(before.get(path, "") for path in after).lower()
    made = _made(migration)
    used = {name: columns for name, columns in made.items() if _names(old, name) and _names(new, name)}
    if used and not any(_names(new, column) for columns in made.values() for column in columns):
        wanted = ", ".join(sorted({column for columns in used.values() for column in columns})[:5])
        return (_failed(after, f"it names a new dataset and none of its columns ({wanted})"),)
    return ()


def _made(migration: CompiledMigration) -> dict[str, frozenset[str]]:
    """Old columns that are another column, or more, of the new dataset; empty where one has kept its name."""
    found: dict[str, frozenset[str]] = {}
    for mapping in migration.mappings:
        for output in mapping.outputs:
            columns = frozenset(one.name.lower() for one in output.expression.find_all(exp.Column))
            if output.name.lower() in columns:
                return {}
            if columns:
                found[output.name.lower()] = columns
    return found


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![a-z0-9_]){re.escape(name)}(?![a-z0-9_])", text) is not None


def _failed(paths: Iterable[str], words: str) -> Check:
    return Check(verifier=NAME, status=CheckStatus.FAILED, summary=f"{', '.join(sorted(paths))}: {words}")
