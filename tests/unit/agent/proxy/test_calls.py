"""Calls through a running proxy: money, turns, faults, streams."""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.agent.proxy.wire import ATTEMPT, KEY, MODEL, PATHS, client, opened, request, upstream, wired

from greylag.agent.proxy import Budgets, MemoryBooks, ModelProxy, Redactor, Upstream
from greylag.agent.proxy.apis import ApiName
from greylag.agent.proxy.upstream import retry_after
from greylag.domain.agent import Usage
from greylag.domain.errors import UsageError
from greylag.testing.model import (
    ScriptedModel,
    Seen,
    Step,
    Tokens,
    broken,
    cut,
    overloaded,
    rate_limited,
    slow,
    wrong_json,
)

APIS: list[ApiName] = ["anthropic", "openai-chat", "openai-responses"]
HELLO = Step(text="hello", tokens=Tokens(1000, 10, 200))
COST = (800 * 2 + 200 * 0.2 + 10 * 10) / 1_000_000


def hello(seen: Seen) -> Step:
    return HELLO


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", APIS)
def test_a_call_is_answered_counted_and_noted(api: ApiName, stream: bool, tmp_path: Path) -> None:
    books = MemoryBooks()
    with ScriptedModel(hello, key=KEY) as model, wired(model, tmp_path, api=api, books=books) as wire:
        reply = wire.ask(request(api, stream=stream))
        assert reply.status_code == 200
        assert "hello" in reply.text
        assert ("text/event-stream" in reply.headers["content-type"]) is stream
        [seen] = model.requests
    assert books.spent(ATTEMPT) == Usage(
        calls=1, input_tokens=1000, output_tokens=10, cached_tokens=200, cost=pytest.approx(COST)
    )
    [note] = wire.notes.of("model_call")
    assert note["cost"] == pytest.approx(COST)
    assert (note["model"], note["status"], note["replayed"], note["tries"]) == (MODEL, 200, False, 1)
    assert seen.path == PATHS[api]


def test_the_agent_chooses_no_header_and_no_address(tmp_path: Path) -> None:
    with ScriptedModel(hello, key=KEY) as model, wired(model, tmp_path) as wire:
        headers = {
            "x-forwarded-host": "evil.example",
            "anthropic-beta": "files-api-2025-04-14",
            "anthropic-version": "1999-01-01",
            "cookie": "a=b",
            "host": "evil.example",
            "connection": "keep-alive, x-secret",
            "user-agent": "evil",
        }
        assert wire.ask(
            request("anthropic"), "/v1/messages?beta=true&x=http://evil.example", headers=headers
        ).is_success
        [seen] = model.requests
    sent = {name.lower(): value for name, value in seen.headers.items()}
    allowed = {
        "host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type",
        "anthropic-version", "x-api-key",
    }  # fmt: skip
    assert set(sent) <= allowed
    assert sent["anthropic-version"] == "2023-06-01"
    assert sent["user-agent"].startswith("greylag/")
    assert "evil" not in json.dumps(sent)
    assert seen.path == "/v1/messages"


@pytest.mark.parametrize("api", APIS)
def test_over_budget_stops_clients_and_is_told(api: ApiName, tmp_path: Path) -> None:
    books = MemoryBooks(Budgets(target=0.01))
    with ScriptedModel(hello) as model:
        with wired(model, tmp_path, api=api, books=books, max_tokens=10) as wire:
            statuses = [wire.ask(request(api, f"number {n}")) for n in range(8)]
            assert [reply.status_code for reply in statuses][-1] == 402
        paid = len(model.requests)
    assert 0 < paid < 8
    assert books.spent(ATTEMPT).cost <= 0.01
    last = statuses[-1]
    assert last.headers["x-should-retry"] == "false"
    assert last.headers["x-greylag-refused"] == "over_budget"
    assert "over budget: the target's budget is $0.01" in last.json()["error"]["message"]
    stopped = wire.proxy.stopped(ATTEMPT)
    assert stopped is not None
    assert stopped.reason == "over_budget"
    assert wire.notes.of("denied")[-1]["what"] == "over_budget"


def test_reservations_of_others_are_waited_for(tmp_path: Path) -> None:
    # Each may cost ten times of what it does; there is money for all, but not for all reservations at once.
    most = (512 * 4 + 300 * 2 + 100 * 10) / 1_000_000
    books = MemoryBooks(Budgets(campaign=2 * most))

    def script(seen: Seen) -> Step:
        return Step(text="hello", tokens=Tokens(10, 1), faults=(slow(0.1),))

    with (
        ScriptedModel(script) as model,
        wired(model, tmp_path, books=books) as wire,
        ThreadPoolExecutor(5) as pool,
    ):
        replies = pool.map(lambda n: wire.ask(request("anthropic", f"number {n}")).status_code, range(5))
        assert list(replies) == [200] * 5
    assert wire.proxy.stopped(ATTEMPT) is None


def test_what_is_over_budget_stays_so(tmp_path: Path) -> None:
    books = MemoryBooks(Budgets(target=0.004))
    with ScriptedModel(hello) as model, wired(model, tmp_path, books=books) as wire:
        assert wire.ask(request("anthropic", "x" * 5000)).status_code == 402
        # It was told that no further call will pass: a smaller one does not, either.
        reply = wire.ask(request("anthropic"))
        assert reply.status_code == 402
        assert "over budget" in reply.json()["error"]["message"]
        assert model.requests == []


def test_real_clients_do_not_repeat_what_is_refused(tmp_path: Path) -> None:
    import anthropic
    import httpx2
    import openai

    books = MemoryBooks(Budgets(target=0.0))
    with ScriptedModel(hello) as model:
        with wired(model, tmp_path / "a", books=books) as wire:
            transport = httpx2.HTTPTransport(uds=str(wire.access.socket))
            asker = anthropic.Anthropic(
                api_key=wire.access.token,
                base_url=wire.access.base_url,
                max_retries=3,
                http_client=httpx2.Client(transport=transport),
            )
            with pytest.raises(anthropic.APIStatusError, match="over budget") as raised:
                asker.messages.create(
                    model=MODEL, max_tokens=10, messages=[{"role": "user", "content": "hi"}]
                )
            assert raised.value.status_code == 402
            assert len(wire.notes.of("denied")) == 1
        with wired(model, tmp_path / "b", api="openai-chat", books=books) as wire:
            transport = httpx2.HTTPTransport(uds=str(wire.access.socket))
            other = openai.OpenAI(
                api_key=wire.access.token,
                base_url=f"{wire.access.base_url}/v1",
                max_retries=3,
                http_client=httpx2.Client(transport=transport),
            )
            with pytest.raises(openai.APIStatusError, match="over budget") as refused:
                other.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": "hi"}], stream=True
                )
            assert refused.value.status_code == 402
            assert len(wire.notes.of("denied")) == 1
        assert model.requests == []


def test_turns_are_counted(tmp_path: Path) -> None:
    with ScriptedModel(hello) as model:
        with wired(model, tmp_path, turns=2) as wire:
            replies = [wire.ask(request("anthropic", f"number {n}")) for n in range(3)]
        assert len(model.requests) == 2
    assert [reply.status_code for reply in replies] == [200, 200, 402]
    assert "may ask the model 2 times" in replies[-1].json()["error"]["message"]
    stopped = wire.proxy.stopped(ATTEMPT)
    assert stopped is not None
    assert stopped.reason == "out_of_turns"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault",
    [rate_limited(0.05), overloaded(), broken(500), cut(2), wrong_json()],
    ids=lambda fault: str(fault.kind),
)
def test_what_fails_for_now_is_tried_again(fault: Any, stream: bool, tmp_path: Path) -> None:
    books = MemoryBooks()

    def script(seen: Seen) -> Step:
        return Step(text="hello", tokens=Tokens(1000, 10), faults=(fault,))

    with ScriptedModel(script) as model, wired(model, tmp_path, books=books) as wire:
        reply = wire.ask(request("anthropic", stream=stream))
        assert reply.status_code == 200
        assert "hello" in reply.text
        assert len(model.requests) == 2
    assert wire.notes.of("model_call")[-1]["tries"] == 2
    assert len(list(tmp_path.glob("*.json"))) == 1
    # What was refused costs nothing; what broke off was begun, and is counted with what is known of it.
    assert books.spent(ATTEMPT).cost >= (1000 * 2 + 10 * 10) / 1_000_000
    assert books.open(ATTEMPT) == 0


def test_a_provider_that_stays_busy_is_said_so_once(tmp_path: Path) -> None:
    def script(seen: Seen) -> Step:
        return Step(text="never", faults=(rate_limited(0.01),) * 99)

    with ScriptedModel(script) as model, wired(model, tmp_path, tries=3) as wire:
        reply = wire.ask(request("anthropic"))
        assert len(model.requests) == 3
    assert reply.status_code == 429
    assert reply.headers["x-should-retry"] == "false"
    assert "failed 3 times" in reply.json()["error"]["message"]


def test_a_pause_that_is_too_long_is_not_waited_for(tmp_path: Path) -> None:
    def script(seen: Seen) -> Step:
        return Step(text="never", faults=(rate_limited(3600),) * 9)

    with ScriptedModel(script) as model, wired(model, tmp_path, patience=1.0) as wire:
        begun = time.monotonic()
        assert wire.ask(request("anthropic")).status_code == 429
        assert time.monotonic() - begun < 5
        assert len(model.requests) == 1


def test_no_provider_at_all(tmp_path: Path) -> None:
    books = MemoryBooks()
    with wired("http://127.0.0.1:9", tmp_path, books=books, tries=1) as wire:
        reply = wire.ask(request("anthropic"))
    assert reply.status_code == 502
    assert "ConnectError" in reply.json()["error"]["message"]
    assert books.spent(ATTEMPT).cost == 0


def test_a_refused_key_is_told_without_the_key(tmp_path: Path) -> None:
    with ScriptedModel(hello, key="another") as model, wired(model, tmp_path) as wire:
        reply = wire.ask(request("anthropic"))
        assert len(model.requests) == 1
    assert reply.status_code == 403
    assert "key" in reply.json()["error"]["message"]
    assert KEY not in reply.text + json.dumps(wire.notes.lines, default=str)


def test_a_stream_that_takes_long_gets_signs_of_life(tmp_path: Path) -> None:
    def script(seen: Seen) -> Step:
        return Step(text="hello", faults=(slow(0.6),))

    with ScriptedModel(script) as model, wired(model, tmp_path, ping=0.1) as wire:
        reply = wire.ask(request("anthropic", stream=True))
    assert reply.text.count("event: ping") >= 2
    assert reply.text.index("event: ping") < reply.text.index("message_start")
    assert reply.text.rstrip().endswith('{"type": "message_stop"}')


@pytest.mark.parametrize("api", APIS)
def test_a_late_failure_is_an_event_of_the_stream(api: ApiName, tmp_path: Path) -> None:
    def script(seen: Seen) -> Step:
        return Step(text="never", faults=(broken(500),) * 9)

    with (
        ScriptedModel(script) as model,
        wired(model, tmp_path, api=api, ping=0.05, tries=2, pause=0.4) as wire,
    ):
        reply = wire.ask(request(api, stream=True))
    assert reply.status_code == 200
    assert "failed 2 times" in reply.text


def test_requests_side_by_side(tmp_path: Path) -> None:
    def script(seen: Seen) -> Step:
        return Step(text=f"echo {seen.prompt}", faults=(slow(0.2),))

    with ScriptedModel(script) as model, wired(model, tmp_path) as wire, ThreadPoolExecutor(6) as pool:
        texts = [f"number {n}" for n in range(6)]
        replies = list(pool.map(lambda text: wire.ask(request("anthropic", text, stream=True)).text, texts))
    assert all(
        f"echo {text}" in reply.replace('"}}\n', "") or text in reply
        for text, reply in zip(texts, replies, strict=True)
    )
    assert len(list(tmp_path.glob("*.json"))) == 6
    assert len(wire.notes.of("model_call")) == 6


def test_a_rate_is_kept(tmp_path: Path) -> None:
    with ScriptedModel(hello) as model, wired(model, tmp_path, requests_per_minute=2.0) as wire:
        begun = time.monotonic()
        for n in range(2):
            assert wire.ask(request("anthropic", f"number {n}")).is_success
        assert time.monotonic() - begun < 5
        with pytest.raises(httpx.ReadTimeout):
            wire.ask(request("anthropic", "number 3"), timeout=0.5)
        assert len(model.requests) == 2


def test_a_secret_of_the_host_does_not_leave_it(tmp_path: Path) -> None:
    redactor = Redactor(literals=["database-password-1"])
    body = request("anthropic", f"the key is {KEY} and \\u0064atabase-password-1")
    body["system"] = "database-password-1"
    with ScriptedModel(hello) as model, wired(model, tmp_path, redactor=redactor) as wire:
        content = json.dumps(body).replace("\\\\u0064", "\\u0064")
        assert wire.client.post("/v1/messages", content=content).is_success
        [seen] = model.requests
    assert KEY not in json.dumps(seen.body)
    assert "database-password-1" not in json.dumps(seen.body)
    assert "[secret]" in json.dumps(seen.body)
    assert [note["what"] for note in wire.notes.of("denied")] == ["host_secret"]


def test_nothing_of_ours_shows_the_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def script(seen: Seen) -> Step:
        return Step(text=f"you are using {KEY}", faults=(overloaded(),))

    caplog.set_level(logging.DEBUG)
    with ScriptedModel(script) as model, wired(model, tmp_path) as wire:
        shown = wire.ask(request("anthropic")).text
        shown += wire.ask(request("anthropic", stream=True)).text
        shown += repr(wire.proxy) + repr(upstream(model.url)) + repr(vars(wire.proxy))
        shown += json.dumps(wire.notes.lines, default=str)
    shown += "".join(path.read_text() for path in tmp_path.glob("*"))
    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("hpack", "asyncio"))
    ]
    assert KEY not in shown + "\n".join(ours)


def test_the_end_of_a_grant_waits_for_calls_under_way(tmp_path: Path) -> None:
    def script(seen: Seen) -> Step:
        return Step(text="late", tokens=Tokens(1000, 10), faults=(slow(0.5),))

    books = MemoryBooks()
    with (
        ScriptedModel(script) as model,
        wired(model, tmp_path, books=books) as wire,
        pytest.raises(httpx.ReadTimeout),
    ):
        wire.ask(request("anthropic"), timeout=0.1)
    assert books.spent(ATTEMPT).calls == 1
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_two_models_in_one_proxy(tmp_path: Path) -> None:
    with ScriptedModel(hello) as one, ScriptedModel(hello) as two:
        upstreams = [upstream(one.url), upstream(two.url, "openai-chat", name="judge")]
        with ModelProxy(upstreams, MemoryBooks()) as proxy:
            with opened(proxy, tmp_path) as wire:
                assert wire.access.api == "anthropic"
                assert wire.ask(request("openai-chat"), "/v1/chat/completions").status_code == 404
            notes, host = wire.notes, wire.host
            with proxy.grant(
                ATTEMPT, folder=tmp_path, host=host, note=notes, turns=1, upstream="judge"
            ) as access:
                assert access.api == "openai-chat"
            with pytest.raises(UsageError, match="there is no model nobody"):
                proxy.grant(
                    ATTEMPT, folder=tmp_path, host=host, note=notes, turns=1, upstream="nobody"
                ).__enter__()
        assert one.requests == two.requests == []


def test_a_judge_without_money_does_not_stop_the_agent(tmp_path: Path) -> None:
    with ScriptedModel(hello) as model:
        upstreams = [upstream(model.url), upstream(model.url, name="judge", max_tokens=10**6)]
        with ModelProxy(upstreams, MemoryBooks(Budgets(target=0.1))) as proxy:
            with opened(proxy, tmp_path) as wire:
                judge = proxy.grant(
                    ATTEMPT, folder=tmp_path, host=wire.host, note=wire.notes, turns=1, upstream="judge"
                )
                with judge as access, client(access) as talk:
                    asked = request("anthropic") | {"max_tokens": 10**6}
                    assert talk.post("/v1/messages", json=asked).status_code == 402
                assert wire.ask(request("anthropic")).is_success
            assert proxy.stopped(ATTEMPT) is None
            stopped = proxy.stopped(ATTEMPT, "judge")
            assert stopped is not None
            assert stopped.reason == "over_budget"


def test_the_operators_http_proxy_is_not_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ScriptedModel(hello) as model, wired(model, tmp_path) as wire:
        assert wire.ask(request("anthropic")).is_success


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "ftp://x.example"}, "agent.upstream.url should be like"),
        ({"url": "http://x.example/v1"}, "in the clear"),
        ({"url": "https://user:pass@x.example"}, "agent.upstream.url should be like"),
        ({"api": "other"}, "agent.upstream.api should be one of"),
    ],
)
def test_a_wrong_upstream_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        upstream(**{"url": "https://x.example", **change})
    assert "pass" not in str(raised.value)


def test_a_model_without_a_price_is_refused_before_anything_runs() -> None:
    unknown = Upstream(api="anthropic", url="https://x.example", model="unheard-of")
    with pytest.raises(UsageError, match="no price is known for the model unheard-of"):
        ModelProxy([unknown], MemoryBooks())


def test_how_long_to_leave_an_upstream_alone() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
    assert retry_after({"retry-after": "2.5"}, now) == 2.5
    assert retry_after({"retry-after-ms": "1500", "retry-after": "9"}, now) == 1.5
    assert retry_after({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT"}, now) == 30
    assert retry_after({"retry-after": "Mon, 23 Nov 2026 11:00:30 GMT"}, now) == 0
    for nonsense in ("", "soon", "-1", "nan", "inf"):
        assert retry_after({"retry-after": nonsense}, now) is None


def test_the_server_ends_with_its_proxy(tmp_path: Path) -> None:
    with ScriptedModel(hello) as model, wired(model, tmp_path) as wire:
        assert wire.ask(request("anthropic")).is_success
        assert any(thread.name == "greylag-model-proxy" for thread in threading.enumerate())
        socket = wire.access.socket
    assert not socket.exists()
    assert not socket.parent.exists()
    assert not any(thread.name == "greylag-model-proxy" for thread in threading.enumerate())
