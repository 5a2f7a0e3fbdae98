"""The part `forge` of the settings, of Bitbucket Cloud."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from greylag.app.forge_settings import HostedSettings


class OAuthSettings(BaseModel):
    """A private OAuth consumer; its own tokens last two hours, and are renewed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    secret_env: str | None = None
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> OAuthSettings:
        if (self.secret_env is None) == (self.secret_file is None):
            raise ValueError("give one of secret_env and secret_file")
        return self


class BitbucketSettings(HostedSettings):
    """Bitbucket Cloud. `org` is a workspace, or a project of it (`workspace/KEY`)."""

    secrets: ClassVar[tuple[str, ...]] = ("token_env", "token_file", "oauth")
    name_like: ClassVar[str] = "workspace/name"

    kind: Literal["bitbucket"]
    url: str = Field("https://bitbucket.org", description="the web address")
    mail: str | None = Field(None, description="the account's mail address, where the token is its API token")
    oauth: OAuthSettings | None = None

    @model_validator(mode="after")
    def _choices(self) -> BitbucketSettings:
        if self.code is not None:
            raise ValueError("code is not searched for on Bitbucket: use repositories, org or query")
        if self.topic is not None and self.org is None:
            raise ValueError("Bitbucket has no topics; with org, topic is a project's key")
        return self

    def below(self, base: Path) -> Self:
        """The same, with relative paths read from a folder."""
        oauth = self.oauth
        if oauth is not None and oauth.secret_file is not None:
            oauth = oauth.model_copy(update={"secret_file": base / oauth.secret_file.expanduser()})
        return super().below(base).model_copy(update={"oauth": oauth})

    @property
    def api_url(self) -> str:
        """The API's base address."""
        if self.api is not None:
            return self.api
        if urlsplit(self.url).hostname in ("bitbucket.org", "www.bitbucket.org"):
            return "https://api.bitbucket.org/2.0"
        return f"{self.url}/2.0"
