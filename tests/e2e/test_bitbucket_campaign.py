"""A campaign over the Bitbucket-shaped server, and the one thing that only Bitbucket lets happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.campaigns import query
from tests.e2e.hosted import BOT, NAMES, TOKEN, fill, head_of, make_app, run, states

from greylag.domain.target import TargetState
from greylag.engine.report import ledger_rows
from greylag.testing.bitbucket import BitbucketServer

KIND = {"kind": "bitbucket"}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BitbucketServer]:
    """Three repositories that read the old dataset; in one of them merges are done in the background."""
    with BitbucketServer(tmp_path / "server") as made:
        fill(made, {"CODEOWNERS": b"* @ann\n"}, {BOT: "admin", "ann": "write"})
        made.hub.repos["shop/r1"].slow = 1
        monkeypatch.setenv(TOKEN, made.hub.token(BOT))
        yield made


def test_find_propose_check_merge_done(tmp_path: Path, server: BitbucketServer) -> None:
    campaign = run(tmp_path, make_app(tmp_path, server.url, **KIND))
    assert states(campaign) == dict.fromkeys(NAMES, TargetState.DONE)
    for number, name in enumerate(NAMES):
        assert "account_id AS user_id" in head_of(server, name, f"q{number}.sql")
        repo = server.hub.repos[name]
        (pull,) = repo.pulls.values()
        assert (pull.state, pull.merged_at is not None, pull.reviewers) == ("closed", True, ["ann"])
        assert {(one.context, one.state) for one in repo.statuses} == {("greylag/equivalence", "SUCCESSFUL")}
    assert server.hub.repos["shop/other"].pulls == {}
    assert [row.state for row in ledger_rows(campaign)] == ["migrated"] * 3


def test_what_was_pushed_at_the_last_moment_is_taken_back_at_once(
    tmp_path: Path, server: BitbucketServer
) -> None:
    def push() -> None:
        server.hub.push("shop/r0", "greylag/users-v2", {"q0.sql": b"DROP TABLE t\n"})

    server.hub.before_merge = push
    campaign = run(tmp_path, make_app(tmp_path, server.url, **KIND))
    pulls = server.hub.repos["shop/r0"].pulls
    assert pulls[1].merged_at is not None, "there is no guard: it was merged"
    assert pulls[2].title.startswith("Revert")
    assert pulls[2].merged_at is not None, "and taken back, before anything was looked at"
    assert "DROP TABLE" not in head_of(server, "shop/r0", "q0.sql")
    (target,) = (one for one in campaign.world().targets if one.repository == "shop/r0")
    assert target.attempt == 2 or head_of(server, "shop/r0", "q0.sql") == query(0)


def test_what_was_pushed_to_a_revert_at_the_last_moment_is_told(
    tmp_path: Path, server: BitbucketServer
) -> None:
    def push() -> None:
        server.hub.push("shop/r0", "greylag/users-v2", {"q0.sql": b"DROP TABLE t\n"})
        server.hub.before_merge = push_again

    def push_again() -> None:
        server.hub.push("shop/r0", "revert-1-greylag/users-v2", {"more.sql": b"DROP TABLE u\n"})

    server.hub.before_merge = push
    campaign = run(tmp_path, make_app(tmp_path, server.url, **KIND))
    assert server.hub.repos["shop/r0"].pulls[2].merged_at is not None, "there is no guard: it was merged"
    (target,) = (one for one in campaign.world().targets if one.repository == "shop/r0")
    assert target.state is TargetState.HANDED_OVER
    assert "which somebody pushed meanwhile" in target.reason
    assert len(server.hub.repos["shop/r0"].pulls) == 2, "nothing more is tried on what nobody knows"
