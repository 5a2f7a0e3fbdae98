"""What the judge is asked. Every question is put so that `yes` is a fault."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question and its key; `yes` means that the patch is not right."""

    key: str
    text: str


def _questions() -> tuple[Question, ...]:
    held = tomllib.loads((Path(__file__).parent / "templates" / "questions.toml").read_text(encoding="utf-8"))
    return tuple(Question(key=key, text=" ".join(one["text"].split())) for key, one in held.items())


QUESTIONS = _questions()

CONTROLS = ("control_1", "control_2")
"""Two small changes of our own, one right and one wrong: a judge that does not read errs about one."""
