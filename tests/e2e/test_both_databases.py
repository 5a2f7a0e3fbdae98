"""A campaign is the same on SQLite and on PostgreSQL, whatever happens in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    head_text,
    make_fleet,
    pulls,
    query,
    rule_rewriter,
    write_migration,
)
from tests.postgresql import Server

from greylag.app import Settings, build
from greylag.engine.clock import LeapClock
from greylag.engine.overrides import Overrides
from greylag.engine.report import events, ledger_rows, questions
from greylag.engine.work import InlineWork
from greylag.engine.world import Target

FLEET = {
    "plain": {"models/q.sql": query(1), "CODEOWNERS": "* @data\n"},
    "K\u00e4se": {"q.sql": query(2), "\u00fc.sql": query(3)},
    "sick": {"q.sql": query(4)},
    "asks": {"q.sql": query(5).replace("user_id,", "user_id, score,")},
    "zz-10": {"q.sql": query(6)},
    "zz-9": {"q.sql": query(7)},
}
TEXT = MIGRATION.replace("bake: 10m", "bake: 10m\n  max_reverts: 9")


def played(folder: Path, url: str) -> dict[str, Any]:
    """One campaign with a revert, a question, and a person: all that can be told of it."""
    folder.mkdir()
    make_fleet(folder / "fleet", FLEET)
    settings = Settings(fleet=folder / "fleet", database=url)
    app = build(
        settings,
        rewriter=rule_rewriter,
        clock=LeapClock(START),
        health=ScriptedHealth(sick={"sick"}),
        work=InlineWork,
    )
    campaign = app.campaign(write_migration(folder, TEXT))
    with app.lock():
        campaign.run()
        Overrides(campaign, "kim").answer("prod.core.users_v1.score", "0")
        campaign.run()
    return {
        "events": [(one.kind, one.repository, one.wave, one.message) for one in events(campaign)],
        "ledger": [str(row).replace(str(folder), "") for row in ledger_rows(campaign)],
        "questions": [(one.key, one.answer, one.targets) for one in questions(campaign)],
        "targets": [
            (one.repository, one.state, one.reason, one.attempt, one.wave, one.verdict, _commit(one))
            for one in campaign.world().targets
        ],
        "pulls": pulls(folder),
        "heads": {
            name: head_text(folder / "fleet", name, next(iter(files))) for name, files in FLEET.items()
        },
    }


def _commit(target: Target) -> str | None:
    """A second attempt stands on a revert, whose id has the second in it in which it was made."""
    return target.commit if target.attempt == 1 else None


def test_everything_that_can_be_told_is_the_same(tmp_path: Path, server: Server) -> None:
    here = played(tmp_path / "sqlite", f"sqlite:///{tmp_path / 'g.db'}")
    there = played(tmp_path / "server", server.fresh())
    for what, told in here.items():
        assert there[what] == told, what
    assert {one[1].value for one in here["targets"]} >= {"done", "handed_over"}
