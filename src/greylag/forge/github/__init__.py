"""The GitHub adapter: pull requests over REST, objects over git, what we know kept on the forge itself."""

from greylag.forge.github.auth import AppAuth, Auth, TokenAuth
from greylag.forge.github.client import Client, Refused, Unavailable
from greylag.forge.github.forge import GitHubForge, Options
from greylag.forge.github.limits import Pace
from greylag.forge.github.mirror import Mirror
from greylag.forge.github.targets import Keeper, Refreshed, Selection, select

__all__ = [
    "AppAuth",
    "Auth",
    "Client",
    "GitHubForge",
    "Keeper",
    "Mirror",
    "Options",
    "Pace",
    "Refreshed",
    "Refused",
    "Selection",
    "TokenAuth",
    "Unavailable",
    "select",
]
