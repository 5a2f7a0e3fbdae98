"""The filter of system calls, run by an interpreter of its instructions as the kernel does."""

from __future__ import annotations

import errno
import struct

import pytest

from greylag.workspace.cage.seccomp import denied_calls, filter_program

ALLOW = 0x7FFF0000
X86, ARM = 0xC000003E, 0xC00000B7


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """The error that the call fails with, 0 if it is allowed."""
    program = filter_program(machine)
    assert program is not None
    steps = list(struct.iter_unpack("=HBBI", program))
    given = architecture or {"x86_64": X86, "aarch64": ARM}[machine]
    data = struct.pack("=IIQ6Q", number, given, 0, *arguments, *([0] * (6 - len(arguments))))
    here, loaded = 0, 0
    while True:
        code, then, otherwise, value = steps[here]
        here += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", data, value)
            case 0x15:
                here += then if loaded == value else otherwise
            case 0x35:
                here += then if loaded >= value else otherwise
            case 0x06:
                return 0 if value == ALLOW else value & 0xFFFF
            case _:
                pytest.fail(f"unknown instruction {code:#x}")


@pytest.mark.parametrize(
    ("machine", "number", "arguments", "expected"),
    [
        ("x86_64", 0, (), 0),
        ("x86_64", 59, (), 0),
        ("x86_64", 101, (), errno.EPERM),
        ("x86_64", 250, (), errno.EPERM),
        ("x86_64", 425, (), errno.ENOSYS),
        ("x86_64", 29, (), errno.ENOSYS),
        ("x86_64", 0x40000000 + 101, (), errno.ENOSYS),
        ("x86_64", 41, (1, 1), 0),
        ("x86_64", 41, (2, 1), 0),
        ("x86_64", 41, (10, 1), 0),
        ("x86_64", 41, (16, 3), 0),
        ("x86_64", 41, (40, 1), errno.EAFNOSUPPORT),
        ("x86_64", 41, (17, 3), errno.EAFNOSUPPORT),
        ("x86_64", 16, (0, 0x5412), errno.EPERM),
        ("x86_64", 16, (0, 0x541C), errno.EPERM),
        ("x86_64", 16, (0, 0x1_0000_5412), errno.EPERM),
        ("x86_64", 16, (0, 0x5401), 0),
        ("aarch64", 117, (), errno.EPERM),
        ("aarch64", 198, (40, 1), errno.EAFNOSUPPORT),
        ("aarch64", 198, (1, 1), 0),
        ("aarch64", 29, (0, 0x5412), errno.EPERM),
        ("aarch64", 221, (), 0),
    ],
)
def test_what_is_denied(machine: str, number: int, arguments: tuple[int, ...], expected: int) -> None:
    assert verdict(machine, number, *arguments) == expected


def test_calls_of_another_kind_of_processor_are_denied() -> None:
    assert verdict("x86_64", 59, architecture=0x40000003) == errno.ENOSYS


def test_an_unknown_processor_has_no_filter_and_says_so() -> None:
    assert filter_program("riscv64") is None
    assert "keyctl" in denied_calls() or not denied_calls()
