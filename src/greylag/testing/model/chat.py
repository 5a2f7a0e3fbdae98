"""OpenAI's Chat Completions API as it goes over the wire: what it refuses, what it sends.

Source: https://platform.openai.com/docs/api-reference/chat (November 2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from greylag.testing.model.anthropic import parts
from greylag.testing.model.known import CHAT_PARAMETERS
from greylag.testing.model.values import BadRequest, Call, Exchange, Reply, Seen, Tool

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")


def read_request(body: Mapping[str, Any], headers: Mapping[str, str]) -> Seen:
    """A request in plain values. Raises BadRequest with the API's words where the API would refuse it."""
    for name in ("model", "messages"):
        if name not in body:
            raise BadRequest(f"Missing required parameter: '{name}'.")
    for name in body:
        if name not in CHAT_PARAMETERS:
            raise BadRequest(f"Unrecognized request argument supplied: {name}")
    if body.get("stream_options") and not body.get("stream"):
        raise BadRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise BadRequest("Invalid 'messages': empty array. Expected an array with minimum length 1.")
    system, prompt, exchanges = _conversation(messages)
    return Seen(
        api="openai-chat",
        model=str(body["model"]),
        system=system,
        prompt=prompt,
        exchanges=exchanges,
        tools=_tools(body.get("tools") or ()),
        stream=bool(body.get("stream")),
        body=body,
    )


def _tools(tools: Sequence[Mapping[str, Any]]) -> tuple[Tool, ...]:
    found = []
    for at, tool in enumerate(tools):
        if tool.get("type") != "function":
            raise BadRequest(
                f"Invalid value: '{tool.get('type')}'. Supported values are: 'function' and 'custom'."
            )
        function = tool.get("function", {})
        if not _NAME.match(function.get("name", "")):
            raise BadRequest(
                f"Invalid 'tools[{at}].function.name': string does not match pattern '{_NAME.pattern}'."
            )
        found.append(Tool(name=function["name"], schema=function.get("parameters") or {}))
    return tuple(found)


def _conversation(messages: Sequence[Mapping[str, Any]]) -> tuple[str, str, tuple[Exchange, ...]]:
    system: list[str] = []
    prompt: list[str] = []
    exchanges: list[Exchange] = []
    wanted: list[str] = []
    for at, message in enumerate(messages):
        role = message.get("role")
        if role not in _ROLES:
            raise BadRequest(
                f"Invalid value: '{role}'. Supported values are: "
                f"{', '.join(map(repr, _ROLES[:-1]))}, and {_ROLES[-1]!r}."
            )
        if wanted and role != "tool":
            raise _unanswered(wanted)
        words = text_of(message.get("content"))
        match role:
            case "system" | "developer":
                system.append(words)
            case "assistant":
                exchanges.append(_said(message, words))
                wanted = [call["id"] for call in message.get("tool_calls") or ()]
            case "tool":
                if message.get("tool_call_id") not in wanted:
                    raise BadRequest(
                        f"Invalid parameter: messages[{at}] with role 'tool' must be a response to a "
                        "preceeding message with 'tool_calls'."
                    )
                wanted.remove(message["tool_call_id"])
                exchanges[-1] = heard(exchanges[-1], results=(words,))
            case _ if exchanges:
                exchanges[-1] = heard(exchanges[-1], words=words)
            case _:
                prompt.append(words)
    if wanted:
        raise _unanswered(wanted)
    return "\n".join(system), "\n".join(prompt), tuple(exchanges)


def heard(last: Exchange, *, results: tuple[str, ...] = (), words: str = "") -> Exchange:
    """An exchange after one more thing that the model heard."""
    return Exchange(
        calls=last.calls,
        said=last.said,
        results=(*last.results, *results),
        heard="\n".join(filter(None, (last.heard, words))),
    )


def text_of(content: object) -> str:
    """The text of a message's content, given as a text or in parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""


def arguments(text: str) -> Mapping[str, Any] | str:
    """A call's arguments: an object where the text is one."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, Mapping) else text


def _said(message: Mapping[str, Any], words: str) -> Exchange:
    calls = []
    for call in message.get("tool_calls") or ():
        function = call.get("function", {})
        calls.append(Call(function.get("name", ""), arguments(function.get("arguments", ""))))
    return Exchange(said=words, calls=tuple(calls))


def _unanswered(ids: Sequence[str]) -> BadRequest:
    return BadRequest(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
        f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(ids)}"
    )


def argument_text(call: Call) -> str:
    """A call's arguments as they stand on the wire."""
    return call.args if isinstance(call.args, str) else json.dumps(dict(call.args))


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{reply.turn}_{number}",
            "type": "function",
            "function": {"name": call.name, "arguments": argument_text(call)},
        }
        for number, call in enumerate(reply.calls)
    ]


def _usage(reply: Reply) -> dict[str, Any]:
    tokens = reply.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def message(reply: Reply, model: str) -> dict[str, Any]:
    """The answer in one piece."""
    said: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.calls:
        said["tool_calls"] = _calls(reply)
    end = "tool_calls" if reply.calls else "stop"
    return {
        "id": f"chatcmpl-{reply.turn}",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": end}],
        "usage": _usage(reply),
        "system_fingerprint": "fp_scripted",
    }


def events(reply: Reply, model: str, *, usage: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answer as a stream. Its events have no names; `usage`: the figures were asked for."""

    def chunk(choices: list[dict[str, Any]], **more: Any) -> tuple[str, dict[str, Any]]:
        head = {
            "id": f"chatcmpl-{reply.turn}",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
        }
        return "", {**head, "choices": choices, **more}

    def delta(end: str | None = None, **said: Any) -> tuple[str, dict[str, Any]]:
        choice = {"index": 0, "delta": said, "logprobs": None, "finish_reason": end}
        return chunk([choice], **({"usage": None} if usage else {}))

    yield delta(role="assistant", content="", refusal=None)
    for part in parts(reply.text):
        yield delta(content=part)
    for index, call in enumerate(_calls(reply)):
        text = call["function"]["arguments"]
        start = {"index": index, **call, "function": {**call["function"], "arguments": ""}}
        yield delta(tool_calls=[start])
        for part in parts(text):
            yield delta(tool_calls=[{"index": index, "function": {"arguments": part}}])
    yield delta(end="tool_calls" if reply.calls else "stop")
    if usage:
        yield chunk([], usage=_usage(reply))


def error(status: int, kind: str, text: str) -> dict[str, Any]:
    """The body of an error answer."""
    kinds = {429: "rate_limit_exceeded", 401: "invalid_request_error"}
    word = kinds.get(status, "server_error" if status >= 500 else kind)
    return {"error": {"message": text, "type": word, "param": None, "code": None}}
