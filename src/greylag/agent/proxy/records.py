"""Replies that were paid for, on disk before anybody sees them: one file a reply, never changed.

A file's name is the request's hash and its occurrence: the n-th time that an attempt asks the very same. The
counting begins anew with every grant, so an attempt that is driven again after a crash finds, request by
request, the reply that it had, and a request that it legitimately repeats finds none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from greylag.domain.agent import Usage
from greylag.workspace.atomic import write_atomic

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A paid reply as it is forwarded. `call` is its number in the books; `request` the hash, in hex."""

    request: str
    occurrence: int
    call: int
    model: str
    content_type: str
    body: bytes
    usage: Usage


def save(folder: Path, record: Record) -> None:
    """Written, synced and in its place when this returns. Raises OSError."""
    # Replies are text; what is not survives the way there and back as lone surrogates.
    body = record.body.decode("utf-8", errors="surrogateescape")
    document = {"version": VERSION, **asdict(record), "body": body}
    write_atomic(_path(folder, record.request, record.occurrence), json.dumps(document).encode())


def load(folder: Path, request: str, occurrence: int) -> Record | None:
    """The record of a request's n-th occurrence; None where there is none that can be read."""
    record = _read(_path(folder, request, occurrence))
    if record is None or (record.request, record.occurrence) != (request, occurrence):
        return None
    return record


def all_records(folder: Path) -> Iterator[Record]:
    """Every record of an attempt, in no order."""
    for path in folder.glob("*.json"):
        record = _read(path)
        if record is not None:
            yield record


def _path(folder: Path, request: str, occurrence: int) -> Path:
    return folder / f"{request}.{occurrence}.json"


def _read(path: Path) -> Record | None:
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        if document.pop("version") != VERSION:
            return None
        body = document.pop("body").encode("utf-8", errors="surrogateescape")
        return Record(body=body, usage=Usage(**document.pop("usage")), **document)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None
