"""A reply that was paid for is never paid for twice, and a question that is asked twice is answered twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from tests.unit.agent.proxy.wire import ATTEMPT, client, opened, request, upstream, wired

from greylag.agent.proxy import MemoryBooks, ModelProxy
from greylag.agent.proxy.records import Record, all_records, load, save
from greylag.domain.agent import Usage
from greylag.testing.model import ScriptedModel, Seen, Step, Tokens, slow

ROOT = Path(__file__).parents[4]


class Numbered:
    """A model that never says the same twice: what it says tells how many calls were paid."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._numbers = count(1)
        self._seconds = seconds

    def __call__(self, seen: Seen) -> Step:
        if self._seconds:
            time.sleep(self._seconds)
        return Step(text=f"answer {next(self._numbers)}", tokens=Tokens(1000, 10))


def run_host(url: str, folder: Path, moment: str, *texts: str) -> tuple[int, list[dict[str, Any]]]:
    # What a killed host leaves in the temporary folder (its socket) goes with this; a socket's path is short.
    with TemporaryDirectory(prefix="g") as temporary:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.unit.agent.proxy.killed_host", url, str(folder), moment, *texts],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": temporary},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize(
    ("moment", "stream", "paid"),
    [("recorded", True, 1), ("settled", False, 1), ("reserved", False, 0)],
)
def test_a_host_killed_between_paying_and_forwarding(
    moment: str, stream: bool, paid: int, tmp_path: Path
) -> None:
    text = "streamed" if stream else "plain"
    with ScriptedModel(Numbered()) as model:
        status, lines = run_host(model.url, tmp_path, moment, text)
        assert (status, lines) == (-signal.SIGKILL, [])
        assert len(model.requests) == paid
        assert not list(tmp_path.glob("*.tmp"))
        status, lines = run_host(model.url, tmp_path, "never", text, text)
        assert status == 0
        assert [line["status"] for line in lines] == [200, 200]
        # The second time that it is asked, it is meant: that is a call of its own.
        assert "answer 1" in lines[0]["text"]
        assert "answer 2" in lines[1]["text"]
        assert [line["replayed"] for line in lines] == (["true", None] if paid else [None, None])
        assert len(lines[0]["recovered"]) == paid
        assert len(model.requests) == 2


def test_a_whole_attempt_is_driven_again_at_no_cost(tmp_path: Path) -> None:
    sequence = ["one", "two", "one", "three", "one"]
    books = MemoryBooks()
    with ScriptedModel(Numbered()) as model, ModelProxy([upstream(model.url)], books) as proxy:
        with opened(proxy, tmp_path) as wire:
            first = [wire.ask(request("anthropic", text)).json()["content"] for text in sequence]
        spent = books.spent(ATTEMPT)
        with opened(proxy, tmp_path) as wire:
            again = [wire.ask(request("anthropic", text)).json()["content"] for text in sequence]
            new = wire.ask(request("anthropic", "one")).json()["content"]
        assert len(model.requests) == 6
    assert first == again
    assert [each[0]["text"] for each in first] == [f"answer {n}" for n in (1, 2, 3, 4, 5)]
    assert new[0]["text"] == "answer 6"
    assert spent.calls == 5
    assert books.spent(ATTEMPT).calls == 6
    assert [note["replayed"] for note in wire.notes.of("model_call")] == [True] * 5 + [False]
    assert sum(note["cost"] for note in wire.notes.of("model_call")) == pytest.approx(spent.cost / 5)


def test_names_of_a_session_do_not_hide_a_repetition(tmp_path: Path) -> None:
    with ScriptedModel(Numbered()) as model, ModelProxy([upstream(model.url)], MemoryBooks()) as proxy:
        for session in ("a", "b"):
            with opened(proxy, tmp_path) as wire:
                body = request("anthropic", "same", metadata={"user_id": session})
                assert wire.ask(dict(reversed(body.items()))).json()["content"][0]["text"] == "answer 1"
        assert len(model.requests) == 1


def test_a_client_that_lost_its_connection_gets_the_same_reply(tmp_path: Path) -> None:
    with ScriptedModel(Numbered(0.4)) as model, wired(model, tmp_path) as wire:
        with pytest.raises(httpx.ReadTimeout):
            wire.ask(request("anthropic"), timeout=0.1)
        # The first call is still under way: it is joined.
        assert "answer 1" in wire.ask(request("anthropic")).text
        with pytest.raises(httpx.ReadTimeout):
            wire.ask(request("anthropic"), timeout=0.1)
        time.sleep(0.6)
        # The second one is over: it is there.
        assert "answer 2" in wire.ask(request("anthropic")).text
        assert len(model.requests) == 2


def test_the_same_twice_at_once_is_two_calls(tmp_path: Path) -> None:
    with ScriptedModel(Numbered(0.2)) as model, wired(model, tmp_path) as wire, ThreadPoolExecutor(3) as pool:
        texts = list(
            pool.map(lambda _: wire.ask(request("anthropic")).json()["content"][0]["text"], range(3))
        )
        assert len(model.requests) == 3
    assert sorted(texts) == ["answer 1", "answer 2", "answer 3"]
    assert {record.occurrence for record in all_records(tmp_path)} == {1, 2, 3}


def test_a_failed_call_leaves_its_place_and_its_turn(tmp_path: Path) -> None:
    from greylag.testing.model import broken

    def script(seen: Seen) -> Step:
        return Step(text="at last", faults=(broken(500), broken(500)))

    with ScriptedModel(script) as model, wired(model, tmp_path, tries=1, turns=1) as wire:
        statuses = [wire.ask(request("anthropic")).status_code for _ in range(4)]
    assert statuses == [500, 500, 200, 402]
    assert [record.occurrence for record in all_records(tmp_path)] == [1]


def test_a_grant_brings_old_records_into_the_books(tmp_path: Path) -> None:
    books = MemoryBooks()
    call = books.reserve(ATTEMPT, "m", 1.0, "r")
    usage = Usage(calls=1, cost=0.25)
    save(tmp_path, _record(call=call, usage=usage))
    proxy = ModelProxy([upstream("http://127.0.0.1:9")], books)
    with proxy, opened(proxy, tmp_path):
        assert books.spent(ATTEMPT) == usage


def test_a_record_survives_the_disk_as_it_is(tmp_path: Path) -> None:
    record = _record(body=bytes(range(256)) + "ünïcode \ud800".encode("utf-8", "surrogatepass"))
    save(tmp_path, record)
    assert load(tmp_path, record.request, 1) == record
    assert load(tmp_path, record.request, 2) is None
    assert load(tmp_path / "none", record.request, 1) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"version": 2}', b'{"version": 1, "body": "x"}', b"\xff"]
)
def test_a_record_that_cannot_be_read_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ("a" * 64 + ".1.json")).write_bytes(content)
    assert load(tmp_path, "a" * 64, 1) is None
    assert list(all_records(tmp_path)) == []


def test_a_record_under_another_name_is_not_the_reply(tmp_path: Path) -> None:
    save(tmp_path, _record())
    (tmp_path / ("a" * 64 + ".1.json")).rename(tmp_path / ("b" * 64 + ".1.json"))
    assert load(tmp_path, "b" * 64, 1) is None


def test_a_reply_that_cannot_be_recorded_is_not_forwarded(tmp_path: Path) -> None:
    folder = tmp_path / "replies"

    def script(seen: Seen) -> Step:
        folder.rmdir()
        folder.write_text("a file where the folder was")
        return Step(text="paid for")

    books = MemoryBooks()
    with ScriptedModel(script) as model, wired(model, folder, books=books) as wire:
        reply = wire.ask(request("anthropic"))
        assert len(model.requests) == 1
    assert reply.status_code == 400
    assert "could not record" in reply.json()["error"]["message"]
    assert books.spent(ATTEMPT).calls == 1


def test_a_call_that_waits_its_turn_ends_with_its_grant(tmp_path: Path) -> None:
    with (
        ScriptedModel(Numbered()) as model,
        ModelProxy([upstream(model.url, requests_per_minute=1)], MemoryBooks()) as proxy,
    ):
        statuses: list[int] = []
        with opened(proxy, tmp_path) as wire:
            assert wire.ask(request("anthropic", "one")).is_success
            other = client(wire.access)
            waiting = threading.Thread(
                target=lambda: statuses.append(
                    other.post("/v1/messages", json=request("anthropic", "two")).status_code
                )
            )
            waiting.start()
            time.sleep(0.2)
            begun = time.monotonic()
        assert time.monotonic() - begun < 1.0
        waiting.join(5)
        assert statuses == [401]
        assert len(model.requests) == 1


def test_a_slow_call_is_recorded_though_its_agent_was_ended(tmp_path: Path) -> None:
    def script(seen: Seen) -> Step:
        return Step(text="late", faults=(slow(0.7),))

    books = MemoryBooks()
    with ScriptedModel(script) as model, wired(model, tmp_path, books=books, grace=0.1) as wire:
        with pytest.raises(httpx.ReadTimeout):
            wire.ask(request("anthropic"), timeout=0.1)
        proxy = wire.proxy
        assert proxy is not None
    # The proxy ended before the reply came: what it took is not known, and counted as all that it may have.
    assert books.open(ATTEMPT) == 0
    assert books.spent(ATTEMPT).cost > 0
    assert list(all_records(tmp_path)) == []


def _record(**change: Any) -> Record:
    values: dict[str, Any] = {
        "request": "a" * 64,
        "occurrence": 1,
        "call": 7,
        "model": "m",
        "content_type": "application/json",
        "body": b"{}",
        "usage": Usage(calls=1, cost=0.5),
    }
    return Record(**{**values, **change})
