"""What the strict test servers of all forges share: git over HTTP, merges, users, faults, webhooks, a log."""

from greylag.testing.hosting.front import Answer, Call, Front, Route, query_of
from greylag.testing.hosting.hooks import Hooks
from greylag.testing.hosting.hub import Hub
from greylag.testing.hosting.merging import Git, Refused
from greylag.testing.hosting.server import HostingServer
from greylag.testing.hosting.values import (
    ROLES,
    ApiError,
    Comment,
    Delivery,
    Fault,
    HostedRepo,
    Pull,
    Seen,
    Status,
    WebHook,
    stamp,
)

__all__ = [
    "ROLES",
    "Answer",
    "ApiError",
    "Call",
    "Comment",
    "Delivery",
    "Fault",
    "Front",
    "Git",
    "Hooks",
    "HostedRepo",
    "HostingServer",
    "Hub",
    "Pull",
    "Refused",
    "Route",
    "Seen",
    "Status",
    "WebHook",
    "query_of",
    "stamp",
]
