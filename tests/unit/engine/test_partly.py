"""What of an agent's changes is kept where the whole was not right; and what that says of its idioms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, OLD

from greylag.domain.agent import AttemptEnd, Changes, Leftover
from greylag.domain.check import Check, CheckStatus
from greylag.domain.consumer import Framework, Read
from greylag.domain.target import TargetState
from greylag.engine import agent_runs
from greylag.engine.checking import CalledOff, More, Verification, acceptable, verdict_of
from greylag.engine.database import connect, prepare
from greylag.engine.partly import accepted_part
from greylag.engine.pilots import NOT_DONE, outcomes
from greylag.engine.store import Store
from greylag.engine.world import Target
from greylag.mapping import load_migration_text

OLD_TEXT = "SELECT user_id FROM prod.core.users_v1\n"
RIGHT = b"SELECT account_id AS user_id FROM prod.core.users_v2\n"
WRONG = b"SELECT land AS user_id FROM prod.core.users_v2\n"
PATHS = ("a.sql", "b.sql", "c.sql")
READ = Read(dataset=OLD, line=1, column=1)


def check(good: bool, name: str = "guard:x") -> Check:
    status = CheckStatus.PASSED if good else CheckStatus.FAILED
    return Check(verifier=name, status=status, summary="fine" if good else "not fine")


def verification(others: More = lambda changes: ()) -> Verification:
    files = dict.fromkeys((*PATHS, "d.sql"), OLD_TEXT)
    return Verification(
        migration=load_migration_text(MIGRATION, path="m.yaml", base=Path()),
        original=files,
        before=files,
        leftovers=tuple(
            Leftover(path=path, framework=Framework.SQL, reads=(READ,), reasons=()) for path in PATHS
        ),
        guards=lambda changes: (check(True),),
        others=others,
        level="fast",
    )


def test_the_right_files_are_kept_with_their_proof() -> None:
    found = accepted_part(verification(), {"a.sql": RIGHT, "b.sql": WRONG, "c.sql": RIGHT})
    assert found is not None
    changes, judged = found
    assert sorted(changes) == ["a.sql", "c.sql"]
    assert sorted(judged.proofs) == ["a.sql", "c.sql"]
    assert acceptable(judged.checks)
    assert verdict_of(judged.checks).value in {"proven", "tested"}


def test_files_that_do_not_go_together_are_not_kept_together() -> None:
    def others(changes: Changes) -> tuple[Check, ...]:
        return (check(not {"a.sql", "b.sql"} <= set(changes), "project:pytest"),)

    found = accepted_part(verification(others), dict.fromkeys(PATHS, RIGHT))
    assert found is not None
    assert sorted(found[0]) == ["a.sql", "c.sql"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"a.sql": WRONG},
        {"a.sql": None},
        {"a.sql": RIGHT, "d.sql": RIGHT},
        {"a.sql": RIGHT, "test_a.py": b"pass\n"},
        {"a.sql": OLD_TEXT.encode()},
    ],
)
def test_nothing_is_kept(changes: Changes) -> None:
    assert accepted_part(verification(), changes) is None


def test_nothing_is_kept_that_the_repositorys_tests_refuse() -> None:
    refusing = verification(lambda changes: (check(False, "project:pytest"),))
    assert accepted_part(refusing, dict.fromkeys(PATHS, RIGHT)) is None


def test_a_new_file_and_one_put_back_are_not_proven() -> None:
    for path, text in (("new.sql", RIGHT), ("a.sql", OLD_TEXT.encode())):
        checks = [one for one in verification()({path: text}) if one.verifier == "equivalence"]
        assert [one.status for one in checks] == [CheckStatus.INCONCLUSIVE]


def test_checks_that_are_called_off_say_nothing() -> None:
    off = verification()
    off.over = lambda: True
    with pytest.raises(CalledOff):
        off({"a.sql": RIGHT})


def test_an_accepted_run_failed_at_what_it_left_over() -> None:
    idioms = {"a.sql": "one", NOT_DONE + "b.sql": "two", NOT_DONE + "c.sql": "one"}
    assert outcomes("accepted", idioms) == [("one", True), ("two", False)]
    assert outcomes("rejected", {"a.sql": "one"}) == [("one", False)]


def test_who_tries_again_does_not_get_the_part_of_before(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'db.sqlite'}")
    prepare(engine)
    target = Target(repository="r", state=TargetState.AGENT)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    with Store(engine).write() as session:
        for brief, path in (("part", NOT_DONE + "b.sql"), ("whole", "b.sql")):
            run = agent_runs.begin(session, "m", target, now, brief=brief, agent="a", model="m")
            agent_runs.end(session, run, now, AttemptEnd.ACCEPTED, "", idioms={"a.sql": "one", path: "two"})
        assert session.records("m")["two"].failed == 1
        agent_runs.forget_failures(session, "m", "r")
        assert agent_runs.known(session, "m", "r", "part") is None
        assert agent_runs.known(session, "m", "r", "whole") is not None
        assert session.records("m")["two"].failed == 0
