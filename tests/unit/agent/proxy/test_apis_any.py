"""Whatever a request or a reply holds, it is refused or read: nothing breaks, and nothing unknown passes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.agent.proxy.apis import APIS, Refused, Rules
from greylag.agent.proxy.apis.base import events

RULES = Rules(models={"m": "m"}, max_tokens=100)
NAMES = [
    "type", "role", "content", "source", "url", "image_url", "file_id", "name", "input", "output",
    "tool", "tools", "environment", "execution", "usage", "message", "error", "code", "choices",
    "response", "status", "iterations",
]  # fmt: skip
WORDS = [
    "text", "image", "document", "base64", "url", "file", "content", "tool_result", "tool_use",
    "tool_addition", "server_tool_use", "message", "input_text", "input_image", "function_call_output",
    "reasoning", "namespace", "shell", "function", "custom", "web_search", "mcp", "message_start",
    "message_delta", "message_stop", "error", "response.completed", "response.failed", "failed",
    "data:x", "https://x",
]  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False) | st.sampled_from(WORDS)
)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
FIELDS = [
    "messages", "input", "system", "tools", "thinking", "max_tokens", "max_output_tokens",
    "max_completion_tokens", "include", "stream", "stream_options", "n", "container", "store",
    "instructions", "metadata", "unknown",
]  # fmt: skip


@pytest.mark.parametrize("name", list(APIS))
@settings(max_examples=300, deadline=None)
@given(body=st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=6), bare=st.booleans())
def test_any_request_is_refused_or_rebuilt(name: Any, body: dict[str, Any], bare: bool) -> None:
    words = [{"role": "user", "content": "hi"}]
    body = {"model": "m", **({} if bare else {"messages": words, "input": words, "max_tokens": 5}), **body}
    before = json.dumps(body)
    try:
        checked = APIS[name].check(body, RULES)
    except Refused as refused:
        assert 400 <= refused.status < 500
        return
    assert json.dumps(body) == before
    assert "unknown" not in checked.body
    assert 1 <= checked.output <= 100
    again = APIS[name].check(checked.body, RULES)
    assert again.body == checked.body


@pytest.mark.parametrize("name", list(APIS))
@settings(max_examples=300, deadline=None)
@given(data=st.lists(ANY, max_size=5), cut=st.integers(0, 200))
def test_any_reply_is_read(name: Any, data: list[Any], cut: int) -> None:
    stream = "".join(f"event: x\ndata: {json.dumps(each)}\n\n" for each in data).encode()
    for content in (stream, stream[:cut], json.dumps(data).encode(), json.dumps({"usage": data}).encode()):
        for sse in (True, False):
            reading = APIS[name].read(content, sse=sse)
            assert reading.tokens is None or min(reading.tokens.input, reading.tokens.output) >= 0
    for each in data:
        APIS[name].read(json.dumps(each).encode(), sse=False)


@given(content=st.binary(max_size=200))
def test_any_bytes_are_events_or_none(content: bytes) -> None:
    assert isinstance(list(events(content)), list)
