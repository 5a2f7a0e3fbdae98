"""A transcript as OpenTelemetry spans with the GenAI conventions: attempt, then rounds, calls and tools.

The conventions are in development: names are those of `opentelemetry-semantic-conventions` (extra `otlp`).
Identifiers derive from the attempt's name, so that exporting twice gives the same spans.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from greylag import __version__
from greylag.agent.transcript.model import Record, words
from greylag.agent.transcript.summary import checks_of, number, summary, usage_of

_SCOPE = InstrumentationScope("greylag", __version__)
_GOOD = frozenset({"accepted", "asked", "gave_up"})
_PROVIDERS = {"anthropic": "anthropic", "openai-chat": "openai", "openai-responses": "openai"}
_EVALUATION = "gen_ai.evaluation.result"


def to_otlp(records: Sequence[Record], *, content: bool = False) -> tuple[ReadableSpan, ...]:
    """The spans of an attempt, parents first; none for a transcript without records.

    `content` decides whether prompts, replies, tool arguments and diffs are part of them.
    """
    return _Spans(records, content=content).all() if records else ()


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000) * 1000


class _Spans:
    """Builds the spans of one transcript."""

    def __init__(self, records: Sequence[Record], *, content: bool) -> None:
        self._records, self._content = records, content
        self._summary = summary(records)
        self._first = next((one.data for one in records if one.kind == "started"), {})
        self._name = self._summary.attempt or "attempt"
        digest = hashlib.sha256(self._name.encode()).digest()
        self._trace = int.from_bytes(digest[:16])
        self._resource = Resource({"service.name": "greylag", "service.version": __version__})
        self._root = self._context("attempt")

    def all(self) -> tuple[ReadableSpan, ...]:
        rounds = self._rounds()
        spans = [self._attempt()]
        for index, group in enumerate(rounds, start=1):
            spans.extend(self._turn(index, group))
        return tuple(spans)

    def _rounds(self) -> list[list[Record]]:
        """The records of each round: from its prompt up to the next one's."""
        groups: list[list[Record]] = []
        for record in self._records:
            if record.kind == "prompt":
                groups.append([])
            if groups and record.kind != "ended":
                groups[-1].append(record)
        return groups

    def _attempt(self) -> ReadableSpan:
        found = self._summary
        kept = {
            gen.GEN_AI_OPERATION_NAME: "invoke_agent",
            gen.GEN_AI_AGENT_NAME: found.runner or "agent",
            gen.GEN_AI_AGENT_VERSION: found.agent,
            gen.GEN_AI_CONVERSATION_ID: self._name,
            gen.GEN_AI_PROVIDER_NAME: self._provider,
            gen.GEN_AI_REQUEST_MODEL: found.model,
            gen.GEN_AI_USAGE_INPUT_TOKENS: found.usage.input_tokens,
            gen.GEN_AI_USAGE_OUTPUT_TOKENS: found.usage.output_tokens,
            gen.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: found.usage.cached_tokens,
            "greylag.end": found.end or "",
            "greylag.rounds": found.rounds,
            "greylag.cost_usd": found.usage.cost,
            **{
                f"greylag.{key}": words(self._first.get(key))
                for key in ("brief", "template", "config", "base")
            },
        }
        if self._content and found.reason:
            kept["greylag.reason"] = found.reason
        good = found.end in _GOOD
        return self._span(
            f"invoke_agent {found.runner or 'agent'}",
            self._records[0].at,
            self._records[-1].at,
            kept,
            context=self._root,
            status=Status(
                StatusCode.OK if good else StatusCode.ERROR, None if good else found.end or "not ended"
            ),
        )

    def _turn(self, index: int, group: list[Record]) -> list[ReadableSpan]:
        context = self._context(f"round {index}")
        events = [event for record in group for event in self._events(record)]
        turn = self._span(
            f"round {index}",
            group[0].at,
            group[-1].at,
            {"greylag.round": index, gen.GEN_AI_CONVERSATION_ID: self._name, **self._said(group[0])},
            context=context,
            parent=self._root,
            events=events,
        )
        return [turn, *self._calls(group, context), *self._tools(group, context)]

    def _said(self, prompt: Record) -> dict[str, object]:
        return {gen.GEN_AI_INPUT_MESSAGES: _message("user", prompt)} if self._content else {}

    def _calls(self, group: list[Record], parent: SpanContext) -> list[ReadableSpan]:
        return [self._chat(record, parent) for record in group if record.kind == "model_call"]

    def _chat(self, record: Record, parent: SpanContext) -> ReadableSpan:
        usage = usage_of(record.data)
        model = words(record.data.get("model")) or self._summary.model
        kept: dict[str, object] = {
            gen.GEN_AI_OPERATION_NAME: "chat",
            gen.GEN_AI_PROVIDER_NAME: self._provider,
            gen.GEN_AI_CONVERSATION_ID: self._name,
            gen.GEN_AI_REQUEST_MODEL: model,
            gen.GEN_AI_USAGE_INPUT_TOKENS: usage.input_tokens,
            gen.GEN_AI_USAGE_OUTPUT_TOKENS: usage.output_tokens,
            gen.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: usage.cached_tokens,
            "greylag.cost_usd": usage.cost,
            "greylag.replayed": bool(record.data.get("replayed")),
        }
        said = self._reply(record) if self._content else None
        if said is not None:
            kept[gen.GEN_AI_OUTPUT_MESSAGES] = _message("assistant", said)
        started = record.at - timedelta(seconds=number(record.data.get("seconds")))
        return self._span(
            f"chat {model}".strip(),
            started,
            record.at,
            kept,
            context=self._context(f"record {record.seq}"),
            parent=parent,
            kind=SpanKind.CLIENT,
            status=_status(words(record.data.get("status"))),
        )

    def _reply(self, call: Record) -> Record | None:
        """What the agent said after a call and before the next one."""
        for record in self._records:
            if record.seq > call.seq and record.kind in {"model_call", "message"}:
                return record if record.kind == "message" else None
        return None

    def _tools(self, group: list[Record], parent: SpanContext) -> list[ReadableSpan]:
        return [
            self._tool(record, _result(record, group[place + 1 :]), parent)
            for place, record in enumerate(group)
            if record.kind == "tool_call"
        ]

    def _tool(self, call: Record, result: Record, parent: SpanContext) -> ReadableSpan:
        name = words(call.data.get("name"))
        kept: dict[str, object] = {
            gen.GEN_AI_OPERATION_NAME: "execute_tool",
            gen.GEN_AI_TOOL_NAME: name,
            gen.GEN_AI_TOOL_CALL_ID: words(call.data.get("id")),
            gen.GEN_AI_TOOL_TYPE: "function",
        }
        if self._content:
            arguments = call.data.get("arguments")
            kept[gen.GEN_AI_TOOL_CALL_ARGUMENTS] = (
                arguments if isinstance(arguments, str) else json.dumps(arguments)
            )
            kept[gen.GEN_AI_TOOL_CALL_RESULT] = words(result.data.get("text"))
        failed = result.data.get("ok") is False
        return self._span(
            f"execute_tool {name}".strip(),
            call.at,
            result.at,
            kept,
            context=self._context(f"record {call.seq}"),
            parent=parent,
            status=Status(StatusCode.ERROR) if failed else Status(StatusCode.UNSET),
        )

    def _events(self, record: Record) -> list[Event]:
        at = _nanoseconds(record.at)
        match record.kind:
            case "denied":
                kept = {"greylag.denied": words(record.data.get("what"))}
                if self._content:
                    kept["greylag.reason"] = words(record.data.get("reason"))
                return [Event("greylag.denied", kept, at)]
            case "round":
                return [Event(_EVALUATION, self._evaluation(check), at) for check in checks_of(record)]
            case _:
                return []

    def _evaluation(self, check: Mapping[str, Any]) -> dict[str, str]:
        kept = {
            gen.GEN_AI_EVALUATION_NAME: words(check.get("verifier")),
            gen.GEN_AI_EVALUATION_SCORE_LABEL: words(check.get("status")),
        }
        if self._content:
            kept[gen.GEN_AI_EVALUATION_EXPLANATION] = words(check.get("summary"))
        return kept

    @property
    def _provider(self) -> str:
        api = words(self._first.get("api"))
        return _PROVIDERS.get(api, api or "unknown")

    def _context(self, what: str) -> SpanContext:
        digest = hashlib.sha256(f"{self._name}\0{what}".encode()).digest()
        return SpanContext(
            self._trace,
            int.from_bytes(digest[:8]),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )

    def _span(
        self,
        name: str,
        start: datetime,
        end: datetime,
        attributes: Mapping[str, Any],
        *,
        context: SpanContext,
        parent: SpanContext | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        events: Sequence[Event] = (),
        status: Status | None = None,
    ) -> ReadableSpan:
        return ReadableSpan(
            name=name,
            context=context,
            parent=parent,
            resource=self._resource,
            attributes={key: value for key, value in attributes.items() if value != ""},
            events=events,
            kind=kind,
            status=status or Status(StatusCode.UNSET),
            start_time=_nanoseconds(start),
            end_time=_nanoseconds(end),
            instrumentation_scope=_SCOPE,
        )


def _result(call: Record, later: list[Record]) -> Record:
    """The result of a call: that of its id, or, where agents give none, the next of its name."""
    by = "id" if call.data.get("id") else "name"
    named = words(call.data.get(by))
    found = (one for one in later if one.kind == "tool_result" and words(one.data.get(by)) == named)
    return next(found, call)


def _message(role: str, record: Record) -> str:
    """One message as the conventions' JSON has it."""
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": words(record.data.get("text"))}]}]
    )


def _status(status: str) -> Status:
    good = status in {"", "ok", "200"}
    return Status(StatusCode.UNSET) if good else Status(StatusCode.ERROR, status)
