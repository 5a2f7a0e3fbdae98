"""No cage at all: for --unsafe-no-sandbox, and nothing else leads here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from greylag.workspace.cage.base import CageSpec
from greylag.workspace.cage.launch import INSIDE, Plan, launch
from greylag.workspace.cage.layout import check_readable
from greylag.workspace.cage.process import CagedCommand
from greylag.workspace.cage.processes import snapshot, tree
from greylag.workspace.cage.record import plain_profile
from greylag.workspace.cage.spawn import spawn
from greylag.workspace.cage.starting import Starting
from greylag.workspace.cage.watch import Watched

_PROC = Path("/proc/self/stat").exists()


class Unsafe(Starting):
    """Runs commands as the user that runs Greylag, who may do whatever that user may do.

    What it does give: an empty environment and home, a process group that is ended as a whole, limits where
    the system knows them, an end after the wall time. It hides nothing: neither agents' configuration in the
    folder, nor the machine, nor the network; and a process that leaves its session lives on.
    """

    name = "none"

    def inside(self, spec: CageSpec) -> str:
        """The folder's real path."""
        return str(spec.folder.resolve())

    def profile(self, spec: CageSpec) -> Mapping[str, object]:
        """What it allows: everything."""
        plain = plain_profile(spec, self.inside(spec))
        return {**plain, "cage": self.name, "network": "all of it", "readable": ["/"], "hidden": []}

    def _start(self, argv: Sequence[str], spec: CageSpec, *, talks: bool) -> CagedCommand:
        check_readable(spec)
        home = Path(tempfile.mkdtemp(prefix="greylag-home-"))
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "TMPDIR": str(home),
            "LANG": "C.UTF-8",
            **spec.env,
        }
        plan = Plan(limits=spec.limits, own_user=False)
        command = launch(sys.executable, str(INSIDE), plan, argv)
        process = spawn(
            lambda: subprocess.Popen(
                command,
                env=environment,
                cwd=spec.folder,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if talks else subprocess.STDOUT,
                start_new_session=True,
            )
        )
        group = _Group(process, home)

        def watched(end: Callable[[str], None]) -> Watched | None:
            if not _PROC:
                return None
            return Watched(
                first=process.pid,
                limits=spec.limits,
                end=end,
                alive=group.alive,
                stopped=spec.stopped,
            )

        return CagedCommand(process, group, watch=watched)


class _Group:
    """The processes of a session, by their group and by who started whom."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path) -> None:
        self._process = process
        self._home = home
        self._ended = False

    def alive(self) -> bool:
        return not self._ended and self._process.poll() is None

    def ask(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def gone(self, timeout: float) -> bool:
        self._ended = True
        shutil.rmtree(self._home, ignore_errors=True)
        return True

    def why(self) -> str:
        return ""

    def _signal(self, number: signal.Signals) -> None:
        if self._ended:
            return
        below = tree(snapshot(), self._process.pid)[1:] if _PROC and self.alive() else []
        for process in below:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
