"""What a repository says about campaigns."""

from __future__ import annotations

import pytest

from greylag.domain.errors import FileFaults
from greylag.rollout.optout import read_optout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", None),
        ("# nothing\n", None),
        ("verifiers: {skip: [mypy]}\n", None),
        ("campaigns: {optout: false}\n", None),
        ("campaigns: {optout: [other]}\n", None),
        ("campaigns:\n  optout: true\n  because: frozen code\n", ".greylag.yaml opts out: frozen code"),
        ("campaigns: {optout: [users-v2]}\n", ".greylag.yaml opts out of users-v2, and gives no reason"),
    ],
)
def test_opting_out(text: str, told: str | None) -> None:
    assert read_optout(text).of("users-v2") == told


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("campaigns: true\n", "1:12: expected `optout` and `because`"),
        ("campaigns: {opt_out: true}\n", "`opt_out` is not known here; did you mean `optout`?"),
        ("campaigns: {optout: never}\n", "expected `true`, `false`, or a list of migrations"),
        ("campaigns: {optout: true, because: [x]}\n", "expected text"),
        ("campaigns: [\n", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_not_taken_for_a_yes(text: str, fault: str) -> None:
    with pytest.raises(FileFaults) as caught:
        read_optout(text)
    assert fault in str(caught.value)
