"""Databricks notebooks kept as Python files: cells of SQL stand in comments, behind `# MAGIC`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from greylag.domain.outcome import FormChoice, Reason
from greylag.rewrite.embedded import EmbeddedPlan, Segment, rewrite_embedded
from greylag.rewrite.python.calls import FAMILIES
from greylag.rewrite.python.naming import Naming
from greylag.rewrite.python.source import Source

_BLOCK = re.compile(r"(?m)^# MAGIC %(?P<language>\w+)(?P<body>[^\n]*\n?(?:^# MAGIC(?! %)[^\n]*\n?)*)")
_PREFIX = re.compile(r"(?m)^# MAGIC ?")
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|\$\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Magic:
    """One cell of another language: `start..end` are the characters of its text in the file."""

    language: str
    start: int
    end: int
    segments: tuple[Segment, ...]

    @property
    def sql(self) -> str:
        """The text of the cell, variables as holes."""
        return "".join(one.text for one in self.segments)


def magics(text: str) -> Iterator[Magic]:
    """The cells in comments of a file."""
    newline = "\r\n" if "\r\n" in text[:10_000] else "\n"

    def encode(new: str) -> str:
        return new.replace("\n", f"{newline}# MAGIC ")

    for block in _BLOCK.finditer(text):
        start, end = block.span("body")
        offsets = [*_kept(text, start, end)]
        body = "".join(text[at] for at in offsets)
        yield Magic(
            language=block["language"],
            start=start,
            end=end,
            segments=tuple(_segments(body, [*offsets, end], encode)),
        )


def _kept(text: str, start: int, end: int) -> Iterator[int]:
    """The offsets of the characters of a cell, without what makes its lines comments."""
    at = start
    for prefix in _PREFIX.finditer(text, start, end):
        yield from range(at, prefix.start())
        at = prefix.end()
    yield from range(at, end)


def _segments(body: str, offsets: list[int], encode: object) -> Iterator[Segment]:
    assert callable(encode)
    at = 0
    for number, found in enumerate(_VARIABLE.finditer(body)):
        yield _text(body, offsets, at, found.start(), encode)
        start, end = offsets[found.start()], offsets[found.end()]
        hole = f"hole_{number}"
        yield Segment(text=hole, start=start, end=end, offsets=None, encode=encode, known=False)
        at = found.end()
    yield _text(body, offsets, at, len(body), encode)


def _text(body: str, offsets: list[int], low: int, high: int, encode: object) -> Segment:
    assert callable(encode)
    held = tuple(offsets[low : high + 1])
    return Segment(text=body[low:high], start=held[0], end=held[-1], offsets=held, encode=encode)


def plan_magics(
    source: Source, path: str, naming: Naming, form: FormChoice
) -> tuple[list[EmbeddedPlan], list[Reason]]:
    """The plans of the SQL cells, and the reasons that cells of other languages give."""
    plans: list[EmbeddedPlan] = []
    reasons: list[Reason] = []
    dialect = None if naming.migration.dialect in FAMILIES[0] else "spark"
    for magic in magics(source.text):
        if not naming.word.search(source.text, magic.start, magic.end):
            continue
        if magic.language == "sql":
            segments = magic.segments
            plans.append(
                rewrite_embedded(
                    segments, naming.migration, host=source.text, path=path, form=form, dialect=dialect
                )
            )
        elif magic.language not in ("md", "md-sandbox"):
            line = source.line(magic.start)
            message = f"{path}:{line}: names a replaced dataset in a cell of {magic.language}"
            reasons.append(Reason(code="not-understood", message=message, line=line))
    return plans, reasons
