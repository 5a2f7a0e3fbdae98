"""A campaign on the GitHub-shaped server, which tells by webhook what changes: asked less, nothing missed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.campaigns import MIGRATION, START, ScriptedHealth, query, rule_rewriter, write_migration

from greylag.app import Settings, build
from greylag.app.forge_settings import GitHubSettings
from greylag.app.serving import open_serving
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.clock import SystemClock
from greylag.engine.work import InlineWork
from greylag.testing.github import GitHubServer
from greylag.testing.hosting.values import WebHook
from greylag.web.server import listening

BOT = "greylag-bot"
NAMES = ("shop/r0", "shop/r1", "shop/r2", "shop/r3")


class HandClock(SystemClock):
    """Stands still until it is moved."""

    now_ = START

    def now(self) -> Any:
        return self.now_


class Stage:
    """A campaign whose pull requests wait for people, and a receiver that the forge tells."""

    def __init__(self, folder: Path, server: GitHubServer) -> None:
        self.server, self.clock = server, HandClock()
        settings = Settings(
            fleet=folder / "mirrors",
            database=f"sqlite:///{folder / 'greylag.db'}",
            forge=GitHubSettings.model_validate(
                {"kind": "github", "url": server.url, "token_env": "GREYLAG_TEST_FORGE_TOKEN", "org": "shop",
                 "requests_per_second": 1e6, "content_per_minute": 1e6, "content_per_hour": 1e6,
                 "webhooks": True}
            ),
            serve={"hooks": {"github": {"env": "GREYLAG_TEST_HOOK"}}},
        )  # fmt: skip
        self.settings = settings
        app = build(settings, rewriter=rule_rewriter, clock=self.clock, health=ScriptedHealth())
        text = MIGRATION.replace("waves: [1, 50%, 100%]\n  merge: verified", "waves: [100%]\n  merge: never")
        self.campaign: Campaign = app.campaign(write_migration(folder, text))
        self.work = InlineWork(self.campaign.performer.perform)

    def begin(self) -> None:
        """Until every pull request is open."""
        self.campaign.start()
        self.campaign.scan()
        for _ in range(6):
            self.tick()
        assert set(self.states().values()) == {TargetState.PROPOSED}

    def tick(self, seconds: float = 0) -> int:
        """One look around, after so long; returns how many requests that were."""
        self.clock.now_ += timedelta(seconds=seconds)
        before = len(self.server.requests)
        self.campaign.tick(self.work)
        return len(self.server.requests) - before

    def states(self) -> dict[str, TargetState]:
        return {one.repository: one.state for one in self.campaign.world().targets}

    def merge(self, name: str) -> None:
        """A person merges in the forge."""
        (number,) = self.server.hub.repos[name].pulls
        headers = {"Authorization": f"Bearer {self.server.hub.token('ann')}"}
        place = f"{self.server.url}/api/v3/repos/{name}/pulls/{number}"
        with httpx.Client(headers=headers, trust_env=False) as ann:
            while ann.get(place).json()["mergeable"] is None:
                pass
            assert ann.put(f"{place}/merge", json={}).status_code == 200


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with GitHubServer(tmp_path / "server") as server:
        for number, name in enumerate(NAMES):
            server.hub.add(name, {"q.sql": query(number).encode()}, access={BOT: "write", "ann": "admin"})
        monkeypatch.setenv("GREYLAG_TEST_FORGE_TOKEN", server.hub.token(BOT))
        monkeypatch.setenv("GREYLAG_TEST_HOOK", "s3cret")
        made = Stage(tmp_path, server)
        with listening(open_serving(made.settings), "127.0.0.1", 0) as (address, _):
            for name in NAMES:
                hook = WebHook(id=1, url=f"{address}/hooks/github", secret="s3cret", events=("*",))
                server.hub.repos[name].hooks[1] = hook
            yield made


def arrived(stage: Stage, name: str) -> None:
    """Wait until the last delivery about a repository was answered."""
    hook = stage.server.hub.repos[name].hooks[1]
    until = time.monotonic() + 20
    while not all(one.status_code == 200 for one in hook.deliveries[-1:]):
        assert time.monotonic() < until, [(one.event, one.status_code) for one in hook.deliveries]
        time.sleep(0.01)


def test_people_are_seen_by_webhook_and_by_the_catch_up(stage: Stage) -> None:
    stage.begin()
    arrived(stage, "shop/r3")
    stage.tick(61)
    stage.tick(1)
    assert stage.tick(10) == stage.tick(10) == 0, "nothing came: the forge is not asked"

    stage.merge("shop/r0")
    arrived(stage, "shop/r0")
    assert 0 < stage.tick() < 40
    stage.tick()
    assert stage.states()["shop/r0"] in (TargetState.BAKING, TargetState.DONE)

    # Told before it can be seen: looked at again a little later.
    stage.server.hub.hooks.lose = 99
    stage.merge("shop/r1")
    assert stage.tick(1) == 0, "lost, so nobody knows"
    assert stage.states()["shop/r1"] is TargetState.PROPOSED
    stage.server.hub.hooks.lose = 0
    stage.server.hub.say("shop/r2", 1, "/greylag nonsense", "ann")
    arrived(stage, "shop/r2")
    stage.tick()
    replies = [one for one in stage.server.hub.repos["shop/r2"].comments.values() if one.user == BOT]
    assert len(replies) == 1, "a remark is read when it is told"
    assert stage.states()["shop/r1"] is TargetState.PROPOSED, (
        "a delivery about another one says nothing of it"
    )
    stage.tick(600)
    stage.tick()
    assert stage.states()["shop/r1"] in (TargetState.BAKING, TargetState.DONE), "caught up with"

    # Repeated and out of order: once is enough.
    stage.server.hub.hooks.repeat = 9
    stage.merge("shop/r2")
    arrived(stage, "shop/r2")
    for one in [*stage.server.hub.repos["shop/r2"].hooks[1].deliveries][:3]:
        stage.server.hub.hooks.again(stage.server.hub.repos["shop/r2"].hooks[1], one.id)
    for _ in range(4):
        stage.tick(1)
    assert stage.states()["shop/r2"] in (TargetState.BAKING, TargetState.DONE)
    assert len(stage.server.hub.repos["shop/r2"].pulls) == 1
