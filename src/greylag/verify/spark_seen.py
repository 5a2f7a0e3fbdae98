"""What was seen of two versions in Spark, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from greylag.domain.check import Counterexample
from greylag.verify.compare import freeze_rows, same_bag

_SHOWN = 6
_UNKNOWN = ("UNRESOLVED_COLUMN", "FIELD_NOT_FOUND", "TABLE_OR_VIEW_NOT_FOUND")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One round: the rows that the old version let be seen, and what is wrong (empty: nothing)."""

    rows: int
    refuted: bool = False
    reason: str = ""
    example: Counterexample | None = None


def compare(one: Mapping[str, Any], tables: Sequence[str]) -> Compared:
    """Compare the runs of a round; `tables` are the statements that made its tables."""
    rows = 0
    for old, again, new in zip(one["old"], one["again"], one["new"], strict=True):
        if old["fault"]:
            return Compared(rows=rows, reason=f"the old version does not run: {old['fault']}")
        if new["fault"]:
            return _new_fault(rows, new["fault"])
        rows += sum(len(each["rows"]) for each in old["seen"] if "rows" in each)
        found = _difference(old["seen"], new["seen"])
        steady = _difference(old["seen"], again["seen"]) if not again["fault"] else ("it fails", None)
        opaque = next((each["opaque"] for each in old["seen"] if "opaque" in each), None)
        if opaque is not None:
            return Compared(rows=rows, reason=f"it returns a {opaque}, which is not compared")
        if steady is not None:
            return Compared(
                rows=rows,
                reason=f"the old version's result depends on the order of rows, or on chance: {steady[0]}",
            )
        if found is not None:
            return Compared(rows=rows, refuted=True, reason=found[0], example=found[1])
        order = _order(old["seen"], again["seen"], new["seen"])
        if order:
            return Compared(rows=rows, reason=order)
    return Compared(rows=rows)


def _new_fault(rows: int, fault: str) -> Compared:
    """A name that is not there refutes: all new datasets are there, with their columns."""
    unknown = any(f"[{condition}" in fault for condition in _UNKNOWN)
    return Compared(rows=rows, refuted=unknown, reason=f"the new version does not run: {fault}")


_Found = tuple[str, Counterexample | None]


def _difference(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> _Found | None:
    for before, after in zip(old, new, strict=False):
        what = f"{before['what']} {before.get('target', '')}".strip()
        if (before["what"], before.get("target")) != (after["what"], after.get("target")):
            return f"{what} became {after['what']} {after.get('target', '')}".strip(), None
        if "rows" in before and "rows" in after:
            found = _frames(what, before, after)
            if found is not None:
                return found
        elif decoded(before.get("value")) != decoded(after.get("value")):
            return f"{what}: {before.get('value')} became {after.get('value')}", None
    if len(old) != len(new):
        return f"{len(old)} results became {len(new)}", None
    return None


def _frames(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> _Found | None:
    if before["columns"] != after["columns"]:
        listed = [", ".join(f"{name} {kind}" for name, kind in one["columns"]) for one in (before, after)]
        return f"{what}: columns {listed[0]} became {listed[1]}", None
    left, right = _rows(before), _rows(after)
    if same_bag(left, right):
        return None
    only_old = [row for row in left if row not in right][:_SHOWN] or left[:_SHOWN]
    only_new = [row for row in right if row not in left][:_SHOWN] or right[:_SHOWN]
    names = tuple(name for name, _ in before["columns"])
    shown = Counterexample(
        tables={}, old_columns=names, new_columns=names, old=tuple(only_old), new=tuple(only_new)
    )
    return f"{what}: {len(left)} rows became {len(right)}, not the same ones", shown


def _order(*versions: Sequence[Mapping[str, Any]]) -> str:
    for old, again, new in zip(*versions, strict=True):
        if old.get("sorted") and _rows(old) == _rows(again) != _rows(new):
            return f"{old['what']}: the same rows come in another order"
    return ""


def _rows(frame: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return freeze_rows([tuple(decoded(one) for one in row) for row in frame["rows"]])


def decoded(value: Any) -> object:
    """A value as the worker encoded it."""
    if isinstance(value, list):
        return [decoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    match kind:
        case "f":
            return float(inner)
        case "d":
            return Decimal(inner)
        case "r":
            return {name: decoded(one) for name, one in inner}
        case "l" | "m":
            return [decoded(one) for one in inner]
        case _:
            return f"{kind}:{inner}"
