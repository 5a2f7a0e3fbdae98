"""Who we are to Bitbucket Cloud: an access token, an account's API token, or an OAuth consumer.

App passwords are no more (they ended in June 2026); a server that still has them takes `ApiTokenAuth`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from greylag.forge.base import ForgeError, Unavailable
from greylag.forge.hosted.api import Credential
from greylag.forge.hosted.auth import RenewedAuth, TokenAuth, basic


def access_token(token: SecretStr) -> TokenAuth:
    """The access token of a repository, a project or a workspace."""
    return TokenAuth(token, user="x-token-auth")


class ApiTokenAuth:
    """An account's API token: with the account's mail address to the API, with a fixed name to git."""

    def __init__(self, mail: str, token: SecretStr) -> None:
        self._mail, self._token = mail, token

    def headers(self) -> Mapping[str, str]:
        """See `Auth`."""
        return {"Authorization": basic(Credential(user=self._mail, password=self._token))}

    def forget(self) -> bool:
        """See `Auth`: there is no other."""
        return False

    def credential(self) -> Credential:
        """See `Auth`."""
        return Credential(user="x-bitbucket-api-token-auth", password=self._token)


class OAuthAuth(RenewedAuth):
    """An OAuth consumer's own token (client credentials), renewed before it ends. `url`: the web address."""

    def __init__(self, *, key: str, secret: SecretStr, url: str = "https://bitbucket.org") -> None:
        super().__init__(self._renewed, user="x-token-auth")
        self._key, self._secret, self._url = key, secret, url.rstrip("/")

    def _renewed(self) -> tuple[SecretStr, float]:
        """Raises ForgeError when the consumer is refused."""
        where = f"{self._url}/site/oauth2/access_token"
        who = (self._key, self._secret.get_secret_value())
        try:
            answer = httpx.post(where, data={"grant_type": "client_credentials"}, auth=who, timeout=30)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._url}: no token for the consumer: {type(error).__name__}") from error
        if answer.status_code >= 500:
            raise Unavailable(f"{self._url}: no token for the consumer: {answer.status_code}")
        if answer.status_code != 200:
            raise ForgeError(
                f"{self._url}: no token for the consumer {self._key}: {answer.status_code}; are its key and "
                "secret right, and is it a private consumer?"
            )
        document = answer.json()
        return SecretStr(document["access_token"]), time.time() + float(document["expires_in"])
