"""Asking a server by HTTP: bounded in time and size, tried again where that helps, no secret in any message.

Redirects are not followed: a token goes to the address in the settings and nowhere else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from greylag.domain.errors import UsageError
from greylag.domain.words import duration
from greylag.rollout.durations import Duration
from greylag.rollout.sources.base import SecretSettings, Unanswered

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 32 * 1024**2
"""Of one answer."""

_AGAIN = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT = 30.0


class WebSettings(BaseModel):
    """A server, and who we are to it. The address holds no secret: those come from `token` or `password`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[^\s]+$")
    token: SecretSettings | None = Field(None, description="sent as `Authorization: <scheme> <token>`")
    scheme: str = Field("Bearer", pattern=r"^[A-Za-z-]+$", description="the word before the token")
    user: str | None = None
    password: SecretSettings | None = None
    timeout: Duration = Field(timedelta(seconds=20), gt=timedelta(0))
    tries: int = Field(3, ge=1, le=10)
    pause: Duration = Field(timedelta(seconds=1), ge=timedelta(0), description="before the second try")
    ca_file: str | None = Field(None, description="certificates that are trusted instead of the system's")

    @field_validator("url")
    @classmethod
    def _no_secret(cls, value: str) -> str:
        if "@" in urlsplit(value).netloc:
            raise ValueError("an address holds no user and no password: use `user` and `password`")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_way(self) -> WebSettings:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` come together")
        if self.user is not None and self.token is not None:
            raise ValueError("give `token`, or `user` and `password`, not both")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: the status, the body, and the time by its own clock, where it says it."""

    place: str
    status: int
    body: bytes
    date: datetime | None

    def json(self) -> Any:
        """The body as JSON. Raises Unanswered."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Unanswered(f"{self.place}: the answer is no JSON") from error

    def text(self) -> str:
        """The body as UTF-8. Raises Unanswered."""
        try:
            return self.body.decode()
        except UnicodeDecodeError as error:
            raise Unanswered(f"{self.place}: the answer is no UTF-8") from error


class _Again(Unanswered):
    """An answer that another try may better; `after` is how long the server asked us to wait."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True, slots=True)
class Web:
    """Asks one server. Connections are made for each reading: readings are minutes apart."""

    settings: WebSettings
    authorize: Callable[[Web], str | None] | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def get(
        self,
        path: str = "",
        params: Mapping[str, str] | None = None,
        *,
        statuses: frozenset[int] = frozenset({200}),
    ) -> Answer:
        """GET `path` under the address; `statuses` are the ones that are an answer. Raises Unanswered."""
        headers = dict(self.extra)
        header = self._authorization()
        if header is not None:
            headers["Authorization"] = header
        return self._send("GET", path, params=params, headers=headers, statuses=statuses)

    def post(self, path: str, document: Mapping[str, str], *, statuses: frozenset[int]) -> Answer:
        """POST a JSON document, without a token (to get one). Raises Unanswered."""
        return self._send("POST", path, document=document, statuses=statuses)

    def _authorization(self) -> str | None:
        if self.authorize is not None:
            return self.authorize(self)
        settings = self.settings
        if settings.token is not None:
            return f"{settings.scheme} {settings.token.read()}"
        if settings.user is not None and settings.password is not None:
            pair = f"{settings.user}:{settings.password.read()}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return None

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        document: Mapping[str, str] | None = None,
        statuses: frozenset[int],
    ) -> Answer:
        httpx, tenacity = _libraries()
        settings = self.settings
        url = settings.url + path
        place = f"{method} {_shown(url)}"

        def once() -> Answer:
            try:
                # A client of its own: readings come from several threads.
                with httpx.Client(
                    timeout=settings.timeout.total_seconds(), verify=_verify(settings)
                ) as client:
                    request = client.build_request(method, url, params=params, headers=headers, json=document)
                    return _ask(client, request, place, statuses)
            except httpx.TimeoutException as error:
                raise _Again(f"{place}: no answer in {duration(settings.timeout)}") from error
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
                # Not the error's words: they may hold what was sent.
                raise _Again(f"{place}: {type(error).__name__}") from None

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(settings.tries),
            wait=_wait(settings.pause.total_seconds()),
            retry=tenacity.retry_if_exception_type(_Again),
            reraise=True,
        )
        answer: Answer = retrying(once)
        return answer


def _libraries() -> tuple[Any, Any]:
    try:
        import httpx
        import tenacity
    except ModuleNotFoundError as error:
        raise UsageError(f"this needs {error.name}: pip install 'greylag[health]'") from error
    return httpx, tenacity


def require_libraries() -> None:
    """Raises UsageError where what HTTP sources need is not installed."""
    _libraries()


def _verify(settings: WebSettings) -> Any:
    if settings.ca_file is None:
        return True
    import ssl

    return ssl.create_default_context(cafile=settings.ca_file)


def _wait(pause: float) -> Callable[[Any], float]:
    """Twice as long each time, unless the server says how long."""

    def wait(state: Any) -> float:
        error = state.outcome.exception()
        if isinstance(error, _Again) and error.after is not None:
            return min(error.after, _LONGEST_WAIT)
        return min(pause * 2.0 ** (int(state.attempt_number) - 1), _LONGEST_WAIT)

    return wait


def _ask(client: httpx.Client, request: httpx.Request, place: str, statuses: frozenset[int]) -> Answer:
    response = client.send(request, stream=True)
    try:
        status = response.status_code
        if status not in statuses:
            message = f"{place}: HTTP {status}{_hint(status)}"
            if status in _AGAIN:
                raise _Again(message, _seconds(response.headers.get("Retry-After")))
            raise Unanswered(message)
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise Unanswered(f"{place}: more than {MOST_BYTES // 1024**2} MB")
        date = None if "Age" in response.headers else _date(response.headers.get("Date"))
        return Answer(place=place, status=status, body=bytes(body), date=date)
    finally:
        response.close()


def _hint(status: int) -> str:
    match status:
        case 401 | 403:
            return " (is the token right, and may it read this?)"
        case 404:
            return " (is the name right, and may the token see it?)"
        case status if 300 <= status < 400:
            return " (redirects are not followed: give the address that answers)"
        case _:
            return ""


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None


def _date(text: str | None) -> datetime | None:
    try:
        return None if text is None else parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def _shown(url: str) -> str:
    """An address without what may hold a secret."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def check_clock(answer: Answer, now: datetime, skew: timedelta) -> None:
    """Raises Unanswered when the server's clock is too far from ours to compare times."""
    if answer.date is None:
        return
    away = answer.date - now
    # The header has whole seconds.
    if abs(away) > skew + timedelta(seconds=1):
        way = "ahead of" if away > timedelta(0) else "behind"
        told = f"its clock is {duration(abs(away))} {way} ours, more than the {duration(skew)} allowed"
        raise Unanswered(f"{answer.place}: {told}")
