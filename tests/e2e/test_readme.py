"""The tour of the README, typed as it stands there: every command works and prints what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.readme import BLOCK, ROOT, Shell, Typed, tour


def test_the_tour_works_as_shown(tmp_path: Path) -> None:
    commands = [typed for block in BLOCK.findall((ROOT / "README.md").read_text()) for typed in tour(block)]
    assert len(commands) >= 10
    shell = Shell(tmp_path)
    for typed in commands:
        result = shell.run(typed.command)
        assert result.status in (0, 1), f"$ {typed.command}\n{result.errors}"
        assert typed.fits(result.printed), (
            f"$ {typed.command}\n{result.printed}--- on standard error\n{result.errors}"
            "--- is no longer what README.md shows; `make docs-tour` renews it"
        )


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("…\nlast\n", "first\nmiddle\nlast\n", True),
        ("tested, … rows\n", "tested, 58 rows\n", True),
        ("tested, … rows\n", "refuted, 58 rows\n", False),
        ("", "surprise\n", False),
    ],
)
def test_what_fits(shown: str, printed: str, fits: bool) -> None:
    assert Typed(command="x", shown=shown).fits(printed) is fits
