"""What may be asked: requests as real clients send them pass, ways out of the cage do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from greylag.agent.proxy.apis import APIS, Refused, Rules
from greylag.agent.proxy.apis.base import Json, events, garbled
from greylag.agent.proxy.apis.chat import without_usage
from greylag.agent.proxy.prices import Tokens

RULES = Rules(models={"m": "m", "small-*": "m", "small": "m"}, max_tokens=4000)
USER = [{"role": "user", "content": "hi"}]
IMAGE = {"type": "base64", "media_type": "image/png", "data": "aGk="}


def anthropic(**more: Any) -> Json:
    return {"model": "m", "max_tokens": 100, "messages": USER, **more}


def chat(**more: Any) -> Json:
    return {"model": "m", "messages": USER, **more}


def responses(**more: Any) -> Json:
    return {"model": "m", "input": USER, **more}


def said(content: Any) -> list[Json]:
    return [{"role": "user", "content": content}]


CLAUDE_CODE = anthropic(
    max_tokens=32000,
    stream=True,
    metadata={"user_id": "user_1_account__session_2"},
    system=[{"type": "text", "text": "You are…", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    thinking={"type": "enabled", "budget_tokens": 31999, "display": "updates"},
    context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    output_config={"effort": "medium"},
    temperature=1,
    tools=[
        {"name": "Bash", "description": "…", "input_schema": {"type": "object", "properties": {"type": {}}}},
        {"name": "mcp__greylag__verify", "input_schema": {"type": "object"}, "defer_loading": True},
        {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
    ],
    messages=[
        {
            "role": "system",
            "content": [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "Bash"}}],
        },
        {"role": "user", "content": [{"type": "text", "text": "go", "cache_control": {"type": "ephemeral"}}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "…", "signature": "x"},
                # An argument that looks like a block is the tool's own affair.
                {
                    "type": "tool_use",
                    "id": "t",
                    "name": "Bash",
                    "input": {"source": {"type": "url", "url": "x"}},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": IMAGE}]},
                {"type": "tool_result", "tool_use_id": "u", "content": "text", "is_error": True},
            ],
        },
    ],
)

CODEX = responses(
    instructions="You are…",
    stream=True,
    store=False,
    include=["reasoning.encrypted_content"],
    reasoning={"effort": "medium", "summary": "auto"},
    prompt_cache_key="0199-aaaa",
    parallel_tool_calls=True,
    tool_choice="auto",
    client_metadata={"x": "y"},
    text={"verbosity": "low"},
    tools=[
        {"type": "function", "name": "shell", "strict": False, "parameters": {"type": "object"}},
        {
            "type": "custom",
            "name": "apply_patch",
            "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
        },
        {"type": "local_shell"},
        {"type": "web_search", "external_web_access": False},
        {"type": "namespace", "name": "mcp__greylag", "tools": [{"type": "function", "name": "verify"}]},
    ],
    input=[
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "…"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c", "name": "shell", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "custom_tool_call", "call_id": "d", "name": "apply_patch", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "d", "output": [{"type": "input_text", "text": "x"}]},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,aGk="}]},
    ],
)


def test_claude_code_passes_and_is_capped() -> None:
    checked = APIS["anthropic"].check(CLAUDE_CODE, RULES)
    assert checked.output == checked.body["max_tokens"] == 4000
    assert checked.body["thinking"]["budget_tokens"] < 4000
    assert checked.stream
    assert checked.dropped == ("metadata",)
    changed = {"max_tokens", "thinking", "metadata"}
    assert {k: v for k, v in CLAUDE_CODE.items() if k not in changed} == {
        k: v for k, v in checked.body.items() if k not in changed
    }


def test_codex_passes_without_the_web() -> None:
    checked = APIS["openai-responses"].check(CODEX, RULES)
    assert checked.body["tools"] == [tool for tool in CODEX["tools"] if tool["type"] != "web_search"]
    assert checked.dropped == ("client_metadata", "tools.web_search")
    assert checked.body["store"] is False
    assert checked.body["max_output_tokens"] == checked.output == 4000
    assert checked.body["input"] == CODEX["input"]


def test_chat_asks_for_the_usage_that_the_client_does_not_want() -> None:
    body = chat(stream=True, stream_options={"include_usage": False}, store=True, user="me", logit_bias={})
    checked = APIS["openai-chat"].check(body, RULES)
    assert checked.body["stream_options"] == {"include_usage": True}
    assert checked.hide_usage
    assert set(checked.dropped) == {"store", "user"}
    assert checked.body["max_completion_tokens"] == 4000
    wanted = APIS["openai-chat"].check({**body, "stream_options": {"include_usage": True}}, RULES)
    assert not wanted.hide_usage
    assert "stream_options" not in APIS["openai-chat"].check(chat(), RULES).body


@pytest.mark.parametrize(
    ("asked", "sent"), [({"max_tokens": 9}, {"max_tokens": 9}), ({"max_tokens": 9999}, {"max_tokens": 4000})]
)
def test_chat_keeps_the_name_of_the_limit(asked: Json, sent: Json) -> None:
    checked = APIS["openai-chat"].check(chat(**asked), RULES)
    assert {name: value for name, value in checked.body.items() if "max" in name} == sent
    assert checked.output == sent["max_tokens"]


def test_an_alias_is_sent_on_as_what_it_means() -> None:
    assert APIS["anthropic"].check(anthropic(model="small"), RULES).body["model"] == "m"


def test_store_is_never_true_and_includes_are_few() -> None:
    body = responses(store=True, include=["web_search_call.action.sources", "reasoning.encrypted_content"])
    checked = APIS["openai-responses"].check(body, RULES)
    assert checked.body["store"] is False
    assert checked.body["include"] == ["reasoning.encrypted_content"]


def test_further_fields_pass_only_as_configured() -> None:
    rules = Rules(models={"m": "m"}, max_tokens=10, fields=frozenset({"chat_template_kwargs"}))
    body = chat(chat_template_kwargs={"thinking": True}, other=1)
    assert "chat_template_kwargs" in APIS["openai-chat"].check(body, rules).body
    assert APIS["openai-chat"].check(body, RULES).dropped == ("chat_template_kwargs", "other")


ANTHROPIC_TOOLS = [
    "web_search_20250305",
    "web_fetch_20250910",
    "web_fetch_20260318",
    "code_execution_20250825",
    "computer_20250124",
    "mcp_toolset",
    "advisor_20260301",
    "browser_20260801",
    "bash_20250124x",
]
OPENAI_TOOLS = ["mcp", "code_interpreter", "file_search", "computer_use_preview", "programmatic_tool_calling"]

REFUSED: list[tuple[str, Json, str]] = [
    *(
        ("anthropic", anthropic(tools=[{"type": kind, "name": "x"}]), "tool_refused")
        for kind in ANTHROPIC_TOOLS
    ),
    *(("openai-responses", responses(tools=[{"type": kind}]), "tool_refused") for kind in OPENAI_TOOLS),
    *(("openai-chat", chat(tools=[{"type": kind}]), "tool_refused") for kind in OPENAI_TOOLS),
    ("anthropic", anthropic(container="c_1"), "field_refused"),
    (
        "anthropic",
        anthropic(container={"skills": [{"type": "anthropic", "skill_id": "pdf"}]}),
        "field_refused",
    ),
    ("anthropic", anthropic(mcp_servers=[{"type": "url", "url": "https://evil.example"}]), "field_refused"),
    ("anthropic", anthropic(fallbacks=[{"model": "other"}]), "field_refused"),
    ("anthropic", anthropic(model="other"), "model_refused"),
    ("anthropic", anthropic(model="small-*x"), "model_refused"),
    ("anthropic", anthropic(model=["m"]), "model_refused"),
    ("anthropic", anthropic(max_tokens=None), "invalid"),
    ("anthropic", anthropic(max_tokens=True), "invalid"),
    ("anthropic", anthropic(messages="hi"), "invalid"),
    (
        "anthropic",
        anthropic(
            messages=said([{"type": "image", "source": {"type": "url", "url": "https://evil.example/?x"}}])
        ),
        "url_refused",
    ),
    (
        "anthropic",
        anthropic(messages=said([{"type": "document", "source": {"type": "file", "file_id": "f"}}])),
        "url_refused",
    ),
    (
        "anthropic",
        anthropic(
            messages=said(
                [{"type": "tool_result", "content": [{"type": "image", "source": {"type": "url"}}]}]
            )
        ),
        "url_refused",
    ),
    (
        "anthropic",
        anthropic(
            messages=said(
                [
                    {
                        "type": "document",
                        "source": {"type": "content", "content": [{"type": "container_upload"}]},
                    }
                ]
            )
        ),
        "content_refused",
    ),
    (
        "anthropic",
        anthropic(messages=said([{"type": "container_upload", "file_id": "f"}])),
        "content_refused",
    ),
    ("anthropic", anthropic(messages=said([{"type": "mcp_tool_use"}])), "content_refused"),
    (
        "anthropic",
        anthropic(messages=said([{"type": "server_tool_use", "name": "web_search"}])),
        "tool_refused",
    ),
    (
        "anthropic",
        anthropic(
            messages=said([{"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {}}}])
        ),
        "tool_refused",
    ),
    ("anthropic", anthropic(system=[{"type": "image", "source": {"type": "url"}}]), "url_refused"),
    ("openai-chat", chat(web_search_options={"user_location": None}), "field_refused"),
    ("openai-chat", chat(n=5), "field_refused"),
    ("openai-chat", chat(model="gpt-5"), "model_refused"),
    (
        "openai-chat",
        chat(messages=said([{"type": "image_url", "image_url": {"url": "https://evil.example"}}])),
        "url_refused",
    ),
    ("openai-chat", chat(messages=said([{"type": "file", "file": {"file_id": "f"}}])), "content_refused"),
    ("openai-responses", responses(previous_response_id="r"), "field_refused"),
    ("openai-responses", responses(conversation="c"), "field_refused"),
    ("openai-responses", responses(prompt={"id": "p"}), "field_refused"),
    ("openai-responses", responses(background=True), "field_refused"),
    ("openai-responses", responses(input=[{"type": "item_reference", "id": "i"}]), "content_refused"),
    ("openai-responses", responses(input=[{"type": "mcp_call"}]), "content_refused"),
    (
        "openai-responses",
        responses(input=said([{"type": "input_file", "file_url": "https://evil.example"}])),
        "content_refused",
    ),
    ("openai-responses", responses(input=said([{"type": "input_image", "file_id": "f"}])), "content_refused"),
    (
        "openai-responses",
        responses(input=said([{"type": "input_image", "image_url": "https://evil.example"}])),
        "url_refused",
    ),
    (
        "openai-responses",
        responses(
            input=[
                {"type": "function_call_output", "output": [{"type": "input_image", "image_url": "http://x"}]}
            ]
        ),
        "url_refused",
    ),
    (
        "openai-responses",
        responses(tools=[{"type": "shell", "environment": {"type": "container_auto"}}]),
        "tool_refused",
    ),
    ("openai-responses", responses(tools=[{"type": "tool_search", "execution": "server"}]), "tool_refused"),
    (
        "openai-responses",
        responses(tools=[{"type": "namespace", "tools": [{"type": "mcp", "server_url": "x"}]}]),
        "tool_refused",
    ),
]


@pytest.mark.parametrize(("api", "body", "code"), REFUSED, ids=lambda value: json.dumps(value)[:60])
def test_ways_out_are_refused_by_name(api: Any, body: Json, code: str) -> None:
    with pytest.raises(Refused) as raised:
        APIS[api].check(body, RULES)
    assert raised.value.code == code
    assert raised.value.status == 400


def test_betas_pass_by_name() -> None:
    kept = (
        "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
        "mid-conversation-tool-changes-2026-07-01,thinking-token-count-2026-05-13,effort-2025-11-24,"
        "thinking-display-updates-2026-08-18,advanced-tool-use-2025-11-20,structured-outputs-2025-12-15"
    )
    left_out = "files-api-2025-04-14, mcp-client-2025-11-20,code-execution-2025-08-25,inline-tools-2026-09-15"
    asked = {"anthropic-beta": f"{left_out}, {kept}", "x-evil": "1", "anthropic-version": "1999-01-01"}
    assert APIS["anthropic"].headers("k", asked) == {
        "x-api-key": "k",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": kept,
    }


@pytest.mark.parametrize(
    ("api", "base", "url"),
    [
        ("anthropic", "https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("anthropic", "https://x.example/v1/", "https://x.example/v1/messages"),
        ("openai-chat", "https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("openai-chat", "http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"),
        (
            "openai-chat",
            "https://x.example/v1beta/openai/",
            "https://x.example/v1beta/openai/chat/completions",
        ),
        ("openai-responses", "https://api.openai.com/v1", "https://api.openai.com/v1/responses"),
    ],
)
def test_where_requests_go(api: Any, base: str, url: str) -> None:
    assert APIS[api].url(base) == url


def sse(*data: Any) -> bytes:
    lines = [
        f"event: {each.get('type', 'x')}\ndata: {json.dumps(each)}\n\n"
        if isinstance(each, dict)
        else f"data: {each}\n\n"
        for each in data
    ]
    return "".join(lines).encode()


START = {
    "type": "message_start",
    "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 1}},
}
DELTA = {"type": "message_delta", "usage": {"output_tokens": 9, "input_tokens": None}}


def test_the_usage_of_an_anthropic_stream_is_its_last_totals() -> None:
    api = APIS["anthropic"]
    whole = api.read(sse(START, DELTA, {"type": "message_stop"}), sse=True)
    assert whole.complete
    assert whole.tokens == Tokens(fresh=5, cached=3, output=9)
    part = api.read(sse(START), sse=True)
    assert not part.complete
    assert part.tokens == Tokens(fresh=5, cached=3, output=1)
    failed = api.read(
        sse(START, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}), sse=True
    )
    assert failed.failure is not None
    assert failed.failure.status == 529


def test_cache_writes_are_apart_from_other_input() -> None:
    usage = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 10,
        "cache_creation": {"ephemeral_1h_input_tokens": 4, "ephemeral_5m_input_tokens": 6},
        "output_tokens": 2,
    }
    read = APIS["anthropic"].read(json.dumps({"usage": usage}).encode(), sse=False)
    assert read.tokens == Tokens(fresh=1, cache_write=6, cache_write_1h=4, output=2)


def test_the_usage_of_a_chat() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 6}}
    finish = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    stream = sse(
        {"choices": [{"delta": {"content": "x"}}]}, finish, {"choices": [], "usage": usage}, "[DONE]"
    )
    read = APIS["openai-chat"].read(stream, sse=True)
    assert read.complete
    assert read.tokens == Tokens(fresh=4, cached=6, output=4)
    assert APIS["openai-chat"].read(sse(finish), sse=True).complete
    assert not APIS["openai-chat"].read(sse({"choices": [{"delta": {}}]}), sse=True).complete
    shown = without_usage(stream)
    assert shown == sse({"choices": [{"delta": {"content": "x"}}]}, finish, "[DONE]")


def test_the_usage_of_responses_and_their_failures() -> None:
    api = APIS["openai-responses"]
    usage = {"input_tokens": 7, "input_tokens_details": {"cached_tokens": 2}, "output_tokens": 3}
    done = {"type": "response.completed", "response": {"output": [], "status": "completed", "usage": usage}}
    read = api.read(sse({"type": "response.created", "response": {"output": []}}, done), sse=True)
    assert (read.complete, read.tokens) == (True, Tokens(fresh=5, cached=2, output=3))
    error = {"code": "rate_limit_exceeded", "message": "slow down"}
    failed = {"type": "response.failed", "response": {"output": [], "status": "failed", "error": error}}
    found = api.read(sse(failed), sse=True).failure
    assert found is not None
    assert found.status == 429
    assert not api.read(sse({"type": "response.created", "response": {}}), sse=True).complete


def test_a_torn_event_is_left_out_and_a_garbled_one_seen() -> None:
    content = sse({"a": 1}) + b'data: {"b":'
    assert [data for _, data in events(content)] == [{"a": 1}]
    assert not garbled(content)
    assert garbled(b"data: {nonsense\n\n")
    assert not garbled(b": comment\n\ndata: [DONE]\n\n")
    assert [name for name, _ in events(b"event: x\r\ndata: 1\r\n\r\n")] == ["x"]


@pytest.mark.parametrize("api", APIS.values(), ids=lambda api: str(api.name))
def test_an_error_within_a_stream_is_an_error_for_its_reader(api: Any) -> None:
    [(_, data)] = list(events(api.error_event(402, "over_budget", "no money")))
    assert "no money" in json.dumps(data)
    assert "no money" in json.dumps(api.error(402, "over_budget", "no money"))
