"""Questions: asked once, answered once whichever way, kept in the migration file, replayed to who waits."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, START, make_app, make_fleet, query, write_migration
from typer.testing import CliRunner

from greylag.app import App
from greylag.cli.main import app as cli
from greylag.domain.errors import UsageError
from greylag.domain.question import Place, QuestionKind, question_key
from greylag.domain.target import TargetState
from greylag.engine import questions
from greylag.engine.campaign import Campaign
from greylag.engine.overrides import Overrides
from greylag.engine.report import events
from greylag.engine.report import questions as rows
from greylag.engine.work import InlineWork

SCORE = "prod.core.users_v1.score"
ASKED = "Does the report need closed accounts?"
KEY = question_key(ASKED)
ASKING = query(3).replace("user_id", "score")


def open_one(folder: Path, text: str = MIGRATION, **files: dict[str, str]) -> tuple[App, Campaign]:
    make_fleet(folder / "fleet", files or {"plain": {"p.sql": query(1)}, "ask": {"a.sql": ASKING}})
    path = write_migration(folder, text)
    app = make_app(folder, work=InlineWork)
    return app, app.campaign(path)


def again(app: App, folder: Path) -> Campaign:
    """Another process on the same file and database."""
    return app.campaign(str(folder / "users-v2.migration.yaml"))


def ask(campaign: Campaign, text: str = ASKED, *repositories: str, options: tuple[str, ...] = ()) -> None:
    """What an agent's question is in our tables."""
    with campaign.store.write() as session:
        key = question_key(text)
        for repository in repositories or ("ask",):
            place = Place(repository=repository, path="a.sql", line=3)
            questions.remember(session, campaign.name, key, text, START, options=options, asked_by=(place,))
            target = session.target(campaign.name, repository)
            assert target is not None
            assert session.change(
                campaign.name, target, START, state=TargetState.AGENT.value, questions=[key], reason="asks"
            )


def file_of(folder: Path) -> str:
    return (folder / "users-v2.migration.yaml").read_text()


def states(campaign: Campaign) -> dict[str, str]:
    return {target.repository: target.state.value for target in campaign.world().targets}


def test_an_answer_is_written_into_the_file_and_nothing_else_moves(tmp_path: Path) -> None:
    app, campaign = open_one(tmp_path, MIGRATION + "# the end\n")
    campaign.run()
    before = campaign.world().source
    report = Overrides(campaign, "kim").answer(SCORE, "CAST(NULL AS FLOAT64)")
    assert report.done == {SCORE: "answered 'CAST(NULL AS FLOAT64)'; ask goes on with it"}
    assert report.notes[SCORE].startswith("kept in ")
    added = f"answers:\n  {SCORE}: CAST(NULL AS FLOAT64)\n"
    assert file_of(tmp_path) == MIGRATION + added + "# the end\n"
    later = again(app, tmp_path)
    assert later.world().source == before
    merged = {t.repository: t.seq for t in later.world().targets if t.repository == "plain"}
    later.run()
    assert {t.repository: t.seq for t in later.world().targets if t.repository == "plain"} == merged
    assert states(later) == {"ask": "done", "plain": "done"}


def test_what_waits_on_nothing_is_not_rewritten_for_an_answer(tmp_path: Path) -> None:
    text = MIGRATION.replace("merge: verified", "merge: never")
    app, campaign = open_one(tmp_path, text, p1={"p.sql": query(1)}, ask={"a.sql": ASKING})
    campaign.run()
    assert states(campaign) == {"p1": "proposed", "ask": "waiting_answer"}
    Overrides(campaign, "kim").answer(SCORE, "1.5")
    later = again(app, tmp_path)
    later.run()
    rewritten = [e.repository for e in events(later) if e.kind.value == "rewritten"]
    assert rewritten == ["p1", "ask"]


def test_a_new_database_uses_what_the_file_says(tmp_path: Path) -> None:
    text = MIGRATION + f'answers:\n  {SCORE}: "1.5"\n  {KEY}: {{question: "{ASKED}", answer: "no"}}\n'
    _, campaign = open_one(tmp_path, text)
    campaign.run()
    assert states(campaign) == {"ask": "done", "plain": "done"}
    with campaign.store.read() as session:
        assert questions.answers_for_brief(session, campaign.name) == {ASKED: "no"}
        assert questions.unanswered(session, campaign.name, [KEY, SCORE, "q-000000000000"]) == (
            "q-000000000000",
        )
    with campaign.store.write() as session:
        assert (
            questions.remember(session, campaign.name, KEY, "does the report need closed accounts", START)
            == "no"
        )


def test_an_answer_written_by_hand_reaches_who_waits(tmp_path: Path) -> None:
    app, campaign = open_one(tmp_path)
    campaign.run()
    assert states(campaign)["ask"] == "waiting_answer"
    write_migration(tmp_path, MIGRATION + f"answers: {{{SCORE}: '2.5'}}\n")
    later = again(app, tmp_path)
    later.run()
    assert states(later)["ask"] == "done"
    (row,) = rows(later)
    assert (row.answer, row.answered_by) == ("2.5", questions.IN_FILE)


def test_another_answer_in_the_file_reaches_patches_made_with_the_first(tmp_path: Path) -> None:
    text = MIGRATION.replace("merge: verified", "merge: never")
    app, campaign = open_one(tmp_path, text + f"answers: {{{SCORE}: '1.5'}}\n")
    campaign.run()
    first = {t.repository: t.digest for t in campaign.world().targets}
    write_migration(tmp_path, text + f"answers: {{{SCORE}: '2.5'}}\n")
    later = again(app, tmp_path)
    later.run()
    second = {t.repository: t.digest for t in later.world().targets}
    assert second["plain"] == first["plain"]
    assert second["ask"] != first["ask"]


@pytest.mark.parametrize("given", ["", f"answers: {{{SCORE}: '1.5'}}\n"])
def test_an_answer_given_anew_reaches_patches_made_with_the_first(tmp_path: Path, given: str) -> None:
    text = MIGRATION.replace("merge: verified", "merge: never")
    app, campaign = open_one(tmp_path, text + given)
    campaign.run()
    if not given:
        Overrides(campaign, "kim").answer(SCORE, "1.5")
        campaign.run()
    first = next(t for t in campaign.world().targets if t.repository == "ask")
    Overrides(campaign, "kim").answer(SCORE, "2.5", again=True)
    campaign.run()  # the process that read the file with the first answer, or none
    second = next(t for t in campaign.world().targets if t.repository == "ask")
    assert first.digest != second.digest
    assert f"{SCORE}: '2.5'" in file_of(tmp_path)
    later = again(app, tmp_path)
    later.run()
    assert next(t for t in later.world().targets if t.repository == "ask").digest == second.digest


def test_an_answer_taken_out_of_the_file_is_asked_again(tmp_path: Path) -> None:
    text = MIGRATION.replace("merge: verified", "merge: never")
    app, campaign = open_one(tmp_path, text + f"answers: {{{SCORE}: '1.5'}}\n")
    campaign.run()
    write_migration(tmp_path, text)
    later = again(app, tmp_path)
    later.run()
    assert states(later)["ask"] == "waiting_answer"
    assert [row.answer for row in rows(later)] == [None]


def test_a_column_that_is_mapped_meanwhile_needs_no_answer(tmp_path: Path) -> None:
    app, campaign = open_one(tmp_path)
    campaign.run()
    Overrides(campaign, "kim").answer(SCORE, "1.5", file=False)
    assert file_of(tmp_path) == MIGRATION
    text = MIGRATION.replace("    unmapped:\n      score: Gone in v2. Is it still needed?\n", "")
    write_migration(tmp_path, text.replace("land AS country", "land AS country, 9.5 AS score"))
    migration, _ = again(app, tmp_path).compiled()
    assert migration.mappings[0].unmapped == {}


@pytest.mark.parametrize("reason", ["read-only", "another migration", "does not compile", "no such file"])
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, reason: str) -> None:
    _, campaign = open_one(tmp_path)
    campaign.run()
    path = tmp_path / "users-v2.migration.yaml"
    if reason == "read-only":
        path.chmod(0o444)
    elif reason == "another migration":
        path.write_text(MIGRATION.replace("land AS country", "upper(land) AS country"))
    elif reason == "does not compile":
        path.write_text(MIGRATION.replace("SELECT account_id", "SELECT nowhere"))
    else:
        path.unlink()
    known = path.read_text() if path.exists() else None
    report = Overrides(campaign, "kim").answer(SCORE, "1.5")
    assert list(report.done) == [SCORE]
    assert reason in report.notes[SCORE]
    assert "the answer stands in the database" in report.notes[SCORE]
    assert (path.read_text() if path.exists() else None) == known
    assert [other.name for other in tmp_path.iterdir() if other.name.startswith(".users")] == []
    campaign.run()
    assert states(campaign)["ask"] == "done"


def test_two_answers_by_one_process_both_stay_in_the_file(tmp_path: Path) -> None:
    _, campaign = open_one(tmp_path)
    campaign.start()
    campaign.scan()
    ask(campaign)
    with campaign.store.write() as session:
        questions.remember(session, campaign.name, SCORE, "Gone?", START, kind="column")
    Overrides(campaign, "kim").answer(KEY, "no")
    Overrides(campaign, "kim").answer(SCORE, "1.5")
    assert f"{KEY}:\n    question: {ASKED}\n    answer: no" in file_of(tmp_path).replace("'no'", "no")
    assert f"{SCORE}: '1.5'" in file_of(tmp_path)


def test_without_the_file_only_where_the_file_says_nothing_else(tmp_path: Path) -> None:
    _, campaign = open_one(tmp_path, MIGRATION + f"answers: {{{SCORE}: '1.5'}}\n")
    campaign.run()
    with pytest.raises(UsageError, match="what stands there wins"):
        Overrides(campaign, "kim").answer(SCORE, "2.5", again=True, file=False)


def test_an_agents_question_is_one_for_all_and_its_answer_reaches_all(tmp_path: Path) -> None:
    _, campaign = open_one(tmp_path, MIGRATION, a1={"a.sql": query(1)}, a2={"a.sql": query(2)})
    campaign.start()
    campaign.scan()
    ask(campaign, ASKED, "a1", options=("Yes", "No"))
    ask(
        campaign,
        "a.sql:7: does the report need *closed* accounts".replace("*", "`"),
        "a2",
        options=("No", "Some"),
    )
    (row,) = rows(campaign)
    assert (row.key, row.text, row.kind, row.options) == (KEY, ASKED, "agent", ("Yes", "No", "Some"))
    assert [str(place) for place in row.places] == ["a1: a.sql:3", "a2: a.sql:3"]
    assert row.targets == ("a1", "a2")
    report = Overrides(campaign, "kim", via="portal").answer(KEY, "no")
    assert report.done == {KEY: "answered 'No'; 2 targets go on with it"}
    said = [event for event in events(campaign) if event.kind.value == "answered"]
    assert [(event.actor, event.data["via"], event.data["answer"]) for event in said] == [
        ("kim", "portal", "No")
    ]
    assert campaign.compiled()[0] is campaign.migration, "words never become part of the mapping"


@pytest.mark.parametrize("value", ["", "  ", "x" * 4001, "a\x1b[31mb", "a\u202eb"])
def test_words_that_are_no_answer(tmp_path: Path, value: str) -> None:
    _, campaign = open_one(tmp_path)
    campaign.start()
    campaign.scan()
    ask(campaign)
    with pytest.raises(UsageError, match="the answer"):
        Overrides(campaign, "kim").answer(KEY, value)
    assert "answers:" not in file_of(tmp_path)


def test_wrong_sql_and_wrong_keys_are_refused(tmp_path: Path) -> None:
    _, campaign = open_one(tmp_path)
    campaign.run()
    with pytest.raises(UsageError, match=r"is no answer to .* not valid bigquery SQL"):
        Overrides(campaign, "kim").answer(SCORE, "1 +")
    with pytest.raises(UsageError, match="did you mean"):
        Overrides(campaign, "kim").answer(SCORE.upper().lower() + "x", "1")
    with pytest.raises(UsageError, match=f"open questions: {SCORE}"):
        Overrides(campaign, "kim").answer("q-aaaaaaaaaaaa", "1")
    assert [row.answer for row in rows(campaign)] == [None]


def test_a_question_must_belong_to_its_key(tmp_path: Path) -> None:
    _, campaign = open_one(tmp_path)
    with campaign.store.write() as session, pytest.raises(UsageError, match="not the key"):
        questions.remember(session, campaign.name, KEY, "Another one?", START, kind=QuestionKind.AGENT)
    odd = "Is \x1b[2J it\u202e gone?"
    with campaign.store.write() as session:
        questions.remember(session, campaign.name, question_key(odd), odd, START + timedelta(1))
        assert "U+001B" in questions.every(session, campaign.name)[question_key(odd)].text


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, campaign = open_one(tmp_path)
    campaign.run()
    ask(campaign, ASKED, "ask", options=("yes", "no"))
    (tmp_path / "greylag.yaml").write_text("fleet: fleet\n")
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    shown = runner.invoke(cli, ["questions", "users-v2"])
    assert shown.exit_code == 1
    assert (
        f"{KEY}: {ASKED}\n  - yes\n  - no\n  an agent asks; open; 1 target: ask\n  at ask: a.sql:3\n"
        in shown.output
    )
    assert f"greylag answer users-v2 {KEY} VALUE   (VALUE: in your words)" in shown.output
    document = json.loads(runner.invoke(cli, ["questions", "users-v2", "--json"]).output)
    found = {row["key"]: row for row in document["questions"]}
    assert found[KEY]["kind"] == "agent"
    assert found[KEY]["places"] == [{"repository": "ask", "path": "a.sql", "line": 3, "part": None}]
    assert found[SCORE]["kind"] == "column"
    done = runner.invoke(cli, ["answer", "users-v2", KEY, "Yes", "--actor", "kim"])
    assert done.exit_code == 0
    assert "kept in " in done.output
    assert runner.invoke(cli, ["answer", "users-v2", KEY, "no"]).exit_code == 1
    assert "answered 'yes' by kim" in runner.invoke(cli, ["questions", "users-v2"]).output
