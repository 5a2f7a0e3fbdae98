"""The embedded forge's memory: one SQLite file that several processes share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from greylag.domain.check import Check
from greylag.forge.base import PullRequest, PullRequestState, Remark
from greylag.forge.records import Records

_PULL = TypeAdapter(PullRequest)
_CHECK = TypeAdapter(Check)
_AT_A_TIME = 1000
_SCHEMA = Path(__file__).with_name("schema.sql")


def _remark(row: tuple[int, str, int, str, str, int, str]) -> Remark:
    key, repository, number, author, body, may_write, at = row
    return Remark(
        id=str(key),
        repository=repository,
        number=number,
        author=author,
        body=body,
        at=datetime.fromisoformat(at),
        may_write=bool(may_write),
    )


class Store:
    """Pull requests, the commits that we put on their heads, and checks. Each call is one transaction.

    A pull request is *published* once its head branch is in the repository; before that nobody but
    `open_or_update` sees it.
    """

    def __init__(self, path: Path) -> None:
        self._file = Records(path, _SCHEMA.read_text(encoding="utf-8"))

    def reserve(self, draft: PullRequest) -> PullRequest:
        """Give a draft its number and keep it unpublished; the one of the same key if there is one.

        An open one from the same head branch takes over the draft's key.
        """
        with self._file.write() as connection:
            kept = self._of_key(connection, draft.repository, draft.key)
            if kept is not None:
                return kept
            open_one = connection.execute(
                "SELECT document FROM pulls WHERE repository = ? AND head = ? AND state = 'open'",
                (draft.repository, draft.head),
            ).fetchone()
            if open_one is not None:
                pull = replace(_PULL.validate_json(open_one[0]), key=draft.key)
                self._save(connection, pull)
                return pull
            (number,) = connection.execute(
                "SELECT COALESCE(MAX(number), 0) + 1 FROM pulls WHERE repository = ?", (draft.repository,)
            ).fetchone()
            pull = replace(draft, number=number, url=f"{draft.url}{number}")
            connection.execute(
                "INSERT INTO pulls (repository, number, key, head, state, published, document)"
                " VALUES (?, ?, ?, ?, ?, 0, ?)",
                (pull.repository, number, pull.key, pull.head, pull.state, _PULL.dump_json(pull)),
            )
            return pull

    def intend_head(self, pull: PullRequest, commit: str) -> frozenset[str]:
        """Note that we are about to put `commit` on the head; returns every commit that we ever meant to."""
        with self._file.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO heads (repository, head, commit_id) VALUES (?, ?, ?)",
                (pull.repository, pull.head, commit),
            )
            rows = connection.execute(
                "SELECT commit_id FROM heads WHERE repository = ? AND head = ?", (pull.repository, pull.head)
            ).fetchall()
        return frozenset(row[0] for row in rows)

    def publish(self, pull: PullRequest, change: Callable[[PullRequest], PullRequest]) -> PullRequest:
        """Change what is kept of a pull request whose branch is in the repository, and let it be seen."""
        with self._file.write() as connection:
            connection.execute(
                "UPDATE pulls SET published = 1 WHERE repository = ? AND number = ?",
                (pull.repository, pull.number),
            )
        return self.update(pull.repository, pull.number, change)

    def update(
        self, repository: str, number: int, change: Callable[[PullRequest], PullRequest]
    ) -> PullRequest:
        """Change what is kept, in one transaction; `change` gets what is kept now. KeyError if nothing is."""
        with self._file.write() as connection:
            row = connection.execute(
                "SELECT document FROM pulls WHERE repository = ? AND number = ?", (repository, number)
            ).fetchone()
            if row is None:
                raise KeyError(number)
            pull = change(_PULL.validate_json(row[0]))
            self._save(connection, pull)
            return self._with_checks(connection, pull)

    def get(self, repository: str, number: int) -> PullRequest | None:
        """The published pull request of that number."""
        return self._one("repository = ? AND number = ?", repository, number)

    def find_head(self, repository: str, head: str) -> PullRequest | None:
        """The newest published one from that head branch."""
        return self._one("repository = ? AND head = ?", repository, head)

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """The published one of that key."""
        return self._one("repository = ? AND key = ?", repository, key)

    def of_keys(self, keys: Collection[tuple[str, str]]) -> Iterator[PullRequest]:
        """The published ones of these repositories and keys; without their checks."""
        wanted = sorted(keys)
        for start in range(0, len(wanted), _AT_A_TIME):
            some = wanted[start : start + _AT_A_TIME]
            with self._file.read() as connection:
                rows = connection.execute(
                    "SELECT p.document FROM json_each(?) AS wanted JOIN pulls AS p"
                    " ON p.repository = json_extract(wanted.value, '$[0]')"
                    " AND p.key = json_extract(wanted.value, '$[1]') WHERE p.published",
                    (json.dumps(some),),
                ).fetchall()
            for row in rows:
                yield _PULL.validate_json(row[0])

    def all(self, repository: str | None, state: PullRequestState | None) -> tuple[PullRequest, ...]:
        """Published ones, by repository and number."""
        with self._file.read() as connection:
            rows = connection.execute(
                "SELECT document FROM pulls WHERE published AND (?1 IS NULL OR repository = ?1)"
                " AND (?2 IS NULL OR state = ?2) ORDER BY repository, number",
                (repository, state),
            ).fetchall()
            return tuple(self._with_checks(connection, _PULL.validate_json(row[0])) for row in rows)

    def set_check(self, pull: PullRequest, commit: str, check: Check) -> None:
        """Keep a check of a commit."""
        with self._file.write() as connection:
            connection.execute(
                "INSERT INTO checks (repository, commit_id, verifier, document) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET document = excluded.document",
                (pull.repository, commit, check.verifier, _CHECK.dump_json(check)),
            )

    def say(
        self, repository: str, number: int, *, author: str, body: str, may_write: bool, at: datetime
    ) -> Remark:
        """Keep what somebody said."""
        with self._file.write() as connection:
            found = connection.execute(
                "INSERT INTO remarks (repository, number, author, body, may_write, at)"
                " VALUES (?, ?, ?, ?, ?, ?) RETURNING id, repository, number, author, body, may_write, at",
                (repository, number, author, body, may_write, at.isoformat()),
            )
            return _remark(found.fetchone())

    def remarks(self, since: int) -> tuple[Remark, ...]:
        """What was said after the remark of that number, in its order."""
        with self._file.read() as connection:
            rows = connection.execute(
                "SELECT id, repository, number, author, body, may_write, at FROM remarks WHERE id > ?"
                " ORDER BY id",
                (since,),
            )
            return tuple(_remark(row) for row in rows)

    def _one(self, condition: str, *values: object) -> PullRequest | None:
        with self._file.read() as connection:
            row = connection.execute(
                f"SELECT document FROM pulls WHERE published AND {condition} ORDER BY number DESC LIMIT 1",
                values,
            ).fetchone()
            return None if row is None else self._with_checks(connection, _PULL.validate_json(row[0]))

    @staticmethod
    def _of_key(connection: sqlite3.Connection, repository: str, key: str) -> PullRequest | None:
        row = connection.execute(
            "SELECT document FROM pulls WHERE repository = ? AND key = ?", (repository, key)
        ).fetchone()
        return None if row is None else _PULL.validate_json(row[0])

    @staticmethod
    def _save(connection: sqlite3.Connection, pull: PullRequest) -> None:
        connection.execute(
            "UPDATE pulls SET key = ?, state = ?, document = ? WHERE repository = ? AND number = ?",
            (pull.key, pull.state, _PULL.dump_json(replace(pull, checks={})), pull.repository, pull.number),
        )

    @staticmethod
    def _with_checks(connection: sqlite3.Connection, pull: PullRequest) -> PullRequest:
        rows = connection.execute(
            "SELECT verifier, document FROM checks WHERE repository = ? AND commit_id = ? ORDER BY verifier",
            (pull.repository, pull.head_commit),
        )
        return replace(pull, checks={name: _CHECK.validate_json(text) for name, text in rows})
