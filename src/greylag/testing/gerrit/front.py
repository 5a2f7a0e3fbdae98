"""The HTTP around Gerrit's API: who asks, the prefix before documents, plain words for errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from greylag.testing.gerrit.hub import GerritHub
from greylag.testing.gerrit.values import Change, GerritRepo, PatchSet, fault
from greylag.testing.hosting import Answer, ApiError, Call, Front

PREFIX = b")]}'\n"
"""Before every document, so that no page can take it for a script."""


@dataclass(slots=True, kw_only=True)
class GerritCall(Call):
    """A call with what every handler needs."""

    @property
    def memory(self) -> GerritHub:
        """The hub."""
        assert isinstance(self.hub, GerritHub)
        return self.hub

    @property
    def login(self) -> str:
        """Who asks; nobody comes here unknown."""
        return self.user or ""

    def every(self, name: str) -> list[str]:
        """All values of a query parameter that may repeat."""
        return [value for key, value in parse_qsl(self.raw_query) if key == name]

    def field(self, name: str, default: Any = None) -> Any:
        """A field of the body."""
        return self.body.get(name, default) if isinstance(self.body, dict) else default

    def repo(self) -> GerritRepo:
        """The project of the path. Raises 404 where it may not be seen."""
        repo = self.memory.repo(self.args["project"])
        if not repo.may(self.user, "read"):
            raise self.memory.no_such(self.args["project"])
        return repo

    def change(self) -> Change:
        """The change of the path: by `project~number`, by its triplet, or by number. Raises 404."""
        wanted = self.args["change"]
        for one in self.memory.changes.values():
            named = wanted in (f"{one.project}~{one.number}", one.triplet, str(one.number))
            if named and self.memory.repos[one.project].may(self.user, "read"):
                return one
        raise fault(404, f"Not found: {wanted}")

    def open_change(self) -> Change:
        """One that is not merged or abandoned. Raises 409."""
        change = self.change()
        if change.status != "NEW":
            raise fault(409, f"change is {change.status.lower()}")
        return change

    def patch_set(self, change: Change) -> PatchSet:
        """The revision of the path: a commit, a patch set's number, or `current`. Raises 404."""
        wanted = self.args["revision"]
        for ps in change.patch_sets:
            if wanted in (ps.sha, str(ps.number)) or (wanted == "current" and ps is change.current):
                return ps
        raise fault(404, f"Not found: {wanted}")

    def may(self, change: Change, role: str, what: str) -> None:
        """Raises 403 where the asker may not."""
        if not self.memory.repos[change.project].may(self.user, role):
            raise fault(403, f"{what} not permitted")


class GerritFront(Front[GerritCall]):
    """Only those who are known are let in (`/a/`)."""

    def admit(self, call: GerritCall) -> None:
        """See `Front`."""
        if call.user is None:
            raise fault(401, "Unauthorized")

    def finish(self, call: GerritCall, answer: Answer) -> Answer:
        """See `Front`."""
        if answer.document is not None:
            answer.document = PREFIX + json.dumps(answer.document).encode()
            answer.headers["Content-Type"] = "application/json; charset=UTF-8"
        return answer

    def failure(self, status: int, message: str, headers: Mapping[str, str]) -> ApiError:
        """See `Front`."""
        made = fault(status, message)
        made.headers.update(headers)
        return made
