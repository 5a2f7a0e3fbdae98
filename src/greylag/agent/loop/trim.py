"""What is told of failed checks: short, the same every time, with the places and the counterexamples kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from greylag.domain.check import Check, CheckStatus, Counterexample

LIMIT = 2000
"""Characters of failures that an agent is told at a time."""

_SHOWN = 6
_LINE = 300
_CELLS = 6

# What differs from run to run and tells nothing: told again, the same failure is the same text.
_NOISE = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"^(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d(?:[.,]\d+)?Z?\s+", re.M), ""),
    (re.compile(r"\s*\(\d[\d.:]*\s?(?:ms|s|secs?|seconds)\)"), ""),
    (
        re.compile(
            r"\s*\b(?:in|took|after) (?:\d+ hours? )?(?:and )?(?:\d+ minutes? )?(?:and )?"
            r"\d+(?:\.\d+)?\s?(?:ms|milliseconds|s|secs?|seconds)\b"
        ),
        "",
    ),
    (re.compile(r"^\s*\d+\.\d+s (?=call|setup|teardown)", re.M), ""),
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "0x…"),
    (re.compile(r"/(?:var/)?tmp/[^\s/:'\"]+"), "/tmp/…"),
)
_PLACE = re.compile(r"[\w./-]+\.\w{1,8}:\d+|\bline \d+|^E\s|^>\s|^\s*\^+", re.I)
_WORDS = re.compile(
    r"\b(?:error|failed|failure|fail|assert\w*|expected|exception|counterexample|not)\b", re.I
)


def tell_failures(checks: Sequence[Check], *, limit: int = LIMIT) -> str:
    """The checks that stand in the way, worst first, in at most `limit` characters.

    Without a failed or errored one, the inconclusive ones are told. "" where every check passed.
    """
    wrong = _wrong(checks)
    shown = wrong[:_SHOWN]
    rest = "" if len(wrong) == len(shown) else f"… and {_names(wrong[_SHOWN:])}"
    left = limit - (len(rest) + 1 if rest else 0)
    parts: list[str] = []
    for number, check in enumerate(shown):
        # What a short one leaves over, the next ones may use.
        part = _told(check, (left - (len(shown) - number - 1)) // (len(shown) - number))
        parts.append(part)
        left -= len(part) + 1
    return "\n".join([*parts, rest] if rest else parts)[:limit]


def trim(text: str, limit: int) -> str:
    """At most `limit` characters of a text, without timings.

    Lines that name a place are kept first, then those that name a fault, then head and tail; they stand in
    their order, with `…` where some are left out.
    """
    lines = [_short(line.rstrip()) for line in _quiet(text).strip().splitlines()]
    if sum(map(len, lines)) + len(lines) - 1 <= limit:
        return "\n".join(lines)
    kept: set[int] = set()
    room = limit
    for index in sorted(range(len(lines)), key=lambda index: _rank(lines, index)):
        # Two more for a `…` line beside it.
        cost = len(lines[index]) + 3
        if cost <= room:
            kept.add(index)
            room -= cost
    if not kept:
        return _short(lines[0], max(1, limit))
    told: list[str] = []
    for index in range(len(lines)):
        if index in kept:
            told.append(lines[index])
        elif not told or told[-1] != "…":
            told.append("…")
    return "\n".join(told)


def brief_reason(checks: Sequence[Check]) -> str:
    """One line for the ledger: which checks stood in the way, and what the first said."""
    wrong = _wrong(checks)
    if not wrong:
        return "no check passed"
    first = " ".join(_quiet(wrong[0].summary).split())
    more = f" (also {_names(wrong[1:4])})" if wrong[1:] else ""
    return _short(f"{wrong[0].verifier}: {first}{more}")


def _wrong(checks: Sequence[Check]) -> list[Check]:
    order = {CheckStatus.FAILED: 0, CheckStatus.ERRORED: 1}
    wrong = sorted((one for one in checks if one.status in order), key=lambda one: order[one.status])
    return wrong or [one for one in checks if one.status is CheckStatus.INCONCLUSIVE]


def _names(checks: Sequence[Check]) -> str:
    return ", ".join(sorted({f"{one.verifier} {one.status}" for one in checks}))


def _told(check: Check, limit: int) -> str:
    """One check in at most `limit` characters: its summary, then its details, the counterexample first."""
    head = f"- {check.verifier} {check.status}: "
    said = trim(check.summary, max(40, limit - len(head)))
    text = head + said.replace("\n", "\n  ")
    details = sorted(check.details.items(), key=lambda item: (item[0] != "counterexample", item[0]))
    for name, value in details:
        room = limit - len(text) - len(name) - 8
        if room < 40 or value in (None, "", (), [], {}):
            continue
        shown = trim(_words(value), room * 9 // 10)
        if shown and shown != said:
            text += (
                f"\n  {name}: {shown}".replace("\n", "\n    ") if "\n" in shown else f"\n  {name}: {shown}"
            )
    return text[:limit]


def _words(value: object) -> str:
    match value:
        case str():
            return value
        case Counterexample():
            return _counterexample(value)
        case Mapping():
            return "\n".join(f"{key}: {_words(item)}" for key, item in value.items())
        case list() | tuple() if value and all(isinstance(item, str) for item in value):
            return "\n".join(value)
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def _counterexample(case: Counterexample) -> str:
    tables = [f"{name}: {_rows(map(dict, rows[:_CELLS]))}" for name, rows in case.tables.items()]
    old = f"before: ({', '.join(case.old_columns)}) {_rows(map(list, case.old[:_CELLS]))}"
    new = f"now: ({', '.join(case.new_columns)}) {_rows(map(list, case.new[:_CELLS]))}"
    return "\n".join([old, new, *tables])


def _rows(rows: Iterable[object]) -> str:
    return ", ".join(json.dumps(row, ensure_ascii=False, default=str) for row in rows) or "no rows"


def _rank(lines: Sequence[str], index: int) -> tuple[int, int]:
    line = lines[index]
    if _PLACE.search(line):
        return 0, index
    if _WORDS.search(line):
        return 1, index
    from_end = len(lines) - 1 - index
    return 2, min(index, from_end)


def _quiet(text: str) -> str:
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    return text


def _short(line: str, limit: int = _LINE) -> str:
    if len(line) <= limit:
        return line
    tail = limit // 3
    return f"{line[: limit - tail - 1]}…{line[len(line) - tail :]}"
