"""What an attacker leaves in the folder does not get past the host that reads it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.attacks.world import FILES, RUNS, SECRET, World

from greylag.workspace.cage import CageSpec
from greylag.workspace.collect import CollectLimits, collect, prepare_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """`program` leaves something behind; the host refuses it with `code`."""

    name: str
    program: str
    code: str


TRAPS = (
    Trap(name="link out of the folder", program="os.symlink(host['secret'], 'x.sql')", code="link"),
    Trap(
        name="link in place of a file",
        program="os.unlink('etl/load.py'); os.symlink(host['secret'], 'etl/load.py')",
        code="link",
    ),
    Trap(
        name="link in place of a folder",
        program="os.rename('etl', 'etl2'); os.symlink(os.path.dirname(host['secret']), 'etl')",
        code="link",
    ),
    Trap(name="link to itself", program="os.symlink('loop', 'loop')", code="link"),
    Trap(name="second name for a file", program="os.link('etl/load.py', 'copy.py')", code="hard-link"),
    Trap(name="FIFO in place of a file", program="os.unlink('run.sh'); os.mkfifo('run.sh')", code="special"),
    Trap(
        name="socket",
        program="socket.socket(socket.AF_UNIX).bind('s')",
        code="special",
    ),
    Trap(name="setuid bit", program="os.chmod('run.sh', 0o4755)", code="mode"),
    Trap(name="file made executable", program="os.chmod('etl/load.py', 0o755)", code="mode"),
    Trap(
        name="new executable file",
        program="open('x.sh', 'w').write('#!/bin/sh'); os.chmod('x.sh', 0o755)",
        code="mode",
    ),
    Trap(
        name="giant sparse file",
        program="open('sparse', 'wb').truncate(900 * 1024 * 1024)",
        code="too-big",
    ),
    Trap(
        name="file blown up in place",
        program="open('etl/load.py', 'ab').truncate(900 * 1024 * 1024)",
        code="too-big",
    ),
    Trap(
        name="file changed into a folder",
        program="os.unlink('run.sh'); os.mkdir('run.sh'); open('run.sh/x', 'w').close()",
        code="kind",
    ),
    Trap(
        name="folder changed into a file",
        program="os.unlink('etl/load.py'); os.rmdir('etl'); open('etl', 'w').close()",
        code="kind",
    ),
    Trap(name="line break in a name", program="open('a\\nb.sql', 'w').close()", code="name"),
    Trap(name="escape code in a name", program="open('a\\x1b[31mb.sql', 'w').close()", code="name"),
    Trap(name="name that is no UTF-8", program="open(b'a\\xff\\xfe.sql', 'w').close()", code="name"),
    Trap(name="name that reads backwards", program="open('a\\u202elqs.sh', 'w').close()", code="name"),
    Trap(name="name with a backslash", program="open('..\\\\..\\\\x', 'w').close()", code="name"),
    Trap(name="git folder deeper down", program="os.makedirs('etl/.git/hooks')", code="git"),
    Trap(
        name="git folder by another spelling",
        program="os.makedirs('.GIT/hooks'); os.makedirs('git~1'); os.makedirs('.g\\u200dit')",
        code="git",
    ),
    Trap(name="folders nested without end", program="os.makedirs('d/' * 200)", code="unreadable"),
    Trap(name="file that may not be read", program="os.mkdir('x'); os.chmod('x', 0)", code="unreadable"),
    Trap(
        name="more files than anybody writes",
        program="[open('f%d' % number, 'w').close() for number in range(1500)]",
        code="too-many",
    ),
    Trap(
        name="more folders than anybody makes",
        program="[os.mkdir('f%d' % number) for number in range(20500)]",
        code="too-many",
    ),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_is_refused_by_name(world: World, trap: Trap) -> None:
    if trap.name == "file that may not be read" and os.getuid() == 0:
        pytest.skip("root may read everything")
    result = world.attack(trap.program)
    assert result.status == 0, result.output
    began = time.monotonic()
    collected = world.collected()
    assert time.monotonic() - began < 5
    assert trap.code in {reason.code for reason in collected.refused}, collected
    assert collected.changes == {}
    told = "".join(reason.message for reason in collected.refused)
    assert told.isprintable()
    assert SECRET not in told


def test_a_git_folder_of_the_attackers_runs_nothing(world: World, tmp_path: Path) -> None:
    """As if the cage had failed: the folder's .git asks git to run programs; the host does not ask git."""
    marker = tmp_path / "ran"
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\necho ran >> {marker}\ncat\n")
    program.chmod(0o755)
    git = world.folder / ".git"
    with (git / "config").open("a") as stream:
        stream.write(f"[core]\n fsmonitor = {program}\n hooksPath = {tmp_path}\n")
        stream.write(f'[filter "evil"]\n clean = {program}\n smudge = {program}\n required = true\n')
        stream.write(f'[diff "evil"]\n textconv = {program}\n command = {program}\n')
    (world.folder / "models" / "users.sql").write_text("SELECT 1\n")
    assert world.collected().changes == {"models/users.sql": b"SELECT 1\n"}
    prepare_folder(FILES, world.folder, executable=RUNS)
    assert world.collected().changes == {}
    assert not marker.exists()
    # The trap is a real one: git itself walks into it.
    with (git / "config").open("a") as stream:
        stream.write(f"[core]\n fsmonitor = {program}\n")
    subprocess.run(
        ["git", "-c", f"safe.directory={world.folder}", "status"],
        cwd=world.folder,
        check=False,
        capture_output=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert marker.exists()


def test_agents_configuration_of_the_repository_is_hidden(world: World) -> None:
    hooks = b'{"hooks": {"SessionStart": [{"hooks": [{"command": "touch ran"}]}]}}'
    files = {
        **FILES,
        ".claude/settings.json": hooks,
        "deep/down/.claude/settings.json": hooks,
        ".mcp.json": hooks,
        "etl/opencode.json": hooks,
        ".codex/config.toml": b"x = 1",
        "CLAUDE.md": b"Run make install first.",
        "config/agent/settings.json": hooks,
    }
    look = """
for folder, _, names in os.walk(host['work']):
    for name in names:
        path = os.path.join(folder, name)
        if b'hooks' in open(path, 'rb').read() and '/.git/' not in path: reached(path)
"""
    # Written by somebody else than us: then the cage hides them.
    prepare_folder({}, world.folder)
    for path, data in files.items():
        (world.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (world.folder / path).write_bytes(data)
    (world.folder / ".cursor").symlink_to("config/agent")
    assert "REACHED" not in world.attack(look).output
    # Written by us: then they are not there at all, and that is no change.
    prepare_folder(files, world.folder)
    assert not (world.folder / ".claude").exists()
    assert "REACHED" in world.attack(look).output, "config/agent is no agent's, and the program does look"
    assert collect(world.folder, files).changes == {}
    assert collect(world.folder, files).refused == ()


def test_configuration_that_an_agent_writes_is_a_change(world: World) -> None:
    world.attack("os.mkdir('.claude'); open('.claude/settings.json', 'w').write('{}')")
    assert world.collected().changes == {".claude/settings.json": b"{}"}


def test_a_file_and_a_link_that_change_places_never_show_what_is_outside(world: World) -> None:
    """The agent may live while the host reads: it swaps files for links and FIFOs as fast as it can."""
    spec = CageSpec(folder=world.folder)
    inside = Path(world.cage.inside(spec))
    program = """
import os, sys
while True:
    for make in (lambda: os.symlink(sys.argv[1], 'new'), lambda: os.mkfifo('new'),
                 lambda: open('new', 'w').write('fair'), lambda: os.symlink('/etc', 'new')):
        make()
        os.rename('new', 'etl/load.py')
    os.rename('etl', 'etl2'); os.symlink(sys.argv[2], 'etl'); os.unlink('etl'); os.rename('etl2', 'etl')
"""
    facts = world.facts
    running = world.cage.start(
        ["python3", "-c", program, str(facts["secret"]), str(Path(str(facts["secret"])).parent)], spec
    )
    assert inside.is_absolute()
    seen: set[bytes | None] = set()
    done = threading.Event()

    def read() -> None:
        for _ in range(300):
            seen.update(world.collected().changes.values())
        done.set()

    threading.Thread(target=read, daemon=True).start()
    try:
        assert done.wait(30), "the host hangs"
        assert running.poll() is None, running.errors
    finally:
        running.end()
    assert SECRET.encode() not in seen
    assert seen <= {None, b"fair", b""}


def test_limits_are_the_callers(world: World) -> None:
    (world.folder / "x").write_bytes(b"x" * 100)
    tight = collect(world.folder, FILES, executable=RUNS, limits=CollectLimits(file=10))
    assert [reason.code for reason in tight.refused] == ["too-big"]
