"""The scripted model against the official clients, which parse what it sends as they parse the real thing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from greylag.domain.errors import UsageError
from greylag.testing.model import (
    Ask,
    Call,
    GiveUp,
    Read,
    Replace,
    Run,
    ScriptedModel,
    Step,
    Tokens,
    Verify,
    Write,
    apply_patch,
    broken,
    cut,
    endless,
    faulty,
    lie,
    overloaded,
    rate_limited,
    slow,
    steps,
    wrong_json,
    wrong_then_right,
)
from greylag.testing.model.files import load_scripts

anthropic = pytest.importorskip("anthropic")
openai = pytest.importorskip("openai")

EDIT = {"path": {"type": "string"}, "old": {"type": "string"}, "new": {"type": "string"}}
SCHEMA = {"type": "object", "properties": EDIT, "required": ["path", "old", "new"]}
CALLS = steps(
    Step("I look.", (Call("edit", {"path": "a", "old": "b" * 900, "new": "ü"}),), Tokens(100, 20, 60)),
    Step("Done."),
)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(CALLS) as served:
        yield served


def claude(model: ScriptedModel, **more: Any) -> Any:
    return anthropic.Anthropic(base_url=model.url, api_key="k", **{"max_retries": 0, **more})


def gpt(model: ScriptedModel, **more: Any) -> Any:
    return openai.OpenAI(base_url=f"{model.url}/v1", api_key="k", **{"max_retries": 0, **more})


ANTHROPIC = {
    "model": "m",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hello"}],
    "tools": [{"name": "edit", "input_schema": SCHEMA}],
}


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic(model: ScriptedModel, stream: bool) -> None:
    messages = claude(model).messages
    if stream:
        with messages.stream(**ANTHROPIC) as streamed:
            reply = streamed.get_final_message()
    else:
        reply = messages.create(**ANTHROPIC)
    text, call = reply.content
    assert (text.text, call.name, reply.stop_reason) == ("I look.", "edit", "tool_use")
    assert call.input == {"path": "a", "old": "b" * 900, "new": "ü"}
    usage = reply.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (40, 60, 20)
    said = [{"type": "text", "text": "I look."}, call.model_dump(include={"type", "id", "name", "input"})]
    heard = [{"type": "tool_result", "tool_use_id": call.id, "content": "edited"}]
    history = [
        *ANTHROPIC["messages"],
        {"role": "assistant", "content": said},
        {"role": "user", "content": heard},
    ]
    end = messages.create(**{**ANTHROPIC, "messages": history})
    assert (end.content[0].text, end.stop_reason) == ("Done.", "end_turn")
    seen = model.requests[-1].seen
    assert seen is not None and seen.exchanges[0].results == ("edited",)


CHAT = {
    "model": "m",
    "messages": [{"role": "system", "content": "Be good."}, {"role": "user", "content": "hello"}],
    "tools": [{"type": "function", "function": {"name": "edit", "parameters": SCHEMA}}],
}


@pytest.mark.parametrize("stream", [False, True])
def test_openai_chat(model: ScriptedModel, stream: bool) -> None:
    completions = gpt(model).chat.completions
    if stream:
        with completions.stream(**CHAT, stream_options={"include_usage": True}) as streamed:
            reply = streamed.get_final_completion()
    else:
        reply = completions.create(**CHAT)
    said = reply.choices[0].message
    assert (said.content, reply.choices[0].finish_reason) == ("I look.", "tool_calls")
    call = said.tool_calls[0]
    assert call.function.name == "edit" and "b" * 900 in call.function.arguments
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (100, 20)
    assert reply.usage.prompt_tokens_details.cached_tokens == 60
    told = {"role": "assistant", "content": "I look.", "tool_calls": [_plain(call)]}
    heard = {"role": "tool", "tool_call_id": call.id, "content": "edited"}
    end = completions.create(**{**CHAT, "messages": [*CHAT["messages"], told, heard]})
    assert end.choices[0].message.content == "Done."


def _plain(call: Any) -> dict[str, Any]:
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"id": call.id, "type": "function", "function": function}


RESPONSES = {
    "model": "m",
    "instructions": "Be good.",
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "hello"}]}],
    "tools": [{"type": "function", "name": "edit", "parameters": SCHEMA, "strict": False}],
}


@pytest.mark.parametrize("stream", [False, True])
def test_openai_responses(model: ScriptedModel, stream: bool) -> None:
    responses = gpt(model).responses
    if stream:
        with responses.stream(**RESPONSES) as streamed:
            reply = streamed.get_final_response()
    else:
        reply = responses.create(**RESPONSES)
    assert reply.output_text == "I look."
    call = reply.output[1]
    assert (call.type, call.name) == ("function_call", "edit")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (100, 20)
    told = [item.model_dump(exclude_none=True) for item in reply.output]
    heard = {"type": "function_call_output", "call_id": call.call_id, "output": "edited"}
    end = responses.create(**{**RESPONSES, "input": [*RESPONSES["input"], *told, heard]})
    assert end.output_text == "Done."


def _post(model: ScriptedModel, path: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    return httpx.post(f"{model.url}/v1/{path}", json=body, headers=headers)


def _anthropic(**change: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ANTHROPIC, **change}.items() if value is not None}


USER = {"role": "user", "content": "hello"}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "edit", "input": {}}]}
CHAT_CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "edit", "arguments": "{}"}}],
}
ITEM_CALL = {"type": "function_call", "call_id": "c1", "name": "edit", "arguments": "{}"}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("messages", _anthropic(max_tokens=None), "max_tokens: Field required"),
        ("messages", _anthropic(max_output=1), "max_output: Extra inputs are not permitted"),
        ("messages", _anthropic(messages=[{"role": "tool", "content": "x"}]), "Unexpected role"),
        ("messages", _anthropic(messages=[USER, USE]), "without `tool_result` blocks"),
        ("messages", _anthropic(messages=[USER, USE, USER]), "without `tool_result` blocks"),
        (
            "messages",
            _anthropic(
                messages=[{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t9"}]}]
            ),
            "unexpected `tool_use_id`",
        ),
        (
            "messages",
            _anthropic(messages=[{"role": "user", "content": [{"type": "text", "text": ""}]}]),
            "non-empty",
        ),
        ("messages", _anthropic(tools=[{"name": "edit", "input_schema": {}}]), "input_schema.type"),
        ("messages", _anthropic(tools=[*ANTHROPIC["tools"]] * 2), "must be unique"),
        ("chat/completions", {"model": "m"}, "Missing required parameter: 'messages'"),
        ("chat/completions", {**CHAT, "thinking": {}}, "Unrecognized request argument"),
        (
            "chat/completions",
            {**CHAT, "stream_options": {"include_usage": True}},
            "only allowed when 'stream'",
        ),
        (
            "chat/completions",
            {**CHAT, "messages": [USER, {"role": "human", "content": "x"}]},
            "Invalid value: 'human'",
        ),
        ("chat/completions", {**CHAT, "messages": [USER, CHAT_CALL]}, "did not have response messages: c1"),
        (
            "chat/completions",
            {**CHAT, "messages": [USER, CHAT_CALL, USER]},
            "did not have response messages: c1",
        ),
        (
            "chat/completions",
            {**CHAT, "messages": [USER, {"role": "tool", "tool_call_id": "c9", "content": ""}]},
            "must be a response to a preceeding message",
        ),
        ("responses", {**RESPONSES, "messages": []}, "Unknown parameter: 'messages'"),
        ("responses", {**RESPONSES, "input": [USER, ITEM_CALL]}, "No tool output found for function call c1"),
        (
            "responses",
            {**RESPONSES, "input": [USER, {"type": "function_call_output", "call_id": "c9", "output": ""}]},
            "No tool call found",
        ),
        (
            "responses",
            {**RESPONSES, "input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
            "Supported values are: 'input_text'",
        ),
        ("responses", {**RESPONSES, "previous_response_id": "resp_1"}, "not found"),
        ("responses", {**RESPONSES, "input": [{"type": "thought"}]}, "Invalid value: 'thought'"),
    ],
)
def test_refuses_what_the_real_ones_refuse(
    model: ScriptedModel, path: str, body: dict[str, Any], words: str
) -> None:
    answer = _post(model, path, body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert words in model.requests[-1].refused


def test_a_wrong_key_a_missing_header_and_another_path_are_refused() -> None:
    with ScriptedModel(lie(), key="right") as model:
        with pytest.raises(anthropic.AuthenticationError):
            claude(model).messages.create(**ANTHROPIC)
        headers = {"x-api-key": "right"}
        answer = httpx.post(f"{model.url}/v1/messages", json=ANTHROPIC, headers=headers)
        assert "anthropic-version" in answer.json()["error"]["message"]
        assert httpx.get(f"{model.url}/v1/files", headers=headers).status_code == 404
        assert [request.path for request in model.requests] == ["/v1/messages", "/v1/messages", "/v1/files"]


def test_it_listens_on_a_unix_socket(tmp_path: Path) -> None:
    with ScriptedModel(lie("Hm."), socket_path=tmp_path / "s") as model:
        transport = httpx.HTTPTransport(uds=str(tmp_path / "s"))
        with httpx.Client(transport=transport) as client:
            headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
            answer = client.post("http://model/v1/messages", json=ANTHROPIC, headers=headers)
        assert answer.json()["content"][0]["text"] == "Hm."
        assert len(model.requests) == 1


def test_faults_come_first_and_then_the_reply() -> None:
    faults = [rate_limited(0), overloaded(), broken(500)]
    with ScriptedModel(faulty(lie("Hm."), {0: faults})) as model:
        reply = claude(model, max_retries=3).messages.create(**ANTHROPIC)
        assert reply.content[0].text == "Hm."
        assert [request.status for request in model.requests] == [429, 529, 500, 200]


def test_a_rate_limit_says_how_long() -> None:
    with ScriptedModel(faulty(lie(), {0: [rate_limited(7)]})) as model:
        with pytest.raises(openai.RateLimitError) as raised:
            gpt(model).responses.create(**RESPONSES)
        assert raised.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("fault", [cut(4), wrong_json()])
def test_a_stream_that_breaks(fault: Any) -> None:
    with ScriptedModel(faulty(lie("Hm."), {0: [fault]})) as model:
        with (
            pytest.raises(Exception, match=r"peer closed connection|Unterminated string"),
            claude(model).messages.stream(**ANTHROPIC) as streamed,
        ):
            streamed.get_final_message()
        with claude(model).messages.stream(**ANTHROPIC) as streamed:
            assert streamed.get_final_message().content[0].text == "Hm."


@pytest.mark.parametrize("fault", [cut(), wrong_json()])
def test_a_body_that_breaks(fault: Any) -> None:
    with ScriptedModel(faulty(lie("Hm."), {0: [fault]})) as model:
        with pytest.raises((httpx.RemoteProtocolError, ValueError)):
            _post(model, "messages", ANTHROPIC).json()
        assert _post(model, "messages", ANTHROPIC).json()["content"][0]["text"] == "Hm."


def test_a_slow_reply_runs_into_the_clients_timeout() -> None:
    with ScriptedModel(faulty(lie(), {0: [slow(5)]})) as model, pytest.raises(anthropic.APITimeoutError):
        claude(model, timeout=0.2).messages.create(**ANTHROPIC)


def test_scripts_by_marker() -> None:
    with ScriptedModel({"repo-a": lie("A"), "": [Step("B")]}) as model:
        for words, reply in (("work on repo-a", "A"), ("work on repo-b", "B")):
            body = _anthropic(messages=[{"role": "user", "content": words}])
            assert _post(model, "messages", body).json()["content"][0]["text"] == reply


def _play(script: Any, tools: list[Any], prompts: list[str], most: int = 9) -> list[Any]:
    """Drives a script as an agent would; returns the calls and final texts in order."""
    messages: list[Any] = []
    happened: list[Any] = []
    with ScriptedModel(script) as model:
        for prompt in prompts:
            messages.append({"role": "user", "content": prompt})
            for _ in range(most):
                answer = _post(model, "messages", _anthropic(messages=messages, tools=tools)).json()
                messages.append({"role": "assistant", "content": answer["content"]})
                used = [block for block in answer["content"] if block["type"] == "tool_use"]
                if not used:
                    happened.append(answer["content"][0]["text"])
                    break
                happened += [(block["name"], block["input"]) for block in used]
                results = [
                    {"type": "tool_result", "tool_use_id": block["id"], "content": "ok"} for block in used
                ]
                messages.append({"role": "user", "content": results})
    return happened


def _tool(name: str, *properties: str) -> dict[str, Any]:
    return {
        "name": name,
        "input_schema": {"type": "object", "properties": {each: {"type": "string"} for each in properties}},
    }


CLAUDE = [
    _tool("Read", "file_path"),
    _tool("Edit", "file_path", "old_string", "new_string"),
    _tool("Write", "file_path", "content"),
    _tool("mcp__greylag__verify"),
]
OURS = [_tool("read", "path"), _tool("edit", "path", "old", "new"), _tool("verify")]
SHELL = [_tool("shell", "command")]


def test_the_oracle_uses_the_tools_that_there_are() -> None:
    script = apply_patch({"a.sql": [("x", "y")], "new.sql": "SELECT 1\n"})
    assert _play(script, CLAUDE, ["Working directory: /here\nGo."]) == [
        ("Read", {"file_path": "/here/a.sql"}),
        ("Edit", {"file_path": "/here/a.sql", "old_string": "x", "new_string": "y"}),
        ("Write", {"file_path": "/here/new.sql", "content": "SELECT 1\n"}),
        ("mcp__greylag__verify", {}),
        "Done: every read was moved.",
    ]
    assert _play(apply_patch({"a.sql": "new"}, {"a.sql": "old"}), OURS, ["Go."]) == [
        ("read", {"path": "a.sql"}),
        ("edit", {"path": "a.sql", "old": "old", "new": "new"}),
        ("verify", {}),
        "Done: every read was moved.",
    ]


def test_wrong_then_right_waits_for_the_second_prompt() -> None:
    script = wrong_then_right({"a.sql": "wrong\n"}, {"a.sql": "right\n"}, {"a.sql": "old\n"})
    edits = [each for each in _play(script, OURS, ["Go.", "No."]) if each[0] != "read"]
    assert edits == [
        ("edit", {"path": "a.sql", "old": "old\n", "new": "wrong\n"}),
        "Done.",
        ("edit", {"path": "a.sql", "old": "wrong\n", "new": "right\n"}),
        "Now it is right.",
    ]


def test_endless_never_ends() -> None:
    assert len(_play(endless(), OURS, ["Go."], most=30)) == 30


def test_what_no_tool_fits_is_asked_of_a_tool_that_is_not_offered() -> None:
    script = steps(*(Step("", (each,)) for each in (Run("id"), Ask("Why?"), GiveUp("Hard."), Verify())))
    calls = _play(script, [_tool("read", "path")], ["Go."])
    assert [call[0] for call in calls[:-1]] == ["bash", "ask", "give_up", "verify"]


def test_a_shell_does_everything(tmp_path: Path) -> None:
    (tmp_path / "a b.sql").write_text("SELECT 'it''s'\nFROM old -- $HOME `id`\n")
    (tmp_path / "gone.sql").write_text("x")
    done = (
        Replace("a b.sql", "FROM old -- $HOME `id`", "FROM new -- $HOME `id` \\1"),
        Write("sub/new.sql", "no newline, $HOME 'END_OF_FILE'"),
        Write("gone.sql", None),
        Read("a b.sql"),
    )
    calls = _play(steps(Step("", done)), SHELL, ["Go."])[:-1]
    for _, args in calls:
        subprocess.run(["bash", "-c", args["command"]], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "a b.sql").read_text() == "SELECT 'it''s'\nFROM new -- $HOME `id` \\1\n"
    assert (tmp_path / "sub/new.sql").read_text() == "no newline, $HOME 'END_OF_FILE'"
    assert not (tmp_path / "gone.sql").exists()


FILE = """
scripts:
  - marker: reports
    steps:
      - {say: I look., do: [{read: q.sql}], tokens: {input: 7, output: 3}}
      - do: [{replace: {path: q.sql, old: a, new: b}}, {run: id}, {call: {name: edit, args: {path: x}}}]
  - oracle: {q.sql: [{old: a, new: b}]}
"""


def test_scripts_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text(FILE)
    scripts = load_scripts(tmp_path / "script.yaml")
    assert _play(scripts, OURS, ["reports"]) == [
        ("read", {"path": "q.sql"}),
        ("edit", {"path": "q.sql", "old": "a", "new": "b"}),
        ("bash", {"command": "id"}),
        ("edit", {"path": "x"}),
        "Done.",
    ]
    assert ("verify", {}) in _play(scripts, OURS, ["something else"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scripts: []", "scripts: Tuple should have at least 1 item"),
        ("scripts: [{steps: [{do: [{read: a, run: b}]}]}]", "an action is one of read, write"),
        ("scripts: [{steps: [], oracle: {}}]", "either steps or an oracle"),
        ("scripts: [{stepps: []}]", "scripts.0.stepps: Extra inputs are not permitted"),
        ("a: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "script.yaml").write_text(text)
    with pytest.raises(UsageError, match=re.escape(words)):
        load_scripts(tmp_path / "script.yaml")


def test_it_is_started_by_hand(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text(FILE)
    argv = [
        sys.executable,
        "-m",
        "greylag.testing.model",
        "--script",
        tmp_path / "script.yaml",
        "--port",
        "0",
    ]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as served:
        assert served.stderr is not None
        url = served.stderr.readline().split()[-1]
        headers = {"authorization": "Bearer k"}
        answer = httpx.post(f"{url}/v1/chat/completions", json=CHAT, headers=headers)
        assert answer.json()["choices"][0]["message"]["tool_calls"]
        served.terminate()
