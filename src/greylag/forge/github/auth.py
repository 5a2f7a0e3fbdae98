"""Who we are to GitHub as an App: its installation's tokens, renewed. Secrets are never shown."""

from __future__ import annotations

import time
from datetime import datetime

import httpx
from pydantic import SecretStr

from greylag.forge.base import ForgeError, Unavailable
from greylag.forge.hosted.auth import RenewedAuth


class AppAuth(RenewedAuth):
    """An installation of a GitHub App. `key` is its private key (PEM), `api` the API's base URL."""

    def __init__(self, *, app_id: str, installation: int, key: SecretStr, api: str) -> None:
        super().__init__(self._renewed, user="x-access-token")
        self._app_id, self._installation, self._key, self._api = app_id, installation, key, api

    def _renewed(self) -> tuple[SecretStr, float]:
        """Raises ForgeError when GitHub does not take the App's key."""
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
