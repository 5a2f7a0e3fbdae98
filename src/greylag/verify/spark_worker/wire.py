"""What was seen, as JSON."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import traceback
from typing import Any

NAME = "<consumer>"


def encode(value: Any) -> Any:
    """A value of a row as JSON: plain, or an object of one key that says its kind."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"f": repr(value)}
        case decimal.Decimal():
            return {"d": str(value)}
        case bytes() | bytearray():
            return {"b": bytes(value).hex()}
        case datetime.datetime() | datetime.date() | datetime.timedelta():
            return {"t": str(value)}
        case dict():
            return {"m": sorted(([encode(key), encode(one)] for key, one in value.items()), key=repr)}
        case tuple() if hasattr(value, "__fields__"):
            return {"r": [[name, encode(one)] for name, one in zip(value.__fields__, value, strict=True)]}
        case list() | tuple():
            return {"l": [encode(one) for one in value]}
        case set() | frozenset():
            return {"l": sorted((encode(one) for one in value), key=repr)}
    raise TypeError(type(value).__name__)


def fault_text(error: BaseException) -> str:
    condition = ""
    for name in ("getCondition", "getErrorClass"):
        with contextlib.suppress(Exception):
            condition = condition or str(getattr(error, name)() or "")
    first = " ".join(str(error).split())[:300]
    line = next(
        (one.lineno for one in reversed(traceback.extract_tb(error.__traceback__)) if one.filename == NAME), 0
    )
    return f"{type(error).__name__}: line {line}: [{condition}] {first}"


def canonical(run: dict[str, Any]) -> str:
    seen = [{**one, "rows": sorted(map(repr, one["rows"]))} if "rows" in one else one for one in run["seen"]]
    return repr((run["fault"], seen))


def is_sorted(plan: str) -> bool:
    lines = (line.lstrip(" +-:") for line in plan.splitlines())
    top = next((line for line in lines if not line.startswith(("Project", "GlobalLimit", "LocalLimit"))), "")
    return top.startswith("Sort ") and ", true" in top
