"""Failures are told short, without timings, with places and counterexamples kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.agent.loop import accepts, tell_failures, trim
from greylag.agent.loop.trim import LIMIT, brief_reason
from greylag.domain.check import Check, CheckStatus, Counterexample

PASSED, FAILED = CheckStatus.PASSED, CheckStatus.FAILED
ERRORED, INCONCLUSIVE = CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE


def check(status: CheckStatus, name: str = "tests", summary: str = "words", **details: object) -> Check:
    return Check(verifier=name, status=status, summary=summary, details=details)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((), False),
        ((PASSED,), True),
        ((PASSED, INCONCLUSIVE), True),
        ((INCONCLUSIVE,), False),
        ((PASSED, FAILED), False),
        ((PASSED, ERRORED), False),
        ((ERRORED,), False),
    ],
)
def test_what_is_accepted(statuses: tuple[CheckStatus, ...], expected: bool) -> None:
    assert accepts(tuple(map(check, statuses))) is expected


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("1 failed, 3 passed in 0.12s", "1 failed, 3 passed"),
        ("08:01:02.123  Compilation Error", "Compilation Error"),
        ("2026-01-02 08:01:02,5 ERROR x", "ERROR x"),
        (
            "Finished running 3 tests in 0 hours 0 minutes and 0.45 seconds (0.45s).",
            "Finished running 3 tests.",
        ),
        ("0.05s call     tests/test_a.py::test_b", "call     tests/test_a.py::test_b"),
        ("took 12 ms", ""),
        ("\x1b[31mred\x1b[0m", "red"),
        ("<object at 0x7f00aa11bb22>", "<object at 0x…>"),
        ("/tmp/pytest-of-x12/run/a.sql:3: bad", "/tmp/…/run/a.sql:3: bad"),
        # What looks like a timing and is none.
        ("SELECT COUNT(3)", "SELECT COUNT(3)"),
        ("day = '2026-01-02 08:01:02'", "day = '2026-01-02 08:01:02'"),
        ("a.sql:12: expected 3 rows in 2 tables", "a.sql:12: expected 3 rows in 2 tables"),
    ],
)
def test_what_differs_from_run_to_run_is_left_out(said: str, told: str) -> None:
    assert trim(said, 500) == told


def test_places_and_faults_outlive_noise() -> None:
    lines = [f"collecting dbt package number {number}" for number in range(300)]
    lines[100] = "models/users.sql:14:9: unknown column user_id"
    lines[200] = "AssertionError: three rows are expected"
    told = trim("\n".join(lines), 400)
    assert len(told) <= 400
    assert lines[100] in told
    assert lines[200] in told
    assert told.splitlines()[0] == lines[0]
    assert told.splitlines()[-1] == lines[-1]
    assert told.index(lines[100]) < told.index(lines[200])


def test_a_long_line_keeps_both_ends() -> None:
    told = trim("a.sql:1: " + "x" * 5000 + " the end", 400)
    assert told.startswith("a.sql:1: xxx")
    assert told.endswith(" the end")
    assert len(told) <= 400


@pytest.mark.parametrize("limit", [1, 5, 40, 399])
@pytest.mark.parametrize("text", ["", "x" * 1000, "a\n" * 500, "a.py:1: x\n" * 500])
def test_never_longer_than_asked(text: str, limit: int) -> None:
    assert len(trim(text, limit)) <= limit


def test_a_counterexample_stands_first_and_whole() -> None:
    case = Counterexample(
        tables={"users_v2": ({"account_id": 1, "tier": 3},)},
        old_columns=("plan",),
        new_columns=("plan",),
        old=(("premium",),),
        new=(("free",),),
    )
    told = tell_failures([check(FAILED, "equivalence", "differs", log="x\n" * 2000, counterexample=case)])
    assert len(told) <= LIMIT
    for words in (
        'before: (plan) ["premium"]',
        'now: (plan) ["free"]',
        'users_v2: {"account_id": 1, "tier": 3}',
    ):
        assert words in told
    assert told.index("counterexample") < told.index("log")


def test_failures_before_errors_and_no_passes() -> None:
    told = tell_failures([check(ERRORED, "dbt"), check(PASSED, "paths"), check(FAILED, "proof")])
    assert told == "- proof failed: words\n- dbt errored: words"
    assert tell_failures([check(INCONCLUSIVE, "proof")]) == "- proof inconclusive: words"
    assert tell_failures([check(PASSED)]) == ""


def test_many_failures_share_the_room() -> None:
    many = [check(FAILED, f"verifier-{number}", "long words\n" * 400) for number in range(20)]
    told = tell_failures(many)
    assert len(told) <= LIMIT
    for number in range(6):
        assert f"- verifier-{number} failed: long words" in told
    assert "… and " in told


def test_the_same_failure_is_the_same_text() -> None:
    def ran(seconds: str, folder: str) -> str:
        output = f"E   assert 1 == 2\n/tmp/{folder}/a.py:3: AssertionError\n1 failed in {seconds}s"
        return tell_failures([check(FAILED, "pytest", f"1 failed in {seconds}s", output=output)])

    assert ran("0.12", "aaa") == ran("3.4", "bbb")


def test_a_reason_is_one_line() -> None:
    told = brief_reason([check(FAILED, "proof", "a\nb"), check(FAILED, "tests"), check(PASSED)])
    assert told == "proof: a b (also tests failed)"
    assert brief_reason([]) == "no check passed"


@given(
    st.lists(
        st.builds(
            lambda status, summary, output: check(status, "v", summary, output=output),
            st.sampled_from(list(CheckStatus)),
            st.text(max_size=300),
            st.text(st.sampled_from("ab.py:1 \nerror"), max_size=4000),
        ),
        max_size=12,
    )
)
def test_whatever_failed_is_told_within_the_limit(checks: list[Check]) -> None:
    told = tell_failures(checks)
    assert len(told) <= LIMIT
    if any(one.status is not PASSED for one in checks):
        assert told.startswith("- v ")
    assert "\n" not in brief_reason(checks)
