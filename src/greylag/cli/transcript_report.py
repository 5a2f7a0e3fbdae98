"""A transcript as people read it in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from greylag.domain.quoting import visible

if TYPE_CHECKING:
    from rich.text import Text

    from greylag.agent.transcript import Attempt, Record, Summary

LINES = 12
"""Lines of one message that are shown; all of them with `--full`."""
ARGUMENTS = 100
_MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "errored": ("!", "magenta"),
    "inconclusive": ("?", "yellow"),
}
_ENDS = {"accepted": "green", "asked": "yellow", "gave_up": "yellow"}


def heading(summary: Summary, first: Record | None) -> list[Text]:
    """What the attempt was, and what it came to."""
    from greylag.agent.transcript.model import words

    data = first.data if first else {}
    sandbox = data.get("sandbox")
    cage = sandbox.get("cage", "") if isinstance(sandbox, dict) else words(sandbox)
    parts = [summary.agent or summary.runner, summary.model, str(cage)]
    lines = [_line(("bold", summary.attempt or "attempt"), ("", "  " + " · ".join(filter(None, parts))))]
    known = [
        f"{key} {words(data[key])[:19]}" for key in ("brief", "template", "config", "base") if data.get(key)
    ]
    if known:
        lines.append(_line(("dim", "  " + " · ".join(known))))
    lines.append(ending(summary))
    return lines


def ending(summary: Summary) -> Text:
    """How it ended, and what it took."""
    from greylag.domain.words import count

    end = summary.end or "not ended"
    told = f": {_one_line(summary.reason)}" if summary.reason else ""
    return _line(
        (_ENDS.get(end, "red" if summary.end else "cyan"), f"  {end.replace('_', ' ')}{told}"),
        ("dim", f"  ({count(summary.rounds, 'round')}, {figures(summary)})"),
    )


def figures(summary: Summary) -> str:
    """`5 model calls, 12,345 tokens in (8,000 cached), 1,234 out, $0.0421, 42 s`."""
    from greylag.domain.words import count

    usage = summary.usage
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    denied = f", {summary.denials} denied" if summary.denials else ""
    return (
        f"{count(summary.tool_calls, 'tool call')}{denied}, {count(usage.calls, 'model call')}, "
        f"{usage.input_tokens:,} tokens in{cached}, {usage.output_tokens:,} out, ${usage.cost:.4f}, "
        f"{summary.seconds:,.0f} s"
    )


def body(records: Iterable[Record], *, full: bool = False) -> Iterable[Text]:
    """The records as lines, in their order."""
    for record in records:
        yield from shown(record, full=full)


def shown(record: Record, *, full: bool = False) -> list[Text]:
    """One record as lines; none for one that the heading tells."""
    data = record.data
    at = f"{record.at:%H:%M:%S} "
    match record.kind:
        case "started" | "brief" | "ended":
            return []
        case "prompt":
            title = _line(("bold", f"round {data.get('round', '')}".rstrip()))
            return [_line(), title, *_said(at, "prompt", "blue", data.get("text"), full)]
        case "message":
            return _said(at, _text(data.get("role")) or "agent", "cyan", data.get("text"), full)
        case "tool_call":
            return [_line(("dim", at), ("bold", _text(data.get("name"))), ("", f" {_arguments(data)}"))]
        case "tool_result":
            return _result(data, full)
        case "denied":
            return [
                _line(("dim", at), ("red", f"denied {_text(data.get('what'))}: {_text(data.get('reason'))}"))
            ]
        case "model_call":
            return [_line(("dim", f"{at}{_call(data)}"))]
        case "question" | "answer":
            return _said(at, record.kind, "yellow", data.get("text"), full)
        case "round":
            return [*_checks(data), *diff_lines(_text(data.get("diff")))]
        case _:
            return [_line(("dim", f"{at}{visible(record.kind)} {_one_line(json.dumps(data))}"))]


def diff_lines(diff: str) -> list[Text]:
    """A unified diff in its colours."""
    return [_line((_colour(line), f"  {line}")) for line in diff.splitlines()]


def listing(rows: Iterable[tuple[Attempt, Summary]]) -> Iterable[Text]:
    """One line an attempt."""
    for attempt, found in rows:
        end = found.end or "not ended"
        reason = f": {_one_line(found.reason)}" if found.reason else ""
        when = f"{found.started:%Y-%m-%d %H:%M}" if found.started else " " * 16
        yield _line(
            ("dim", f"{when}  "),
            ("bold", f"{attempt.key.repository} {attempt.key.attempt}.{attempt.key.run}"),
            (_ENDS.get(end, "red" if found.end else "cyan"), f"  {end.replace('_', ' ')}{reason}"),
            ("dim", f"  ({figures(found)})"),
        )


def _colour(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")


def _said(at: str, who: str, style: str, value: object, full: bool) -> list[Text]:
    lines = _cut(_text(value), full)
    first, rest = lines[0], lines[1:]
    return [_line(("dim", at), (style, who), ("", f" {first}")), *(_line(("", f"    {one}")) for one in rest)]


def _result(data: Mapping[str, Any], full: bool) -> list[Text]:
    style = "red" if data.get("ok") is False else "dim"
    return [_line((style, f"    {one}")) for one in _cut(_text(data.get("text")), full, LINES // 3)]


def _cut(text: str, full: bool, most: int = LINES) -> list[str]:
    lines = text.splitlines() or [""]
    if full or len(lines) <= most + 1:
        return lines
    return [*lines[:most], f"[… {len(lines) - most} more lines: --full]"]


def _arguments(data: Mapping[str, Any]) -> str:
    found = data.get("arguments")
    if isinstance(found, dict):
        told = " ".join(f"{key}={_short(value)}" for key, value in found.items())
    else:
        told = _text(found)
    return _one_line(told)


def _short(value: object) -> str:
    from greylag.agent.transcript.model import words

    text = words(value) if isinstance(value, str | dict) else json.dumps(value)
    return text if len(text) <= ARGUMENTS else f"{text[:ARGUMENTS]}…"


def _call(data: Mapping[str, Any]) -> str:
    from greylag.agent.transcript.summary import usage_of

    usage = usage_of(data)
    told = f"model call: {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out, ${usage.cost:.4f}"
    status = _text(data.get("status"))
    return told + (" (from the record)" if data.get("replayed") else "") + (f" {status}" if status else "")


def _checks(data: Mapping[str, Any]) -> list[Text]:
    found = data.get("checks")
    lines: list[Text] = []
    for check in found if isinstance(found, list) else ():
        mark, style = _MARKS.get(_text(check.get("status")), ("·", ""))
        name, told = _text(check.get("verifier")), _one_line(_text(check.get("summary")))
        lines.append(_line((style, f"  {mark} {name}"), ("", f" {told}" if told else "")))
    return lines


def _text(value: object) -> str:
    from greylag.agent.transcript.model import words

    return visible(words(value))


def _one_line(text: str) -> str:
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= 2 * ARGUMENTS else f"{flat[: 2 * ARGUMENTS]}…"


def _line(*parts: tuple[str, str]) -> Text:
    """A line of styled parts; the one place where text meets the terminal, so that none slips through."""
    from rich.text import Text

    line = Text()
    for style, text in parts:
        line.append(visible(text), style=style or None)
    return line
