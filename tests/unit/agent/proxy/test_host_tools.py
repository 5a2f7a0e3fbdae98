"""The host's tools: over HTTP for our own loop, over MCP for other agents."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.unit.agent.proxy.wire import ATTEMPT, Notes, Person, Wire, opened, upstream

from greylag.agent.base import Access
from greylag.agent.proxy import MemoryBooks, ModelProxy, Redactor
from greylag.domain.agent import AttemptKey

NOWHERE = "http://127.0.0.1:9"
OTHER = AttemptKey(migration="users-v2", repository="team/other")


@pytest.fixture
def proxy() -> Any:
    with ModelProxy(
        [upstream(NOWHERE)], MemoryBooks(), redactor=Redactor(literals=["database-password-1"])
    ) as it:
        yield it


@pytest.fixture
def wire(proxy: ModelProxy, tmp_path: Path) -> Any:
    with opened(proxy, tmp_path) as it:
        yield it


def test_the_three_tools(wire: Wire) -> None:
    post = wire.client.post
    assert post("/host/verify").json() == {"text": "one: all verifiers passed"}
    assert post("/host/verify", json={}).is_success
    assert post("/host/ask", json={"question": "Which?", "options": ["a", "b"]}).json() == {
        "text": "one: no answer yet"
    }
    assert post("/host/give_up", json={"reason": "too hard"}).json() == {"text": "one: noted"}
    assert wire.host.calls == [
        ("verify",),
        ("verify",),
        ("ask", "Which?", ("a", "b")),
        ("give_up", "too hard"),
    ]


@pytest.mark.parametrize(
    ("tool", "body"),
    [
        ("ask", {}),
        ("ask", {"question": "  "}),
        ("ask", {"question": 5}),
        ("ask", {"question": "x" * 20_001}),
        ("ask", {"question": "x", "options": "a"}),
        ("ask", {"question": "x", "options": [1]}),
        ("give_up", {"reason": None}),
        ("merge", {}),
        ("../verify", {}),
    ],
)
def test_wrong_use_is_told(wire: Wire, tool: str, body: dict[str, Any]) -> None:
    reply = wire.client.post(f"/host/{tool}", json=body)
    assert reply.status_code in {400, 404}
    assert reply.json()["error"]["message"]
    assert wire.host.calls == []
    assert wire.notes.of("denied")


def test_one_verification_at_a_time_and_the_model_stays_reachable(wire: Wire) -> None:
    wire.host.busy = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(wire.client.post, "/host/verify") for _ in range(2)]
        time.sleep(0.2)
        assert wire.client.get("/v1/models").is_success
        assert wire.host.calls == []
        wire.host.busy.set()
        assert all(each.result(5).is_success for each in waiting)
    assert len(wire.host.calls) == 2


class Broken(Person):
    def verify(self) -> str:
        raise RuntimeError("/home/operator/secret/place")

    def ask(self, question: str, options: Sequence[str] = ()) -> str:
        return "the password is database-password-1"


def test_a_failure_of_the_host_is_not_shown_and_its_secrets_neither(
    proxy: ModelProxy, tmp_path: Path
) -> None:
    with proxy.grant(ATTEMPT, folder=tmp_path, host=Broken(), note=Notes(), turns=1) as access:
        from tests.unit.agent.proxy.wire import client

        with client(access) as talk:
            failed = talk.post("/host/verify")
            assert failed.status_code == 500
            assert "operator" not in failed.text
            assert talk.post("/host/ask", json={"question": "x"}).json() == {
                "text": "the password is [secret]"
            }


async def _mcp(access: Access, name: str | None, arguments: dict[str, Any], token: str | None = None) -> Any:
    headers = {"authorization": f"Bearer {token or access.token}"}
    transport = httpx2.AsyncHTTPTransport(uds=str(access.socket))
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers, timeout=20) as http,
        Client(streamable_http_client(f"{access.base_url}/mcp", http_client=http)) as mcp,
    ):
        if name is None:
            return await mcp.list_tools()
        return await mcp.call_tool(name, arguments)


def test_mcp_offers_and_does_the_same(wire: Wire) -> None:
    tools = anyio.run(_mcp, wire.access, None, {})
    assert sorted(tool.name for tool in tools.tools) == ["ask", "give_up", "verify"]
    assert all("ctx" not in json.dumps(tool.input_schema) for tool in tools.tools)
    said = anyio.run(_mcp, wire.access, "verify", {})
    assert said.content[0].text == "one: all verifiers passed"
    anyio.run(_mcp, wire.access, "ask", {"question": "Which?", "options": ["a"]})
    anyio.run(_mcp, wire.access, "give_up", {"reason": "too hard"})
    assert wire.host.calls == [("verify",), ("ask", "Which?", ("a",)), ("give_up", "too hard")]


def test_mcp_leaves_the_log_of_the_process_alone(wire: Wire) -> None:
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        # The server is built by the first request to a proxy.
        anyio.run(_mcp, wire.access, None, {})
        assert root.handlers == []
    finally:
        root.handlers = before


def test_mcp_knows_attempts_apart(proxy: ModelProxy, tmp_path: Path) -> None:
    with opened(proxy, tmp_path / "one") as one:
        two = Person("two")
        with proxy.grant(OTHER, folder=tmp_path / "two", host=two, note=Notes(), turns=1) as access:
            said = anyio.run(_mcp, access, "verify", {})
            assert said.content[0].text.startswith("two:")
            said = anyio.run(_mcp, one.access, "verify", {})
            assert said.content[0].text.startswith("one:")
        assert (one.host.calls, two.calls) == ([("verify",)], [("verify",)])


def test_mcp_without_a_good_token_is_closed(wire: Wire) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "verify", "arguments": {}}}
    for token in ("", "greylag-wrong"):
        assert wire.client.post("/mcp", json=call, headers={"x-api-key": token}).status_code == 401
    assert wire.host.calls == []


def test_mcp_tells_what_is_wrong_with_a_question(wire: Wire) -> None:
    said = anyio.run(_mcp, wire.access, "ask", {"question": " "})
    assert "should be a text" in said.content[0].text
    assert wire.host.calls == []
