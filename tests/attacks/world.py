"""A host with something to steal, and a folder that an attacker was given."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from greylag.workspace.cage import Cage, CageLimits, CageSpec, NoSandbox, choose_cage
from greylag.workspace.cage.launch import this_interpreter
from greylag.workspace.collect import Collected, collect, prepare_folder
from greylag.workspace.command import CommandResult

SECRET = "the-host's-own-words"
REACHED = "REACHED"
INSTALL = "no sandbox works here; install the package bubblewrap (0.8 or newer) to try the attacks"

FILES: Mapping[str, bytes] = {
    "models/users.sql": b"SELECT user_id FROM core.users_v1\n",
    "etl/load.py": b"TABLE = 'core.users_v1'\n",
    "run.sh": b"#!/bin/sh\necho ran\n",
    ".gitattributes": b"*.sql filter=evil\n",
}
RUNS = {"run.sh"}

# Each attack is a program: `host` tells it where things are, `reached` is called when it got somewhere.
_PRELUDE = """
import ctypes, errno, fcntl, glob, json, mmap, os, signal, socket, stat, struct, subprocess, sys, time
host = json.loads(sys.argv[1])
def reached(what):
    print({reached!r}, what, flush=True)
def tried(what, *arguments, **named):
    try:
        return what(*arguments, **named)
    except (OSError, MemoryError) as error:
        print('refused:', error, flush=True)
def syscall(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""


@dataclass(slots=True, kw_only=True)
class World:
    """What stands around the folder. `facts` is what the attacker is told: everything."""

    cage: Cage
    folder: Path
    facts: dict[str, object]
    limits: CageLimits = field(default_factory=CageLimits)

    def attack(self, program: str, *, cage: Cage | None = None, timeout: float = 30.0) -> CommandResult:
        """Run the program in the cage, or in another one."""
        source = _PRELUDE.replace("{reached!r}", repr(REACHED)) + program
        spec = CageSpec(folder=self.folder, limits=self.limits)
        python = str(this_interpreter().program)
        facts = json.dumps({**self.facts, "work": (cage or self.cage).inside(spec)})
        return (cage or self.cage).run([python, "-I", "-c", source, facts], spec, timeout=timeout)

    def collected(self) -> Collected:
        """What the host makes of the folder."""
        return collect(self.folder, FILES, executable=RUNS)


def sandbox() -> Cage:
    """The real sandbox of this machine."""
    try:
        return choose_cage("bubblewrap")
    except NoSandbox as error:
        pytest.skip(f"{INSTALL}: {error}")


@contextmanager
def make_world(around: Path) -> Iterator[World]:
    """A host's files and sockets below `around`."""
    home = around / "home" / "someone"
    home.mkdir(parents=True)
    secret = home / "id_ed25519"
    secret.write_text(SECRET)
    folder = around / "folder"
    prepare_folder(FILES, folder, executable=RUNS)
    path, abstract = around / "docker.sock", f"greylag-{os.getpid()}-{around.name}"
    cage = sandbox()
    with (
        _answering(socket.AF_INET, ("127.0.0.1", 0)) as tcp,
        _answering(socket.AF_UNIX, str(path)),
        _answering(socket.AF_UNIX, f"\0{abstract}"),
        _holding_a_secret(),
    ):
        facts = {
            "secret": str(secret),
            "words": SECRET,
            "home": str(home),
            "port": tcp.getsockname()[1],
            "socket": str(path),
            "abstract": abstract,
            "pid": os.getpid(),
        }
        yield World(cage=cage, folder=folder, facts=facts)


@contextmanager
def _holding_a_secret() -> Iterator[None]:
    """A process of the host that was given the secret in its environment."""
    with subprocess.Popen(["sleep", "300"], env={"GREYLAG_ATTACK_SECRET": SECRET}) as process:
        try:
            yield
        finally:
            process.kill()


@contextmanager
def _answering(family: socket.AddressFamily, address: object) -> Iterator[socket.socket]:
    """A server that says the secret to everybody who connects."""
    server = socket.socket(family)
    server.bind(address)
    server.listen()

    def serve() -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            with near:
                near.sendall(SECRET.encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        # Wakes the thread, which a close alone does not.
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
