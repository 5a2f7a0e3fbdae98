"""The providers' own clients against the proxy: streams with signs of life, tools, failures in a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from tests.unit.agent.proxy.wire import MODEL, Wire, wired

from greylag.agent.proxy.apis import ApiName
from greylag.testing.model import Call, ScriptedModel, Seen, Step, Tokens, broken, slow

TOOL = {"type": "object", "properties": {"path": {"type": "string"}}}


def calls_a_tool(seen: Seen) -> Step:
    return Step(
        text="reading", do=(Call("read", {"path": "a.sql"}),), tokens=Tokens(100, 10), faults=(slow(0.3),)
    )


def never(seen: Seen) -> Step:
    return Step(text="never", faults=(broken(500),) * 9)


@contextmanager
def client(wire: Wire) -> Iterator[Any]:
    http = httpx2.Client(transport=httpx2.HTTPTransport(uds=str(wire.access.socket)))
    base, token = wire.access.base_url, wire.access.token
    if wire.access.api == "anthropic":
        with anthropic.Anthropic(api_key=token, base_url=base, http_client=http, max_retries=2) as talk:
            yield talk
    else:
        with openai.OpenAI(api_key=token, base_url=f"{base}/v1", http_client=http, max_retries=2) as talk:
            yield talk


def test_anthropic_streams_with_pings_before_the_message(tmp_path: Path) -> None:
    with (
        ScriptedModel(calls_a_tool) as model,
        wired(model, tmp_path, ping=0.05) as wire,
        client(wire) as talk,
    ):
        tools = [{"name": "read", "description": "x", "input_schema": TOOL}]
        words = [{"role": "user", "content": "go"}]
        with talk.messages.stream(model=MODEL, max_tokens=99, messages=words, tools=tools) as stream:
            message = stream.get_final_message()
    assert message.content[-1].input == {"path": "a.sql"}
    assert message.usage.output_tokens == 10


@pytest.mark.parametrize("usage", [True, False])
def test_chat_streams_with_comments_before_the_first_chunk(usage: bool, tmp_path: Path) -> None:
    with (
        ScriptedModel(calls_a_tool) as model,
        wired(model, tmp_path, api="openai-chat", ping=0.05) as wire,
        client(wire) as talk,
    ):
        more: dict[str, Any] = {"stream_options": {"include_usage": True}} if usage else {}
        chunks = list(
            talk.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": "go"}],
                tools=[{"type": "function", "function": {"name": "read", "parameters": TOOL}}],
                stream=True,
                **more,
            )
        )
    told = [chunk.usage.completion_tokens for chunk in chunks if chunk.usage]
    assert told == ([10] if usage else [])
    assert all(chunk.choices for chunk in chunks) is not usage
    assert any(chunk.choices and chunk.choices[0].finish_reason == "tool_calls" for chunk in chunks)


def test_responses_streams_with_comments_before_the_first_event(tmp_path: Path) -> None:
    with (
        ScriptedModel(calls_a_tool) as model,
        wired(model, tmp_path, api="openai-responses", ping=0.05) as wire,
        client(wire) as talk,
    ):
        events = list(
            talk.responses.create(
                model=MODEL,
                input="go",
                tools=[{"type": "function", "name": "read", "parameters": TOOL, "strict": False}],
                stream=True,
            )
        )
    assert events[-1].type == "response.completed"
    assert any(item.type == "function_call" for item in events[-1].response.output)


@pytest.mark.parametrize("api", ["anthropic", "openai-chat", "openai-responses"])
def test_a_failure_within_a_stream_is_one_for_the_client(api: ApiName, tmp_path: Path) -> None:
    with (
        ScriptedModel(never) as model,
        wired(model, tmp_path, api=api, ping=0.02, tries=2, pause=0.4) as wire,
        client(wire) as talk,
    ):
        words: list[Any] = [{"role": "user", "content": "go"}]
        match api:
            case "anthropic":
                with pytest.raises(anthropic.APIError, match="failed 2 times"):
                    list(talk.messages.create(model=MODEL, max_tokens=9, messages=words, stream=True))
            case "openai-chat":
                with pytest.raises(openai.APIError, match="failed 2 times"):
                    list(talk.chat.completions.create(model=MODEL, messages=words, stream=True))
            case "openai-responses":
                last = list(talk.responses.create(model=MODEL, input="go", stream=True))[-1]
                assert last.type == "response.failed"
                assert "failed 2 times" in last.response.error.message
        # The client does not try again what the proxy tried already.
        assert len(model.requests) == 2


def test_models_are_listed_for_both(tmp_path: Path) -> None:
    for api in ("anthropic", "openai-chat"):
        with wired("http://127.0.0.1:9", tmp_path / api, api=api) as wire, client(wire) as talk:  # type: ignore[arg-type]
            assert [each.id for each in talk.models.list()] == [MODEL]


def test_tokens_are_counted_for_anthropics_client(tmp_path: Path) -> None:
    with wired("http://127.0.0.1:9", tmp_path) as wire, client(wire) as talk:
        counted = talk.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "x" * 400}])
    assert counted.input_tokens > 100
