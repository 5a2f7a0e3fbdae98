"""What an agent that has only the socket and its token may try, each by name. None reaches anything."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.unit.agent.proxy.wire import (
    ATTEMPT,
    KEY,
    Notes,
    Person,
    Wire,
    client,
    opened,
    request,
    upstream,
    wired,
)

from greylag.agent.proxy import Budgets, MemoryBooks, ModelProxy
from greylag.agent.proxy.front import AT_ONCE
from greylag.agent.proxy.listening import CONNECTIONS
from greylag.domain.agent import AttemptKey
from greylag.testing.model import ScriptedModel, Seen, Step

OTHER = AttemptKey(migration="users-v2", repository="team/other")


def hello(seen: Seen) -> Step:
    return Step(text="hello")


@pytest.fixture(scope="module")
def served() -> Any:
    with ScriptedModel(hello, key=KEY) as it:
        yield it


@pytest.fixture
def model(served: ScriptedModel) -> ScriptedModel:
    served.requests.clear()
    return served


@pytest.fixture(scope="module")
def proxy(served: ScriptedModel) -> Any:
    with ModelProxy([upstream(served.url)], MemoryBooks()) as it:
        yield it


@pytest.fixture
def wire(proxy: ModelProxy, tmp_path: Path) -> Any:
    with opened(proxy, tmp_path) as it:
        yield it


ELSEWHERE = [
    ("GET", "/"),
    ("HEAD", "/"),
    ("POST", "/v1/files"),
    ("POST", "/v1/messages/batches"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/responses/compact"),
    ("GET", "/v1/messages"),
    ("POST", "/v1/models"),
    ("POST", "/v1//messages"),
    ("POST", "/v1/messages/../files"),
    ("POST", "/v1/messages%2f..%2ffiles"),
    ("POST", "http://evil.example/v1/messages/x"),
    ("DELETE", "/v1/messages"),
    ("PUT", "/host/verify"),
    ("POST", "/host"),
    ("POST", "/api/event_logging/batch"),
    ("OPTIONS", "/v1/messages"),
]


@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
def test_any_other_path_is_refused_and_noted(
    model: ScriptedModel, wire: Wire, method: str, path: str
) -> None:
    reply = wire.client.request(method, path, json=request("anthropic"))
    assert reply.status_code == 404
    [note] = wire.notes.of("denied")
    assert note["what"] == "unknown_path"
    assert note["method"] == method
    assert model.requests == []


@pytest.mark.parametrize("token", ["", "x", "greylag-", KEY, "null", "Bearer x", "é"])
@pytest.mark.parametrize("path", ["/v1/messages", "/host/verify", "/v1/models", "/mcp", "/nowhere"])
def test_without_the_token_there_is_nothing(model: ScriptedModel, wire: Wire, token: str, path: str) -> None:
    for headers in (
        {"x-api-key": token.encode()},
        {"x-api-key": b"", "authorization": f"Bearer {token}".strip().encode()},
    ):
        reply = wire.client.post(path, json=request("anthropic"), headers=headers)
        assert reply.status_code == 401
        assert wire.access.token not in reply.text
    assert (model.requests, wire.host.calls) == ([], [])


def test_the_token_works_as_bearer_too(wire: Wire) -> None:
    headers = {"x-api-key": "", "authorization": f"bearer {wire.access.token}"}
    assert wire.ask(request("anthropic"), headers=headers).is_success


def test_a_token_is_good_for_nothing_after_its_grant(model: ScriptedModel, tmp_path: Path) -> None:
    with ModelProxy([upstream(model.url)], MemoryBooks()) as proxy:
        with opened(proxy, tmp_path) as wire:
            access = wire.access
            assert wire.ask(request("anthropic")).is_success
        with opened(proxy, tmp_path / "next") as following, client(access) as old:
            for path in ("/v1/messages", "/host/verify", "/mcp"):
                assert old.post(path, json=request("anthropic")).status_code == 401
            assert following.host.calls == []
        assert len(model.requests) == 1


def test_a_token_reaches_its_own_replies_budget_and_tools_only(model: ScriptedModel, tmp_path: Path) -> None:
    books = MemoryBooks(Budgets(target=0.005))
    with ModelProxy([upstream(model.url, max_tokens=10)], books) as proxy:
        with opened(proxy, tmp_path / "one") as one, opened(proxy, tmp_path / "two", attempt=OTHER) as two:
            assert one.access.token != two.access.token
            assert one.ask(request("anthropic")).is_success
            assert two.ask(request("anthropic")).is_success
            # The same request of another attempt is not answered from the first one's record.
            assert len(model.requests) == 2
            while one.ask(request("anthropic")).is_success:
                pass
            assert two.ask(request("anthropic", "more")).is_success
            two.client.post("/host/give_up", json={"reason": "x"})
            assert one.host.calls == []
        assert not one.notes.of("question")
    assert books.spent(ATTEMPT).cost > 0
    assert books.spent(OTHER).calls == 2


def test_a_request_that_is_too_large_is_cut_off(model: ScriptedModel, tmp_path: Path) -> None:
    with wired(model, tmp_path, request_bytes=10_000) as wire:
        reply = wire.ask(request("anthropic", "x" * 20_000))
        assert reply.status_code == 413
        assert reply.json()["error"]["type"] == "request_too_large"
    assert model.requests == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model": "claude-sonnet-5", "model": "claude-opus-5"}',
    ],
    ids=["empty", "cut", "list", "text", "binary", "deep", "twice"],
)
def test_what_is_no_request_is_refused(model: ScriptedModel, wire: Wire, content: bytes) -> None:
    assert wire.client.post("/v1/messages", content=content).status_code == 400
    assert model.requests == []


@pytest.mark.parametrize("depth", [100, 300, 600, 900, 2000])
def test_nesting_breaks_nothing(wire: Wire, depth: int) -> None:
    schema = '{"type": "object", "x": ' + '{"a":' * depth + "1" + "}" * depth + "}"
    body = json.dumps(request("anthropic", tools=[{"name": "x", "input_schema": "here"}]))
    reply = wire.client.post("/v1/messages", content=body.replace('"here"', schema))
    assert reply.status_code in {200, 400}
    assert reply.status_code == 200 or depth > 100


def test_compressed_requests_are_refused(model: ScriptedModel, wire: Wire) -> None:
    reply = wire.client.post("/v1/messages", content=b"x", headers={"content-encoding": "gzip"})
    assert reply.status_code == 400
    assert model.requests == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, "tool_refused"),
        ({"mcp_servers": [{"type": "url", "url": "https://evil.example", "name": "x"}]}, "field_refused"),
        ({"container": "c"}, "field_refused"),
        ({"model": "claude-opus-5"}, "model_refused"),
    ],
)
def test_exfiltration_through_the_provider(
    model: ScriptedModel, wire: Wire, change: dict[str, Any], what: str
) -> None:
    reply = wire.ask({**request("anthropic"), **change})
    assert reply.status_code == 400
    assert [note["what"] for note in wire.notes.of("denied")] == [what]
    assert model.requests == []


def test_fields_that_nobody_knows_do_not_leave(model: ScriptedModel, wire: Wire) -> None:
    body = request("anthropic", webhook_url="https://evil.example", service_tier="priority", speed="fast")
    assert wire.ask(body).is_success
    assert wire.ask(body).is_success
    assert set(model.requests[0].body) == set(request("anthropic"))
    # Told once: a client sends the same with every request.
    assert [note["reason"] for note in wire.notes.of("denied")] == [
        "`webhook_url` is not sent on",
        "`service_tier` is not sent on",
        "`speed` is not sent on",
    ]


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    seen: list[str] = []

    class Redirects(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(307)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Redirects)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with wired(f"http://127.0.0.1:{server.server_port}", tmp_path) as wire:
            assert wire.ask(request("anthropic")).status_code == 400
    finally:
        server.shutdown()
        server.server_close()
    assert seen == ["/v1/messages"]


def test_only_the_owner_reaches_the_socket(wire: Wire) -> None:
    assert wire.access.socket.stat().st_mode & 0o777 == 0o600
    assert wire.access.socket.parent.stat().st_mode & 0o777 == 0o700
    assert wire.access.socket.parent.stat().st_uid == os.getuid()
    assert len(str(wire.access.socket)) < 100


def test_no_port_is_open_unless_asked(model: ScriptedModel, tmp_path: Path) -> None:
    with ModelProxy([upstream(model.url)], MemoryBooks(), tcp=True) as proxy, opened(proxy, tmp_path) as wire:
        port = int(wire.access.base_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        import httpx

        assert httpx.post(f"{wire.access.base_url}/host/verify").status_code == 401
        headers = {"x-api-key": wire.access.token}
        assert httpx.post(f"{wire.access.base_url}/host/verify", headers=headers).is_success


def test_without_tcp_the_address_is_the_cages(wire: Wire) -> None:
    from greylag.workspace.cage.base import PORT

    assert wire.access.base_url == f"http://127.0.0.1:{PORT}"


def test_a_flood_of_connections_uses_up_nothing(proxy: ModelProxy, wire: Wire) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    idle = []
    try:
        for _ in range(CONNECTIONS + 100):
            idle.append(socket.socket(socket.AF_UNIX))
            idle[-1].connect(str(wire.access.socket))
        with client(wire.access) as talk:
            assert talk.get("/v1/models").is_success
        # This process has both ends: the client's, and of the server's no more than it allows.
        ours = len(idle)
        assert len(list(Path("/proc/self/fd").iterdir())) - before - ours <= CONNECTIONS + 5
    finally:
        for each in idle:
            each.close()


def test_an_attempt_has_few_requests_open(wire: Wire) -> None:
    wire.host.busy = threading.Event()
    with ThreadPoolExecutor(AT_ONCE + 6) as pool:
        waiting = [pool.submit(lambda: client(wire.access).post("/host/verify")) for _ in range(AT_ONCE + 6)]
        time.sleep(1.0)
        wire.host.busy.set()
        statuses = [each.result(20).status_code for each in waiting]
    assert statuses.count(400) == 6
    assert statuses.count(200) == AT_ONCE


def test_counting_stays_here(model: ScriptedModel, wire: Wire) -> None:
    body = {"model": "x", "messages": [{"role": "user", "content": "x" * 4000}]}
    reply = wire.client.post("/v1/messages/count_tokens", json=body)
    assert 1000 <= reply.json()["input_tokens"] < 1100
    assert model.requests == []


def test_models_are_those_of_the_grant(model: ScriptedModel, tmp_path: Path) -> None:
    with wired(model, tmp_path, aliases={"claude-haiku-4-5": "claude-sonnet-5"}) as wire:
        listed = wire.client.get("/v1/models").json()
        assert [each["id"] for each in listed["data"]] == ["claude-haiku-4-5", "claude-sonnet-5"]
        wire.ask({**request("anthropic"), "model": "claude-haiku-4-5"})
        assert model.requests[-1].body["model"] == "claude-sonnet-5"


def test_a_note_that_fails_loses_no_reply(model: ScriptedModel, tmp_path: Path) -> None:
    def full(kind: str, /, **data: object) -> None:
        raise OSError("no space left")

    with (
        ModelProxy([upstream(model.url)], MemoryBooks()) as proxy,
        proxy.grant(ATTEMPT, folder=tmp_path, host=Person(), note=full, turns=1) as access,
        client(access) as talk,
    ):
        assert talk.post("/v1/messages", json=request("anthropic")).is_success


def test_no_note_after_the_end(model: ScriptedModel, tmp_path: Path) -> None:
    notes = Notes()
    with ModelProxy([upstream(model.url)], MemoryBooks()) as proxy:
        with proxy.grant(ATTEMPT, folder=tmp_path, host=Person(), note=notes, turns=1) as access:
            talk = client(access)
        told = len(notes.lines)
        assert talk.post("/nowhere").status_code == 401
        assert len(notes.lines) == told
        assert json.dumps(notes.lines) == "[]"
