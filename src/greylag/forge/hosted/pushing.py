"""Pushes that wait for each other go together: one connection, one pack, many branches."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Push:
    """A branch that shall stand at `commit` (None: be gone) if it stands at `expected` (None: nowhere)."""

    branch: str
    commit: str | None
    expected: str | None
    done: bool = False
    failure: Exception | None = None

    @property
    def ref(self) -> str:
        """Its full name."""
        return f"refs/heads/{self.branch}"

    @property
    def lease(self) -> str:
        """What git is told of where it stands."""
        # A shallow mirror knows no history to compare with; what is pushed is one small pack all the same.
        return f"--force-with-lease={self.ref}:{self.expected or ''}"

    @property
    def spec(self) -> str:
        """What git is told to do."""
        return f"{self.commit or ''}:{self.ref}"

    def end(self, failure: Exception | None) -> None:
        """It came to its end."""
        self.failure, self.done = failure, True


class Pushes:
    """Those that wait, by repository."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, list[Push]] = defaultdict(list)

    def add(self, repository: str, push: Push) -> None:
        """One more waits."""
        with self._lock:
            self._waiting[repository].append(push)

    def take(self, repository: str) -> list[Push]:
        """All that wait; of several of one branch, the first."""
        with self._lock:
            first: dict[str, Push] = {}
            for push in self._waiting[repository]:
                first.setdefault(push.ref, push)
            taken = list(first.values())
            self._waiting[repository] = [
                push for push in self._waiting[repository] if first[push.ref] is not push
            ]
            return taken

    def waiting(self, repository: str) -> int:
        """How many wait."""
        with self._lock:
            return len(self._waiting[repository])


def refusals(porcelain: str) -> Mapping[str, str | None]:
    """Of what `git push --porcelain` says, each ref with why it was refused; None: it was not."""
    found: dict[str, str | None] = {}
    for line in porcelain.splitlines():
        flag, _, rest = line.partition("\t")
        places, _, summary = rest.partition("\t")
        if summary and len(flag) == 1:
            found[places.rpartition(":")[2]] = summary if flag == "!" else None
    return found
