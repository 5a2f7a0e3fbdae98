"""The worker's side: what it asks the model, byte for byte, and how its turns end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic_ai import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel

from greylag.agent.own.channel import Over
from greylag.agent.own.worker import Order, answer, model, turn
from greylag.testing.model import Replace, ScriptedModel, Step, Verify, played
from greylag.testing.model.values import Exchange, Seen

APIS = ("anthropic", "openai-chat", "openai-responses")
TOOLS = ["read", "search", "edit", "verify", "ask", "give_up"]


class Host:
    """The other end: remembers what is sent, answers calls."""

    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []

    def send(self, **line: object) -> None:
        self.sent.append(line)

    def call(self, name: str, **arguments: object) -> str:
        if name == "verify":
            return "not yet"
        raise Over(name, f"{name}: {arguments}")


class Recording(httpx2.AsyncHTTPTransport):
    """A transport that keeps the bodies as they go out."""

    def __init__(self, socket: Path) -> None:
        super().__init__(uds=str(socket))
        self.bodies: list[bytes] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.bodies.append(await request.aread())
        return await super().handle_async_request(request)


@played
def script(seen: Seen) -> Iterator[Step]:
    """Two calls in one reply, one that fails, then words; after the next prompt once more."""
    exchange: Exchange = yield Step("I look.", (Replace("a.sql", "one", "two"), Verify()))
    assert "not yet" in exchange.results[1]
    yield Step("Again.", (Replace("a.sql", "nowhere", "x"),))
    yield Step("Done.")
    yield Step("Once more.", (Replace("a.sql", "two", "three"),))
    yield Step("Done again.")


def order(folder: Path, api: str = "anthropic", **more: object) -> Order:
    folder.mkdir(exist_ok=True)
    if not (folder / "a.sql").exists():
        (folder / "a.sql").write_text("one\n")
    given: dict[str, Any] = {
        "folder": str(folder), "api": api, "base_url": "http://127.0.0.1:8377", "token": "t", "model": "m",
        "system": "Be careful.", "text": "Move it.", "history": "", "turns": 10, "max_tokens": 1000,
    }  # fmt: skip
    return given | more


async def talk(orders: list[Order], transport: Recording) -> str:
    """Several prompts; the conversation goes from one to the next as the host hands it on."""
    history = ""
    for one in orders:
        async with httpx2.AsyncClient(transport=transport) as http:
            ended = await turn(one | {"history": history}, Host(), model(one, http))
        history = str(ended["history"])
    return str(ended["text"])


@pytest.mark.parametrize("api", APIS)
def test_the_same_replies_make_the_same_requests(tmp_path: Path, api: str) -> None:
    bodies: list[list[bytes]] = []
    with ScriptedModel(script, socket_path=tmp_path / "s") as scripted:
        for name in ("first", "second"):
            folder = tmp_path / name
            transport = Recording(tmp_path / "s")
            said = asyncio.run(talk([order(folder, api), order(folder, api, text="Try again.")], transport))
            assert (said, (folder / "a.sql").read_text()) == ("Done again.", "three\n")
            bodies.append(transport.bodies)
    assert len(bodies[0]) == 5
    assert bodies[0] == bodies[1]
    for one in scripted.requests:
        assert (one.status, one.refused) == (200, "")
        assert one.seen is not None
        assert [tool.name for tool in one.seen.tools] == TOOLS
    assert str(tmp_path).encode() not in b"".join(bodies[0])


def test_tools_in_one_reply_run_one_after_the_other(tmp_path: Path) -> None:
    edits = [("one", "1"), ("1", "2"), ("2", "3")]

    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if len(messages) > 1:
            return ModelResponse(parts=[TextPart("Done.")])
        return ModelResponse(
            parts=[
                ToolCallPart("edit", {"path": "a.sql", "old": old, "new": new}, tool_call_id=f"c{old}")
                for old, new in edits
            ]
        )

    host = Host()
    ended = answer(order(tmp_path / "work"), host, FunctionModel(reply))
    assert (ended["end"], ended["requests"]) == ("ended", 2)
    assert (tmp_path / "work" / "a.sql").read_text() == "3\n"
    assert [line["note"] for line in host.sent] == ["tool_call", "tool_result"] * 3 + ["message"]


def calls(name: str, **arguments: object) -> FunctionModel:
    """A model that only ever calls one tool."""
    part = ToolCallPart(name, arguments, tool_call_id="c")
    return FunctionModel(lambda messages, info: ModelResponse(parts=[part]))


@pytest.mark.parametrize(
    ("asked", "end", "words"),
    [
        (calls("ask", question="Which?", options=["a"]), "asked", "'question': 'Which?', 'options': ['a']"),
        (calls("give_up", reason="no"), "gave_up", "'reason': 'no'"),
        (calls("read", path="a.sql"), "out_of_turns", "10"),
        (calls("shell", command="id"), "failed", "UnexpectedModelBehavior"),
        (calls("read", path=["a"]), "failed", "UnexpectedModelBehavior"),
    ],
)
def test_how_turns_end(tmp_path: Path, asked: FunctionModel, end: str, words: str) -> None:
    ended = answer(order(tmp_path / "work"), Host(), asked)
    assert ended["end"] == end
    assert words in str(ended["text"])


def test_what_the_api_refuses_is_told(tmp_path: Path) -> None:
    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        raise ModelHTTPError(402, "m", {"error": {"message": "over budget: …"}})

    ended = answer(order(tmp_path / "work"), Host(), FunctionModel(reply))
    assert (ended["end"], ended["status"], ended["text"]) == ("failed", 402, "over budget: …")
    assert "over budget" in str(ended["text"])


def test_nobody_at_the_socket(tmp_path: Path) -> None:
    ended = answer(order(tmp_path / "work", socket=str(tmp_path / "none")), Host())
    assert ended["end"] == "failed"
    assert "Connection" in str(ended["text"])
