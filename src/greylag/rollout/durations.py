"""Spans of time in settings: `90s`, `15m`, `1h`, `90d`, as in migration files, or ISO 8601 (`PT15M`)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, TypeAdapter, ValidationError

_SHORT = re.compile(r"^(\d+)(s|m|h|d)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OTHER = TypeAdapter(timedelta)


def read_duration(value: object) -> object:
    """A span of time from what stands in a file; a number is seconds. Raises ValueError."""
    if isinstance(value, str) and (short := _SHORT.match(value)):
        return timedelta(seconds=int(short[1]) * _SECONDS[short[2]])
    try:
        return _OTHER.validate_python(value)
    except ValidationError as error:
        raise ValueError(
            f"`{value}` is not a duration; expected a number and a unit, like 90s, 15m, 1h or 90d"
        ) from error


Duration = Annotated[timedelta, BeforeValidator(read_duration)]
"""A field of settings that is a span of time."""
