"""The answers of the scripted model: replies and errors as bytes, whole or streamed, with their faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from greylag.testing.model import anthropic, chat, responses
from greylag.testing.model.hands import Hands
from greylag.testing.model.values import Fault, Reply, Seen, Step, Tokens


def tokens_of(body: Mapping[str, Any]) -> int:
    """About how many tokens a request has."""
    return max(1, len(json.dumps(body)) // 4)


def reply_of(seen: Seen, step: Step) -> Reply:
    """A step, put in terms of the tools of the request."""
    hands = Hands.of(seen)
    calls = tuple(hands.call(action) for action in step.do)
    said = len(step.text) + sum(len(str(call.args)) + len(call.name) for call in calls)
    tokens = step.tokens or Tokens(input=tokens_of(seen.body), output=max(1, said // 4))
    # An answer has to have some content.
    text = step.text if step.text or calls else "Done."
    return Reply(text=text, calls=calls, tokens=tokens, turn=seen.turn)


async def answer(api: str, seen: Seen, reply: Reply, fault: Fault | None) -> Response:
    """The answer in the API's own shape, gone wrong as the fault says."""
    if fault is not None and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        fault = None
    if fault is not None and fault.kind == "status":
        wait = {"retry-after": f"{fault.seconds:g}"} if fault.value == 429 else {}
        return error(api, fault.value, "Scripted fault", "invalid_request_error", wait)
    if seen.stream:
        stream = _stream(list(_lines(api, seen, reply)), fault)
        return StreamingResponse(stream, media_type="text/event-stream; charset=utf-8")
    return _whole(_message(api, seen, reply), fault)


def _whole(message: Mapping[str, Any], fault: Fault | None) -> Response:
    text = json.dumps(message).encode()
    match fault:
        case None:
            return Response(text, media_type="application/json")
        case Fault(kind="json"):
            return Response(b"<html>" + text[:20], media_type="application/json")
        case _:
            return StreamingResponse(_broken_off([text[: len(text) // 2]]), media_type="application/json")


async def _broken_off(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    await asyncio.sleep(0.05)
    raise ConnectionResetError("scripted: the connection breaks off")


async def _stream(lines: Sequence[bytes], fault: Fault | None) -> AsyncIterator[bytes]:
    match fault:
        case Fault(kind="cut", value=after):
            async for piece in _broken_off(lines[:after]):
                yield piece
        case Fault(kind="json"):
            for number, line in enumerate(lines):
                broken = line[: line.index(b"data: ") + 20] + b"\n\n"
                yield broken if number == len(lines) // 2 else line
        case _:
            for line in lines:
                yield line


def _message(api: str, seen: Seen, reply: Reply) -> dict[str, Any]:
    match api:
        case "anthropic":
            return anthropic.message(reply, seen.model)
        case "openai-chat":
            return chat.message(reply, seen.model)
        case _:
            return responses.message(reply, seen.model)


def _lines(api: str, seen: Seen, reply: Reply) -> Iterator[bytes]:
    match api:
        case "anthropic":
            events = anthropic.events(reply, seen.model)
        case "openai-chat":
            usage = bool((seen.body.get("stream_options") or {}).get("include_usage"))
            events = chat.events(reply, seen.model, usage=usage)
        case _:
            events = responses.events(reply, seen.model)
    for name, data in events:
        head = f"event: {name}\n" if name else ""
        yield f"{head}data: {json.dumps(data)}\n\n".encode()
    if api == "openai-chat":
        yield b"data: [DONE]\n\n"


def error(api: str, status: int, text: str, kind: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error answer in the API's own shape."""
    body = (anthropic if api == "anthropic" else chat).error(status, kind, text)
    return JSONResponse(body, status, headers=dict(headers or {}))
