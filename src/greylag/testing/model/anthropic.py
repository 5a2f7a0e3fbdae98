"""Anthropic's Messages API as it goes over the wire: what it refuses, what it sends.

Source: https://docs.claude.com/en/api/messages and /en/docs/build-with-claude/streaming (November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from greylag.testing.model.known import ANTHROPIC_BLOCKS, ANTHROPIC_PARAMETERS
from greylag.testing.model.values import BadRequest, Call, Exchange, Reply, Seen, Tool

_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")


def read_request(body: Mapping[str, Any], headers: Mapping[str, str]) -> Seen:
    """A request in plain values. Raises BadRequest with the API's words where the API would refuse it."""
    if "anthropic-version" not in headers:
        raise BadRequest("anthropic-version: header is required")
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise BadRequest(f"{name}: Field required")
    for name in body:
        if name not in ANTHROPIC_PARAMETERS:
            raise BadRequest(f"{name}: Extra inputs are not permitted")
    if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
        raise BadRequest("max_tokens: Input should be greater than or equal to 1")
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages: at least one message is required")
    prompt, exchanges = _conversation(messages)
    return Seen(
        api="anthropic",
        model=str(body["model"]),
        system=_text(body.get("system", "")),
        prompt=prompt,
        exchanges=exchanges,
        tools=_tools(body.get("tools") or ()),
        stream=bool(body.get("stream")),
        body=body,
    )


def _tools(tools: Sequence[Mapping[str, Any]]) -> tuple[Tool, ...]:
    found = []
    for at, tool in enumerate(tools):
        name = tool.get("name", "")
        if not _NAME.match(name):
            raise BadRequest(f"tools.{at}.custom.name: String should match pattern '{_NAME.pattern}'")
        if tool.get("type", "custom") != "custom":
            continue  # a tool of the server's own: its calls never come to the client
        schema = tool.get("input_schema")
        if not isinstance(schema, Mapping) or schema.get("type") != "object":
            raise BadRequest(f"tools.{at}.custom.input_schema.type: Input should be 'object'")
        found.append(Tool(name=name, schema=schema))
    if len({tool.name for tool in found}) != len(found):
        raise BadRequest("tools: Tool names must be unique.")
    return tuple(found)


def _conversation(messages: Sequence[Mapping[str, Any]]) -> tuple[str, tuple[Exchange, ...]]:
    prompt: list[str] = []
    exchanges: list[Exchange] = []
    wanted: frozenset[str] = frozenset()
    for at, message in enumerate(messages):
        role = message.get("role")
        if role not in ("user", "assistant", "system"):
            raise BadRequest(f'messages.{at}.role: Unexpected role "{role}"')
        if at == 0 and role != "user":
            raise BadRequest('messages: first message must use the "user" role')
        blocks = _blocks(message.get("content"), at)
        if role == "assistant":
            if wanted:
                raise _unanswered(at - 1, wanted)
            exchanges.append(_said(blocks))
            wanted = frozenset(block["id"] for block in blocks if block["type"] == "tool_use")
            continue
        results = _results(blocks, wanted, at)
        wanted = wanted - results.keys() if role == "system" else frozenset(wanted - results.keys())
        if wanted and role == "user":
            raise _unanswered(at - 1, wanted)
        words = "\n".join(block["text"] for block in blocks if block["type"] == "text")
        if not exchanges:
            prompt.append(words)
        else:
            last = exchanges[-1]
            exchanges[-1] = Exchange(
                calls=last.calls,
                said=last.said,
                results=(*last.results, *results.values()),
                heard="\n".join(filter(None, (last.heard, words))),
            )
    if wanted:
        raise _unanswered(len(messages) - 1, wanted)
    return "\n".join(prompt), tuple(exchanges)


def _blocks(content: object, at: int) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise BadRequest(f"messages.{at}.content: Input should be a valid list")
    for number, block in enumerate(content):
        kind = block.get("type")
        where = f"messages.{at}.content.{number}"
        if kind not in ANTHROPIC_BLOCKS:
            raise BadRequest(
                f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
            )
        if kind == "text" and not block.get("text"):
            raise BadRequest("messages: text content blocks must be non-empty")
        if kind == "tool_use" and not isinstance(block.get("input"), Mapping):
            raise BadRequest(f"{where}.tool_use.input: Input should be a valid dictionary")
    return content


def _said(blocks: Sequence[Mapping[str, Any]]) -> Exchange:
    return Exchange(
        said="\n".join(block["text"] for block in blocks if block["type"] == "text"),
        calls=tuple(Call(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"),
    )


def _results(blocks: Sequence[Mapping[str, Any]], wanted: frozenset[str], at: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, block in enumerate(blocks):
        if block["type"] != "tool_result":
            continue
        called = block.get("tool_use_id", "")
        if called not in wanted:
            raise BadRequest(
                f"messages.{at}.content.{number}: unexpected `tool_use_id` found in `tool_result` "
                f"blocks: {called}. Each `tool_result` block must have a corresponding `tool_use` "
                "block in the previous message."
            )
        found[called] = _text(block.get("content", ""))
    return found


def _unanswered(at: int, ids: frozenset[str]) -> BadRequest:
    return BadRequest(
        f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(sorted(ids))}. Each `tool_use` block must have a corresponding `tool_result` "
        "block in the next message."
    )


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(block.get("text", "")) for block in content if isinstance(block, Mapping))
    return ""


def message(reply: Reply, model: str) -> dict[str, Any]:
    """The answer in one piece."""
    content: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
    for number, call in enumerate(reply.calls):
        args = call.args if isinstance(call.args, Mapping) else {"input": call.args}
        block = {
            "type": "tool_use",
            "id": f"toolu_{reply.turn}_{number}",
            "name": call.name,
            "input": dict(args),
        }
        content.append(block)
    return {
        "id": f"msg_{reply.turn}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if reply.calls else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": reply.tokens.input - reply.tokens.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": reply.tokens.cached,
            "output_tokens": reply.tokens.output,
        },
    }


def events(reply: Reply, model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answer as a stream: name and data of each event."""
    whole = message(reply, model)
    usage = whole["usage"]
    start = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield "message_start", {"type": "message_start", "message": start}
    for index, block in enumerate(whole["content"]):
        empty: dict[str, Any] = {"text": ""} if block["type"] == "text" else {"input": {}}
        yield _event("content_block_start", index=index, content_block={**block, **empty})
        if index == 0:
            yield _event("ping")
        for delta in _deltas(block):
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=end, usage={"output_tokens": usage["output_tokens"]})
    yield _event("message_stop")


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        for part in parts(block["text"]):
            yield {"type": "text_delta", "text": part}
    else:
        yield {"type": "input_json_delta", "partial_json": ""}
        for part in parts(json.dumps(block["input"])):
            yield {"type": "input_json_delta", "partial_json": part}


def _event(name: str, **data: Any) -> tuple[str, dict[str, Any]]:
    return name, {"type": name, **data}


def parts(text: str, size: int = 400) -> Iterator[str]:
    """A text in pieces, as a stream brings it."""
    for at in range(0, len(text), size):
        yield text[at : at + size]


def error(status: int, kind: str, text: str) -> dict[str, Any]:
    """The body of an error answer."""
    kinds = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
    word = kinds.get(status, "api_error" if status >= 500 else kind)
    return {"type": "error", "error": {"type": word, "message": text}, "request_id": "req_scripted"}
