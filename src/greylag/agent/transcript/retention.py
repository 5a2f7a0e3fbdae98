"""Where transcripts stand, and how long they are kept."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greylag.agent.transcript.model import Record
from greylag.agent.transcript.reading import read_transcript
from greylag.agent.transcript.summary import resumable
from greylag.domain.agent import AttemptKey
from greylag.domain.errors import UsageError

FILE = "transcript.jsonl"
UNENDED = timedelta(days=7)
"""An attempt that has not ended is kept at least this long: it may be resumed."""

_NAME = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that has a folder."""

    key: AttemptKey
    folder: Path

    @property
    def transcript(self) -> Path:
        """Its file; it may not be there yet."""
        return self.folder / FILE


def folder_of(root: Path, key: AttemptKey) -> Path:
    """The folder of an attempt under `root` (`<state>/agents`). Raises UsageError for names that lead out."""
    return _under(root, key.migration) / _flat(key.repository) / f"{key.attempt}.{key.run}"


def attempts(root: Path, migration: str, repository: str | None = None) -> tuple[Attempt, ...]:
    """The attempts of a campaign, or of one of its targets, by repository, then oldest first."""
    campaign = _under(root, migration)
    wanted = None if repository is None else _flat(repository)
    found = [
        Attempt(
            key=AttemptKey(
                migration=migration,
                repository=target.name.replace("__", "/"),
                attempt=int(name[1]),
                run=int(name[2]),
            ),
            folder=folder,
        )
        for target in (campaign.iterdir() if campaign.is_dir() else ())
        if target.is_dir() and wanted in {None, target.name}
        for folder in target.iterdir()
        if folder.is_dir() and (name := _NAME.fullmatch(folder.name))
    ]
    return tuple(sorted(found, key=lambda one: (one.key.repository, one.key.attempt, one.key.run)))


def prune(root: Path, keep: timedelta, *, now: datetime | None = None) -> tuple[Path, ...]:
    """Remove the folders of attempts whose last record is older than `keep`; returns what was removed.

    A folder goes whole: transcript, recorded replies, working copy. An attempt that has not ended is kept for
    a week at least, whatever `keep` says, and one without a readable record is judged by its file's age.
    """
    time = now or datetime.now(UTC)
    removed: list[Path] = []
    for campaign in sorted(root.iterdir()) if root.is_dir() else ():
        if campaign.is_symlink() or not campaign.is_dir():
            continue
        for attempt in attempts(root, campaign.name):
            if attempt.folder.is_symlink() or not _outlived(attempt, keep, time):
                continue
            shutil.rmtree(attempt.folder)
            removed.append(attempt.folder)
            _remove_empty(attempt.folder.parent)
    return tuple(removed)


def _outlived(attempt: Attempt, keep: timedelta, now: datetime) -> bool:
    path = attempt.transcript
    records: tuple[Record, ...] = ()
    if path.is_file():
        records = read_transcript(path).records
    if records:
        age = now - records[-1].at
    else:
        seen = path if path.is_file() else attempt.folder
        age = now - datetime.fromtimestamp(seen.stat().st_mtime, UTC)
    ended = resumable(records).ended is not None
    return age > (keep if ended else max(keep, UNENDED))


def _remove_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _under(root: Path, migration: str) -> Path:
    return root / _safe(migration)


def _flat(repository: str) -> str:
    return _safe(repository.replace("/", "__"))


def _safe(name: str) -> str:
    if not name or name in {".", ".."} or "/" in name or "\0" in name:
        raise UsageError(f"{name!r} is no name of a migration or a repository")
    return name
