"""What every hosted forge has in common: HTTP, limits, mirrors, markers, and the Forge over a small API."""

from greylag.forge.hosted.api import Features, HostApi
from greylag.forge.hosted.auth import Auth, BasicAuth, TokenAuth
from greylag.forge.hosted.client import Client, Limited, Refused, Unavailable
from greylag.forge.hosted.dialect import Dialect
from greylag.forge.hosted.forge import HostedForge, Options
from greylag.forge.hosted.limits import Pace
from greylag.forge.hosted.mirror import Mirror
from greylag.forge.hosted.targets import Keeper, Refreshed, Selection, select

__all__ = [
    "Auth",
    "BasicAuth",
    "Client",
    "Dialect",
    "Features",
    "HostApi",
    "HostedForge",
    "Keeper",
    "Limited",
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
