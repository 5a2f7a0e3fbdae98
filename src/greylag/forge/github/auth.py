"""Who we are to GitHub as an App: its installation's tokens, renewed. Secrets are never shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime

import httpx
from pydantic import SecretStr

from greylag.forge.base import ForgeError, Unavailable
from greylag.forge.hosted.api import Credential

_EARLY = 120.0
"""Seconds before its end at which an installation's token is renewed."""


class AppAuth:
    """An installation of a GitHub App. `key` is its private key (PEM), `api` the API's base URL."""

    def __init__(self, *, app_id: str, installation: int, key: SecretStr, api: str) -> None:
        self._app_id, self._installation, self._key, self._api = app_id, installation, key, api
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._until = 0.0

    def headers(self) -> Mapping[str, str]:
        """See `Auth`."""
        return {"Authorization": f"Bearer {self.token().get_secret_value()}"}

    def credential(self) -> Credential:
        """See `Auth`."""
        return Credential(user="x-access-token", password=self.token())

    def forget(self) -> bool:
        """See `Auth`: the next token is a new one."""
        with self._lock:
            self._token = None
        return True

    def token(self) -> SecretStr:
        """A token that is good now. Raises ForgeError when GitHub does not take the App's key."""
        with self._lock:
            if self._token is None or time.time() > self._until - _EARLY:
                self._token, self._until = self._renewed()
            return self._token

    def _renewed(self) -> tuple[SecretStr, float]:
        url = f"{self._api}/app/installations/{self._installation}/access_tokens"
        headers = {"Authorization": f"Bearer {self._signed()}", "Accept": "application/vnd.github+json"}
        try:
            answer = httpx.post(url, headers=headers, timeout=30)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._api}: no token for the App: {type(error).__name__}") from error
        if answer.status_code >= 500:
            raise Unavailable(f"{self._api}: no token for the App: {answer.status_code}")
        if answer.status_code != 201:
            raise ForgeError(
                f"{self._api}: no token for installation {self._installation} of App {self._app_id}: "
                f"{answer.status_code}; are its id, installation and private key right, and the clock?"
            )
        document = answer.json()
        return SecretStr(document["token"]), datetime.fromisoformat(document["expires_at"]).timestamp()

    def _signed(self) -> str:
        import jwt  # brings cryptography: only an App needs it

        now = int(time.time())
        claims = {"iss": self._app_id, "iat": now - 60, "exp": now + 540}
        try:
            return jwt.encode(claims, self._key.get_secret_value(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise ForgeError("the App's private key is no RSA key in PEM form") from error
