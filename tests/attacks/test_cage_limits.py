"""What a cage takes of the machine has an end, and the host hears which."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

import pytest
from tests.attacks.world import World

from greylag.workspace.cage import CageLimits
from greylag.workspace.cage.cgroup import EXTRA_PROCESSES, ControlGroup

MiB = 1024 * 1024
LIMITS = CageLimits(wall=20, cpu=600, memory=200 * MiB, disk=30 * MiB, processes=60, files=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greed:
    """`program` takes without end; one of `said` is in what the host hears of it."""

    name: str
    program: str
    said: tuple[str, ...]
    limits: CageLimits = LIMITS


GREED = (
    Greed(
        name="fork bomb",
        program="""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try: os.fork()
    except OSError: time.sleep(0.01)
""",
        said=("processes and threads", "ran for more than", "status None"),
        limits=replace(LIMITS, wall=2),
    ),
    Greed(
        name="thread bomb",
        program="""
import threading
threading.stack_size(65536)
while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
        said=("can't start new thread", "processes and threads"),
    ),
    Greed(
        name="memory hog in one process",
        program="kept = []\nwhile True: kept.append(bytearray(b'x' * (1 << 22)))",
        said=("MemoryError", "of memory", "more memory"),
    ),
    Greed(
        name="memory hog in many processes",
        program="""
for _ in range(10):
    if not os.fork(): break
kept = [bytearray(b'x' * (1 << 20)) for _ in range(100)]
time.sleep(60)
""",
        said=("of memory", "more memory"),
    ),
    Greed(
        name="memory hog in files without a name",
        program="""
for number in range(30):
    descriptor = os.memfd_create(str(number))
    for _ in range(20): os.write(descriptor, b'x' * (1 << 20))
time.sleep(60)
""",
        said=("of memory", "more memory"),
    ),
    Greed(
        name="disk filler with one file",
        program="""
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def go():
    with open('big', 'wb') as stream:
        while True: stream.write(b'x' * (1 << 20))
tried(go)
go()
""",
        said=("File too large", "the folder grew"),
    ),
    Greed(
        name="disk filler with many files",
        program="""
number = 0
while True:
    with open('part%d' % number, 'wb') as stream: stream.write(b'x' * (1 << 20))
    number += 1
    time.sleep(0.005)
""",
        said=("the folder grew",),
    ),
    Greed(
        name="many empty files",
        program="""
number = 0
while True:
    os.makedirs('many/%d' % (number // 1000), exist_ok=True)
    open('many/%d/%d' % (number // 1000, number), 'w').close()
    number += 1
""",
        said=("the folder grew",),
    ),
    Greed(
        name="disk filler with deleted files",
        program="""
kept = []
for _ in range(50):
    kept.append(open('gone', 'wb'))
    os.unlink('gone')
    kept[-1].write(b'x' * (1 << 20))
    kept[-1].flush()
time.sleep(60)
""",
        said=("the folder grew",),
    ),
    Greed(
        name="disk filler with deleted files that are mapped and closed",
        program="""
kept = []
while True:
    with open('gone', 'w+b') as stream:
        stream.write(b'x' * (10 << 20))
        stream.flush()
        kept.append(mmap.mmap(stream.fileno(), 4096))
    os.unlink('gone')
    time.sleep(0.1)
""",
        said=("the disk fills", "the folder grew"),
    ),
    Greed(
        name="disk filler below a path too long to name",
        program="""
for _ in range(200):
    os.mkdir('d' * 100)
    os.chdir('d' * 100)
open('big', 'wb').write(b'x' * (1 << 20))
time.sleep(60)
""",
        said=("hidden from the host",),
    ),
    Greed(
        name="disk filler in a folder that the host may not read",
        program="""
os.mkdir('closed')
open('closed/big', 'wb').write(b'x' * (1 << 24))
while True:
    open('closed/more', 'ab').write(b'x' * (1 << 20))
    os.chmod('closed', 0o300)
    time.sleep(0.01)
""",
        said=("hidden from the host", "the folder grew", "File too large"),
    ),
    Greed(
        name="filler of the cage's own memory folders",
        program="""
full = 0
for folder in ('/tmp', '/dev/shm', os.environ['HOME']):
    for number in range(40):
        try: open('%s/%d' % (folder, number), 'wb').write(b'x' * (1 << 20))
        except OSError as error:
            full += error.errno == errno.ENOSPC
            break
print('full:', full)
""",
        said=("full: 3",),
    ),
    Greed(
        name="processor burner",
        program="while True: pass",
        said=("of processor time", "status 152"),
        limits=replace(LIMITS, cpu=1),
    ),
    Greed(
        name="processor burner in processes that end",
        program="""
while True:
    if not os.fork():
        until = time.process_time() + 0.5
        while time.process_time() < until: pass
        os._exit(0)
    os.wait()
""",
        said=("of processor time",),
        limits=replace(LIMITS, cpu=1),
    ),
    Greed(
        name="endless wait",
        program="signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(60)",
        said=("ran for more than", "status None"),
        limits=replace(LIMITS, wall=1),
    ),
    Greed(
        name="descriptor hog",
        program="kept = []\nwhile True: kept.append(os.pipe())",
        said=("Too many open files",),
    ),
    Greed(
        name="flood of output",
        program="while True: os.write(1, b'x' * (1 << 16))",
        said=("ran for more than", "status None"),
        limits=replace(LIMITS, wall=2),
    ),
)


@pytest.mark.parametrize("greed", GREED, ids=lambda greed: greed.name)
def test_has_an_end(world: World, greed: Greed) -> None:
    world.limits = greed.limits
    began = time.monotonic()
    result = world.attack(greed.program, timeout=30)
    told = f"{result.output[-2000:]}\nstatus {result.status}"
    assert any(words in told for words in greed.said), told
    assert time.monotonic() - began < 25
    assert len(result.output) < 30_000
    # Whatever is in the folder, the host can look at it, and goes on.
    began = time.monotonic()
    world.collected()
    assert time.monotonic() - began < 10


def test_a_fork_bomb_never_has_more_processes_than_it_may(world: World) -> None:
    """Where the kernel counts them for us: without root, or with control groups that are ours to make."""
    if os.geteuid() == 0 and not ControlGroup.make(LIMITS).where:
        pytest.skip("root, and no control group: only the watch ends a fork bomb here")
    world.limits = LIMITS
    result = world.attack(
        """
made = 0
try:
    while True:
        if not os.fork():
            signal.pause()
        made += 1
except OSError as error:
    print('made', made, error)
"""
    )
    if "ended:" in result.output:  # the watch was there before the program could tell
        assert "processes" in result.output
        return
    assert 20 < int(result.output.split()[1]) <= LIMITS.processes + EXTRA_PROCESSES, result.output
    assert "Resource temporarily unavailable" in result.output
