"""How Gitea's HTTP is spoken: tokens, pages, and what one server says of itself."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import httpx
from pydantic import SecretStr

from greylag.forge.hosted.auth import TokenAuth
from greylag.forge.hosted.client import Client
from greylag.forge.hosted.dialect import Dialect, Page

_ITEMS = 50
"""Items of a page where the server does not say: Gitea's default for `MAX_RESPONSE_ITEMS`."""

_GUARDED = (1, 17)
"""The first release that looks at `head_commit_id` when it merges. Older ones ignore it without a word."""


def _one_page(answer: httpx.Response, document: Any, field: str | None) -> Page:
    """What stands on this page. Several lists have no `Link` header, so nothing is concluded from one."""
    if document is None:
        return [], None  # a list that is empty is `null` here and there
    return list((document[field] if field else document) or ()), None


def _read(content: bytes) -> Any:
    return json.loads(content) if content.strip() else None


DIALECT = Dialect(
    page={},
    size=1_000_000,
    paged=_one_page,
    read=_read,
    quiet=re.compile(r"/(labels|statuses/\w+)$"),
)


def token_auth(token: SecretStr) -> TokenAuth:
    """Who we are: `Authorization: token …` for requests; git takes the token as the password of any user."""
    return TokenAuth(token, scheme="token")


class Asking:
    """Asks one server. What it says of itself (its version, how long a page may be) is asked for once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._items = 0
        self._version = ""

    def pages(self, path: str, field: str | None = None, **query: str | int) -> Iterator[Any]:
        """The items of a list. A page that is not full is the last: a server cuts what is asked for."""
        return self._paged(path, field, 0.0, query)

    def recent(self, path: str, age: float, **query: str | int) -> Iterator[Any]:
        """The items of a list as they were at most `age` seconds ago."""
        return self._paged(path, None, age, query)

    def _paged(self, path: str, field: str | None, age: float, query: dict[str, str | int]) -> Iterator[Any]:
        size, page = self.items(), 0
        while True:
            page += 1
            asked = {**query, "page": page, "limit": size}
            if field is None:
                found = list(self.client.recent(path, age, **asked))
            else:
                found = list(self.client.pages(path, field, **asked))
            yield from found
            if len(found) < size:
                return

    def items(self) -> int:
        """How long this server lets a page be (`MAX_RESPONSE_ITEMS`)."""
        with self._lock:
            if not self._items:
                told = self.client.find("/settings/api") or {}
                self._items = max(1, int(told.get("max_response_items") or _ITEMS))
            return self._items

    def version(self) -> str:
        """What the server says it is: `1.22.3`; of Forgejo `9.0.1+gitea-1.22.0`."""
        with self._lock:
            if not self._version:
                told = self.client.find("/version") or {}
                self._version = str(told.get("version") or "unknown")
            return self._version

    def guards_merges(self) -> bool:
        """Whether a merge is only done at the commit that it names; True for a version that has no number."""
        found = re.match(r"v?(\d+)\.(\d+)", self.version())
        return found is None or (int(found[1]), int(found[2])) >= _GUARDED
