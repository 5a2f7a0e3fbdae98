"""A campaign over the GitLab-shaped server: a group with a subgroup, lost answers, a rule, one taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, ScriptedHealth, query
from tests.e2e.hosted import BOT, TOKEN, fill, head_of, make_app, run, states

from greylag.domain.target import TargetState
from greylag.testing.gitlab import GitLabServer

OWNERS = b"[Data][2] @team\n*.sql\n\n^[Docs] @nobody\n*.md\n"


def test_a_campaign_on_gitlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with GitLabServer(tmp_path / "server") as server:
        fill(server, {".gitlab/CODEOWNERS": OWNERS}, {"ann": "admin", "team": "read"})
        server.hub.group("shop", {BOT: "write"})
        server.hub.move("shop/r2", "shop/deep/r2")
        server.hub.repos["shop/r0"].needs_pipeline = True
        monkeypatch.setenv(TOKEN, server.hub.token(BOT))
        lost = (("POST", "/merge_requests$"), ("PUT", "/merge$"), ("POST", "/statuses/"))
        for method, path in lost:
            server.fault(method=method, path=path, drop=True, after=True)
        health = ScriptedHealth(sick={"shop/r1"})
        app = make_app(tmp_path, server.url, kind="gitlab", draft=True, health=health)
        campaign = run(tmp_path, app, MIGRATION.replace("bake: 10m", "bake: 10m\n  max_reverts: 9"))
        found = states(campaign)
        assert set(found) == {"shop/r0", "shop/r1", "shop/deep/r2"}, "the group and what is below it"
        assert (found["shop/r0"], found["shop/deep/r2"]) == (TargetState.DONE, TargetState.DONE)
        assert head_of(server, "shop/r1", "q1.sql") == query(1), "taken back"
        for number, name in ((0, "shop/r0"), (2, "shop/deep/r2")):
            assert "account_id AS user_id" in head_of(server, name, f"q{number}.sql")
            repo = server.hub.repos[name]
            (pull,) = repo.pulls.values()
            assert (pull.merged_at is not None, pull.draft) == (True, False)
            assert (sorted(pull.labels), pull.reviewers) == (["greylag", "users-v2"], ["team"])
            assert {(one.context, one.state) for one in repo.statuses} == {("greylag/equivalence", "success")}
        assert server.hub.repos["shop/other"].pulls == {}
        assert sum(1 for one in server.requests if one.status == 0) == len(lost)
