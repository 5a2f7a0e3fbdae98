"""A cage of Linux namespaces, by bubblewrap: no root needed, no image, milliseconds to start."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from greylag.workspace.cage.base import (
    HOME,
    SOCKET,
    WORK,
    CageError,
    CageLimits,
    CageSpec,
    NoSandbox,
)
from greylag.workspace.cage.cgroup import ControlGroup
from greylag.workspace.cage.launch import LAUNCHER, Interpreter, Plan, launch, this_interpreter
from greylag.workspace.cage.layout import bubblewrap_args, check_readable
from greylag.workspace.cage.masks import Masks, find_masks
from greylag.workspace.cage.process import CagedCommand
from greylag.workspace.cage.processes import snapshot, tree
from greylag.workspace.cage.record import plain_profile
from greylag.workspace.cage.seccomp import denied_calls, filter_program
from greylag.workspace.cage.spawn import spawn
from greylag.workspace.cage.starting import Starting
from greylag.workspace.cage.watch import Watched

OLDEST = (0, 8)
"""The first release of bubblewrap that can forbid further user namespaces inside."""

_START_SECONDS = 30.0


class Bubblewrap(Starting):
    """Runs commands under `bwrap`. `python` runs the launcher inside; default: the Python that runs now."""

    name = "bubblewrap"

    def __init__(self, program: str, python: Interpreter | None = None) -> None:
        self._program = program
        self._python = python or this_interpreter()

    @classmethod
    def find(cls) -> Bubblewrap:
        """The one that is installed. Raises NoSandbox when there is none, or an old one."""
        program = shutil.which("bwrap")
        if program is None:
            raise NoSandbox("it is not installed; install the package `bubblewrap`")
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=20)
        found = re.search(r"(\d+)\.(\d+)", told.stdout)
        if found is None or (int(found[1]), int(found[2])) < OLDEST:
            raise NoSandbox(f"{told.stdout.strip() or program}: {OLDEST[0]}.{OLDEST[1]} or newer is needed")
        return cls(program)

    def inside(self, spec: CageSpec) -> str:
        """The folder stands at `WORK`."""
        return WORK

    def profile(self, spec: CageSpec) -> Mapping[str, object]:
        """What such a cage allows."""
        return {
            "cage": self.name,
            "namespaces": ["user", "mount", "pid", "network", "ipc", "uts", "cgroup"],
            "capabilities": [],
            "denied_calls": list(denied_calls()),
            **plain_profile(spec, WORK),
        }

    def _start(self, argv: Sequence[str], spec: CageSpec, *, talks: bool) -> CagedCommand:
        check_readable(spec)
        masks = find_masks(spec.folder)
        process, hold = self._build(argv, spec, masks, talks=talks)

        def watched(end: object) -> Watched:
            assert callable(end)
            return Watched(
                first=hold.first,
                limits=spec.limits,
                end=end,
                alive=hold.alive,
                stopped=spec.stopped,
                folder=spec.folder if spec.writable else None,
                baseline=masks.size,
                apart=frozenset((*masks.git, *masks.folders)),
            )

        hold.enclose(spec.limits)
        caged = CagedCommand(process, hold, watch=watched)
        # Only now, when it is watched and would die with us, may the command begin.
        hold.go()
        return caged

    def _build(
        self, argv: Sequence[str], spec: CageSpec, masks: Masks, *, talks: bool
    ) -> tuple[subprocess.Popen[bytes], _Namespace]:
        go_read, go_write = os.pipe2(os.O_CLOEXEC)
        info_read, info_write = os.pipe2(os.O_CLOEXEC)
        given = [go_read, info_write]
        try:
            args = ["--info-fd", str(info_write), *bubblewrap_args(spec, masks, self._python)]
            rules = filter_program()
            if rules is not None:
                given.append(_in_memory("seccomp", rules))
                args += ["--seccomp", str(given[-1])]
            # Not on the command line, which everybody on the machine can read: the environment is in it.
            given.append(_in_memory("args", b"".join(os.fsencode(arg) + b"\0" for arg in args)))
            plan = Plan(
                limits=spec.limits,
                go=go_read,
                socket=SOCKET if spec.socket else None,
                writable=_writable(spec),
            )
            command = launch(str(self._python.program), LAUNCHER, plan, argv)
            process = spawn(
                lambda: subprocess.Popen(
                    [self._program, "--args", str(given[-1]), "--", *command],
                    env={},
                    cwd="/",
                    stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE if talks else subprocess.STDOUT,
                    pass_fds=given,
                    start_new_session=True,
                )
            )
        except BaseException:
            os.close(go_write)
            os.close(info_read)
            raise
        finally:
            for descriptor in given:
                os.close(descriptor)
        return process, _Namespace(_first_process(process, info_read, go_write), go_write)


def _writable(spec: CageSpec) -> tuple[str, ...]:
    return ("/dev", "/tmp", HOME, *((WORK,) if spec.writable else ()))


def _in_memory(name: str, data: bytes) -> int:
    descriptor = os.memfd_create(f"greylag-{name}", os.MFD_CLOEXEC)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _first_process(process: subprocess.Popen[bytes], info: int, go: int) -> int:
    """The host's number of the first process in the cage, which takes all others with it when it dies."""
    try:
        told = _read_info(info)
        return int(json.loads(told)["child-pid"])
    except (ValueError, KeyError, TimeoutError) as error:
        os.close(go)
        process.kill()
        said = process.communicate()
        text = (said[1] or said[0] or b"").decode("utf-8", "replace").strip()
        raise CageError(f"bubblewrap could not build the cage: {text or error}") from error
    finally:
        os.close(info)


def _read_info(info: int) -> bytes:
    until = time.monotonic() + _START_SECONDS
    told = b""
    while not told.rstrip().endswith(b"}"):
        if not _readable(info, max(0.0, until - time.monotonic())):
            raise TimeoutError(f"nothing was heard for {_START_SECONDS:g} seconds")
        data = os.read(info, 4096)
        if not data:
            break
        told += data
    return told


class _Namespace:
    """All processes of a cage, by the first one of their process namespace.

    When that one dies the kernel kills all others, and it is not over before they are: a descriptor of it
    becomes readable only then.
    """

    def __init__(self, first: int, go: int) -> None:
        self.first = first
        self._go = go
        self._group = ControlGroup(())
        self._starved = False
        # The watch and whoever ends the cage may come at once; a descriptor, closed, may be another's.
        self._lock = threading.Lock()
        try:
            self._descriptor = os.pidfd_open(first)
        except ProcessLookupError:
            self._descriptor = -1

    def enclose(self, limits: CageLimits) -> None:
        """Put everything into a control group, where one can be had."""
        if os.geteuid() == 0 and self.alive():
            self._group = ControlGroup.make(limits)
            # Over already, or a group that takes no processes: the other limits remain.
            with suppress(OSError):
                self._group.enter(self.first)

    def go(self) -> None:
        """Let the command begin."""
        with self._lock:
            if self._go >= 0:
                # It may be over already.
                with suppress(BrokenPipeError):
                    os.write(self._go, b"g")
        self._close_go()

    def alive(self) -> bool:
        """Whether any process of the cage lives."""
        with self._lock:
            return self._descriptor >= 0 and not _readable(self._descriptor, 0)

    def ask(self) -> None:
        """SIGTERM to everything but the first process, which is bubblewrap's own."""
        for process in tree(snapshot(), self.first)[1:]:
            if self.alive():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(process.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the first process."""
        self._close_go()
        with self._lock:
            if self._descriptor >= 0:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def gone(self, timeout: float) -> bool:
        """Wait until the namespace is empty."""
        descriptor = self._descriptor
        if descriptor >= 0 and _readable(descriptor, timeout):
            with self._lock:
                self._descriptor = -1
                os.close(descriptor)
            self._starved = self._group.starved()
            self._group.remove()
        return self._descriptor < 0

    def why(self) -> str:
        """Nothing, or that the kernel found it to take too much memory."""
        return "more memory than its limit" if self._starved else ""

    def _close_go(self) -> None:
        with self._lock:
            go, self._go = self._go, -1
            if go >= 0:
                os.close(go)


def _readable(descriptor: int, timeout: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout * 1000))
