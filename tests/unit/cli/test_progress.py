"""Progress goes to standard error, as plain lines where there is no terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from itertools import count

import pytest

from greylag.cli.progress import progress


def test_plain_lines_at_most_one_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    ticks = count(0.0, 0.4)
    with progress("rewriting", 5, clock=lambda: next(ticks)) as done:
        for name in "abcde":
            done(name)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert lines[-1] == "rewriting: 5 of 5 files"
    assert 1 < len(lines) < 5


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("finding", 2, unit="repositories", clock=lambda: 0.0) as done:
        done("a")
        done("b")
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal_and_nothing_on_standard_output() -> None:
    code = (
        "from greylag.cli.progress import progress\n"
        "with progress('finding', 3) as done:\n"
        "    for name in ('[a]', '[/b]', 'c'): done(name)\n"
    )
    master, slave = pty.openpty()
    try:
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
        result = subprocess.run(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=slave,
            env=env,
            check=True,
            timeout=60,
        )
        shown = os.read(master, 100_000).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert result.stdout == b""
    assert "finding" in shown
    assert "3/3" in shown
