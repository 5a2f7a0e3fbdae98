"""Repositories that several owners share: a target for each owner's part, and no file in two open changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    head_text,
    make_fleet,
    pulls,
    push,
    query,
    rule_rewriter,
    write_migration,
)
from tests.e2e.hosted import BOT, TOKEN, head_of, make_app, run

from greylag.app import App, Settings, build
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.documents import ledger_document, status_document
from greylag.engine.explain import plan
from greylag.engine.overrides import Overrides
from greylag.engine.plan_words import words
from greylag.engine.ports import Rewriter
from greylag.engine.report import ledger_rows, status
from greylag.engine.retire import retire
from greylag.engine.rewriting import rewrite_tree
from greylag.engine.work import InlineWork
from greylag.forge import EmbeddedForge, PullRequestState
from greylag.testing.github import GitHubServer

OWNERS = "/a/ @alpha\n/b/ @org/beta @alpha\n"
FILES = {
    "CODEOWNERS": OWNERS,
    "a/q.sql": query(1),
    "a/r.sql": query(2),
    "b/q.sql": query(3),
    "c.sql": query(4),
}
SPLIT = MIGRATION + "  split: owner\n  per_owner: 1\n"
PARTS = ("mono//alpha", "mono//no-owner", "mono//org.beta")
DONE = TargetState.DONE


def campaign_of(
    folder: Path,
    files: dict[str, dict[str, str]],
    *,
    text: str = SPLIT,
    health: ScriptedHealth | None = None,
    rewriter: Rewriter = rule_rewriter,
    **rollout: object,
) -> Campaign:
    """A campaign over these repositories."""
    make_fleet(folder / "fleet", files)
    database = f"sqlite:///{folder / '.greylag' / 'greylag.db'}"
    settings = Settings.model_validate({"fleet": folder / "fleet", "database": database, "rollout": rollout})
    app: App = build(
        settings,
        rewriter=rewriter,
        clock=LeapClock(START),
        health=health or ScriptedHealth(),
        work=InlineWork,
    )
    return app.campaign(write_migration(folder, text))


def states(campaign: Campaign) -> dict[str, TargetState]:
    return {target.repository: target.state for target in campaign.world().targets}


def test_each_owner_gets_a_pull_request_of_their_own(tmp_path: Path) -> None:
    campaign = campaign_of(tmp_path, {"mono": FILES, "small": {"q.sql": query(1)}})
    assert "mono//org.beta: " in "\n".join(words(plan(campaign), START))
    assert campaign.run().over
    assert states(campaign) == dict.fromkeys((*PARTS, "small"), DONE)
    for path in ("a/q.sql", "a/r.sql", "b/q.sql", "c.sql"):
        assert "users_v1" not in head_text(tmp_path / "fleet", "mono", path)
    found = {pull["key"]: pull["state"] for pull in pulls(tmp_path)}
    assert found == {f"users-v2/{name}/1": "merged" for name in (*PARTS, "small")}
    shown = status_document(status(campaign))["targets"]
    assert isinstance(shown, list)
    assert [(one["repository"], one["part"]) for one in shown] == [
        ("mono", "alpha"),
        ("mono", "no-owner"),
        ("mono", "org.beta"),
        ("small", None),
    ]
    rows = ledger_document("users-v2", ledger_rows(campaign))["consumers"]
    assert isinstance(rows, list)
    assert [(row["repository"], row["part"], row["path"], row["state"]) for row in rows] == [
        ("mono", "alpha", "a/q.sql", "migrated"),
        ("mono", "alpha", "a/r.sql", "migrated"),
        ("mono", "no-owner", "c.sql", "migrated"),
        ("mono", "org.beta", "b/q.sql", "migrated"),
        ("small", None, "q.sql", "migrated"),
    ]
    assert retire(campaign).unread


def test_the_settings_name_what_is_shared_and_who_owns_all_of_one_gets_one_target(tmp_path: Path) -> None:
    alone = {"CODEOWNERS": "* @alpha\n", "q.sql": query(1), "r.sql": query(2)}
    files = {"mono": FILES, "alone": alone, "other": FILES}
    campaign = campaign_of(tmp_path, files, text=MIGRATION, split=["mono", "alone"])
    campaign.start()
    assert campaign.scan() == 5
    assert set(states(campaign)) == {*PARTS, "alone", "other"}


def test_a_part_that_is_unhealthy_is_taken_back_and_its_siblings_stay(tmp_path: Path) -> None:
    class Sick(ScriptedHealth):
        """Everything works until the second merge."""

    health = Sick()
    campaign = campaign_of(tmp_path, {"mono": FILES}, health=health)
    merged = 0

    def watch(_: object) -> None:
        nonlocal merged
        now = sum(state is DONE for state in states(campaign).values())
        if now > merged:
            merged = now
            health.sick = {"mono"} if merged == 1 else set()

    campaign.run(on_tick=watch)
    ended = states(campaign)
    first = next(name for name, state in ended.items() if state is DONE)
    forge = EmbeddedForge(tmp_path / "fleet")
    reverts = [pull for pull in forge.pull_requests("mono") if pull.reverts]
    assert reverts
    assert all(pull.state is PullRequestState.MERGED for pull in reverts)
    path = {"mono//alpha": "a/q.sql", "mono//no-owner": "c.sql", "mono//org.beta": "b/q.sql"}[first]
    assert "users_v1" not in head_text(tmp_path / "fleet", "mono", path)


def test_a_reader_that_gets_another_owner_moves_when_its_open_change_is_over(tmp_path: Path) -> None:
    text = SPLIT.replace("verified", "never").replace("[1, 50%, 100%]", "[100%]")
    campaign = campaign_of(tmp_path, {"mono": FILES}, text=text)
    campaign.run()
    assert states(campaign) == dict.fromkeys(PARTS, TargetState.PROPOSED)
    push(tmp_path / "fleet", "mono", {"CODEOWNERS": (OWNERS + "/a/r.sql @new\n").encode()})
    campaign.run()
    assert readers(campaign)["a/r.sql"] == ("mono//alpha", "proposed")  # it stands in an open change
    Overrides(campaign, actor="ann").skip("mono//alpha", "not now")
    campaign.run()
    campaign.run()
    assert readers(campaign) == {
        "a/q.sql": ("mono//alpha", "skipped"),
        "a/r.sql": ("mono//new", "proposed"),
        "b/q.sql": ("mono//org.beta", "proposed"),
        "c.sql": ("mono//no-owner", "proposed"),
    }
    assert len(ledger_rows(campaign)) == 4
    Overrides(campaign, actor="ann").approve(everything=True)
    campaign.run()
    assert readers(campaign)["a/r.sql"] == ("mono//new", "migrated")
    assert "users_v1" in head_text(tmp_path / "fleet", "mono", "a/q.sql")


def readers(campaign: Campaign) -> dict[str, tuple[str, str]]:
    return {row.path: (row.repository, row.state) for row in ledger_rows(campaign)}


PROGRAMS = {
    "CODEOWNERS": "/lib/ @lib\n/jobs/ @jobs\n/sql/ @sql\n",
    "lib/tables.py": 'USERS = "prod.core.users_v1"\n',
    "jobs/daily.py": "from lib.tables import USERS\n\ndf = spark.table(USERS).select('user_id')\n",
    "jobs/weekly.py": "from lib.tables import USERS\n\ndf = spark.table(USERS).select('user_id')\n",
    "sql/report.sql": "SELECT user_id FROM prod.core.users_v1\n",
}


def test_files_that_change_together_stay_together_and_the_pull_request_says_why(tmp_path: Path) -> None:
    text = SPLIT.replace("bigquery", "spark").replace("FLOAT64", "DOUBLE")
    campaign = campaign_of(tmp_path, {"mono": PROGRAMS}, text=text, rewriter=rewrite_tree)
    campaign.start()
    campaign.scan()
    assert set(states(campaign)) == {"mono//jobs", "mono//sql"}
    sources = campaign.fleet.sources("mono//jobs", campaign.migration)
    assert sources.wanted == {"lib/tables.py", "jobs/daily.py", "jobs/weekly.py"}
    assert "1 file of other owners goes with it, to change together: lib/tables.py" in sources.note
    other = campaign.fleet.sources("mono//sql", campaign.migration)
    assert other.wanted == {"sql/report.sql"}
    assert not other.note


def test_parts_of_a_repository_on_a_hosted_forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with GitHubServer(tmp_path / "server") as server:
        files = {path: text.encode() for path, text in FILES.items() if path != "c.sql"}
        server.hub.add("shop/mono", files, access={BOT: "write", "alpha": "write"})
        monkeypatch.setenv(TOKEN, server.hub.token(BOT))
        app = make_app(tmp_path, server.url, kind="github")
        campaign = run(tmp_path, app, SPLIT)
        assert states(campaign) == {"shop/mono//alpha": DONE, "shop/mono//org.beta": DONE}
        for path in ("a/q.sql", "a/r.sql", "b/q.sql"):
            assert "account_id AS user_id" in head_of(server, "shop/mono", path)
        pulls = server.hub.repos["shop/mono"].pulls.values()
        assert sorted((pull.head, pull.merged_at is not None) for pull in pulls) == [
            ("greylag/users-v2.alpha", True),
            ("greylag/users-v2.org.beta", True),
        ]
        assert retire(campaign).unread


DBT = {
    "CODEOWNERS": "/models/a/ @alpha\n/models/b/ @beta\n/models/sources.yml @core\n",
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: x\n",
    "models/sources.yml": "version: 2\nsources:\n  - name: core\n    schema: core\n    tables:\n"
    "      - name: users_v1\n        columns:\n          - name: user_id\n            tests: [not_null]\n",
    "models/a/x.sql": "select user_id from {{ source('core', 'users_v1') }}\n",
    "models/b/y.sql": "select user_id, country from {{ source('core', 'users_v1') }}\n",
}
NAMED = """\
ref:
  prod.core.users_v1: [{dbt: "source('core', 'users_v1')"}]
  prod.core.users_v2: [{dbt: "source('core', 'users_v2')"}]
rollout:
"""


def test_a_list_that_parts_share_follows_the_last_of_them(tmp_path: Path) -> None:
    text = (
        SPLIT.replace("rollout:\n", NAMED).replace("[1, 50%, 100%]", "[100%]").replace("verified", "proven")
    )
    campaign = campaign_of(tmp_path, {"mono": DBT}, text=text, rewriter=rewrite_tree)
    assert campaign.run().over
    assert readers(campaign) == {
        "models/a/x.sql": ("mono//alpha", "migrated"),
        "models/b/y.sql": ("mono//beta", "migrated"),
        "models/sources.yml": ("mono//core", "migrated"),
    }
    declared = head_text(tmp_path / "fleet", "mono", "models/sources.yml")
    assert "- name: account_id\n            tests: [not_null]" in declared
    assert retire(campaign).unread
