"""A whole campaign over the Gerrit-shaped server: pushes for review, votes, guarded submits, a revert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, ScriptedHealth, query
from tests.e2e.hosted import BOT, NAMES, TOKEN, fill, head_of, make_app, run, states

from greylag.domain.target import TargetState
from greylag.engine.report import ledger_rows, questions
from greylag.testing.gerrit import GerritServer
from greylag.testing.gerrit.values import Change
from greylag.workspace import Repository

KIND = {"kind": "gerrit", "user": BOT}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GerritServer]:
    """Three projects that read the old dataset; our vote is needed in all of them."""
    with GerritServer(tmp_path / "server") as made:
        fill(made, {".github/CODEOWNERS": b"* @ann\n"}, {BOT: "write", "ann": "write"})
        made.hub.sees_access.add(BOT)
        for name in NAMES:
            made.hub.repos[name].required = ("Verified",)
        monkeypatch.setenv(TOKEN, made.hub.token(BOT))
        yield made


def changes_of(server: GerritServer, name: str) -> list[Change]:
    """The changes of a project."""
    return [one for one in server.hub.changes.values() if one.project == name]


def test_find_propose_vote_submit_done(tmp_path: Path, server: GerritServer) -> None:
    for method, path in (("POST", "/submit$"), ("POST", "/review$"), ("POST", "/reviewers$")):
        server.fault(method=method, path=path, status=502, after=True)
    campaign = run(tmp_path, make_app(tmp_path, server.url, **KIND))
    assert states(campaign) == dict.fromkeys(NAMES, TargetState.DONE)
    for number, name in enumerate(NAMES):
        assert "account_id AS user_id" in head_of(server, name, f"q{number}.sql")
        (change,) = changes_of(server, name)
        assert (change.status, change.topic, change.hashtags) == (
            "MERGED",
            "users-v2",
            ["greylag", "users-v2"],
        )
        assert change.votes["Verified", BOT] == 1
        assert change.reviewers["ann"] == "REVIEWER", "CODEOWNERS is asked"
        repo = Repository.open(server.hub.repos[name].path)
        (target,) = (one for one in campaign.world().targets if one.repository == name)
        trailers = repo.info(change.current.sha).trailers
        assert trailers["Greylag-Commit"] == target.commit
        assert trailers["Greylag-Migration"] == "users-v2"
        assert set(repo.refs("refs/heads/")) == {"refs/heads/main"}, "no branch is made"
    assert changes_of(server, "shop/other") == changes_of(server, "else/where") == []
    assert [row.state for row in ledger_rows(campaign)] == ["migrated"] * 3


def test_what_breaks_is_taken_back_to_the_very_bytes(tmp_path: Path, server: GerritServer) -> None:
    app = make_app(tmp_path, server.url, health=ScriptedHealth(sick={"shop/r0"}), **KIND)
    campaign = run(tmp_path, app, MIGRATION.replace("bake: 10m", "bake: 10m\n  max_reverts: 9"))
    assert head_of(server, "shop/r0", "q0.sql") == query(0)
    assert states(campaign)["shop/r0"] is TargetState.HANDED_OVER
    mine = changes_of(server, "shop/r0")
    assert {one.status for one in mine} == {"MERGED"}
    assert len(mine) % 2 == 0


def test_a_question_is_answered_in_the_reply_dialog(tmp_path: Path, server: GerritServer) -> None:
    text = query(0) + "-- inconclusive\n"
    server.hub.push("shop/r0", "main", {"q0.sql": text.encode()})
    scored = query(7).replace("user_id,", "user_id, score,")
    server.hub.push("shop/r1", "main", {"extra.sql": scored.encode()})
    app = make_app(tmp_path, server.url, **KIND)
    campaign = run(tmp_path, app)
    assert [one.key for one in questions(campaign)] == ["prod.core.users_v1.score"]
    (change,) = changes_of(server, "shop/r0")
    assert change.votes["Verified", BOT] == 0, "inconclusive is no +1"
    server.hub.repos["shop/r0"].access["eve"] = "read"
    server.hub.say("shop/r0", change.number, "/greylag answer prod.core.users_v1.score 0", "eve")
    assert questions(run(tmp_path, app))[0].answer is None
    server.hub.say("shop/r0", change.number, "/greylag answer prod.core.users_v1.score NULL", "ann")
    assert questions(run(tmp_path, app))[0].answer == "NULL"


def test_a_patch_set_at_the_last_moment_is_not_submitted(tmp_path: Path, server: GerritServer) -> None:
    theirs: list[str] = []

    def amend() -> None:
        (number,) = (one.number for one in changes_of(server, "shop/r0"))
        theirs.append(server.hub.amend(number, {"q0.sql": b"SELECT 1\n"}))

    server.hub.before_submit = amend
    campaign = run(tmp_path, make_app(tmp_path, server.url, **KIND))
    assert states(campaign)["shop/r0"] is TargetState.HANDED_OVER
    (change,) = changes_of(server, "shop/r0")
    assert (change.status, [change.current.sha]) == ("NEW", theirs), "Gerrit refuses what was not asked for"
