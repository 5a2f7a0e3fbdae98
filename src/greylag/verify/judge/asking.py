"""A judge's request in the three wire formats that models speak; sending it is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from greylag.domain.agent import Usage
from greylag.verify.judge.prompt import JudgeReply, JudgeRequest

Post = Callable[[str, Mapping[str, object]], Mapping[str, Any]]
"""Send a body (a JSON object) to a path such as `/v1/messages`; returns the answer's, or raises."""

_MOST_TOKENS = 4_000


def asked_over(post: Post, *, api: str, model: str) -> Callable[[JudgeRequest], JudgeReply]:
    """`Judge.ask` over `anthropic`, `openai-chat` or `openai-responses`.

    `model` is asked where the request names none.
    """
    makers = {"anthropic": _anthropic, "openai-chat": _chat, "openai-responses": _responses}
    if api not in makers:
        raise ValueError(f"no such api: {api}; expected one of {', '.join(makers)}")

    def ask(request: JudgeRequest) -> JudgeReply:
        return makers[api](post, request, request.model or model)

    return ask


def _anthropic(post: Post, request: JudgeRequest, model: str) -> JudgeReply:
    body = {
        "model": model,
        "max_tokens": _MOST_TOKENS,
        "system": request.system,
        "messages": [{"role": "user", "content": request.text}],
    }
    answer = post("/v1/messages", body)
    text = "".join(one["text"] for one in answer["content"] if one.get("type") == "text")
    return _reply(text, answer, "input_tokens", "output_tokens")


def _chat(post: Post, request: JudgeRequest, model: str) -> JudgeReply:
    body = {
        "model": model,
        "max_completion_tokens": _MOST_TOKENS,
        "messages": [
            {"role": "system", "content": request.system},
            {"role": "user", "content": request.text},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answers", "schema": request.schema},
        },
    }
    answer = post("/v1/chat/completions", body)
    return _reply(
        answer["choices"][0]["message"]["content"] or "", answer, "prompt_tokens", "completion_tokens"
    )


def _responses(post: Post, request: JudgeRequest, model: str) -> JudgeReply:
    body = {
        "model": model,
        "max_output_tokens": _MOST_TOKENS,
        "instructions": request.system,
        "input": [{"role": "user", "content": request.text}],
        "text": {"format": {"type": "json_schema", "name": "answers", "schema": request.schema}},
    }
    answer = post("/v1/responses", body)
    parts = [part for item in answer["output"] if item.get("type") == "message" for part in item["content"]]
    text = "".join(part["text"] for part in parts if part.get("type") == "output_text")
    return _reply(text, answer, "input_tokens", "output_tokens")


def _reply(text: str, answer: Mapping[str, Any], read: str, written: str) -> JudgeReply:
    used = answer.get("usage") or {}
    usage = Usage(calls=1, input_tokens=int(used.get(read, 0)), output_tokens=int(used.get(written, 0)))
    return JudgeReply(text=text, model=str(answer.get("model", "")), usage=usage)
