"""Scope guards: what passes them, what does not, and what a codemod writes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.unit.verify.guards.right_cases import RIGHT, Right
from tests.unit.verify.guards.world import scope_for
from tests.unit.verify.guards.wrong_cases import WRONG, Wrong

from greylag.domain.agent import Leftover
from greylag.domain.check import Check, CheckStatus
from greylag.mapping import load_migration
from greylag.verify.guards import GUARDS, Scope, Span, scope, scope_of
from greylag.verify.guards.scope import Replaced


def statuses(checks: tuple[Check, ...]) -> dict[str, CheckStatus]:
    return {check.verifier.removeprefix("guard:"): check.status for check in checks}


def failed(checks: tuple[Check, ...]) -> dict[str, str]:
    return {
        check.verifier.removeprefix("guard:"): check.summary
        for check in checks
        if check.status is CheckStatus.FAILED
    }


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_a_wrong_patch_is_failed_by_its_guard(case: Wrong) -> None:
    after = case.after.encode() if isinstance(case.after, str) else case.after
    before = {case.path: case.before.encode()} if case.before else {}
    found = failed(scope({case.path: after}, before, scope_for(*(() if case.outside else (case.path,)))))
    assert set(case.guards) & set(found), found
    assert all(summary.startswith(case.path) for summary in found.values())


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_a_right_patch_passes_every_guard(case: Right) -> None:
    checks = scope(
        {case.path: case.after.encode()},
        {case.path: case.before.encode()},
        scope_for(case.path, text=case.after),
    )
    assert failed(checks) == {}
    assert [check for check in checks if check.status is CheckStatus.ERRORED] == []


def test_the_tables_are_as_long_as_they_say() -> None:
    assert len(WRONG) >= 140
    assert len(RIGHT) >= 70
    assert len({case.name for case in WRONG}) == len(WRONG)
    assert set(GUARDS) - {"spans", "faithful"} <= {guard for case in WRONG for guard in case.guards}


def test_there_is_one_check_a_guard_in_their_order() -> None:
    checks = scope({}, {}, scope_for())
    assert [check.verifier for check in checks] == [f"guard:{name}" for name in GUARDS]
    assert {check.status for check in checks} == {CheckStatus.PASSED}


def test_a_file_that_is_as_before_is_no_change() -> None:
    assert failed(scope({"other.py": b"a\n"}, {"other.py": b"a\n"}, scope_for())) == {}


def test_lines_outside_of_the_spans_are_out_of_scope() -> None:
    before = {"a.sql": b"".join(b"-- %d\n" % number for number in range(40)) + b"SELECT 1 FROM users_v1\n"}
    after = {"a.sql": before["a.sql"].replace(b"users_v1", b"users_v2")}
    near = Scope(paths=frozenset({"a.sql"}), spans={"a.sql": (Span(first=41, last=41),)})
    far = Scope(paths=frozenset({"a.sql"}), spans={"a.sql": (Span(first=1, last=4),)})
    assert "spans" not in failed(scope(after, before, near))
    assert failed(scope(after, before, far))["spans"] == (
        "a.sql:41: out of scope: the consumers stand on lines 1-4"
    )


def test_a_companion_may_change_when_it_is_named() -> None:
    before = {"models/schema.yml": b"models:\n  - name: users_v1\n"}
    after = {"models/schema.yml": b"models:\n  - name: users_v2\n"}
    named = Scope(
        paths=frozenset({"models/m.sql"}),
        companions=frozenset({"models/schema.yml"}),
        old_names=frozenset({"users_v1"}),
        new_names=frozenset({"users_v2"}),
    )
    bare = Scope(paths=named.paths, old_names=named.old_names, new_names=named.new_names)
    assert failed(scope(after, before, named)) == {}
    assert set(failed(scope(after, before, bare))) == {"paths"}


def test_too_many_files_are_failed_and_not_read() -> None:
    paths = [f"q/{number}.sql" for number in range(30)]
    before = {path: b"SELECT 1 FROM users_v1\n" for path in paths}
    after = {path: b"SELECT 1 FROM users_v2\n" for path in paths}
    checks = scope(after, before, scope_for(*paths))
    assert set(failed(checks)) == {"caps"}
    assert statuses(checks)["names"] is CheckStatus.INCONCLUSIVE


def test_a_comment_about_the_old_dataset_that_goes_is_a_doubt() -> None:
    before = {"a.sql": b"-- users_v1 is small\nSELECT 1 FROM core.users_v1\n"}
    after = {"a.sql": b"SELECT 1 FROM core.users_v2\n"}
    checks = {check.verifier: check for check in scope(after, before, scope_for("a.sql"))}
    assert checks["guard:comments"].status is CheckStatus.INCONCLUSIVE
    assert checks["guard:comments"].summary.startswith("a.sql:1: ")


def test_columns_of_the_mapping_in_another_order_are_a_doubt() -> None:
    before = {"a.sql": b"SELECT country, total FROM core.users_v1\n"}
    after = {"a.sql": b"SELECT total, country FROM core.users_v2\n"}
    checks = {check.verifier: check for check in scope(after, before, scope_for("a.sql"))}
    assert checks["guard:order"].status is CheckStatus.INCONCLUSIVE


def test_a_secret_is_not_told() -> None:
    token = "ghp_" + "a1B2" * 9
    before = {"a.py": b"T = 'users_v1'\n"}
    checks = scope({"a.py": f"T = 'users_v2'\nK = '{token}'\n".encode()}, before, scope_for("a.py"))
    assert "secrets" in failed(checks)
    told = [str(check) for check in checks if check.verifier != "guard:names"]
    assert not any(token in text for text in told)


def test_a_text_made_to_be_slow_is_read_in_time() -> None:
    """Guards read what an agent wrote: no text may cost them minutes."""
    before = {"a.py": b"T = 'users_v1'\n"}
    for text in ('"' * 900, "'''" + "\\" * 900, "(" * 900, "[" * 300 + "]" * 300, "a." * 450, "/*" * 450):
        lines = f"T = 'users_v2'\n{text}\n" * 100
        started = time.monotonic()
        assert len(scope({"a.py": lines.encode()}, before, scope_for("a.py"))) == len(GUARDS)
        assert time.monotonic() - started < 5, text[:9]


FAITHFUL_BEFORE = "SELECT user_id, country, plan FROM core.users_v1 WHERE country = 'SE'\n"
FAITHFUL_AFTER = (
    "SELECT account_id AS user_id, geo.country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan\n"
    "FROM core.users_v2 WHERE geo.country = 'SE' AND device = 'ALL'\n"
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" AND device = 'ALL'", "", "without the mapping's condition on `device`"),
        ("device = 'ALL'", "device != 'ALL'", "is not the mapping's condition: device = all"),
        ("device = 'ALL'", "device = 'TABLET'", "is not the mapping's condition: device = all"),
        ("account_id AS user_id", "account_id", "the output `user_id` has another name now"),
        ("AS user_id", "AS account_id", "an output is called `account_id` now"),
        ("'premium' ELSE 'free'", "'free' ELSE 'premium'", ""),
        ("'premium' ELSE 'free'", "'free' ELSE 'free'", "a CASE is not the mapping's"),
    ],
)
def test_what_is_read_is_what_the_mapping_says(old: str, new: str, said: str) -> None:
    given = scope_for("a.sql", text="'ALL'")
    before = {"a.sql": FAITHFUL_BEFORE.encode()}
    assert failed(scope({"a.sql": FAITHFUL_AFTER.encode()}, before, given)) == {}
    assert old in FAITHFUL_AFTER
    found = failed(scope({"a.sql": FAITHFUL_AFTER.replace(old, new).encode()}, before, given))
    assert said in found["faithful"], found


def test_a_column_without_a_counterpart_is_a_question() -> None:
    before = {"a.sql": b"SELECT legacy_score FROM core.users_v1\n"}
    after = {"a.sql": b"SELECT NULL AS legacy_score FROM core.users_v2 WHERE device = 'ALL'\n"}
    found = failed(scope(after, before, scope_for("a.sql", text="'ALL'")))
    assert "that is a question for a person" in found["faithful"]


def test_a_name_that_is_built_needs_the_new_part() -> None:
    before = {"a.py": b"VERSION = 'v1'\nq = f'SELECT user_id FROM core.users_{VERSION}'\n"}
    after = {"a.py": b"VERSION = 'v1'\nq = f'SELECT account_id AS user_id FROM core.users_{VERSION}'\n"}
    found = failed(scope(after, before, scope_for("a.py")))
    assert "`v1`, of which the old name is made, still stands here" in found["faithful"]


def test_only_the_mapping_that_a_file_is_about_counts() -> None:
    """`device_id` is a column of the other mapping too; its condition is none of this file's."""
    users = Replaced(
        old_tables=frozenset({"users_v1"}), tables=frozenset({"users_v2"}), brought=frozenset({"account_id"})
    )
    devices = Replaced(
        old_tables=frozenset({"devices_v1"}),
        tables=frozenset({"devices_v2"}),
        brought=frozenset({"account_id"}),
        filtered=frozenset({"kind"}),
    )
    given = Scope(
        paths=frozenset({"a.sql", "b.sql"}),
        old_names=frozenset({"users_v1", "devices_v1", "user_id"}),
        new_names=frozenset({"users_v2", "devices_v2", "account_id"}),
        replaced=(users, devices),
    )
    before = {"a.sql": b"SELECT user_id FROM users_v1\n", "b.sql": b"SELECT user_id FROM devices_v1\n"}
    after = {"a.sql": b"SELECT account_id FROM users_v2\n", "b.sql": b"SELECT account_id FROM devices_v2\n"}
    found = {check.verifier: check for check in scope(after, before, given)}["guard:faithful"]
    assert {text.split(":")[0] for text in found.details["findings"]} == {"b.sql"}  # type: ignore[attr-defined]


def test_a_column_that_one_output_takes_as_it_is_may_be_read_so(tmp_path: Path) -> None:
    """An answer may have made a second output of it: `ROUND(sessions / 10, 1) AS legacy_score`."""
    text = (
        "name: sessions-v2\ndialect: bigquery\nreplaces:\n  - dataset: core.users_v1\n"
        "    columns: {visits: INT64, score: FLOAT64}\n"
        "    as: SELECT sessions AS visits, SCORE FROM core.users_v2\n"
        "provides:\n  - dataset: core.users_v2\n    columns: {sessions: INT64}\n"
    )
    before = {"a.py": b"q = 'SELECT visits FROM core.users_v1'\n"}
    after = {"a.py": b"q = 'SELECT sessions AS visits FROM core.users_v2'\n"}
    for plain, wrong in (("sessions", False), ("sessions * 60", True)):
        file = tmp_path / "sessions-v2.migration.yaml"
        made = text.replace("SELECT sessions AS", f"SELECT {plain} AS")
        file.write_text(made.replace("SCORE", "ROUND(sessions / 10, 1) AS score"), encoding="utf-8")
        left = Leftover(path="a.py", framework=None, reads=(), reasons=())
        found = failed(scope(after, before, scope_of(load_migration(file), [left])))
        assert ("faithful" in found) is wrong, found
