"""A campaign over the Forgejo-flavoured server: proposed, lost answers, merged, taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, ScriptedHealth, query
from tests.e2e.hosted import BOT, NAMES, TOKEN, fill, head_of, make_app, run, states

from greylag.domain.target import TargetState
from greylag.testing.gitea import Flavour, GiteaServer


def test_a_campaign_on_forgejo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers get lost all along; one repository sickens and gets its very bytes back."""
    with GiteaServer(tmp_path / "server", flavour=Flavour.FORGEJO) as server:
        access = {BOT: "admin", "ann": "write", "@data": "read"}
        fill(server, {".forgejo/CODEOWNERS": b".* @shop/data\n"}, access)
        server.hub.protect("shop/r1", "main", "greylag/*")
        monkeypatch.setenv(TOKEN, server.hub.token(BOT))
        lost = ("/pulls$", "/pulls$", "/labels$", "/statuses/", "/merge$")
        for path in lost:
            server.fault(method="POST", path=path, status=502, after=True)
        health = ScriptedHealth(sick={"shop/r0"})
        app = make_app(tmp_path, server.url, kind="forgejo", topic="pipelines", health=health)
        text = MIGRATION.replace("bake: 10m", "bake: 10m\n  max_reverts: 9")
        campaign = run(tmp_path, app, text)
        found = states(campaign)
        assert (found["shop/r1"], found["shop/r2"]) == (TargetState.DONE, TargetState.DONE)
        assert head_of(server, "shop/r0", "q0.sql") == query(0)
        for number, name in enumerate(NAMES[1:], 1):
            assert "account_id AS user_id" in head_of(server, name, f"q{number}.sql")
            repo = server.hub.repos[name]
            (pull,) = repo.pulls.values()
            assert pull.merged_at is not None
            assert pull.labels == ["greylag", "users-v2"]
            assert sorted(one.name for one in repo.labels.values()) == ["greylag", "users-v2"]
            assert {(one.context, one.state) for one in repo.statuses} == {("greylag/equivalence", "success")}
        assert server.hub.repos["else/where"].pulls == {}
        assert sum(1 for one in server.requests if one.status == 502) == len(lost)
