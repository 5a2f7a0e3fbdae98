"""Numbers, spans of time and long texts in words, the same everywhere."""

from __future__ import annotations

from datetime import timedelta

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def count(number: int, what: str) -> str:
    """`1 target`, `2 targets`; `what` is the singular of a word whose plural ends in `s` or `ies`."""
    if number == 1:
        return f"1 {what}"
    plural = f"{what[:-1]}ies" if what.endswith("y") and what[-2:-1] not in "aeou" else f"{what}s"
    return f"{number} {plural}"


def times(number: int) -> str:
    """`once`, `2 times`."""
    return "once" if number == 1 else f"{number} times"


def shortened(text: str, most: int) -> str:
    """The text in at most so many characters; `…` at its end stands for what was cut off."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def duration(span: timedelta) -> str:
    """A span as a migration file says it: `90s`, `30m`, `1h`; whole seconds, in the largest whole unit."""
    seconds = round(span.total_seconds())
    unit, size = next((one for one in _UNITS if seconds and seconds % one[1] == 0), _UNITS[-1])
    return f"{seconds // size}{unit}"
