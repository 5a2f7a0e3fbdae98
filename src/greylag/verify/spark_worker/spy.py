"""Everything that a run lets be seen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from greylag.verify.spark_worker.wire import NAME


class Spy:
    """Everything that a run lets be seen."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.lines: set[int] = set()
        self.deaf = 0

    @contextlib.contextmanager
    def deafened(self) -> Iterator[None]:
        self.deaf += 1
        try:
            yield
        finally:
            self.deaf -= 1

    def note(self, what: str, value: Any) -> None:
        if not self.deaf:
            self.seen.append({"what": what, **value})

    def trace(self, frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != NAME:
            return None
        if event == "line":
            self.lines.add(frame.f_lineno)
        return self.trace
