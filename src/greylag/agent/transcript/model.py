"""Records of a transcript, and how a value becomes one."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from pathlib import PurePath
from typing import Any

Redact = Callable[[str], str]
"""Takes secrets out of a text."""

CAP = 64_000
"""Characters of one text that are written down."""

MAX_DEPTH = 12
"""Values that are nested deeper are named by their type only."""


class Level(StrEnum):
    """What is written: everything but secrets, or only sizes and hashes of what was said and changed."""

    FULL = "full"
    NO_CONTENT = "no-content"


# Fields whose texts are ours, not a model's or a repository's: kept on every level.
_TELLING = frozenset(
    """accepted agent api attempt base call config diff_hash end files hash id key kind migration model name
    path reference repository role round run runner sandbox status template verifier version""".split()  # noqa: SIM905 - a list of these would take 30 lines
)
# Fields that hold fields of ours; what stands in any other one is content throughout.
_OPEN = frozenset({"", "attempt", "checks", "usage"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing that happened. `seq` counts from 1 within the file; `at` has a time zone."""

    seq: int
    at: datetime
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A transcript as it was read. `torn` counts lines that are no records: a process died while it wrote."""

    records: tuple[Record, ...]
    torn: int = 0


def plain(value: object, depth: int = 0) -> Any:
    """A value as JSON has it. What JSON does not know is told by its size and hash, or by its type."""
    match value:
        case Enum():
            return plain(value.value, depth)
        case bool() | int() | float() | None | str():
            return value
        case PurePath():
            return str(value)
        case bytes() | bytearray():
            return {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
        case _ if depth < MAX_DEPTH:
            return _nested(value, depth + 1)
        case _:
            return f"<{type(value).__name__}>"


def _nested(value: object, depth: int) -> Any:
    match value:
        case Mapping():
            return {str(key): plain(item, depth) for key, item in value.items()}
        case list() | tuple():
            return [plain(item, depth) for item in value]
        case Set():
            return sorted((plain(item, depth) for item in value), key=str)
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {one.name: plain(getattr(value, one.name), depth) for one in fields(value)}
        case _:
            return f"<{type(value).__name__}>"


def sealed(value: Any, redact: Redact, level: Level, cap: int = CAP, name: str = "") -> Any:
    """A plain value as it is written: secrets taken out first, then long texts cut, or content left out.

    `name` is the field that holds it. The hash of what is left out is that of the redacted text: it gives
    away no secret.
    """
    match value:
        case str():
            return _text(redact(value), level, cap, name)
        case dict() | list() if level is Level.NO_CONTENT and name not in _OPEN | _TELLING:
            whole = sealed(value, redact, Level.FULL, sys.maxsize, name)
            return _size(json.dumps(whole, sort_keys=True))
        case dict():
            return {
                redact(key): sealed(item, redact, level, cap, key if name in _OPEN else name)
                for key, item in value.items()
            }
        case list():
            return [sealed(item, redact, level, cap, name) for item in value]
        case _:
            return value


def _text(text: str, level: Level, cap: int, name: str) -> object:
    if level is Level.NO_CONTENT and name not in _TELLING:
        return _size(text)
    if len(text) <= cap:
        return text
    return {"head": text[:cap], "chars": len(text), "sha256_of_rest": _hash(text[cap:])}


def _size(text: str) -> dict[str, object]:
    return {"chars": len(text), "sha256": _hash(text)}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def words(value: object) -> str:
    """The text of a field, whole, cut or left out: as much as there is, and what is said of the rest."""
    match value:
        case None:
            return ""
        case str():
            return value
        case {"head": str(head), "chars": int(chars)}:
            return f"{head}\n[… {chars - len(head):,} more characters]"
        case {"chars": int(chars)}:
            return f"[{chars:,} characters]"
        case _:
            return str(value)
