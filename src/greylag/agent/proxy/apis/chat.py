"""OpenAI Chat Completions, also as other providers and local servers speak it."""

from __future__ import annotations

import json
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
from greylag.agent.proxy.prices import Tokens

FIELDS = words(
    "model messages frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens n "
    "parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention "
    "reasoning_effort "
    "response_format seed stop stream stream_options temperature tool_choice tools top_logprobs top_p "
    "verbosity"
)
REFUSED = {"web_search_options": "the provider would search the web"}
MESSAGE = words(
    "role content name tool_calls tool_call_id function_call refusal reasoning reasoning_content "
    "reasoning_details"
)
KINDS = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def openai_url(base: str, end: str) -> str:
    """A base URL is what OpenAI's clients call one: with `/v1`, or the provider's own path instead."""
    base = base.rstrip("/")
    has_path = "/" in base.partition("://")[2]
    return f"{base}/{end}" if has_path else f"{base}/v1/{end}"


def openai_error(status: int, code: str, message: str) -> Json:
    """An error as both of OpenAI's APIs write it."""
    kind = KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def bearer(key: str | None) -> dict[str, str]:
    """The header that both of OpenAI's APIs want."""
    return {} if key is None else {"authorization": f"Bearer {key}"}


class ChatCompletions:
    """See `Api`."""

    name: ApiName = "openai-chat"
    path = "/v1/chat/completions"
    ping = b": waiting for the model\n\n"

    def url(self, base: str) -> str:
        """See `Api`."""
        return openai_url(base, "chat/completions")

    def headers(self, key: str | None, asked: Mapping[str, str]) -> dict[str, str]:
        """See `Api`."""
        return bearer(key)

    def check(self, body: Json, rules: Rules) -> Checked:
        """See `Api`."""
        refuse_fields(body, REFUSED)
        dropped = Dropped()
        sent = dropped.keep(body, FIELDS | rules.fields)
        sent["model"] = model_of(body, rules)
        if body.get("n") not in (None, 1):
            raise Refused("`n` above 1 may not be used here: each answer costs", code="field_refused")
        output = _cap(body, sent, rules.max_tokens)
        sent["messages"] = [_message(each, dropped) for each in list_of(body.get("messages"), "messages")]
        for tool in list_of(body.get("tools") or [], "tools"):
            if tool.get("type") not in ("function", "custom"):
                raise Refused(
                    f"the provider's tool `{tool.get('type')}` may not be used: it acts outside the cage",
                    code="tool_refused",
                )
        stream = body.get("stream") is True
        options = body.get("stream_options")
        asked = isinstance(options, dict) and options.get("include_usage") is True
        sent.pop("stream_options", None)
        if stream:
            sent["stream_options"] = {"include_usage": True}
        return Checked(
            body=sent,
            model=sent["model"],
            output=output,
            stream=stream,
            dropped=tuple(dropped.names),
            hide_usage=stream and not asked,
        )

    def read(self, content: bytes, *, sse: bool) -> Reading:
        """See `Api`."""
        if not sse:
            document = loads(content)
            if document is None:
                return Reading(complete=False)
            return Reading(complete="choices" in document, tokens=_tokens(document.get("usage")))
        tokens: Tokens | None = None
        complete, failure = False, None
        for _, data in events(content):
            match data:
                case "[DONE]":
                    complete = True
                case {"error": {"message": str(message)} as error}:
                    failure = Failure(status=number(error, "code") or 500, message=message)
                case {"choices": list(choices)}:
                    # Some servers leave out the last line that says that it is over.
                    complete = complete or any(_finished(choice) for choice in choices)
                    tokens = _tokens(data.get("usage")) or tokens
        return Reading(complete=complete, tokens=tokens, failure=failure)

    def error(self, status: int, code: str, message: str) -> Json:
        """See `Api`."""
        return openai_error(status, code, message)

    def error_event(self, status: int, code: str, message: str) -> bytes:
        """See `Api`."""
        return f"data: {json.dumps(self.error(status, code, message))}\n\n".encode()


def _finished(choice: Any) -> bool:
    return isinstance(choice, dict) and bool(choice.get("finish_reason"))


def without_usage(content: bytes) -> bytes:
    """A stream without the chunk that only tells the usage, for a client that did not ask for it."""

    def only_usage(block: bytes) -> bool:
        found = [data for _, data in events(block + b"\n\n")]
        return any(isinstance(data, dict) and data.get("choices") == [] and "usage" in data for data in found)

    blocks = content.replace(b"\r\n", b"\n").split(b"\n\n")
    return b"\n\n".join(block for block in blocks if not only_usage(block))


def _cap(body: Json, sent: Json, most: int) -> int:
    """Caps both names of the limit; sets the newer one where the request has none."""
    asked = {name: whole(body, name) for name in ("max_completion_tokens", "max_tokens")}
    caps = {name: min(value, most) for name, value in asked.items() if value is not None}
    sent.update(caps or {"max_completion_tokens": most})
    return max(caps.values(), default=most)


def _message(message: Json, dropped: Dropped) -> Json:
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        for part in list_of(content, "content"):
            _part(part)
    return dropped.keep(message, MESSAGE, "messages.")


def _part(part: Json) -> None:
    match part:
        case {"type": "text" | "refusal"}:
            pass
        case {"type": "image_url", "image_url": {"url": url}}:
            only_data_url(url, "an image")
        case _:
            raise Refused(
                f"content of type `{part.get('type')}` may not be used here", code="content_refused"
            )


def _tokens(usage: Any) -> Tokens | None:
    if not isinstance(usage, dict) or "prompt_tokens" not in usage:
        return None
    cached = number(usage, "prompt_tokens_details", "cached_tokens")
    written = number(usage, "prompt_tokens_details", "cache_write_tokens")
    return Tokens(
        fresh=max(0, number(usage, "prompt_tokens") - cached - written),
        cached=cached,
        cache_write=written,
        output=number(usage, "completion_tokens"),
    )
