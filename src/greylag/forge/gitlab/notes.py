"""What is said on merge requests: `doc/api/notes.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from greylag.forge.gitlab.http import Projects
from greylag.forge.gitlab.people import People
from greylag.forge.gitlab.reading import said_of
from greylag.forge.gitlab.texts import harmless
from greylag.forge.hosted.api import LABEL, Said
from greylag.forge.hosted.client import Client, Refused

_OVER = timedelta(minutes=1)


class Notes:
    """Notes of people and ours; what GitLab itself says is left out."""

    def __init__(self, client: Client, projects: Projects, people: People) -> None:
        self._client, self._projects, self._people = client, projects, people
        self._known: dict[tuple[str, int], tuple[str, list[Said]]] = {}

    def of(self, repository: str, number: int, age: float = 0.0) -> Iterator[Said]:
        """Those of one merge request, oldest first, as they were at most `age` seconds ago."""
        query = {"sort": "asc", "order_by": "created_at"}
        for note in self._recent(repository, notes_of(number), age, query):
            if not note.get("system"):
                self._people.note(note.get("author"))
                yield said_of(note, number)

    def say(self, repository: str, number: int, body: str) -> None:
        """A new one."""
        self._projects.send("POST", repository, notes_of(number), {"body": harmless(body)}, repeat=False)

    def restate(self, repository: str, number: int, note: str, body: str) -> None:
        """Another text for the note of that id."""
        self._projects.send("PUT", repository, f"{notes_of(number)}/{note}", {"body": harmless(body)})

    def heard(self, repository: str, since: datetime, age: float) -> list[Said]:
        """Of all merge requests of ours: one request for those that changed, and one for each of them.

        A note counts as a change of its merge request. One that did not change since its notes were read is
        not read again.
        """
        at = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        query = {"labels": LABEL, "scope": "all", "state": "all", "view": "simple", "updated_after": at}
        try:
            changed = self._recent(repository, "/merge_requests", age, query)
        except Refused as error:
            if error.status != 404:
                raise
            return []
        return [one for document in changed for one in self._since(repository, document, since, age)]

    def _recent(self, repository: str, tail: str, age: float, query: Mapping[str, str]) -> list[Any]:
        return self._projects.on(
            repository, lambda here: list(self._client.recent(f"{here}{tail}", age, **query))
        )

    def _since(self, repository: str, document: Mapping[str, Any], since: datetime, age: float) -> list[Said]:
        number, stamp = int(document["iid"]), str(document["updated_at"])
        known = self._known.get((repository, number))
        if known is None or known[0] != stamp:
            known = stamp, list(self.of(repository, number, age))
            # Two notes may have the same time: only what is long over is not read again.
            if datetime.now(UTC) - datetime.fromisoformat(stamp) > _OVER:
                self._known[repository, number] = known
        return [one for one in known[1] if one.updated >= since]


def notes_of(number: int) -> str:
    """Where a merge request's notes are."""
    return f"/merge_requests/{number}/notes"
