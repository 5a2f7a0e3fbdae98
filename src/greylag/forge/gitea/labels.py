"""Labels: Gitea puts them on by number, and lets several have one name."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any

from greylag.forge.gitea.http import Asking
from greylag.forge.hosted.client import Unavailable

_COLOUR = "#7a6a4f"
_TRIES = 3


class Labels:
    """The numbers of labels by name, remembered; those of a repository before those of its organisation."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._known: dict[tuple[str, str], tuple[int, ...]] = {}
        self._is_org: dict[str, bool] = {}
        self._lock = threading.Lock()

    def numbers(self, repository: str, name: str) -> tuple[int, ...]:
        """All labels of that name, oldest first; none where there is none. Raises Refused (404)."""
        with self._lock:
            known = self._known.get((repository, name), ())
        return known or self._look(repository, name)

    def forget(self, repository: str, name: str) -> bool:
        """Look for it again the next time. Says whether it was remembered."""
        with self._lock:
            return self._known.pop((repository, name), None) is not None

    def _look(self, repository: str, name: str) -> tuple[int, ...]:
        owner = repository.partition("/")[0]
        found = {int(one["id"]) for one in self._listed(f"/repos/{repository}/labels", name)}
        if owner not in self._is_org:
            self._is_org[owner] = self._asking.client.find(f"/orgs/{owner}") is not None
        if self._is_org[owner]:
            found |= {int(one["id"]) for one in self._listed(f"/orgs/{owner}/labels", name)}
        numbers = tuple(sorted(found))
        if numbers:
            with self._lock:
                self._known[repository, name] = numbers
        return numbers

    def _listed(self, path: str, name: str) -> list[dict[str, Any]]:
        return [one for one in self._asking.pages(path) if one["name"] == name]

    def ensure(self, repository: str, name: str) -> int:
        """The number of a label, made if there is none. Looked for before each try: answers get lost."""
        for attempt in range(_TRIES):
            found = self.numbers(repository, name)
            if found:
                return found[0]
            body = {"name": name, "color": _COLOUR, "description": "Made by Greylag"}
            try:
                made = self._asking.client.send("POST", f"/repos/{repository}/labels", body, repeat=False)
                return int(made["id"])
            except Unavailable:
                if attempt == _TRIES - 1:
                    raise
                self._asking.client.sleep(0.5 * 2.0**attempt)
        raise AssertionError("it is returned, or raised")

    def add(self, repository: str, number: int, names: Collection[str]) -> None:
        """Put labels on; those that are there stay."""
        numbers = [self.ensure(repository, name) for name in names]
        there = self._put(repository, number, numbers)
        missing = [name for name in names if name not in there]
        if missing:
            # A label that we remembered was removed: Gitea leaves out a number that it does not know.
            for name in missing:
                self.forget(repository, name)
            self._put(repository, number, [self.ensure(repository, name) for name in missing])

    def _put(self, repository: str, number: int, numbers: list[int]) -> set[str]:
        path = f"/repos/{repository}/issues/{number}/labels"
        answer = self._asking.client.send("POST", path, {"labels": numbers})
        return {str(one["name"]) for one in answer or ()}
