"""A cage of a container engine: second choice, where bubblewrap cannot run."""

from __future__ import annotations

import csv
import io
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from greylag.workspace.cage.base import HOME, SOCKET, WORK, CageError, CageSpec, NoSandbox
from greylag.workspace.cage.launch import HERE, INSIDE, LAUNCHER, Plan, launch
from greylag.workspace.cage.layout import HOSTNAME, check_readable, environment, scratch_size
from greylag.workspace.cage.masks import Masks, find_masks
from greylag.workspace.cage.process import CagedCommand
from greylag.workspace.cage.record import plain_profile
from greylag.workspace.cage.spawn import spawn
from greylag.workspace.cage.starting import Starting
from greylag.workspace.cage.watch import Watched

Engine = Literal["docker", "podman"]

IMAGE = "python:3.11-slim"
"""The image that commands run in when none is named: it needs a Python and what the command needs."""

_PATIENCE = 30.0


class Container(Starting):
    """Runs commands under `docker run` or `podman run`, in an image that must be there already.

    The engine bounds memory and processes; the launcher inside ends the container when its wall time is over,
    so that one whose host was killed does not live for ever. Programs of the host are not shown unless
    `readable` names them, and run only where the image's libraries suit them.
    """

    def __init__(self, engine: Engine, program: str, image: str = IMAGE) -> None:
        self.name: str = engine
        self._program = program
        self._image = image

    @classmethod
    def find(cls, engine: Engine, image: str = IMAGE) -> Container:
        """The engine that is installed, with the image. Raises NoSandbox."""
        program = shutil.which(engine)
        if program is None:
            raise NoSandbox("it is not installed")
        try:
            told = subprocess.run(
                [program, "image", "inspect", image],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired:
            raise NoSandbox("its engine does not answer; is it running?") from None
        if told.returncode:
            said = told.stderr.strip().splitlines() or ["no reason given"]
            raise NoSandbox(f"{said[-1]}; start the engine, and run `{engine} pull {image}` once")
        return cls(engine, program, image)

    def inside(self, spec: CageSpec) -> str:
        """The folder stands at `WORK`."""
        return WORK

    def profile(self, spec: CageSpec) -> Mapping[str, object]:
        """What such a cage allows."""
        return {
            "cage": self.name,
            "image": self._image,
            "capabilities": [],
            "denied_calls": "the engine's own list",
            **plain_profile(spec, WORK),
        }

    def _start(self, argv: Sequence[str], spec: CageSpec, *, talks: bool) -> CagedCommand:
        check_readable(spec)
        masks = find_masks(spec.folder)
        box = _Box(self._program, _given(spec))
        plan = Plan(
            limits=spec.limits,
            socket=SOCKET if spec.socket else None,
            own_user=False,
            wall=spec.limits.wall,
        )
        command = [
            self._program,
            *container_args(self.name, self._image, box.label, box.scratch, spec, masks),
            *launch("python3", LAUNCHER, plan, argv),
        ]
        process = spawn(
            lambda: subprocess.Popen(
                command,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if talks else subprocess.STDOUT,
                start_new_session=True,
            )
        )
        return CagedCommand(
            process,
            box,
            watch=lambda end: Watched(
                # The client's own: what runs in the container is counted by the engine.
                first=process.pid,
                limits=spec.limits,
                end=end,
                alive=lambda: process.poll() is None,
                stopped=spec.stopped,
                folder=spec.folder if spec.writable else None,
                baseline=masks.size,
                apart=frozenset((*masks.git, *masks.folders)),
            ),
        )


def container_args(
    engine: str, image: str, label: str, scratch: Path, spec: CageSpec, masks: Masks
) -> list[str]:
    """The arguments of the engine, up to the image. `scratch` holds `env` and an empty folder `empty`."""
    limits, size = spec.limits, scratch_size(spec)
    args = [
        *("run", "--rm", "--interactive", "--init", "--pull=never"),
        *("--name", label, "--label", "greylag=cage", "--hostname", HOSTNAME),
        *("--network", "none", "--read-only", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges"),
        *("--pids-limit", str(limits.processes)),
        *("--memory", str(limits.memory), "--memory-swap", str(limits.memory)),
        *("--shm-size", str(max(1024 * 1024, size // 4))),
        *("--tmpfs", f"/tmp:rw,nosuid,nodev,mode=1777,size={size}"),
        *("--tmpfs", f"{HOME}:rw,nosuid,nodev,mode=1777,size={size}"),
        *("--user", f"{os.getuid()}:{os.getgid()}"),
        *("--workdir", WORK, "--env-file", str(scratch / "env")),
    ]
    if engine == "podman" and os.getuid() != 0:
        args.append("--userns=keep-id")
    for source, target, read_only in _mounts(spec, masks, scratch / "empty"):
        args += ["--mount", _mount(source, target, read_only=read_only)]
    return [*args, image]


def _mounts(spec: CageSpec, masks: Masks, empty: Path) -> Iterator[tuple[Path, str, bool]]:
    folder = spec.folder.resolve()
    for path in spec.readable:
        yield path, str(path), True
    yield folder, WORK, not spec.writable
    for name in masks.git:
        yield folder / name, f"{WORK}/{name}", True
    for name in masks.folders:
        yield empty, f"{WORK}/{name}", True
    for name in masks.files:
        yield HERE / "etc" / "empty", f"{WORK}/{name}", True
    yield INSIDE, LAUNCHER, True
    if spec.socket is not None:
        yield spec.socket.resolve(), SOCKET, True


def _mount(source: Path, target: str, *, read_only: bool) -> str:
    # Engines read the option as a line of CSV.
    line = io.StringIO()
    fields = ["type=bind", f"source={source}", f"target={target}", *(["readonly"] if read_only else [])]
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _given(spec: CageSpec) -> str:
    values = environment(spec)
    for name, value in values.items():
        if "\n" in value:
            raise CageError(f"{name}: holds a line break, which container engines cannot pass on")
    return "".join(f"{name}={value}\n" for name, value in values.items())


class _Box:
    """A container by its name, and the folder with what it was given; the folder goes with it."""

    def __init__(self, program: str, given: str) -> None:
        self._program = program
        self.label = f"greylag-{secrets.token_hex(8)}"
        self.scratch = Path(tempfile.mkdtemp(prefix=f"{self.label}-"))
        (self.scratch / "empty").mkdir()
        # Not on the command line, which everybody on the machine can read; the folder is ours alone.
        (self.scratch / "env").write_text(given)

    def ask(self) -> None:
        self._engine("kill", "--signal", "TERM", self.label)

    def kill(self) -> None:
        self._engine("rm", "--force", self.label)

    def gone(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
        while True:
            left = self._engine("ps", "--all", "--quiet", "--filter", f"name={self.label}")
            if left is not None and not left.strip():
                shutil.rmtree(self.scratch, ignore_errors=True)
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.1)

    def why(self) -> str:
        return ""

    def _engine(self, *arguments: str) -> str | None:
        """What the engine answers; None when it does not, or says that it did not work."""
        with suppress(subprocess.TimeoutExpired):
            told = subprocess.run(
                [self._program, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_PATIENCE,
            )
            return None if told.returncode else told.stdout
        return None
