"""Accounts of a workspace by what they call themselves, and what they may do.

An account has no user name. Its nickname is what people write, and anybody may take another's: so a name that
stands for several accounts stands for none where a right hangs on it.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from greylag.forge.bitbucket.reading import name_of
from greylag.forge.hosted.client import Client, Refused

_LOG = logging.getLogger(__name__)
_WRITERS = frozenset({"write", "admin"})


class People:
    """Looks accounts up, and remembers who spoke under which name."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._spoke: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._members: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._me: dict[str, str] | None = None

    def me(self) -> str | None:
        """Our own account's UUID; None: the token may not ask."""
        if self._me is None:
            try:
                self._me = {"uuid": str(self._client.get("/user")["uuid"])}
            except Refused:
                self._me = {}
        return self._me.get("uuid")

    def heard(self, repository: str, account: Mapping[str, Any] | None) -> None:
        """Somebody spoke in a repository."""
        if account is not None:
            with self._lock:
                self._spoke[repository, name_of(account)].add(str(account.get("uuid")))

    def may_write(self, repository: str, name: str) -> bool:
        """Whether all accounts that spoke there under a name may write to the repository now."""
        with self._lock:
            accounts = sorted(self._spoke.get((repository, name), ()))
        return bool(accounts) and all(self._permission(repository, one) in _WRITERS for one in accounts)

    def _permission(self, repository: str, account: str) -> str:
        workspace, _, slug = repository.partition("/")
        path = f"/workspaces/{workspace}/permissions/repositories/{slug}"
        try:
            found = list(self._client.pages(path, q=f'user.uuid="{account}"'))
        except Refused as error:
            if error.status not in (403, 404):
                raise
            _LOG.warning("%s: who may write is told to its administrators only: %s", repository, error)
            return "none"
        mine = (one for one in found if (one.get("user") or {}).get("uuid") == account)
        return next((str(one["permission"]) for one in mine), "none")

    def account(self, workspace: str, name: str) -> str | None:
        """The UUID of `@nickname` or `@{uuid}`; None: nobody in the workspace, several, or a group."""
        plain = name.removeprefix("@")
        if plain.startswith("{") and plain.endswith("}"):
            return plain
        if "/" in plain:
            return None
        found = self._known(workspace).get(plain.lower(), ())
        return found[0] if len(found) == 1 else None

    def _known(self, workspace: str) -> Mapping[str, tuple[str, ...]]:
        if workspace not in self._members:
            known: defaultdict[str, list[str]] = defaultdict(list)
            try:
                for one in self._client.pages(f"/workspaces/{workspace}/members"):
                    account = one.get("user") or {}
                    known[name_of(account).lower()].append(str(account.get("uuid")))
            except Refused as error:
                if error.status not in (403, 404):
                    raise
                _LOG.warning("%s: its members are not shown to us: %s", workspace, error)
            self._members[workspace] = {name: tuple(uuids) for name, uuids in known.items()}
        return self._members[workspace]
