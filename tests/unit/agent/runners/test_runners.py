"""The parts of the runners that need no agent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from greylag.agent.base import TurnEnd
from greylag.agent.runners import RUNNERS, make_runner
from greylag.agent.runners.acp_client import ALLOWED, Asked, denial
from greylag.agent.runners.command import CommandSettings, Program
from greylag.agent.runners.turns import Clock, ended, lost
from greylag.agent.unavailable import AgentUnavailable
from greylag.domain.errors import UsageError
from greylag.workspace.cage import WORK

ROOT = WORK


@pytest.mark.parametrize(
    ("kind", "title", "paths", "reason"),
    [
        ("read", "Read", ("/etc/passwd",), None),
        ("edit", "Edit", (f"{ROOT}/a.sql",), None),
        ("edit", "Edit", ("a.sql", "sub/b.sql"), None),
        ("edit", "Edit", (), "no path"),
        ("edit", "Edit", ("a.sql", "../b.sql"), "outside"),
        ("edit", "Edit", (f"{ROOT}shop/a.sql",), "outside"),
        ("edit", "Edit", (f"{ROOT}/../a.sql",), "outside"),
        ("delete", "Delete", ("/etc/passwd",), "outside"),
        ("move", "Move", (".git/hooks/pre-commit",), "not to be changed"),
        ("edit", "Edit", ("sub/.claude/settings.json",), "not to be changed"),
        ("edit", "Edit", (".mcp.json",), "not to be changed"),
        ("execute", "Bash", (), "execute is not allowed"),
        ("fetch", "WebFetch", (), "fetch is not allowed"),
        ("switch_mode", "auto", (), "switch_mode is not allowed"),
        ("other", "mcp__greylag__verify", (), None),
        ("other", "greylag: give_up", (), None),
        ("other", "mcp__evil__verify", (), "other is not allowed"),
        ("execute", "mcp__greylag__verify", (), "execute is not allowed"),
    ],
)
def test_permissions(kind: str, title: str, paths: tuple[str, ...], reason: str | None) -> None:
    said = denial(Asked(kind=kind, title=title, paths=paths), allow=ALLOWED, root=ROOT)
    assert (said is None) if reason is None else (said is not None and reason in said)


def test_the_last_words_tell_money_and_turns_from_an_end() -> None:
    assert ended("Done.").end is TurnEnd.ENDED
    assert ended("oops", failed=True).end is TurnEnd.FAILED
    assert (
        ended("API Error: 402 over budget: the target's budget is $1", failed=True).end is TurnEnd.OVER_BUDGET
    )
    assert ended("402 out of turns: this attempt may ask", failed=True).end is TurnEnd.OUT_OF_TURNS
    assert lost("it ended with status 1", "", Clock(9)).end is TurnEnd.FAILED
    assert lost("it ran for 9 seconds", "it ran for 9 seconds", Clock(9)).end is TurnEnd.OUT_OF_TIME
    assert lost("gone", "", Clock(0)).end is TurnEnd.OUT_OF_TIME


def _npm(folder: Path) -> Path:
    binary = folder / "node_modules/.bin/agent"
    binary.parent.mkdir(parents=True)
    (folder / "node_modules/node/bin").mkdir(parents=True)
    binary.write_text("#!/bin/sh\necho agent 1.2\n")
    binary.chmod(0o755)
    return binary


def test_a_program_of_npms_is_found_and_shown_as_a_whole(tmp_path: Path) -> None:
    binary = _npm(tmp_path)
    program = Program(
        CommandSettings(command=("agent", "acp"), folders=(tmp_path,)), ("agent",), "install it"
    )
    assert program.argv() == [str(binary), "acp"]
    assert program.version() == "agent 1.2"
    assert program.readable() == (tmp_path,)
    narrow = Program(CommandSettings(command=(str(binary),)), ("agent",), "install it")
    assert narrow.readable() == (tmp_path / "node_modules",)


def test_what_is_not_there_says_what_to_install(tmp_path: Path) -> None:
    for name, words in (("claude", "@anthropic-ai/claude-code"), ("codex", "@openai/codex")):
        runner = make_runner(name, {"command": ("no-such-agent",)})
        with pytest.raises(AgentUnavailable, match=words):
            runner.version()
    broken = tmp_path / "agent"
    broken.write_text("#!/bin/sh\necho no >&2; exit 3\n")
    broken.chmod(0o755)
    with pytest.raises(AgentUnavailable, match=r"failed \(3\): no"):
        make_runner("acp", {"command": (str(broken),)}).version()


def test_runners_by_name_and_by_path() -> None:
    assert {"own", "acp", "claude", "codex"} == set(RUNNERS)
    assert make_runner("greylag.agent.runners.codex:make").name == "codex"
    with pytest.raises(UsageError, match="no runner is called 'gpt'"):
        make_runner("gpt")
    with pytest.raises(UsageError, match=r"cannot be imported: No module named 'no_such_package'"):
        make_runner("no_such_package:make")
    with pytest.raises(UsageError, match="settings of the runner 'claude': flavour"):
        make_runner("claude", {"flavour": "sweet"})


def test_lines_that_are_no_objects_are_passed_over() -> None:
    from greylag.agent.runners.claude import parse

    assert parse(b"hello\n") == {} and parse(b"[1]\n") == {} and parse(b"\xff\n") == {}
    assert parse(json.dumps({"type": "result"}).encode()) == {"type": "result"}
