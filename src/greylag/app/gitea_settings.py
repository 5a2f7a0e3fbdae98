"""The part `forge` of the settings for Gitea and Forgejo."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from greylag.app.forge_settings import HostedSettings


class GiteaSettings(HostedSettings):
    """Gitea or Forgejo, at the address that people use: there is no common one.

    Neither limits requests by itself; the pace only spares a server that is often a small one.
    """

    kind: Literal["gitea", "forgejo"]
    query: str | None = Field(None, description="those whose name or description holds the words")
    content_per_minute: float = Field(300.0, gt=0, description="requests that make or change something")
    content_per_hour: float = Field(18_000.0, gt=0)

    @model_validator(mode="after")
    def _findable(self) -> GiteaSettings:
        if self.code is not None:
            raise ValueError(f"{self.kind} has no search for code over its API; use org, topic or query")
        return self

    @property
    def api_url(self) -> str:
        """The API's base address."""
        return self.api or f"{self.url}/api/v1"
