"""The kinds of forges: which settings each has, and the module that builds it.

A new kind is one import, one name in `AnyForge`, and one line in `HOSTS`. A kind's module is imported when it
is used: its libraries are an extra. It has `open_api(given) -> HostApi`, or, for a forge that is no
`HostedForge`, `open_forge(settings, clock) -> Forge` (which has `keeper`, see `Mirrored`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Tag

from greylag.app.bitbucket_settings import BitbucketSettings
from greylag.app.forge_settings import EmbeddedForgeSettings, GitHubSettings
from greylag.app.gerrit_settings import GerritSettings
from greylag.app.gitea_settings import GiteaSettings
from greylag.app.gitlab_settings import GitLabSettings


def _kind(value: Any) -> str:
    """The embedded one is meant where no kind is said."""
    if isinstance(value, Mapping):
        return str(value.get("kind", "embedded"))
    return str(getattr(value, "kind", "embedded"))


AnyForge: TypeAlias = Annotated[
    Annotated[EmbeddedForgeSettings, Tag("embedded")]
    | Annotated[GitHubSettings, Tag("github")]
    | Annotated[GitLabSettings, Tag("gitlab")]
    | Annotated[BitbucketSettings, Tag("bitbucket")]
    | Annotated[GerritSettings, Tag("gerrit")]
    | Annotated[GiteaSettings, Tag("gitea")]
    | Annotated[GiteaSettings, Tag("forgejo")],
    Discriminator(
        _kind,
        custom_error_type="no_such_kind",
        custom_error_message="`kind` is none of embedded, github, gitlab, bitbucket, gerrit, gitea and "
        "forgejo",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One kind: the module that builds it, and the extra (`greylag[extra]`) that its libraries are in."""

    module: str
    extra: str = "github"


HOSTS: Mapping[str, Host] = {
    "github": Host(module="greylag.app.github"),
    "gitlab": Host(module="greylag.app.gitlab"),
    "gitea": Host(module="greylag.app.gitea"),
    "forgejo": Host(module="greylag.app.gitea"),
    "bitbucket": Host(module="greylag.app.bitbucket"),
    "gerrit": Host(module="greylag.app.gerrit"),
}
