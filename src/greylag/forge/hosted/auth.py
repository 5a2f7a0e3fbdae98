"""Who we are to a forge. Secrets are never shown."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from pydantic import SecretStr

from greylag.forge.hosted.api import Credential

_EARLY = 120.0
"""Seconds before its end at which a token is renewed."""


class Auth(Protocol):
    """Says who we are, with every request and to git."""

    def headers(self) -> Mapping[str, str]:
        """What a request carries; renewed when it is due."""
        ...

    def forget(self) -> bool:
        """It was refused (401). True: the next time it is a new one, so that trying again has a point."""
        ...

    def credential(self) -> Credential:
        """Who we are to git over HTTP."""
        ...


class TokenAuth:
    """A token that stays the same.

    `header` and `scheme`: how requests carry it (`Authorization: Bearer …`, `PRIVATE-TOKEN: …` with an empty
    scheme). `user`: who git says we are; forges that look at the password alone take any name.
    """

    def __init__(
        self,
        token: SecretStr,
        *,
        user: str = "x-access-token",
        header: str = "Authorization",
        scheme: str = "Bearer",
    ) -> None:
        self._token, self._user, self._header = token, user, header
        self._scheme = f"{scheme} " if scheme else ""

    def headers(self) -> Mapping[str, str]:
        """See `Auth`."""
        return {self._header: f"{self._scheme}{self._token.get_secret_value()}"}

    def forget(self) -> bool:
        """See `Auth`: there is no other."""
        return False

    def credential(self) -> Credential:
        """See `Auth`."""
        return Credential(user=self._user, password=self._token)


class BasicAuth:
    """A user and a password (an app password, an HTTP password)."""

    def __init__(self, user: str, password: SecretStr) -> None:
        self._user, self._password = user, password

    def headers(self) -> Mapping[str, str]:
        """See `Auth`."""
        return {"Authorization": basic(self.credential())}

    def forget(self) -> bool:
        """See `Auth`: there is no other."""
        return False

    def credential(self) -> Credential:
        """See `Auth`."""
        return Credential(user=self._user, password=self._password)


class RenewedAuth:
    """A token that ends, and is renewed before it does. `renew` gives one, and when it ends (seconds since
    1970); `user`: who git says we are.
    """

    def __init__(self, renew: Callable[[], tuple[SecretStr, float]], *, user: str) -> None:
        self._renew, self._user = renew, user
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._until = 0.0

    def headers(self) -> Mapping[str, str]:
        """See `Auth`. Raises what `renew` raises."""
        return {"Authorization": f"Bearer {self.token().get_secret_value()}"}

    def credential(self) -> Credential:
        """See `Auth`. Raises what `renew` raises."""
        return Credential(user=self._user, password=self.token())

    def forget(self) -> bool:
        """See `Auth`: the next token is a new one."""
        with self._lock:
            self._token = None
        return True

    def token(self) -> SecretStr:
        """A token that is good now. Raises what `renew` raises."""
        with self._lock:
            if self._token is None or time.time() > self._until - _EARLY:
                self._token, self._until = self._renew()
            return self._token


def basic(credential: Credential) -> str:
    """The value of an Authorization header."""
    plain = f"{credential.user}:{credential.password.get_secret_value()}"
    return f"Basic {base64.b64encode(plain.encode()).decode()}"
