"""Nothing that was started in a cage lives on: not when the command ends, nor when the host does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.attacks.world import World

from greylag.workspace.cage import CageSpec, unsafe_cage

BEAT = """
def beat():
    while True:
        open('beat', 'w').write(str(time.monotonic()))
        time.sleep(0.02)
"""
DAEMON = f"""
{BEAT}
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
if not os.fork():
    os.setsid()
    if not os.fork():
        for descriptor in (0, 1, 2): os.close(descriptor)
        beat()
    os._exit(0)
while not os.path.exists('beat'): time.sleep(0.01)
"""


def beats(folder: Path) -> bool:
    """Whether something still writes to the folder."""
    before = (folder / "beat").read_text()
    time.sleep(0.3)
    return (folder / "beat").read_text() != before


def comes(folder: Path) -> bool:
    """Whether it begins to write within some seconds."""
    until = time.monotonic() + 15
    while not (folder / "beat").exists() and time.monotonic() < until:
        time.sleep(0.02)
    return (folder / "beat").exists()


def test_a_daemon_ends_with_the_command(world: World) -> None:
    result = world.attack(DAEMON)
    assert result.status == 0, result.output
    assert not beats(world.folder)


def test_a_daemon_ends_with_a_session_that_is_ended(world: World) -> None:
    source = f"import os, signal, time\n{DAEMON}\nbeat()"
    running = world.cage.start(["python3", "-c", source], CageSpec(folder=world.folder))
    assert comes(world.folder)
    began = time.monotonic()
    running.end(grace=0.2)
    assert time.monotonic() - began < 5
    assert not beats(world.folder)
    assert running.poll() is not None
    assert running.end() == running.poll(), "ending it again does nothing"


def test_ignoring_the_polite_signal_does_not_help(world: World) -> None:
    result = world.attack(f"{BEAT}\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nbeat()", timeout=1.0)
    assert result.timed_out
    assert result.status is None
    assert not beats(world.folder)


def test_the_polite_signal_is_heard(world: World) -> None:
    source = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print('up', flush=True)
signal.pause()
"""
    running = world.cage.start(["python3", "-c", source], CageSpec(folder=world.folder))
    assert running.stdout.readline() == b"up\n"
    assert running.end(grace=10) == 7


HOST = """
import sys, threading, time
from pathlib import Path
from greylag.workspace.cage import CageSpec, choose_cage
cage = choose_cage("bubblewrap")
def go():
    cage.start(["python3", "-c", sys.argv[2]], CageSpec(folder=Path(sys.argv[1])))
thread = threading.Thread(target=go)
thread.start()
thread.join()
print("started", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("ends", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_killing_the_host_ends_the_cage(world: World, ends: signal.Signals) -> None:
    source = f"import os, signal, time\n{DAEMON}\nbeat()"
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(world.folder), source], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    try:
        assert host.stdout is not None
        assert host.stdout.readline() == b"started\n"
        assert comes(world.folder)
        assert beats(world.folder), "the thread that started it is over, and it lives"
    finally:
        host.send_signal(ends)
        host.wait()
        host.stdout.close()
    time.sleep(0.3)
    assert not beats(world.folder)


def test_a_cage_outlives_the_thread_that_started_it(world: World) -> None:
    started = []
    source = f"import time\n{BEAT}\nbeat()"
    thread = threading.Thread(
        target=lambda: started.append(
            world.cage.start(["python3", "-c", source], CageSpec(folder=world.folder))
        )
    )
    thread.start()
    thread.join()
    assert comes(world.folder)
    assert beats(world.folder)
    started[0].end()
    assert not beats(world.folder)


def test_nobody_on_the_machine_sees_what_it_was_given(world: World) -> None:
    spec = CageSpec(folder=world.folder, env={"TOKEN": "greylag-attack-token"})
    running = world.cage.start(["sh", "-c", "echo $TOKEN; read x"], spec)
    try:
        assert running.stdout.readline() == b"greylag-attack-token\n"
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert any(b"bwrap" in line for line in lines)
        assert not any(b"greylag-attack-token" in line for line in lines)
    finally:
        running.end()


def test_two_cages_do_not_see_each_other(world: World) -> None:
    spec = CageSpec(folder=world.folder)
    running = world.cage.start(["sh", "-c", "echo mine > /tmp/mine; echo up; read x"], spec)
    try:
        assert running.stdout.readline() == b"up\n"
        other = world.cage.run(["sh", "-c", "ls /tmp; ls -d /proc/[0-9]*"], spec, timeout=20)
        assert "mine" not in other.output
        assert len(other.output.split()) <= 4
    finally:
        running.end()


def test_without_a_sandbox_the_group_is_ended_at_least(world: World) -> None:
    source = (
        f"import os, signal, time\n{BEAT}\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.fork()\nbeat()"
    )
    running = unsafe_cage().start([sys.executable, "-c", source], CageSpec(folder=world.folder))
    assert comes(world.folder)
    running.end(grace=0.1)
    assert not beats(world.folder)
