"""The part `forge` of the settings: where pull requests live, and which repositories there are the fleet.

A kind's settings import nothing of its adapter: `greylag.app.hosts` knows which belong together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from greylag.app.durations import Duration
from greylag.domain.errors import UsageError
from greylag.mapping.templates import TemplatesModel
from greylag.workspace.signing import Signing, open_signing


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AppSettings(_Part):
    """A GitHub App, as which checks with evidence can be written. Its private key is a PEM text."""

    id: str = Field(description="the App's id, or its client id")
    installation: int
    key_env: str | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _one_key(self) -> AppSettings:
        if (self.key_env is None) == (self.key_file is None):
            raise ValueError("give one of key_env and key_file")
        return self


class SigningSettings(_Part):
    """What commits are signed with: a private key without a passphrase, as its file's text."""

    format: Literal["ssh", "gpg"] = Field("ssh", description="an OpenSSH key, or an armoured OpenPGP one")
    key_env: str | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _one_key(self) -> SigningSettings:
        if (self.key_env is None) == (self.key_file is None):
            raise ValueError("give one of key_env and key_file")
        return self


class AnyForgeSettings(_Part):
    """What every forge can be told."""

    signing: SigningSettings | None = None

    def _signing_below(self, base: Path) -> SigningSettings | None:
        given = self.signing
        if given is None or given.key_file is None:
            return given
        return given.model_copy(update={"key_file": base / given.key_file.expanduser()})

    templates: TemplatesModel = Field(
        default_factory=TemplatesModel, description="Jinja: branch, title, body, commit"
    )


class EmbeddedForgeSettings(AnyForgeSettings):
    """The embedded forge over the fleet's folder."""

    kind: Literal["embedded"] = "embedded"

    def below(self, base: Path) -> EmbeddedForgeSettings:
        """The same, with relative paths read from a folder."""
        return self.model_copy(update={"signing": self._signing_below(base)})


class HostedSettings(AnyForgeSettings):
    """What every hosted forge can be told; its repositories are mirrored into the fleet's folder.

    A kind's own settings are a subclass with its `kind`, `url`, and what else it knows. `unpicked`: settings
    that stand for a choice of repositories, besides those here. `secrets`: of these, exactly one is given.
    """

    unpicked: ClassVar[tuple[str, ...]] = ()
    secrets: ClassVar[tuple[str, ...]] = ("token_env", "token_file")
    name_like: ClassVar[str] = "owner/name"

    kind: str
    url: str = Field(description="the web address")
    api: str | None = Field(None, description="the API's address, where it is none of the usual ones")
    token_env: str | None = Field(None, description="the environment variable that holds the token")
    token_file: Path | None = Field(None, description="the file that holds the token")
    repositories: tuple[str, ...] = Field((), description="owner/name, one by one")
    org: str | None = Field(None, description="all repositories of an organisation, a group, or a user")
    topic: str | None = Field(None, description="those with a topic (of the organisation, if there is one)")
    query: str | None = Field(None, description="those that a search for repositories finds")
    code: str | None = Field(None, description="those in which a search for code finds something")
    exclude: tuple[str, ...] = Field((), description="patterns of names that are left out: shop/legacy-*")
    archived: bool = False
    forks: bool = False
    depth: int | None = Field(1, ge=1, description="commits that a mirror begins with; null: all of them")
    draft: bool = Field(False, description="pull requests are drafts until our checks have passed")
    merge_method: Literal["merge", "squash", "rebase"] = "merge"
    delete_branch: bool = Field(True, description="after the merge, if nobody pushed to it since")
    assignees: tuple[str, ...] = Field((), description="@login, or owners: the people asked for a review")
    trailers: dict[str, str] = Field({}, description="what our merge commits say besides: name to value")
    poll: float = Field(15.0, ge=0, description="seconds between two looks at a repository's comments")
    requests_per_second: float = Field(15.0, gt=0)
    content_per_minute: float = Field(80.0, gt=0, description="requests that make or change something")
    content_per_hour: float = Field(500.0, gt=0)
    patience: float = Field(3900.0, ge=0, description="seconds that a rate limit is waited for")
    webhooks: bool = Field(
        False, description="the forge tells `greylag serve` what changes: it is asked less"
    )
    catch_up: Duration = Field(
        timedelta(minutes=10),
        ge=timedelta(seconds=30),
        description="with webhooks, everything is looked at so often all the same",
    )

    @property
    def look_age(self) -> float:
        """How old an answer may be when the forge is asked what people said: with webhooks it is only asked
        when something was told, and an old answer would not have it.
        """
        return 0.0 if self.webhooks else self.poll

    @field_validator("url", "api")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://x")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ValueError("expected an address like https://github.example.com")
        if parts.username or parts.password:
            raise ValueError("a token does not stand in an address; name it with token_env or token_file")
        if parts.scheme == "http" and not _loopback(parts.hostname):
            raise ValueError(f"the token would go to {parts.hostname} in the clear; use https")
        return None if value is None else value.rstrip("/")

    @field_validator("assignees")
    @classmethod
    def _people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [one for one in value if one != "owners" and (not one.startswith("@") or "/" in one)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} cannot be assigned; expected @login, or owners")
        return value

    @field_validator("trailers")
    @classmethod
    def _trailers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", name) or "\n" in text or not text.strip():
                raise ValueError(
                    f"`{name}: {text}` is no trailer; expected a name like Change-Type, and a line"
                )
            if name.lower().startswith("greylag-"):
                raise ValueError(f"`{name}` is one of Greylag's own trailers")
        return value

    @model_validator(mode="after")
    def _complete(self) -> HostedSettings:
        given = [name for name in self.secrets if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{self.kind} needs one of {', '.join(self.secrets[:-1])} and {self.secrets[-1]}"
            )
        picks = ("repositories", "org", "topic", "query", "code")
        if not any(getattr(self, name) for name in (*picks, *self.unpicked)):
            raise ValueError("say which repositories: one of repositories, org, topic, query and code")
        wrong = [name for name in self.repositories if not self.is_name(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no repository; expected {self.name_like}")
        return self

    @classmethod
    def is_name(cls, name: str) -> bool:
        """Whether that can be a repository's name there."""
        return name.count("/") == 1

    def below(self, base: Path) -> Self:
        """The same, with relative paths read from a folder."""
        file = None if self.token_file is None else base / self.token_file.expanduser()
        return self.model_copy(update={"token_file": file, "signing": self._signing_below(base)})

    @property
    def api_url(self) -> str:
        """The API's base address."""
        raise NotImplementedError(self.kind)

    def token(self) -> SecretStr:
        """The token. Raises UsageError where it is not there."""
        return secret("the forge's token", env=self.token_env, file=self.token_file)


class GitHubSettings(HostedSettings):
    """GitHub, github.com or Enterprise."""

    unpicked: ClassVar[tuple[str, ...]] = ("app",)
    secrets: ClassVar[tuple[str, ...]] = ("token_env", "token_file", "app")

    kind: Literal["github"]
    url: str = Field("https://github.com", description="the web address; for Enterprise, its own")
    app: AppSettings | None = None

    def below(self, base: Path) -> Self:
        """The same, with relative paths read from a folder."""
        app = self.app
        if app is not None and app.key_file is not None:
            app = app.model_copy(update={"key_file": base / app.key_file.expanduser()})
        return super().below(base).model_copy(update={"app": app})

    @property
    def api_url(self) -> str:
        """The API's base address."""
        if self.api is not None:
            return self.api
        parts = urlsplit(self.url)
        if parts.hostname in ("github.com", "www.github.com"):
            return "https://api.github.com"
        if (parts.hostname or "").endswith(".ghe.com"):
            return f"https://api.{parts.hostname}"
        return f"{self.url}/api/v3"


def signing_of(settings: AnyForgeSettings) -> Signing | None:
    """What signs commits; not tried out yet. Raises UsageError where the key is not there."""
    given = settings.signing
    if given is None:
        return None
    key = secret("the key that commits are signed with", env=given.key_env, file=given.key_file)
    return _signing(given.format, key.get_secret_value())


@lru_cache(maxsize=4)
def _signing(format_: Literal["ssh", "gpg"], key: str) -> Signing:
    return open_signing(format_, key)


def secret(
    what: str, *, env: str | None, file: Path | None, environ: Mapping[str, str] | None = None
) -> SecretStr:
    """A secret from the environment or a file. Raises UsageError, which names the place and no content."""
    if env is not None:
        value = (os.environ if environ is None else environ).get(env, "").strip()
        if not value:
            raise UsageError(f"the environment variable {env} is not set: it should hold {what}")
        return SecretStr(value)
    if file is None:
        raise UsageError(f"{what} is needed, and no place of it is named")
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: should hold {what}, but cannot be read: {type(error).__name__}") from None
    if not text:
        raise UsageError(f"{file}: should hold {what}, but is empty")
    return SecretStr(text)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
