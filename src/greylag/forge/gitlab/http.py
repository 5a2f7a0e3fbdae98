"""GitLab's HTTP: who we are, how refusals are worded, and projects that moved.

`doc/api/rest/authentication.md`, `doc/api/rest/_index.md`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from greylag.forge.hosted.auth import TokenAuth
from greylag.forge.hosted.client import Client, Refused
from greylag.forge.hosted.dialect import Dialect, words

_LOG = logging.getLogger(__name__)
_MOVED = frozenset({301, 302, 303, 307, 308})
_NUMBER = re.compile(r"/projects/(\d+)")
T = TypeVar("T")


def _said(answer: httpx.Response) -> str:
    """The words of a refusal; of a redirection, where to."""
    place = answer.headers.get("location", "")
    return place if place and answer.status_code in _MOVED else words(answer)


DIALECT = Dialect(
    words=_said,
    # Statuses notify nobody.
    quiet=re.compile(r"/statuses/\w+$"),
)


def token_auth(token: SecretStr, *, oauth: bool = False) -> TokenAuth:
    """A personal, group or project access token; or an OAuth token. Git takes both for the user `oauth2`."""
    if oauth:
        return TokenAuth(token, user="oauth2")
    return TokenAuth(token, user="oauth2", header="PRIVATE-TOKEN", scheme="")


class Projects:
    """Where projects are in the API: by path, and by number once GitLab says that one moved."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._moved: dict[str, tuple[int, str]] = {}

    def path(self, repository: str) -> str:
        """What git calls it now."""
        return self._moved.get(repository, (0, repository))[1]

    def on(self, repository: str, ask: Callable[[str], T]) -> T:
        """Ask about a project; `ask` gets where it is. Where it has moved, it is asked there."""
        try:
            return ask(self._here(repository))
        except Refused as error:
            if not self._follow(repository, error):
                raise
        return ask(self._here(repository))

    def find(self, repository: str, tail: str = "", **query: str | int) -> Any:
        """A document; None where there is none."""
        return self.on(repository, lambda here: self._client.find(f"{here}{tail}", **query))

    def pages(self, repository: str, tail: str, **query: str | int) -> list[Any]:
        """The items of a list."""
        return self.on(repository, lambda here: list(self._client.pages(f"{here}{tail}", None, **query)))

    def send(
        self, method: str, repository: str, tail: str, body: dict[str, Any], *, repeat: bool = True
    ) -> Any:
        """Change something."""
        return self.on(
            repository, lambda here: self._client.send(method, f"{here}{tail}", body, repeat=repeat)
        )

    def _here(self, repository: str) -> str:
        known = self._moved.get(repository)
        return f"/projects/{quote(repository, safe='') if known is None else known[0]}"

    def _follow(self, repository: str, error: Refused) -> bool:
        """Whether that says that a project moved: then its number and its new path are noted."""
        place = error.said
        if error.status == 405 and "moved projects" in place:
            place = self._place(repository)
        elif error.status not in _MOVED:
            return False
        found = _NUMBER.search(place)
        if found is None:
            return False
        document = self._client.get(f"/projects/{found[1]}")
        path = str(document["path_with_namespace"])
        self._moved[repository] = int(found[1]), path
        _LOG.warning("%s is called %s on GitLab now", repository, path)
        return True

    def _place(self, repository: str) -> str:
        """What is not read may not be redirected; what is read is."""
        try:
            self._client.get(f"/projects/{quote(repository, safe='')}")
        except Refused as error:
            return error.said if error.status in _MOVED else ""
        return ""
