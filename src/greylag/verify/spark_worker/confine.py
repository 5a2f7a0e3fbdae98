"""Bounds of the process, and no way to the network."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import socket
import struct
from pathlib import Path
from typing import Any

_GIB = 1 << 30


def cut_off() -> str:
    """Leave the network, if the kernel lets us: `none` says that it is gone, `guard` that Python refuses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_GIB, _GIB))
    resource.setrlimit(resource.RLIMIT_DATA, (6 * _GIB, 6 * _GIB))
    if os.environ.get("GREYLAG_CUT_OFF"):
        return "none"
    user, group = os.getuid(), os.getgid()
    if (
        ctypes.CDLL(None, use_errno=True).unshare(0x10000000 | 0x40000000) == 0
    ):  # CLONE_NEWUSER | CLONE_NEWNET
        for file, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            Path(f"/proc/self/{file}").write_text(text)
        # Python and the JVM talk over the loopback device, which is down in a new network.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            fcntl.ioctl(probe, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
        return "none"
    plain = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise OSError("no network here")
        plain(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    return "guard"
