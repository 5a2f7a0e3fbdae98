"""What a worker says is hostile until it is looked at, and no wait is without an end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import IO

import pytest

from greylag.agent.own import lines
from greylag.agent.own.lines import Lines, Misbehaved


class Pipes:
    """A caged command that is two pipes: `says` is what it writes, `hears` what it reads."""

    errors = "Traceback: it broke"
    ended = ""

    def __init__(self) -> None:
        hears, told = os.pipe()
        said, says = os.pipe()
        self.stdin: IO[bytes] = os.fdopen(told, "wb")
        self.stdout: IO[bytes] = os.fdopen(said, "rb")
        self.hears: IO[bytes] = os.fdopen(hears, "rb")
        self.says: IO[bytes] = os.fdopen(says, "wb", buffering=0)

    def poll(self) -> int | None:
        return None

    def end(self, grace: float = 1.0) -> int:
        for stream in (self.stdin, self.stdout, self.hears, self.says):
            stream.close()
        return 0


@pytest.fixture
def caged() -> Iterator[Pipes]:
    pipes = Pipes()
    yield pipes
    pipes.end()


def soon() -> float:
    return time.monotonic() + 0.05


def later() -> float:
    return time.monotonic() + 20


def test_lines_come_whole_and_in_order(caged: Pipes) -> None:
    ends = Lines(caged)
    caged.says.write(b'{"a": 1}\n{"b"')
    assert ends.receive(later()) == {"a": 1}
    with pytest.raises(TimeoutError):
        ends.receive(soon())
    caged.says.write(b": 2}\n")
    assert ends.receive(later()) == {"b": 2}


@pytest.mark.parametrize(
    "line",
    [
        b"words",
        b"[]",
        b"1",
        b"null",
        b"\xff\xfe",
        b"{",
        b"[" * 100_000,
        b'{"a": ' + b"1" * 10_000 + b"}",
        b"",
    ],
)
def test_what_is_no_object_is_misbehaviour(caged: Pipes, line: bytes) -> None:
    ends = Lines(caged)
    threading.Thread(target=caged.says.write, args=(line + b"\n",)).start()
    with pytest.raises(Misbehaved):
        ends.receive(later())


def test_a_line_without_an_end_has_one(caged: Pipes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE", 100_000)
    ends = Lines(caged)
    threading.Thread(target=_pour, args=(caged, b"x" * 1000, 300)).start()
    with pytest.raises(Misbehaved, match="without an end"):
        ends.receive(later())


def test_too_many_lines_have_an_end(caged: Pipes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MUCH", 100_000)
    ends = Lines(caged)
    threading.Thread(target=_pour, args=(caged, b'{"note": "message"}\n', 20_000)).start()
    with pytest.raises(Misbehaved, match="too much"):
        for _ in range(20_000):
            ends.receive(later())


def test_a_process_that_ended(caged: Pipes) -> None:
    ends = Lines(caged)
    caged.says.close()
    with pytest.raises(Misbehaved, match="its process ended"):
        ends.receive(later())


def test_nothing_may_wait_before_a_prompt(caged: Pipes) -> None:
    ends = Lines(caged)
    ends.begin()
    caged.says.write(b'{"end": "ended"}\n')
    with pytest.raises(Misbehaved, match="without being asked"):
        ends.begin()


def test_who_does_not_listen_is_not_waited_for(caged: Pipes) -> None:
    ends = Lines(caged)
    with pytest.raises(TimeoutError):
        ends.send({"text": "x" * 1_000_000}, soon())


def test_a_long_order_arrives(caged: Pipes) -> None:
    ends = Lines(caged)
    heard: list[bytes] = []
    listener = threading.Thread(target=lambda: heard.append(caged.hears.readline()))
    listener.start()
    ends.send({"text": "ä" * 500_000}, later())
    listener.join()
    assert len(heard[0]) > 3_000_000
    assert heard[0].isascii()


def test_who_is_gone_is_not_told(caged: Pipes) -> None:
    ends = Lines(caged)
    caged.hears.close()
    with pytest.raises(Misbehaved, match="ended"):
        ends.send({"text": "x"}, later())


def _pour(caged: Pipes, what: bytes, times: int) -> None:
    try:
        for _ in range(times):
            caged.says.write(what)
    except (OSError, ValueError):
        return
