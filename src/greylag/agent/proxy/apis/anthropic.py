"""Anthropic Messages: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

import re
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
    refuse_fields,
    whole,
    words,
)
from greylag.agent.proxy.prices import Tokens

FIELDS = words(
    "model messages max_tokens system stop_sequences stream temperature top_k top_p thinking tools "
    "tool_choice "
    "cache_control context_management output_config output_format"
)
REFUSED = {
    "container": "it runs code on the provider's machines",
    "mcp_servers": "the provider would connect to other servers",
    "fallbacks": "another model would answer, at another price",
    "thread": "the provider would keep the conversation",
}
BLOCKS = words(
    "text thinking redacted_thinking tool_use tool_result image document search_result compaction "
    "server_tool_use tool_search_tool_result tool_reference "
    "tool_addition tool_removal"
)
# Run by the client, or (tool search) only over the tools of the request itself.
TOOLS = re.compile(r"custom|(bash|text_editor|memory)_\d{8}|tool_search_tool_(bm25|regex)(_\d{8})?")
BETAS = re.compile(
    r"(claude-code|interleaved-thinking|dev-full-thinking|redact-thinking|adaptive-thinking|fine-grained-tool-streaming"
    r"|context-management|context-1m|token-efficient-tools|output-128k|prompt-caching(-scope)?|extended-cache-ttl"
    r"|structured-outputs|effort|compact|tool-search-tool|advanced-tool-use|tool-examples|token-counting|task-budgets"
    r"|model-context-window-exceeded|mid-conversation-(tool-changes|system-clear-at)"
    r"|thinking-(token-count|display-updates|binding-controls))-\d{4}-?\d{2}-?\d{2}"
)
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STATUSES = {kind: status for status, kind in KINDS.items()} | {"api_error": 500}


class AnthropicMessages:
    """See `Api`."""

    name: ApiName = "anthropic"
    path = "/v1/messages"
    ping = event("ping", {"type": "ping"})

    def url(self, base: str) -> str:
        """The base is with or without `/v1`."""
        return f"{base.rstrip('/').removesuffix('/v1')}/v1/messages"

    def headers(self, key: str | None, asked: Mapping[str, str]) -> dict[str, str]:
        """Betas pass by name: those of files, code, skills, and other servers do not."""
        mine = {"anthropic-version": "2023-06-01"}
        if key is not None:
            mine["x-api-key"] = key
        betas = [beta.strip() for beta in asked.get("anthropic-beta", "").split(",")]
        if passed := [beta for beta in betas if BETAS.fullmatch(beta)]:
            mine["anthropic-beta"] = ",".join(passed)
        return mine

    def check(self, body: Json, rules: Rules) -> Checked:
        """See `Api`."""
        refuse_fields(body, REFUSED)
        dropped = Dropped()
        sent = dropped.keep(body, FIELDS | rules.fields)
        sent["model"] = model_of(body, rules)
        asked = whole(body, "max_tokens")
        if asked is None:
            raise Refused("`max_tokens` is needed", code="invalid")
        sent["max_tokens"] = output = min(asked, rules.max_tokens)
        thinking = body.get("thinking")
        if isinstance(thinking, dict) and number(thinking, "budget_tokens") >= output:
            sent["thinking"] = {**thinking, "budget_tokens": max(1024, output - 1024)}
        sent["messages"] = [_message(each, dropped) for each in list_of(body.get("messages"), "messages")]
        if not isinstance(body.get("system", ""), str):
            _content(body["system"])
        for tool in list_of(body.get("tools") or [], "tools"):
            _tool(tool)
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
            return Reading(complete=True, tokens=_tokens(document.get("usage")))
        usage: Json = {}
        complete, failure = False, None
        for _, data in events(content):
            match data:
                case {"type": "message_start", "message": {"usage": dict(seen)}}:
                    usage |= seen
                case {"type": "message_delta", "usage": dict(seen)}:
                    # Totals so far, not differences.
                    usage |= {name: value for name, value in seen.items() if value is not None}
                case {"type": "message_stop"}:
                    complete = True
                case {"type": "error", "error": {"type": str(kind), "message": str(message)}}:
                    failure = Failure(status=STATUSES.get(kind, 500), message=message)
        return Reading(complete=complete, tokens=_tokens(usage), failure=failure)

    def error(self, status: int, code: str, message: str) -> Json:
        """See `Api`."""
        kind = KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def error_event(self, status: int, code: str, message: str) -> bytes:
        """See `Api`."""
        return event("error", self.error(status, code, message))


def _message(message: Json, dropped: Dropped) -> Json:
    if not isinstance(message.get("content"), str):
        _content(message.get("content"))
    return dropped.keep(message, ("role", "content"), "messages.")


def _content(content: Any) -> None:
    for block in list_of(content, "content"):
        _block(block)


def _block(block: Json) -> None:
    kind = str(block.get("type"))
    if kind not in BLOCKS:
        raise Refused(f"content of type `{kind}` may not be used here", code="content_refused")
    match block:
        case {"type": "image" | "document", "source": {"type": "base64" | "text"}}:
            pass
        case {"type": "document", "source": {"type": "content", "content": content}}:
            if not isinstance(content, str):
                _content(content)
        case {"type": "image" | "document"}:
            raise Refused(f"an {kind} by address or file id may not be used here", code="url_refused")
        case {"type": "tool_result", "content": list(content)}:
            _content(content)
        case {"type": "tool_addition" | "tool_removal", "tool": {"type": "tool_reference"}}:
            pass
        case {"type": "tool_addition" | "tool_removal"}:
            raise Refused("only tools of the request itself may be offered later", code="tool_refused")
        case {"type": "server_tool_use", "name": name} if not str(name).startswith("tool_search_tool"):
            raise Refused(f"the provider's tool `{name}` may not be used here", code="tool_refused")


def _tool(tool: Json) -> None:
    kind = tool.get("type") or "custom"
    if not isinstance(kind, str) or not TOOLS.fullmatch(kind):
        raise Refused(
            f"the provider's tool `{kind}` may not be used here: it acts outside the cage",
            code="tool_refused",
        )


def _tokens(usage: Any) -> Tokens | None:
    if not isinstance(usage, dict) or "input_tokens" not in usage:
        return None
    hour = number(usage, "cache_creation", "ephemeral_1h_input_tokens")
    written = number(usage, "cache_creation_input_tokens")
    # Compaction is billed besides what the totals say.
    iterations = usage.get("iterations")
    compaction = [
        each
        for each in (iterations if isinstance(iterations, list) else ())
        if isinstance(each, dict) and each.get("type") == "compaction"
    ]
    return Tokens(
        fresh=number(usage, "input_tokens") + sum(number(each, "input_tokens") for each in compaction),
        cached=number(usage, "cache_read_input_tokens"),
        cache_write=max(0, written - hour),
        cache_write_1h=hour,
        output=number(usage, "output_tokens") + sum(number(each, "output_tokens") for each in compaction),
    )
