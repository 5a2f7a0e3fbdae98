"""The judge's answer, read strictly: whatever does not fit its schema to the letter is no answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from greylag.domain.quoting import cut, name
from greylag.verify.judge.questions import CONTROLS, QUESTIONS

_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n```\s*\Z", re.DOTALL)
_KEYS = frozenset({one.key for one in QUESTIONS} | set(CONTROLS))
_LONGEST = 64_000

Short = Annotated[str, StringConstraints(max_length=2_000)]


class Malformed(ValueError):
    """The answer is not what was asked for; the message says how."""


class Answer(BaseModel):
    """The answer to one question. `where` are places `path:line` of the diff; a `yes` needs at least one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    question: Short
    answer: Literal["yes", "no", "unsure"]
    where: list[Short]
    why: Short


class Answers(BaseModel):
    """All answers, each question once, and the receipt of the prompt that they are for."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    receipt: Short
    answers: list[Answer]

    @model_validator(mode="after")
    def _each_once(self) -> Answers:
        given = [one.question for one in self.answers]
        if sorted(given) != sorted(_KEYS):
            missing = sorted(_KEYS - set(given))
            raise ValueError(f"each question is answered once: missing {missing}, given {len(given)}")
        return self

    def of(self, question: str) -> Answer:
        """The answer to a question by its key."""
        return next(one for one in self.answers if one.question == question)


@cache
def schema() -> Mapping[str, object]:
    """The JSON schema of the answer."""
    return Answers.model_json_schema()


def read_answers(text: str) -> Answers:
    """Read an answer: JSON alone, or in one fence of Markdown. Raises Malformed for anything else."""
    if len(text) > _LONGEST:
        raise Malformed(f"the answer has {len(text):,} characters")
    held = _FENCED.match(text)
    try:
        return Answers.model_validate_json(held[1] if held else text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Malformed(cut(name(f"{place}: {first['msg']}".removeprefix(": ")), 200)) from None


def place_of(text: str) -> tuple[str, int] | None:
    """`path:line` as a pair; None where it is not one. A range counts by its first line."""
    path, colon, line = text.strip().strip("`").rpartition(":")
    number = re.match(r"\d{1,7}", line)
    return (path, int(number[0])) if colon and path and number else None
