"""The part `serve` of the settings: where we listen, and whom we believe."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from greylag.app.durations import Duration
from greylag.app.forge_settings import secret
from greylag.rollout.sources.base import SecretSettings

HookKind = Literal["github", "gitlab", "gitea", "bitbucket", "gerrit"]


class ServeSettings(BaseModel):
    """What `greylag serve` needs to know. Without a secret nothing is believed, and all is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="what it listens on; put a server with TLS before any other")
    port: int = Field(8480, ge=0, le=65535)
    token: SecretSettings | None = Field(None, description="of those who tell of runs")
    hooks: Mapping[HookKind, SecretSettings] = Field(
        default_factory=dict, description="the secret of each forge's webhooks"
    )
    largest: int = Field(5_000_000, ge=1000, description="bytes that a request may have")
    keep: Duration = Field(timedelta(days=45), ge=timedelta(days=1), description="how long runs are kept")


def hook_secrets(settings: ServeSettings, base: Path | None) -> dict[str, str]:
    """The secret of each forge. Raises UsageError for one that is not where the settings say."""
    what = "the secret of {}'s webhooks"
    return {kind: _read(what.format(kind), one, base) for kind, one in settings.hooks.items()}


def push_token(settings: ServeSettings, base: Path | None) -> str | None:
    """The token of those who tell of runs. Raises UsageError when it is not where the settings say."""
    return None if settings.token is None else _read("the token of those who push", settings.token, base)


def _read(what: str, given: SecretSettings, base: Path | None) -> str:
    file = given.file
    if file is not None:
        file = (base or Path()) / file.expanduser()
    return secret(what, env=given.env, file=file).get_secret_value()
