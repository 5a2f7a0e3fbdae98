"""What campaigns over hosted forges' servers share: three repositories, an application, one run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    query,
    rule_rewriter,
    write_migration,
)

from greylag.app import App, Settings, build
from greylag.app.hosts import AnyForge
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.work import InlineWork
from greylag.forge.hosted.client import Client
from greylag.testing.hosting import HostingServer
from greylag.workspace import Repository

BOT = "greylag-bot"
TOKEN = "GREYLAG_TEST_FORGE_TOKEN"
NAMES = ("shop/r0", "shop/r1", "shop/r2")
FAST = {"requests_per_second": 1e6, "content_per_minute": 1e6, "content_per_hour": 1e6, "poll": 0.0}


def fill(server: HostingServer[Any, Any], owners: Mapping[str, bytes], access: Mapping[str, str]) -> None:
    """Three repositories that read the old dataset, one that does not, one of somebody else's.

    `owners` are the files that say who owns what; `access` is login to role.
    """
    for number, name in enumerate(NAMES):
        files = {f"q{number}.sql": query(number).encode(), **owners}
        server.hub.add(name, files, access=access, topics=["pipelines"])
    server.hub.add("shop/other", {"x.sql": b"SELECT 1\n"}, access=access)
    server.hub.add("else/where", {"q.sql": query(9).encode()}, access=access)


def make_app(
    folder: Path,
    url: str,
    *,
    health: ScriptedHealth | None = None,
    clock: LeapClock | None = None,
    **forge: object,
) -> App:
    """The application over a server, with limits of its own that nobody waits for; `forge` names the kind."""
    document = {"url": url, "token_env": TOKEN, "org": "shop"} | FAST | forge
    settings = Settings(
        fleet=folder / "mirrors",
        database=f"sqlite:///{folder / '.greylag' / 'greylag.db'}",
        forge=TypeAdapter(AnyForge).validate_python(document),
    )
    app = build(
        settings,
        rewriter=rule_rewriter,
        clock=clock or LeapClock(START),
        health=health or ScriptedHealth(),
        work=InlineWork,
    )
    # What it waits before it asks again is tested with the client; the server here is well again at once.
    client = app.forge.api.client  # type: ignore[attr-defined]
    assert isinstance(client, Client)
    client.sleep = lambda seconds: time.sleep(seconds / 20)
    return app


def run(folder: Path, app: App, text: str = MIGRATION) -> Campaign:
    """One `greylag run`."""
    campaign = app.campaign(write_migration(folder, text))
    with app.lock():
        campaign.run()
    return campaign


def states(campaign: Campaign) -> dict[str, TargetState]:
    """The targets' states by repository."""
    return {target.repository: target.state for target in campaign.world().targets}


def head_of(server: HostingServer[Any, Any], name: str, path: str) -> str:
    """A file at the head of the server's main."""
    repo = Repository.open(server.hub.repos[name].path)
    return repo.read(repo.head(), path).decode()
