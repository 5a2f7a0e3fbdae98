"""Templates of branches, pull requests and commits: tried before they are used, and trailers always stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.campaigns import (
    MIGRATION,
    START,
    ScriptedHealth,
    make_fleet,
    query,
    rule_rewriter,
    write_migration,
)

from greylag.app import build, load_settings
from greylag.domain.errors import FileFaults
from greylag.domain.migration import Templates
from greylag.domain.target import TargetState
from greylag.engine.clock import LeapClock
from greylag.engine.describe import agent_message, branch, commit_message, title
from greylag.engine.explain import plan
from greylag.engine.plan_words import words
from greylag.engine.work import InlineWork
from greylag.engine.world import Target
from greylag.forge import EmbeddedForge
from greylag.mapping import load_migration_text
from greylag.workspace import Repository

TARGET = Target(repository="shop/etl", state=TargetState.FOUND, owners=("@data",), context="a: b\nc")
WRONG = {
    "title: '{{ nobody }}'": "'nobody' is undefined; known names: migration",
    "title: '{{ migration'": "the template of the title",
    "title: '{% if attempt > 5 %}x{% endif %}'": "gives an empty text",
    "title: '{{ migration.__class__ }}'": "the template of the title",
    "title: '{{ \"x\" * 300 }}'": "gives more than 250 characters",
    "title: '{{ 1 / 0 }}'": "ZeroDivisionError",
    "body: '{% for n in range(9 ** 9) %}{{ n }}{% endfor %}'": "OverflowError",
    "branch: fixed": "the same name for two migrations",
    "branch: 'greylag/{{ migration }}'": "two attempts",
    "branch: '{{ migration }}{{ attempt }}'": "apart from each other",
    "branch: 'a b {{ migration }} {{ attempt }}'": "no name of a branch",
    "branch: '{{ migration }}..{{ attempt }}'": "no name of a branch",
    "branch: '-{{ migration }}-{{ attempt }}'": "no name of a branch",
    "subject: x": "`subject` is not a setting",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_one_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "greylag.yaml"
    file.write_text(f"fleet: fleet\nforge:\n  templates:\n    {line}\n")
    with pytest.raises(FileFaults) as error:
        load_settings(file)
    assert str(error.value).startswith(f"{file}:4:5: ")
    assert WRONG[line] in str(error.value)
    text = MIGRATION + f"  templates:\n    {line}\n"
    with pytest.raises(FileFaults, match=r"m\.yaml:18:"):
        load_migration_text(text, path="m.yaml", base=Path())


def test_words() -> None:
    migration = load_migration_text(MIGRATION, path="m.yaml", base=Path())
    plain = commit_message(migration, TARGET)
    assert plain.endswith("\n\nGreylag-Migration: users-v2\nGreylag-Attempt: 1\n")
    assert branch("m", 1) == "greylag/m" and branch("m", 3) == "greylag/m_3"
    chosen = Templates(
        branch="team/{{ repository }}/{{ default }}",
        title="DATA-7: {{ default }}\n",
        commit="chore: {{ old | join(',') }} {{ new[0] }}\n\n{{ default }}\n\nTicket: DATA-7",
    )
    assert branch("m", 2, chosen, repository="shop/etl") == "team/shop/etl/greylag/m_2"
    assert title(migration, TARGET, chosen) == f"DATA-7: {title(migration, TARGET)}"
    message = commit_message(migration, TARGET, chosen)
    assert message.startswith("chore: users_v1 users_v2\n\nRead ")
    ending = "\n\nTicket: DATA-7\nGreylag-Migration: users-v2\nGreylag-Attempt: 1\n"
    assert message.endswith(ending), "one paragraph of trailers"
    forged = Templates(commit="x\n\nGreylag-Migration: other")
    assert agent_message(migration, TARGET, forged).splitlines()[2:] == [
        "Greylag-Migration: other",
        "Greylag-Author: agent",
        "Greylag-Migration: users-v2",
        "Greylag-Attempt: 1",
    ]


def test_they_make_no_patch_outdated() -> None:
    bare = load_migration_text(MIGRATION, path="m.yaml", base=Path())
    text = MIGRATION + "  templates: {title: x}\n"
    worded = load_migration_text(text, path="m.yaml", base=Path())
    assert (worded.rollout.templates.title, worded.basis) == ("x", bare.basis)
    assert replace(worded.rollout, templates=bare.rollout.templates) == bare.rollout


SETTINGS = """\
fleet: fleet
forge:
  templates:
    branch: "change/{{ migration }}/{{ attempt }}"
    title: "[data] {{ default }}"
    body: "For {{ owners | join(', ') or 'nobody' }}.\\n\\n{{ default }}"
    commit: "fix: {{ default }}"
"""


def test_a_campaign_in_words_of_their_own(tmp_path: Path) -> None:
    make_fleet(tmp_path / "fleet", {"a": {"q.sql": query(1)}, "b": {"q.sql": query(2)}})
    settings = tmp_path / "greylag.yaml"
    settings.write_text(SETTINGS)
    file = write_migration(tmp_path, MIGRATION + "  templates: {title: '{{ migration }}: {{ default }}'}\n")

    def run(sick: set[str]) -> None:
        app = build(
            load_settings(settings),
            rewriter=rule_rewriter,
            clock=LeapClock(START),
            health=ScriptedHealth(sick=sick),
            work=InlineWork,
        )
        app.campaign(file).run()

    sample = plan(build(load_settings(settings), rewriter=rule_rewriter).campaign(file))
    assert sample.sample["branch"] == "change/users-v2/1"
    assert "  a: branch change/users-v2/1, “users-v2: Read users_v2 instead of users_v1”." in words(
        sample, START
    )
    run({"a"})
    forge = EmbeddedForge(tmp_path / "fleet")
    heads = {pull.head for pull in forge.pull_requests("a") if not pull.key.startswith("revert:")}
    assert heads == {"change/users-v2/1", "change/users-v2/2"}
    (pull,) = (one for one in forge.pull_requests("a") if one.key == "users-v2/a/1")
    assert pull.title == "users-v2: Read users_v2 instead of users_v1", "the migration's own goes first"
    assert pull.body.startswith("For nobody.\n\n`users-v2` moves")
    repo = Repository.open(tmp_path / "fleet" / "a.git")
    info = repo.info(pull.head_commit)
    assert info.message.startswith("fix: Read users_v2")
    assert info.trailers["Greylag-Migration"] == "users-v2"
    before = {pull.key: pull.number for pull in forge.pull_requests()}
    settings.write_text(SETTINGS.replace("change/", "other/"))
    run(set())
    after = forge.pull_requests()
    assert {pull.key: pull.number for pull in after}.items() >= before.items()
    assert len({pull.key for pull in after}) == len(after), "none is made twice under another branch"
