"""What this machine is about to push, written down before it does: so a killed push is known for ours.

And until when it has seen each repository, and what it has told already.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from greylag.forge.records import Records

_SCHEMA = """
CREATE TABLE IF NOT EXISTS heads (
    repository TEXT NOT NULL, head TEXT NOT NULL, commit_id TEXT NOT NULL,
    PRIMARY KEY (repository, head, commit_id)
);
CREATE TABLE IF NOT EXISTS pushed (repository TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS told (
    repository TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (repository, what)
);
"""


class Journal:
    """Commits that we meant to put on branches."""

    def __init__(self, path: Path) -> None:
        self._file = Records(path, _SCHEMA)

    @classmethod
    def beside(cls, root: Path, kind: str) -> Journal:
        """The journal of the mirrors below `root`, for a kind of forge."""
        return cls(root / ".forge" / f"{kind}.db")

    def note_once(self, repository: str, what: str) -> bool:
        """Note that something was told; False: it had been."""
        with self._file.write() as connection:
            done = connection.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", (repository, what))
        return done.rowcount == 1

    def intend(self, repository: str, head: str, commit: str) -> frozenset[str]:
        """Note one; returns every commit that we ever meant for that branch."""
        with self._file.write() as connection:
            connection.execute("INSERT OR IGNORE INTO heads VALUES (?, ?, ?)", (repository, head, commit))
            rows = connection.execute(
                "SELECT commit_id FROM heads WHERE repository = ? AND head = ?", (repository, head)
            ).fetchall()
        return frozenset(row[0] for row in rows)

    def pushed(self) -> Mapping[str, str]:
        """By repository, the time of the last push that its mirror holds, as the forge writes it."""
        with self._file.read() as connection:
            return dict(connection.execute("SELECT repository, at FROM pushed").fetchall())

    def note_pushed(self, times: Mapping[str, str]) -> None:
        """Keep such times."""
        with self._file.write() as connection:
            connection.executemany("INSERT OR REPLACE INTO pushed VALUES (?, ?)", times.items())
