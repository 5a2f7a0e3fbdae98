"""Reads a transcript, also one that is still being written or whose writer was killed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from greylag.agent.transcript.model import Record, Transcript


def read_transcript(path: Path) -> Transcript:
    """The records of a file in their order; a line that is none is counted. Raises OSError."""
    return parse(path.read_bytes())


def parse(content: bytes) -> Transcript:
    """The records in the bytes of a transcript."""
    records: list[Record] = []
    torn = 0
    for line in content.split(b"\n"):
        if not line:
            continue
        record = record_of(line)
        if record is None:
            torn += 1
        else:
            records.append(record)
    return Transcript(records=tuple(records), torn=torn)


def record_of(line: bytes) -> Record | None:
    """The record on a line; None for a line that was not written whole."""
    try:
        document = json.loads(line)
        at = datetime.fromisoformat(document["at"])
        data = document.get("data", {})
        if not isinstance(data, dict):
            return None
        return Record(
            seq=int(document["seq"]),
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            kind=str(document["kind"]),
            data=data,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
