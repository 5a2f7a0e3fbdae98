"""OpenAI Responses, which Codex speaks. Nothing is kept by the provider: `store` is always false."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from greylag.agent.proxy.apis.base import (
    ApiName,
    Checked,
    Dropped,
    Failure,
    Json,
    Reading,
    Refused,
    Rules,
    event,
    events,
    list_of,
    loads,
    model_of,
    number,
    only_data_url,
    refuse_fields,
    whole,
    words,
)
from greylag.agent.proxy.apis.chat import bearer, openai_error, openai_url
from greylag.agent.proxy.prices import Tokens

FIELDS = words(
    "model input instructions include max_output_tokens max_tool_calls parallel_tool_calls prompt_cache_key "
    "prompt_cache_retention reasoning stream stream_options temperature text tool_choice tools top_logprobs "
    "top_p "
    "truncation context_management"
)
REFUSED = {
    "previous_response_id": "the provider keeps no conversation of ours: send all of the input",
    "conversation": "the provider keeps no conversation of ours: send all of the input",
    "prompt": "a stored prompt is not in the request",
    "background": "the reply would not come back here",
}
INCLUDE = frozenset({"reasoning.encrypted_content", "message.output_text.logprobs"})
ITEMS = words(
    "message reasoning function_call function_call_output custom_tool_call custom_tool_call_output "
    "local_shell_call "
    "local_shell_call_output shell_call shell_call_output apply_patch_call apply_patch_call_output "
    "tool_search_call tool_search_output compaction compaction_summary"
)
PARTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text", "refusal"})
TOOLS = frozenset({"function", "custom", "local_shell", "apply_patch"})
# Offered by Codex with every request, unasked: they are left out, so that it works all the same.
LEFT_OUT = frozenset({"web_search", "web_search_preview", "image_generation"})
CODES = {"rate_limit_exceeded": 429, "server_error": 500, "server_is_overloaded": 503, "slow_down": 503}


class Responses:
    """See `Api`."""

    name: ApiName = "openai-responses"
    path = "/v1/responses"
    ping = b": waiting for the model\n\n"

    def url(self, base: str) -> str:
        """See `Api`."""
        return openai_url(base, "responses")

    def headers(self, key: str | None, asked: Mapping[str, str]) -> dict[str, str]:
        """See `Api`."""
        return bearer(key)

    def check(self, body: Json, rules: Rules) -> Checked:
        """See `Api`."""
        refuse_fields(body, REFUSED)
        dropped = Dropped()
        sent = dropped.keep({k: v for k, v in body.items() if k != "store"}, FIELDS | rules.fields)
        sent["model"] = model_of(body, rules)
        sent["store"] = False
        asked = whole(body, "max_output_tokens")
        sent["max_output_tokens"] = output = min(asked or rules.max_tokens, rules.max_tokens)
        if not isinstance(body.get("input"), str):
            for item in list_of(body.get("input"), "input"):
                _item(item)
        if "tools" in body:
            sent["tools"] = _tools(list_of(body["tools"] or [], "tools"), dropped)
        if "include" in body:
            asked_for = body["include"] if isinstance(body["include"], list) else []
            sent["include"] = [name for name in sorted(INCLUDE) if name in asked_for]
        return Checked(
            body=sent,
            model=sent["model"],
            output=output,
            stream=body.get("stream") is True,
            dropped=tuple(dropped.names),
        )

    def read(self, content: bytes, *, sse: bool) -> Reading:
        """See `Api`."""
        if not sse:
            document = loads(content)
            if document is None:
                return Reading(complete=False)
            return _reading(document)
        found = Reading(complete=False)
        for _, data in events(content):
            match data:
                case {
                    "type": "response.completed" | "response.incomplete" | "response.failed",
                    "response": dict(response),
                }:
                    found = _reading(response)
                case {"type": "error"}:
                    error = data["error"] if isinstance(data.get("error"), dict) else data
                    found = Reading(complete=False, failure=_failure(error))
        return found

    def error(self, status: int, code: str, message: str) -> Json:
        """See `Api`."""
        return openai_error(status, code, message)

    def error_event(self, status: int, code: str, message: str) -> bytes:
        """As a failed response: clients stop at one."""
        error = {"code": code, "message": message}
        response = {"id": "resp_none", "object": "response", "status": "failed", "error": error, "output": []}
        return event(
            "response.failed", {"type": "response.failed", "sequence_number": 0, "response": response}
        )


def _reading(response: Json) -> Reading:
    error = response.get("error")
    failure = _failure(error) if isinstance(error, dict) and response.get("status") == "failed" else None
    return Reading(complete="output" in response, tokens=_tokens(response.get("usage")), failure=failure)


def _failure(error: Json) -> Failure:
    code = str(error.get("code") or error.get("type"))
    return Failure(status=CODES.get(code, 400), message=str(error.get("message") or code))


def _item(item: Json) -> None:
    kind = str(item.get("type") or ("message" if "role" in item else None))
    if kind not in ITEMS:
        raise Refused(f"input of type `{kind}` may not be used here", code="content_refused")
    for name in ("content", "output", "summary"):
        value = item.get(name)
        if kind in {"message", "reasoning", "function_call_output", "custom_tool_call_output"} and isinstance(
            value, list
        ):
            for part in list_of(value, name):
                _part(part)


def _part(part: Json) -> None:
    match part:
        case {"type": str(kind)} if kind in PARTS:
            pass
        case {"type": "input_image", "image_url": url} if part.get("file_id") is None:
            only_data_url(url, "an image")
        case _:
            raise Refused(
                f"content of type `{part.get('type')}` may not be used here", code="content_refused"
            )


def _tools(tools: list[Json], dropped: Dropped) -> list[Json]:
    kept: list[Json] = []
    for tool in tools:
        match tool:
            case {"type": str(kind)} if kind in LEFT_OUT:
                dropped.names.append(f"tools.{kind}")
            case {"type": str(kind)} if kind in TOOLS:
                kept.append(tool)
            case {"type": "namespace", "tools": list(inner)}:
                kept.append({**tool, "tools": _tools(list_of(inner, "tools"), dropped)})
            case {"type": "tool_search", "execution": "client"}:
                kept.append(tool)
            case {"type": "shell"} if tool.get("environment") in (None, {"type": "local"}):
                kept.append({**tool, "environment": {"type": "local"}})
            case _:
                raise Refused(
                    f"the provider's tool `{tool.get('type')}` may not be used: it acts outside the cage",
                    code="tool_refused",
                )
    return kept


def _tokens(usage: Any) -> Tokens | None:
    if not isinstance(usage, dict) or "input_tokens" not in usage:
        return None
    cached = number(usage, "input_tokens_details", "cached_tokens")
    written = number(usage, "input_tokens_details", "cache_write_tokens")
    return Tokens(
        fresh=max(0, number(usage, "input_tokens") - cached - written),
        cached=cached,
        cache_write=written,
        output=number(usage, "output_tokens"),
    )
