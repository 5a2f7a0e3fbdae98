"""GitLab's part of the settings."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from greylag.app.forge_settings import HostedSettings


class GitLabSettings(HostedSettings):
    """GitLab: gitlab.com or a self-managed server.

    The pace keeps below what gitlab.com documents: 2,000 requests a minute, 60 notes a minute.
    """

    name_like: ClassVar[str] = "group/name, or group/subgroup/name"

    kind: Literal["gitlab"]
    url: str = Field("https://gitlab.com", description="the web address; for a self-managed server, its own")
    oauth: bool = Field(False, description="the token is an OAuth token, not an access token")
    org: str | None = Field(None, description="all projects of a group and its subgroups, or of a user")
    code: str | None = Field(None, description="those in which code is found; 'group:NAME words' in a group")
    content_per_minute: float = Field(50.0, gt=0, description="requests that make or change something")
    content_per_hour: float = Field(3000.0, gt=0)

    @classmethod
    def is_name(cls, name: str) -> bool:
        """Whether that can be a project's full path."""
        return "/" in name and all(name.split("/"))

    @property
    def api_url(self) -> str:
        """The API's base address."""
        return self.api if self.api is not None else f"{self.url}/api/v4"
