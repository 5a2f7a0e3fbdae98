"""Effects are performed with the migration that they belong to, whichever process is handed them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, head_text, make_app, make_fleet, pulls, query, write_migration

from greylag.app import App
from greylag.app.crew import Crew
from greylag.domain.errors import UsageError
from greylag.domain.target import TargetState
from greylag.engine.actions import EffectKind
from greylag.engine.campaign import Campaign
from greylag.engine.database import DatabaseAway
from greylag.engine.perform import Request
from greylag.engine.work import InlineWork

OTHER_VIEW = "upper(land) AS country"
OTHER = MIGRATION.replace("name: users-v2", "name: orders-v2").replace("land AS country", OTHER_VIEW)


@pytest.fixture
def app(tmp_path: Path) -> App:
    make_fleet(tmp_path / "fleet", {"r": {"q.sql": query(1)}})
    return make_app(tmp_path, work=InlineWork)


def crew_of(app: App) -> Crew:
    return Crew(app.store, app.clock, app._campaign)


def started(app: App, folder: Path, text: str, name: str) -> Campaign:
    path = folder / name
    path.write_text(text)
    campaign = app.campaign(str(path))
    campaign.start()
    campaign.scan()
    return campaign


def asked(campaign: Campaign, kind: EffectKind = EffectKind.REWRITE) -> Request:
    (target,) = campaign.world().targets
    return Request(kind=kind, migration=campaign.name, source=campaign.source, repository="r", seq=target.seq)


def test_an_effect_of_another_campaign_is_not_performed_with_ours(tmp_path: Path, app: App) -> None:
    ours = started(app, tmp_path, MIGRATION, "users-v2.migration.yaml")
    theirs = started(app, tmp_path, OTHER, "orders-v2.migration.yaml")
    crew = crew_of(app)
    crew.adopt(ours)
    assert crew.perform(asked(theirs))
    (target,) = theirs.world().targets
    assert target.state is TargetState.REWRITTEN
    assert target.source == theirs.source != ours.source
    (untouched,) = ours.world().targets
    assert untouched.state is TargetState.FOUND


def test_the_text_of_the_database_counts_not_a_file_of_this_machine(tmp_path: Path, app: App) -> None:
    campaign = started(app, tmp_path, MIGRATION, "users-v2.migration.yaml")
    write_migration(tmp_path, MIGRATION.replace("land AS country", OTHER_VIEW))
    crew = crew_of(app)
    assert crew.perform(asked(campaign))
    (target,) = campaign.world().targets
    assert target.source == campaign.source


def test_answers_are_those_of_the_database(tmp_path: Path, app: App) -> None:
    """The file said one thing when the campaign was started; a person has said another since."""
    from greylag.engine.overrides import Overrides

    text = MIGRATION + "answers:\n  prod.core.users_v1.score: '0.0'\n"
    campaign = started(app, tmp_path, text, "users-v2.migration.yaml")
    Overrides(campaign, actor="kim").answer("prod.core.users_v1.score", "1.5", again=True)
    crew = crew_of(app)
    crew.perform(asked(campaign))
    followed = crew._campaign("users-v2")
    assert followed is not None
    assert followed.compiled()[0].answers == campaign.compiled()[0].answers
    assert followed.compiled()[0].answers["prod.core.users_v1.score"] == "1.5"


def test_a_migration_that_cannot_be_read_here_is_the_targets_error(tmp_path: Path, app: App) -> None:
    campaign = started(app, tmp_path, MIGRATION, "users-v2.migration.yaml")

    def unreadable(text: str, path: str) -> Campaign:
        raise UsageError(f"{path}: a file that it includes is missing")

    assert not Crew(app.store, app.clock, unreadable).perform(asked(campaign))
    (target,) = campaign.world().targets
    assert (target.errors, target.state) == (1, TargetState.FOUND)
    assert "missing" in target.reason
    assert target.not_before is not None


def test_a_database_that_is_away_is_not_the_targets_error(tmp_path: Path, app: App) -> None:
    campaign = started(app, tmp_path, MIGRATION, "users-v2.migration.yaml")

    def away(text: str, path: str) -> Campaign:
        raise DatabaseAway(OSError("no route to host"))

    with pytest.raises(DatabaseAway):
        Crew(app.store, app.clock, away).perform(asked(campaign))
    (target,) = campaign.world().targets
    assert (target.errors, target.not_before) == (0, None)


def test_an_effect_of_no_campaign_is_dropped(app: App) -> None:
    request = Request(kind=EffectKind.MERGE, migration="gone", source="", repository="r", seq=1)
    assert not crew_of(app).perform(request)


def test_it_still_ends_where_it_should(tmp_path: Path, app: App) -> None:
    campaign = app.campaign(write_migration(tmp_path))
    assert campaign.run().over
    assert [pull["state"] for pull in pulls(tmp_path)] == ["merged"]
    assert "users_v2" in head_text(tmp_path / "fleet", "r", "q.sql")
