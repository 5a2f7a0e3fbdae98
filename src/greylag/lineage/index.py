"""The fleet index: which files of which repositories mention a name, kept up to date by commit."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from greylag.domain.errors import UsageError
from greylag.domain.outcome import Reason
from greylag.lineage.pool import Task, scan_all
from greylag.lineage.scan import Scan
from greylag.workspace import NotARepository, Repository, RepositoryError, SqliteFile, loose_head

_SCHEMA = Path(__file__).with_name("schema.sql")
_KEPT_NAME_SETS = 32
_WORTH_A_PROCESS = 2000
_SHOWN = 3
_LOOK = 2
"""What a search looks for besides names: with another number, everything is searched anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file on a repository's default branch that mentions a name, first on `line` (1-based).

    `reason` says why it could not be searched; such a file may be a reader.
    """

    repository: str
    commit: str
    path: str
    oid: str
    line: int
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshStats:
    """What a refresh found: `changed` counts new and moved heads, `unreadable` names repositories and why."""

    repositories: int
    changed: int
    removed: int
    unreadable: tuple[tuple[str, str], ...] = ()


class FleetIndex:
    """A cache in one SQLite file. Repositories are known by name; each is searched by commit.

    A refresh costs one ref lookup a repository. A search for names reads every file once, and after that
    only those that changed; the answers are kept for each set of names.
    """

    def __init__(self, db: Path) -> None:
        self._file = SqliteFile(db, _SCHEMA.read_text(encoding="utf-8"))

    def refresh(self, repos: Mapping[str, Path] | Iterable[Path]) -> RefreshStats:
        """Make the fleet exactly these repositories, and look where their default branches stand.

        A mapping gives their names; of plain paths the last part without `.git` is the name, and two alike
        raise UsageError. One that cannot be read stays in the fleet, without files, and is reported.
        """
        fleet = _named(repos)
        with self._file.read() as connection:
            rows = connection.execute("SELECT name, path, head, problem FROM repositories")
            known = {name: (path, head, problem) for name, path, head, problem in rows}
        now = {name: _look(path, known.get(name)) for name, path in fleet.items()}
        moved = [(name, *state) for name, state in now.items() if known.get(name) != state]
        removed = known.keys() - now.keys()
        with self._file.write() as connection:
            connection.executemany(
                "INSERT INTO repositories (name, path, head, problem) VALUES (?, ?, ?, ?) ON CONFLICT (name)"
                " DO UPDATE SET path = excluded.path, head = excluded.head, problem = excluded.problem",
                moved,
            )
            connection.executemany("DELETE FROM repositories WHERE name = ?", [(name,) for name in removed])
        unreadable = tuple((name, state[2]) for name, state in sorted(now.items()) if state[2])
        return RefreshStats(
            repositories=len(now), changed=len(moved), removed=len(removed), unreadable=unreadable
        )

    def path_of(self, repository: str) -> Path:
        """Where a repository of the fleet is. Raises UsageError for a name that is not in it."""
        with self._file.read() as connection:
            row = connection.execute("SELECT path FROM repositories WHERE name = ?", (repository,)).fetchone()
        if row is None:
            raise UsageError(f"the fleet has no repository {repository!r}")
        return Path(row[0])

    def heads(self) -> Mapping[str, str]:
        """Name to tip of the default branch at the last refresh, of repositories that have one."""
        with self._file.read() as connection:
            rows = connection.execute(
                "SELECT name, head FROM repositories WHERE head IS NOT NULL ORDER BY name"
            )
            return dict(rows.fetchall())

    def candidates(
        self,
        names: frozenset[str],
        *,
        workers: int | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Candidate]:
        """Files that mention any of `names`, whatever the case, by repository and path.

        Repositories whose head moved since the last search are searched first, by `workers` processes (None:
        as many as pay); `progress` is told how many of them are done. What is found is kept as it comes: a
        search that was interrupted goes on where it was.
        """
        looked = [_LOOK, *sorted(name.lower() for name in names)]
        digest = hashlib.sha256(json.dumps(looked).encode()).hexdigest()
        set_id = self._name_set(digest)
        tasks = self._stale(set_id)
        wanted = min(os.cpu_count() or 1, len(tasks) // _WORTH_A_PROCESS) if workers is None else workers
        done = 0
        for batch in scan_all(tasks, names, wanted):
            with self._file.write() as connection:
                for task, scan in batch:
                    _keep(connection, set_id, task, scan)
            done += len(batch)
            progress(done, len(tasks))
        return self._mentions(set_id)

    def _name_set(self, digest: str) -> int:
        with self._file.write() as connection:
            connection.execute(
                "INSERT INTO name_sets (digest, used)"
                " VALUES (?, (SELECT COALESCE(MAX(used), 0) + 1 FROM name_sets))"
                " ON CONFLICT (digest) DO UPDATE SET used = excluded.used",
                (digest,),
            )
            connection.execute(
                "DELETE FROM name_sets WHERE id NOT IN (SELECT id FROM name_sets ORDER BY used DESC LIMIT ?)",
                (_KEPT_NAME_SETS,),
            )
            (set_id,) = connection.execute("SELECT id FROM name_sets WHERE digest = ?", (digest,)).fetchone()
        return int(set_id)

    def _stale(self, set_id: int) -> list[Task]:
        with self._file.read() as connection:
            rows = connection.execute(
                "SELECT r.id, r.path, s.head, r.head FROM repositories r"
                " LEFT JOIN scans s ON s.repository_id = r.id AND s.set_id = ?"
                " WHERE r.head IS NOT NULL AND s.head IS NOT r.head",
                (set_id,),
            )
            return [Task(*row) for row in rows]

    def _mentions(self, set_id: int) -> list[Candidate]:
        with self._file.read() as connection:
            rows = connection.execute(
                "SELECT r.name, s.head, m.path, m.oid, m.line, m.code, m.message FROM mentions m"
                " JOIN repositories r ON r.id = m.repository_id"
                " JOIN scans s ON s.set_id = m.set_id AND s.repository_id = m.repository_id"
                " WHERE m.set_id = ? AND r.head IS NOT NULL",
                (set_id,),
            ).fetchall()
        found = [
            Candidate(
                repository=name,
                commit=head,
                path=json.loads(path),
                oid=oid,
                line=line,
                reason=None if code is None else Reason(code=code, message=message),
            )
            for name, head, path, oid, line, code, message in rows
        ]
        return sorted(found, key=lambda candidate: (candidate.repository, candidate.path))


def _named(repos: Mapping[str, Path] | Iterable[Path]) -> Mapping[str, Path]:
    if isinstance(repos, Mapping):
        return repos
    named: dict[str, Path] = {}
    for path in repos:
        name = path.name.removesuffix(".git")
        if name in named:
            raise UsageError(f"{path} and {named[name]} would both be called {name!r}")
        named[name] = path
    return named


_State = tuple[str, str | None, str | None]
"""Path, head and problem of a repository; no head and no problem when it has no commits yet."""


def _look(path: Path, known: _State | None) -> _State:
    """Where a repository stands now. One that stands where it stood, without a problem, is not opened."""
    where = str(path)
    if known is not None and known[1] is not None and known == (where, loose_head(path), None):
        return known
    try:
        repo = Repository.open(path)
        head = repo.ref("HEAD")
        return where, head, None if head is not None else _headless(repo)
    except (NotARepository, RepositoryError) as error:
        return where, None, str(error)


def _headless(repo: Repository) -> str | None:
    """Why there is nothing where HEAD says, though the repository is not empty."""
    others = [name.removeprefix("refs/heads/") for name in repo.refs("refs/heads/")]
    if not others:
        return None
    shown = ", ".join(others[:_SHOWN])
    return f"its HEAD names the branch {repo.default_branch}, which does not exist; there are {shown}"


def _keep(connection: sqlite3.Connection, set_id: int, task: Task, scan: Scan) -> None:
    stands_at = connection.execute(
        "SELECT head FROM scans WHERE set_id = ? AND repository_id = ?", (set_id, task.repository)
    ).fetchone()
    if not scan.whole and (stands_at is None or stands_at[0] != task.since):
        return  # another process has searched it meanwhile, from elsewhere: a difference does not fit on that
    if scan.whole:
        connection.execute(
            "DELETE FROM mentions WHERE set_id = ? AND repository_id = ?", (set_id, task.repository)
        )
    connection.executemany(
        "DELETE FROM mentions WHERE set_id = ? AND repository_id = ? AND path = ?",
        [(set_id, task.repository, json.dumps(path)) for path in scan.gone],
    )
    connection.executemany(
        "INSERT INTO mentions (set_id, repository_id, path, oid, line, code, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                set_id,
                task.repository,
                json.dumps(found.path),
                found.oid,
                found.line,
                found.reason and found.reason.code,
                found.reason and found.reason.message,
            )
            for found in scan.mentions
        ],
    )
    connection.execute(
        "INSERT INTO scans (set_id, repository_id, head) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET head = excluded.head",
        (set_id, task.repository, task.head),
    )
