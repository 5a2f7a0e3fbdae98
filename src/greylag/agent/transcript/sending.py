"""Where exported spans go: a collector over OTLP/HTTP, or a file of OTLP/JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan

from greylag.domain.errors import UsageError
from greylag.workspace.atomic import write_atomic


def export(spans: Sequence[ReadableSpan], endpoint: str) -> None:
    """Send spans to a collector over OTLP/HTTP. Raises UsageError where it does not take them."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    exporter = OTLPSpanExporter(endpoint=_traces(endpoint), timeout=10)
    try:
        if exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise UsageError(f"{endpoint}: the collector did not take the spans (OTLP over HTTP is spoken)")
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]


def write(batches: Sequence[Sequence[ReadableSpan]], path: Path) -> None:
    """Write attempts as a file of OTLP/JSON, one request a line, as collectors read them."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    lines = [
        json.dumps(_hex(MessageToDict(encode_spans(spans), use_integers_for_enums=True)))
        for spans in batches
        if spans
    ]
    write_atomic(path, "".join(f"{line}\n" for line in lines).encode())


def _hex(value: Any) -> Any:
    """Protobuf's JSON has bytes in base64; OTLP's has the identifiers in hexadecimal."""
    match value:
        case dict():
            return {
                key: base64.b64decode(item).hex()
                if key in {"traceId", "spanId", "parentSpanId"}
                else _hex(item)
                for key, item in value.items()
            }
        case list():
            return [_hex(item) for item in value]
        case _:
            return value


def _traces(endpoint: str) -> str:
    """A collector's address without a path means its default path for traces."""
    return f"{endpoint.rstrip('/')}/v1/traces" if urlsplit(endpoint).path in {"", "/"} else endpoint
