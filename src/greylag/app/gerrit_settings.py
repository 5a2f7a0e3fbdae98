"""The part `forge` of the settings, of Gerrit."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from greylag.app.forge_settings import HostedSettings


class GerritSettings(HostedSettings):
    """Gerrit, with an account's HTTP password as the token. `org` is what projects' names begin with."""

    name_like: ClassVar[str] = "a project's name"

    kind: Literal["gerrit"]
    url: str = Field(description="the web address, without /a")
    user: str = Field(min_length=1, description="the account whose HTTP password the token is")
    label: str | None = Field("Verified", description="what our proof votes on; null: it is only told")
    set_topic: bool = Field(True, description="the migration's name is the topic of its changes")

    @model_validator(mode="after")
    def _choices(self) -> GerritSettings:
        if self.merge_method != "merge":
            raise ValueError(
                "on Gerrit the project's submit type says how a change is merged: no merge_method"
            )
        if self.query is not None or self.code is not None:
            raise ValueError("projects are not searched for on Gerrit: use repositories, org or topic")
        # Passed over, they would be missed by nobody but whoever relies on them.
        for name in ("signing", "trailers", "assignees"):
            if getattr(self, name):
                raise ValueError(f"{name}: changes on Gerrit have none; leave it out")
        return self

    @classmethod
    def is_name(cls, name: str) -> bool:
        """See `HostedSettings`: as many parts as they like."""
        return bool(name.strip("/"))

    @property
    def api_url(self) -> str:
        """The API's base address."""
        return self.api or f"{self.url}/a"
