"""OpenAI's Responses API as it goes over the wire: what it refuses, what it sends.

Source: https://platform.openai.com/docs/api-reference/responses and /responses-streaming (November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from greylag.testing.model.anthropic import parts
from greylag.testing.model.chat import argument_text, arguments, heard, text_of
from greylag.testing.model.known import RESPONSES_ITEMS, RESPONSES_PARAMETERS
from greylag.testing.model.values import BadRequest, Call, Exchange, Reply, Seen, Tool

_CALLS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "local_shell_call": "local_shell_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "tool_search_call": "tool_search_output",
}
_OUTPUTS = frozenset(_CALLS.values())
_PARTS = {
    "user": ("input_text", "input_image", "input_file"),
    "system": ("input_text", "input_image", "input_file"),
    "developer": ("input_text", "input_image", "input_file"),
    "assistant": ("output_text", "refusal"),
}


def read_request(body: Mapping[str, Any], headers: Mapping[str, str]) -> Seen:
    """A request in plain values. Raises BadRequest with the API's words where the API would refuse it."""
    for name in ("model", "input"):
        if name not in body:
            raise BadRequest(f"Missing required parameter: '{name}'.")
    for name in body:
        if name not in RESPONSES_PARAMETERS:
            raise BadRequest(f"Unknown parameter: '{name}'.")
    if body.get("previous_response_id"):
        # Nothing is kept here: a client has to send the whole conversation, as with `store: false`.
        raise BadRequest(f"Previous response with id '{body['previous_response_id']}' not found.")
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if not isinstance(items, list) or not items:
        raise BadRequest("Invalid type for 'input': expected a string or a non-empty array.")
    told = _Conversation()
    for at, item in enumerate(items):
        told.add(item, at)
    if told.wanted:
        raise BadRequest(f"No tool output found for function call {next(iter(told.wanted))}.")
    return Seen(
        api="openai-responses",
        model=str(body["model"]),
        system="\n".join(filter(None, (str(body.get("instructions") or ""), *told.system))),
        prompt="\n".join(told.prompt),
        exchanges=tuple(told.exchanges),
        tools=tuple(_tools(body.get("tools") or ())),
        stream=bool(body.get("stream")),
        body=body,
    )


def _tools(tools: Sequence[Mapping[str, Any]], namespace: str | None = None) -> Iterator[Tool]:
    for at, tool in enumerate(tools):
        match tool.get("type"):
            case "function" | "custom" as kind:
                if not tool.get("name"):
                    raise BadRequest(f"Missing required parameter: 'tools[{at}].name'.")
                yield Tool(
                    name=tool["name"], kind=kind, schema=tool.get("parameters") or {}, namespace=namespace
                )
            case "namespace":
                yield from _tools(tool.get("tools") or (), tool.get("name"))
            case "local_shell":
                schema = {"properties": {"command": {"type": "array"}}}
                yield Tool(name="local_shell", schema=schema, namespace=namespace)
            case None:
                raise BadRequest(f"Missing required parameter: 'tools[{at}].type'.")
            case _:
                pass  # a tool of the server's own: its calls never come to the client


class _Conversation:
    """Items come flat: an item is the model's or it is heard; the model's turns are what stands between.

    The turn in our own calls' ids tells which calls belong together where outputs stand between them.
    """

    def __init__(self) -> None:
        self.system: list[str] = []
        self.prompt: list[str] = []
        self.exchanges: list[Exchange] = []
        self.wanted: dict[str, str] = {}
        self._turns: list[str | None] = []
        self._speaking = False

    def add(self, item: Mapping[str, Any], at: int) -> None:
        kind = item.get("type", "message")
        if kind == "message":
            self._message(item, at)
        elif kind in _CALLS:
            self._call(item, kind)
        elif kind in _OUTPUTS:
            self._output(item, kind)
        elif kind not in RESPONSES_ITEMS:
            raise BadRequest(
                f"Invalid value: '{kind}'. Supported values of 'input[{at}].type' are: 'message', …"
            )

    def _message(self, item: Mapping[str, Any], at: int) -> None:
        role = item.get("role")
        if role not in _PARTS:
            raise BadRequest(
                f"Invalid value: '{role}'. Supported values are: "
                "'assistant', 'system', 'developer', and 'user'."
            )
        content = item.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            if part.get("type") not in _PARTS[role]:
                raise BadRequest(
                    f"Invalid value: '{part.get('type')}' at 'input[{at}].content[{number}]'. Supported "
                    f"values are: {', '.join(map(repr, _PARTS[role]))}."
                )
        words = text_of(content)
        if role == "assistant":
            last = self._spoke(None)
            self.exchanges[-1] = Exchange(calls=last.calls, said="\n".join(filter(None, (last.said, words))))
        elif role in ("system", "developer"):
            self.system.append(words)
        elif self.exchanges:
            self._speaking = False
            self.exchanges[-1] = heard(self.exchanges[-1], words=words)
        else:
            self.prompt.append(words)

    def _call(self, item: Mapping[str, Any], kind: str) -> None:
        called = str(item.get("call_id") or item.get("id"))
        if kind == "custom_tool_call":
            call = Call(item["name"], str(item.get("input", "")), item.get("namespace"))
        elif kind == "function_call":
            call = Call(item["name"], arguments(item.get("arguments", "")), item.get("namespace"))
        else:
            call = Call(kind.removesuffix("_call"), item.get("action") or {})
        last = self._spoke(called)
        self.exchanges[-1] = Exchange(
            calls=(*last.calls, call), said=last.said, results=last.results, heard=last.heard
        )
        self.wanted[called] = _CALLS[kind]

    def _output(self, item: Mapping[str, Any], kind: str) -> None:
        called = str(item.get("call_id") or item.get("id"))
        if self.wanted.pop(called, None) != kind:
            raise BadRequest(f"No tool call found for {kind.replace('_', ' ')} with call_id {called}.")
        self._speaking = False
        output = item.get("output", "")
        self.exchanges[-1] = heard(self.exchanges[-1], results=(text_of(output),))

    def _spoke(self, called: str | None) -> Exchange:
        turn = called.split("_")[1] if called and called.startswith("call_") else None
        same = turn is not None and bool(self._turns) and self._turns[-1] == turn
        if not self.exchanges or not (self._speaking or same):
            self.exchanges.append(Exchange())
            self._turns.append(turn)
        elif turn is not None:
            self._turns[-1] = turn
        self._speaking = True
        return self.exchanges[-1]


def _items(reply: Reply) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.text:
        part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        head = {"id": f"msg_{reply.turn}", "type": "message", "status": "completed", "role": "assistant"}
        items.append({**head, "content": [part]})
    for number, call in enumerate(reply.calls):
        name = f"{reply.turn}_{number}"
        head = {"status": "completed", "call_id": f"call_{name}", "name": call.name}
        if call.namespace:
            head["namespace"] = call.namespace
        if isinstance(call.args, str):
            items.append({"id": f"ctc_{name}", "type": "custom_tool_call", **head, "input": call.args})
        else:
            body = {"id": f"fc_{name}", "type": "function_call", **head, "arguments": argument_text(call)}
            items.append(body)
    return items


def message(reply: Reply, model: str) -> dict[str, Any]:
    """The answer in one piece."""
    tokens = reply.tokens
    return {
        "id": f"resp_{reply.turn}",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": model,
        "output": _items(reply),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
        "usage": {
            "input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": tokens.cached},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens.input + tokens.output,
        },
    }


def events(reply: Reply, model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answer as a stream: name and data of each event, numbered as the API does."""
    for number, (name, data) in enumerate(_unnumbered(reply, model)):
        yield name, {"type": name, "sequence_number": number, **data}


def _unnumbered(reply: Reply, model: str) -> Iterator[tuple[str, dict[str, Any]]]:
    whole = message(reply, model)
    start = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield "response.created", {"response": start}
    yield "response.in_progress", {"response": start}
    for index, item in enumerate(whole["output"]):
        yield from _item_events(index, item)
    yield "response.completed", {"response": whole}


def _item_events(index: int, item: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    at = {"item_id": item["id"], "output_index": index}
    if item["type"] == "message":
        part = item["content"][0]
        where = {**at, "content_index": 0}
        yield "response.output_item.added", _added(index, {**item, "content": []})
        yield "response.content_part.added", {**where, "part": {**part, "text": ""}}
        for text in parts(part["text"]):
            yield "response.output_text.delta", {**where, "delta": text, "logprobs": []}
        yield "response.output_text.done", {**where, "text": part["text"], "logprobs": []}
        yield "response.content_part.done", {**where, "part": part}
    else:
        function = item["type"] == "function_call"
        key, name = (
            ("arguments", "function_call_arguments") if function else ("input", "custom_tool_call_input")
        )
        yield "response.output_item.added", _added(index, {**item, key: ""})
        for text in parts(item[key]):
            yield f"response.{name}.delta", {**at, "delta": text}
        yield f"response.{name}.done", {**at, key: item[key]}
    yield "response.output_item.done", {"output_index": index, "item": dict(item)}


def _added(index: int, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"output_index": index, "item": {**item, "status": "in_progress"}}
