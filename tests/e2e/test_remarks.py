"""Answers by comments on pull requests: once each, from those who may, and when a process dies meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.campaigns import MIGRATION, START, make_app, make_fleet, query, write_migration

from greylag.app import App
from greylag.domain.question import question_key
from greylag.engine import questions
from greylag.engine.campaign import Campaign
from greylag.engine.report import events
from greylag.engine.report import questions as rows
from greylag.engine.work import InlineWork
from greylag.forge import EmbeddedForge, ForgeError, PullRequest, Remarks

SCORE = "prod.core.users_v1.score"
ASKED = "Keep closed accounts, @all?"
KEY = question_key(ASKED)
ASKING = query(3).replace("user_id", "score")
WAITING = MIGRATION.replace("merge: verified", "merge: never")


class Killed(BaseException):
    """The process dies here."""


class Forge(EmbeddedForge):
    """Counts what it is asked, and dies or fails when it is told to."""

    def __init__(self, root: Path, **settings: Any) -> None:
        super().__init__(root, **settings)
        self.asked: list[str] = []
        self.dies = self.fails = False

    def say_at(self, now: datetime) -> None:
        """From now on, people say something now."""
        self._clock = lambda: now

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        self.asked.append("remarks")
        if self.fails:
            raise ForgeError("no answer from the forge")
        return super().remarks(repositories, since)

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        self.asked.append("comment")
        if self.dies:
            raise Killed
        return super().comment(repository, number, key=key, body=body)


def opened(folder: Path) -> tuple[App, Campaign, Forge, PullRequest]:
    """A campaign with one open pull request, a question about a column and one of an agent."""
    make_fleet(folder / "fleet", {"plain": {"p.sql": query(1)}, "ask": {"a.sql": ASKING}})
    write_migration(folder, WAITING)
    forge = Forge(folder / "fleet", clock=lambda: START)
    app = make_app(folder, work=InlineWork, forge=forge)
    campaign = again(app, folder)
    campaign.run()
    with campaign.store.write() as session:
        questions.remember(session, campaign.name, KEY, ASKED, START, options=("yes", "no"))
    (pull,) = forge.pull_requests()
    assert pull.repository == "plain"
    return app, campaign, forge, pull


def again(app: App, folder: Path) -> Campaign:
    return app.campaign(str(folder / "users-v2.migration.yaml"))


def say(forge: Forge, pull: PullRequest, body: str, *, author: str = "kim", may_write: bool = True) -> None:
    forge.say(pull.repository, pull.number, author=author, body=body, may_write=may_write)


def replies(forge: Forge, pull: PullRequest) -> list[str]:
    return [
        one.body for one in forge.get(pull.repository, pull.number).comments if one.key.startswith("reply:")
    ]


def test_an_answer_by_comment_goes_the_way_of_every_other(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, f"Fine.\n\n/greylag answer {SCORE} `CAST(NULL AS FLOAT64)`\n/greylag answer {KEY} Yes\n")
    again(app, tmp_path).run()
    found = {row.key: (row.answer, row.answered_by) for row in rows(campaign)}
    assert found == {SCORE: ("CAST(NULL AS FLOAT64)", "kim"), KEY: ("yes", "kim")}
    (reply,) = replies(forge, pull)
    assert f"`{SCORE}`: answered 'CAST(NULL AS FLOAT64)'; ask goes on with it." in reply
    assert "kept in users-v2.migration.yaml" in reply
    assert str(tmp_path) not in reply
    text = (tmp_path / "users-v2.migration.yaml").read_text()
    assert f"  {SCORE}: CAST(NULL AS FLOAT64)\n" in text
    states = {t.repository: t.state.value for t in campaign.world().targets}
    assert states["ask"] != "waiting_answer"
    (told, _) = [event for event in events(campaign) if event.kind.value == "answered"]
    assert (told.actor, told.data["via"]) == ("kim", f"pull request {pull.number} of plain")


def test_each_comment_is_acted_on_once(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, f"/greylag answer {KEY} yes")
    for _ in range(3):
        again(app, tmp_path).run()
    with campaign.store.write() as session:  # a forge may say a comment again: one that was edited
        session.connection.exec_driver_sql("DELETE FROM remark_marks")
    again(app, tmp_path).run()
    assert len(replies(forge, pull)) == 1
    assert len([event for event in events(campaign) if event.kind.value == "answered"]) == 1


def test_a_process_that_dies_before_its_reply(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, f"/greylag answer {SCORE} 1.5")
    forge.dies = True
    with pytest.raises(Killed):
        again(app, tmp_path).run()
    assert replies(forge, pull) == []
    assert rows(campaign)[-1].answer == "1.5"
    forge.dies = False
    for _ in range(2):
        again(app, tmp_path).run()
    (reply,) = replies(forge, pull)
    assert f"`{SCORE}`: answered '1.5'; ask goes on with it." in reply
    assert len([event for event in events(campaign) if event.kind.value == "answered"]) == 1
    assert f"{SCORE}: '1.5'" in (tmp_path / "users-v2.migration.yaml").read_text()


def test_only_who_may_write_there(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, f"/greylag answer {KEY} yes", author="eve", may_write=False)
    again(app, tmp_path).run()
    assert {row.answer for row in rows(campaign)} == {None}
    (reply,) = replies(forge, pull)
    assert reply.startswith("Only people who may write to this repository can answer or decide here")


def test_a_wrong_command_gets_a_reply_that_helps(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, f"/greylag answer {SCORE}x 1\n/greylag answer {SCORE} 1 +\n/greylag answer {KEY}")
    again(app, tmp_path).run()
    assert {row.answer for row in rows(campaign)} == {None}
    (reply,) = replies(forge, pull)
    assert f"`{SCORE}x` was not asked; did you mean `{SCORE}`?" in reply
    assert f"- `{KEY}`: `{ASKED}` (`yes` / `no`)" in reply, "what others wrote mentions nobody"
    assert "not valid bigquery SQL" in reply
    assert f"Not understood: `/greylag answer {KEY}`" in reply


def test_what_was_answered_is_not_answered_again_by_a_comment(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, f"/greylag answer {KEY} yes")
    say(forge, pull, f"/greylag answer {KEY} no", author="bob")
    again(app, tmp_path).run()
    assert next(row for row in rows(campaign) if row.key == KEY).answer == "yes"
    assert "was answered already by kim: `yes`" in replies(forge, pull)[-1]


def test_our_own_words_command_nothing(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    forge.comment(pull.repository, pull.number, key="x", body=f"/greylag answer {KEY} yes")
    again(app, tmp_path).run()
    assert {row.answer for row in rows(campaign)} == {None}
    assert replies(forge, pull) == []


def test_one_question_to_the_forge_a_tick_and_none_without_pull_requests(tmp_path: Path) -> None:
    app, _campaign, forge, _ = opened(tmp_path)
    forge.asked.clear()
    outcome = again(app, tmp_path).run()
    assert forge.asked.count("remarks") <= outcome.ticks
    assert forge.asked.count("comment") == 0
    make_fleet(tmp_path / "other" / "fleet", {"ask": {"a.sql": ASKING}})
    write_migration(tmp_path / "other", WAITING)
    quiet = Forge(tmp_path / "other" / "fleet")
    make_app(tmp_path / "other", work=InlineWork, forge=quiet).campaign(
        str(tmp_path / "other" / "users-v2.migration.yaml")
    ).run()
    assert quiet.asked == []


def test_a_forge_that_cannot_be_read_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, f"/greylag answer {SCORE} 1.5")
    forge.fails = True
    deaf = again(app, tmp_path)
    assert not deaf.run().over
    assert not deaf.run().over
    said = [event for event in events(campaign) if "no answer from the forge" in event.message]
    assert len(said) == 1
    forge.fails = False
    deaf.run()
    assert rows(campaign)[-1].answer == "1.5"


def state(campaign: Campaign, repository: str = "plain") -> tuple[str, str]:
    (found,) = (one for one in campaign.world().targets if one.repository == repository)
    return found.state.value, found.reason


DECIDED = {
    "skip": (
        "/greylag skip because it is @frozen until May",
        ("skipped", "skipped by kim: it is @frozen until May"),
        "`skip`: skipped.",
    ),
    "take": ("/greylag take", ("handed_over", "taken by kim"), "`take`: yours now."),
    "approve": ("/greylag approve", ("done", ""), "`approve`: approved: it merges"),
    "retry": ("/greylag retry because of main", ("proposed", ""), "`retry`: rewritten again."),
}


@pytest.mark.parametrize("name", DECIDED)
def test_what_is_decided_by_comment(tmp_path: Path, name: str) -> None:
    body, (expected, reason), answer = DECIDED[name]
    app, campaign, forge, pull = opened(tmp_path)
    forge.say_at(app.clock.now())
    say(forge, pull, f"> {body}\n\n```\n{body}\n```\n", author="bob")
    say(forge, pull, body)
    again(app, tmp_path).run()
    now, why = state(campaign)
    assert (now, why if reason else "") == (expected, reason)
    (reply,) = replies(forge, pull)
    assert answer in reply
    (told,) = (event for event in events(campaign) if event.kind.value == "override")
    assert (told.actor, told.data["command"]) == ("kim", name)
    again(app, tmp_path).run()
    assert len(replies(forge, pull)) == 1, "once"


REFUSED = {
    "/greylag skip": "`skip`: not done: say why",
    "/greylag retry tomorrow": "Not understood: `/greylag retry tomorrow`.",
    "/greylag merge": "Not understood: `/greylag merge`.",
    "/greylag help": "A command stands on a line of its own",
}


def test_what_is_not_done_is_told_and_how_it_is_said(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    for body in REFUSED:
        say(forge, pull, body)
    say(forge, pull, "/greylag nonsense\n/greylag more nonsense")
    say(forge, pull, "/greylag take", author="dependabot[bot]")
    say(forge, pull, "/greylag take", author="eve", may_write=False)
    again(app, tmp_path).run()
    found = replies(forge, pull)
    for words in REFUSED.values():
        assert len([one for one in found if one.startswith(words)]) == 1, words
    (twice,) = (one for one in found if "more nonsense" in one)
    assert twice.count("A command stands on a line") == 1
    assert len(found) == len(REFUSED) + 2
    assert state(campaign)[0] == "proposed", "nothing was done"


def test_nobody_approves_what_they_did_not_see(tmp_path: Path) -> None:
    app, campaign, forge, pull = opened(tmp_path)
    say(forge, pull, "/greylag approve")  # the forge's clock says that this was before it was proposed
    again(app, tmp_path).run()
    assert state(campaign)[0] == "proposed"
    assert "brought up to date after that was written" in replies(forge, pull)[0]
