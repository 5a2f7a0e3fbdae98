"""Where an attempt stood at the end of its last round, kept so that a killed one goes on from there."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, runtime_checkable

from greylag.domain.agent import Changes
from greylag.workspace.atomic import write_atomic

FILE = "resume.json"
"""Its name in an attempt's folder."""

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """An attempt after its last whole round.

    `rounds` are done; `changes` is what the folder held then; `say` are the words that the next round starts
    with; `memory` is what the session remembered, where the runner can tell it (see `Remembers`). `brief` is
    the hash of the brief that it began with: another brief is another attempt.
    """

    rounds: int
    changes: Changes
    say: str
    brief: str
    memory: str | None = None


@runtime_checkable
class Remembers(Protocol):
    """A session whose conversation can be put into another session of its kind."""

    def memory(self) -> str:
        """The conversation up to the end of the last turn."""
        ...

    def recall(self, memory: str) -> None:
        """Go on from there. Called before the first prompt."""
        ...


def brief_hash(brief: str) -> str:
    """What tells briefs apart."""
    return hashlib.sha256(brief.encode()).hexdigest()


def save_resume(keep: Path, resume: Resume) -> Path:
    """Write it into an attempt's folder, whole or not at all. Raises OSError."""
    document = {
        "version": _VERSION,
        "rounds": resume.rounds,
        "brief": resume.brief,
        "say": resume.say,
        "memory": resume.memory,
        "changes": {
            path: None if content is None else base64.b64encode(content).decode("ascii")
            for path, content in resume.changes.items()
        },
    }
    path = keep / FILE
    write_atomic(path, json.dumps(document).encode())
    path.chmod(0o600)
    return path


def load_resume(keep: Path) -> Resume | None:
    """Read it back. None where there is none or where it is of another version: the attempt starts afresh,
    which costs nothing for what the proxy has recorded.
    """
    try:
        document = json.loads((keep / FILE).read_bytes())
        return _resume(document) if document["version"] == _VERSION else None
    except (OSError, ValueError, KeyError, TypeError, binascii.Error):
        return None


def _resume(document: Mapping[str, Any]) -> Resume:
    memory = document["memory"]
    return Resume(
        rounds=int(document["rounds"]),
        brief=str(document["brief"]),
        say=str(document["say"]),
        memory=None if memory is None else str(memory),
        changes={
            str(path): None if content is None else base64.b64decode(content, validate=True)
            for path, content in document["changes"].items()
        },
    )


def put_back(folder: Path, changes: Changes) -> None:
    """Put changes into a folder that the host has just prepared, and that nobody else has written to since.

    Raises ValueError for a path that leads out of it or through a link.
    """
    for name, content in changes.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or path.parts[0] == ".git":
            raise ValueError(f"{name!r} leads out of the folder")
        target = folder / path
        if os.path.realpath(target) != os.path.join(os.path.realpath(folder), *path.parts):  # noqa: PTH118
            raise ValueError(f"{name!r} leads through a link")
        if content is None:
            target.unlink(missing_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
