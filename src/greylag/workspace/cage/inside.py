"""The first program in a cage: waits for the word, limits itself, opens the way out, becomes the command.

It runs on its own (`python -I -S inside.py PLAN COMMAND…`), by whatever Python is there: standard library
only, nothing of Greylag. PLAN is a JSON object; see `Plan` in `launch.py`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys

NOT_STARTED = 126
"""Exit status when the command cannot be started."""

# Landlock's system calls have the same numbers everywhere.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_NO_NEW_PRIVS = 38
_EXECUTE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 2, 1 << 3
_READS = _EXECUTE | _READ_FILE | _READ_FOLDER
_WRITE_FILE = 1 << 1
# Rights known to each version: the second adds moving between folders, the third truncating.
_KNOWN = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}


def main(arguments: list[str]) -> int:
    """Run it; returns only when the command cannot be started."""
    plan = json.loads(arguments[0])
    command = arguments[1:]
    if plan["go"] >= 0 and not os.read(plan["go"], 1):
        return NOT_STARTED  # whoever built this cage is gone
    os.closerange(3, 1 << 20)
    os.nice(plan["nice"])
    forget_our_locale()
    for name, value in plan["limits"].items():
        limit(getattr(resource, name), value)
    if plan["socket"]:
        forward(plan["port"], plan["socket"])
    if plan["writable"] is not None:
        restrict_writes(plan["writable"])
    if plan["wall"]:
        stay_before(plan["wall"])
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: cannot be started: {error.strerror}\n")
    return NOT_STARTED


def forget_our_locale() -> None:
    """Python adds LC_CTYPE to a plain environment for itself; the command gets what was given to it."""
    try:
        with open("/proc/self/environ", "rb") as stream:  # noqa: PTH123
            given = stream.read()
    except OSError:
        return
    if not any(entry.startswith(b"LC_CTYPE=") for entry in given.split(b"\0")):
        os.environ.pop("LC_CTYPE", None)


def stay_before(wall: float) -> None:
    """Go on in a child; end with it, or after `wall` seconds, whether the host still lives or not."""
    child = os.fork()
    if not child:
        return
    signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + signal.SIGKILL))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, wall)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def limit(which: int, value: int) -> None:
    """Set a limit, below the one that stands already if that is lower."""
    _, hard = resource.getrlimit(which)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    last = most
    if which == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY:
        # A soft limit below the hard one tells the program before it is killed.
        last = most + 5
    resource.setrlimit(which, (most, last))


def forward(port: int, path: str) -> None:
    """Listen on 127.0.0.1:port and pipe to the socket at `path`, in a process of its own."""
    server = socket.create_server(("127.0.0.1", port), backlog=64)
    child = os.fork()
    if child:
        server.close()
        os.waitpid(child, 0)
        return
    # Twice, so that it is no child of the command, which may wait for all of its own.
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    try:
        serve(server, path)
    finally:
        os._exit(1)


def serve(server: socket.socket, path: str) -> None:
    """Pipe every connection to a new one to `path`, for ever."""
    import threading

    while True:
        near, _ = server.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(path)
        except OSError:
            near.close()
            far.close()
            continue
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=pipe, args=(source, sink), daemon=True).start()


def pipe(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source ends, then say so to the sink; the other way may go on."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        # Either side is gone: so is the connection.
        for end in (source, sink):
            _shutdown(end, socket.SHUT_RDWR)
        return
    _shutdown(sink, socket.SHUT_WR)


def _shutdown(end: socket.socket, how: int) -> None:
    try:
        end.shutdown(how)
    except OSError:
        end.close()


def restrict_writes(writable: list[str]) -> bool:
    """With Landlock, where the kernel has it: read and run anything shown, write below `writable` only.

    A second fence behind read-only mounts. Returns whether it stands.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    known = _KNOWN[min(version, 3)]
    ruleset = libc.syscall(_CREATE_RULESET, struct.pack("=Q", known), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    for path, rights in [("/", _READS), *((path, known) for path in writable)]:
        if not _allow(libc, ruleset, path, rights):
            os.close(ruleset)
            return False
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    stands: bool = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return stands


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> bool:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        rule = struct.pack("=Qi", rights, folder)
        return bool(libc.syscall(_ADD_RULE, ruleset, 1, rule, 0) == 0)
    finally:
        os.close(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
