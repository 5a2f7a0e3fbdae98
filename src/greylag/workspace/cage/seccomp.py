"""System calls that no command in a cage needs, as a filter for the kernel.

Namespaces do not hold everything: kernel keyrings, AF_VSOCK (which reaches a virtual machine's host) and
System V memory (which no per-process limit counts) are closed here, and so are the parts of the kernel that
faults are found in most. It is a list of what is denied: agents and compilers call too much to list the rest.
"""

from __future__ import annotations

import errno
import platform
import struct

# name: (x86_64, aarch64); numbers from the kernel's tables; None: does not exist there.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "syslog": (103, 116),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "acct": (163, 89),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "quotactl": (179, 60),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "perf_event_open": (298, 241),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
}
# Programs fall back to other means when a kernel does not know these.
_UNKNOWN: dict[str, tuple[int | None, int | None]] = {
    "shmget": (29, 194),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_SOCKET = (41, 198)
_IOCTL = (16, 29)
# Unix, IPv4, IPv6, and netlink, over which a program asks for its own interfaces.
_FAMILIES = (1, 2, 10, 16)
# Typing into the terminal that one was started from.
_TERMINAL_INPUT = (0x5412, 0x541C)
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_AT, _SECOND_AT = 0, 4, 16, 24


def denied_calls() -> tuple[str, ...]:
    """Names of the system calls that are denied, for the record; empty where there is no filter."""
    if platform.machine() not in _ARCHITECTURES:
        return ()
    return (*sorted({*_DENIED, *_UNKNOWN}), "ioctl(TIOCSTI)", "socket(AF_VSOCK and other families)")


def filter_program(machine: str | None = None) -> bytes | None:
    """The filter as the kernel's array of instructions; None for a processor whose calls we do not know."""
    known = _ARCHITECTURES.get(machine or platform.machine())
    if known is None:
        return None
    column, architecture = known
    program = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_EQUAL, architecture, 1, 0),
        _fail(errno.ENOSYS),
        _step(_LOAD, _NUMBER_AT),
    ]
    if column == 0:
        program += [_step(_AT_LEAST, _X32, 0, 1), _fail(errno.ENOSYS)]
    for table, code in ((_DENIED, errno.EPERM), (_UNKNOWN, errno.ENOSYS)):
        for numbers in table.values():
            number = numbers[column]
            if number is not None:
                program += [_step(_EQUAL, number, 0, 1), _fail(code)]
    program += _socket_rule(_SOCKET[column]) + _ioctl_rule(_IOCTL[column])
    program.append(_step(_RETURN, _ALLOW))
    return b"".join(program)


def _socket_rule(number: int) -> list[bytes]:
    count = len(_FAMILIES)
    tests = [_step(_EQUAL, family, count - index, 0) for index, family in enumerate(_FAMILIES)]
    body = [_step(_LOAD, _FIRST_AT), *tests, _fail(errno.EAFNOSUPPORT), _step(_RETURN, _ALLOW)]
    return [_step(_EQUAL, number, 0, len(body)), *body]


def _ioctl_rule(number: int) -> list[bytes]:
    count = len(_TERMINAL_INPUT)
    tests = [_step(_EQUAL, request, count - index, 0) for index, request in enumerate(_TERMINAL_INPUT)]
    body = [_step(_LOAD, _SECOND_AT), *tests, _step(_RETURN, _ALLOW), _fail(errno.EPERM)]
    return [_step(_EQUAL, number, 0, len(body)), *body]


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def _fail(code: int) -> bytes:
    return _step(_RETURN, _ERRNO | code)
