"""The spans of a transcript: the GenAI conventions, one tree an attempt, content only when asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

from greylag.agent.transcript.model import Record
from greylag.agent.transcript.otlp import to_otlp
from greylag.agent.transcript.sending import export, write

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "SELECT business"
SPOKEN: tuple[tuple[str, dict[str, object]], ...] = (
    ("started", {"attempt": "m/r/1.1", "runner": "own", "agent": "own 1", "model": "m1", "api": "anthropic"}),
    ("prompt", {"round": 1, "text": SECRET}),
    ("model_call", {"model": "m1", "input_tokens": 7, "output_tokens": 3, "cost": 0.5, "seconds": 0.25}),
    ("message", {"text": SECRET}),
    ("tool_call", {"id": "a", "name": "edit", "arguments": {"old": SECRET}}),
    ("tool_result", {"id": "a", "name": "edit", "ok": False, "text": SECRET}),
    ("denied", {"what": "network", "reason": SECRET}),
    ("round", {"checks": [{"verifier": "paths", "status": "failed", "summary": SECRET}], "diff": SECRET}),
    ("prompt", {"round": 2, "text": SECRET}),
    ("model_call", {"model": "m1", "status": "529"}),
    ("ended", {"end": "rejected", "reason": SECRET}),
)
RECORDS = tuple(
    Record(seq=index + 1, at=START + timedelta(seconds=index), kind=kind, data=data)
    for index, (kind, data) in enumerate(SPOKEN)
)


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_one_tree_an_attempt() -> None:
    spans = to_otlp(RECORDS)
    assert [span.name for span in spans] == [
        "invoke_agent own", "round 1", "chat m1", "execute_tool edit", "round 2", "chat m1",
    ]  # fmt: skip
    ids = {span.context.span_id: span.name for span in spans}
    assert len(ids) == len(spans)
    assert len({span.context.trace_id for span in spans}) == 1
    parents = [ids[span.parent.span_id] if span.parent else None for span in spans]
    assert parents == [None, "invoke_agent own", "round 1", "round 1", "invoke_agent own", "round 2"]
    chat = spans[2]
    assert chat.end_time - chat.start_time == 250_000_000  # type: ignore[operator]
    assert attributes(chat)["gen_ai.usage.input_tokens"] == 7
    assert attributes(chat)["gen_ai.provider.name"] == "anthropic"
    assert attributes(spans[0])["gen_ai.operation.name"] == "invoke_agent"
    assert [span.status.is_ok for span in spans] == [False, True, True, False, True, False]
    assert [event.name for event in spans[1].events] == ["greylag.denied", "gen_ai.evaluation.result"]


def test_results_without_an_id_are_those_that_follow() -> None:
    spoken = [("prompt", {}), *[(kind, {"name": name}) for name in ("read", "edit", "read")
                                for kind in ("tool_call", "tool_result")]]  # fmt: skip
    records = [
        Record(seq=n, at=START + timedelta(seconds=n), kind=kind, data=data)
        for n, (kind, data) in enumerate(spoken, start=1)
    ]
    tools = [span for span in to_otlp(records) if span.name.startswith("execute_tool")]
    assert [(span.end_time - span.start_time) / 1e9 for span in tools] == [1, 1, 1]  # type: ignore[operator]


def test_exporting_twice_gives_the_same_spans() -> None:
    assert [span.context for span in to_otlp(RECORDS)] == [span.context for span in to_otlp(RECORDS)]
    assert to_otlp(()) == ()


def test_content_leaves_only_when_asked_for() -> None:
    def told(*, content: bool) -> str:
        return " ".join(span.to_json() for span in to_otlp(RECORDS, content=content))

    assert SECRET not in told(content=False)
    assert "gen_ai.tool.call.arguments" in told(content=True)
    assert told(content=True).count("business") > 5


def test_a_file_is_otlp_json(tmp_path: Path) -> None:
    write([to_otlp(RECORDS), ()], tmp_path / "out.json")
    (line,) = (tmp_path / "out.json").read_text().splitlines()
    spans = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert spans[0]["traceId"] == f"{to_otlp(RECORDS)[0].context.trace_id:032x}"
    assert spans[1]["parentSpanId"] == spans[0]["spanId"]
    assert spans[2]["kind"] == 3


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    seen: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_collector_gets_them(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    endpoint, seen = collector
    export(to_otlp(RECORDS), endpoint)
    ((path, body),) = seen
    assert path == "/v1/traces"
    request = ExportTraceServiceRequest.FromString(body)
    assert len(request.resource_spans[0].scope_spans[0].spans) == 6
