"""What the test servers of five forges send is taken in: each signs in its own way."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from greylag.app import Settings
from greylag.app.serving import open_serving
from greylag.engine.tables import deliveries
from greylag.testing.bitbucket.hub import BitbucketHub
from greylag.testing.gerrit import GerritHub
from greylag.testing.gitea.hub import Hub as GiteaHub
from greylag.testing.gitea.values import Flavour
from greylag.testing.github.hub import Hub as GitHubHub
from greylag.testing.gitlab.hub import Hub as GitLabHub
from greylag.testing.hosting.values import WebHook
from greylag.web.server import listening

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = "shop/etl"


def _plain(secret: str, *events: str) -> Callable[[Any, str], WebHook]:
    return lambda _, url: WebHook(id=1, url=url, secret=secret, events=events)


HUBS: dict[str, tuple[str, Callable[..., Any], str, Callable[[Any, str], WebHook]]] = {
    "github": ("github", GitHubHub, "s3cret", _plain("s3cret", "push")),
    "gitea": ("gitea", partial(GiteaHub, flavour=Flavour.GITEA), "s3cret", _plain("s3cret", "push")),
    "forgejo": ("gitea", partial(GiteaHub, flavour=Flavour.FORGEJO), "s3cret", _plain("s3cret", "push")),
    "bitbucket": ("bitbucket", BitbucketHub, "s3cret", _plain("s3cret", "repo:push")),
    "gitlab": ("gitlab", GitLabHub, "s3cret", lambda hub, url: hub.hook(NAME, url, token="s3cret")),
    "gitlab, signed": (
        "gitlab", GitLabHub, SIGNING, lambda hub, url: hub.hook(NAME, url, signing_token=SIGNING)
    ),
    "gerrit": ("gerrit", GerritHub, "s3cret", _plain("", "*")),
}  # fmt: skip


@pytest.mark.parametrize("name", HUBS)
def test_what_it_sends_is_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind, make, secret, hook_of = HUBS[name]
    monkeypatch.setenv("GREYLAG_TEST_HOOK", secret)
    document: dict[str, Any] = {
        "database": f"sqlite:///{tmp_path / 'greylag.db'}",
        "serve": {"hooks": {kind: {"env": "GREYLAG_TEST_HOOK"}}},
    }
    serving = open_serving(Settings(**document))
    hub = make(tmp_path / "server")
    hub.add(NAME, {"q.sql": b"SELECT 1\n"}, access={"ann": "admin"})
    with listening(serving, "127.0.0.1", 0) as (address, receiver):
        query = f"?token={secret}" if kind == "gerrit" else ""
        hook = hook_of(hub, f"{address}/hooks/{kind}{query}")
        hub.repos[NAME].hooks[hook.id] = hook
        hub.hooks.start()
        if kind == "gerrit":
            hub.happened(hub.repos[NAME], "ref-updated", {"refUpdate": {"project": NAME}}, "ann")
        else:
            hub.push(NAME, "main", {"q.sql": b"SELECT 2\n"})
        hub.hooks.again(hook, hook.deliveries[0].id)
        hub.hooks.stop()
        until = time.monotonic() + 20
        while receiver.counts.total() != {"hooks_kept": 2}:
            assert time.monotonic() < until, receiver.counts.total()
            time.sleep(0.01)
    assert [one.status_code for one in hook.deliveries] == [200, 200]
    with serving.store.read() as session:
        rows = session.rows(sa.select(deliveries).where(deliveries.c.forge == kind))
    assert [(row["repository"], row["kind"]) for row in rows] == [(NAME, "push")], "told twice, kept once"
