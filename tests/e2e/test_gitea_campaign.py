"""A campaign over the Forgejo-flavoured server: proposed, answers lost, protected, merged."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.hosted import BOT, NAMES, TOKEN, fill, head_of, make_app, run, states

from greylag.domain.target import TargetState
from greylag.testing.gitea import Flavour, GiteaServer


def test_a_campaign_on_forgejo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers get lost all along, and branch protection asks for our check."""
    with GiteaServer(tmp_path / "server", flavour=Flavour.FORGEJO) as server:
        access = {BOT: "admin", "ann": "write", "@data": "read"}
        fill(server, {"CODEOWNERS": b"q[0-9].* @shop/data\n"}, access)
        server.hub.protect("shop/r1", "main", "greylag/*")
        monkeypatch.setenv(TOKEN, server.hub.token(BOT))
        lost = ("/pulls$", "/pulls$", "/labels$", "/statuses/", "/merge$", "/requested_reviewers$")
        for path in lost:
            server.fault(method="POST", path=path, status=502, after=True)
        app = make_app(tmp_path, server.url, kind="forgejo", topic="pipelines")
        assert states(run(tmp_path, app)) == dict.fromkeys(NAMES, TargetState.DONE)
        for number, name in enumerate(NAMES):
            assert "account_id AS user_id" in head_of(server, name, f"q{number}.sql")
            repo = server.hub.repos[name]
            (pull,) = repo.pulls.values()
            assert pull.merged_at is not None
            assert pull.labels == ["greylag", "users-v2"]
            assert sorted(one.name for one in repo.labels.values()) == ["greylag", "users-v2"]
            assert pull.teams == ["data"], "the owners' file is read as Forgejo reads it"
            assert {(one.context, one.state) for one in repo.statuses} == {("greylag/equivalence", "success")}
        assert server.hub.repos["else/where"].pulls == {}
        assert sum(1 for one in server.requests if one.status == 502) == len(lost)
