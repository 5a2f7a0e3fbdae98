"""The judge's prompt: the mapping and the diff as quoted data, the questions, two controls, and a receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from greylag.domain.agent import Usage
from greylag.domain.quoting import Quoted, fenced, marker_for, quoted
from greylag.verify.judge.diff import NumberedDiff
from greylag.verify.judge.questions import CONTROLS, QUESTIONS
from greylag.verify.judge.verdict import schema

VERSION = "1"
"""Of the templates and the questions: goes up with every change of their text (a test holds their hash)."""

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """One question to a model, without a past: nothing of the agent's words is in it.

    `schema` is the JSON schema of the answer, for interfaces that take one. `model` is the configured one,
    None for the caller's own. `hash` is the SHA-256 of version, system and text (hex).
    """

    system: str
    text: str
    schema: Mapping[str, object]
    version: str
    hash: str
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReply:
    """What the model answered: `text` should be JSON by the schema."""

    text: str
    model: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a reader of the prompt must get right: its receipt, and which of the controls is wrong."""

    receipt: str
    controls: Mapping[str, str]


def make_request(summary: str, diff: NumberedDiff, model: str | None) -> tuple[JudgeRequest, Expected]:
    """The request for one diff, and what its answer must hold. The same input makes the same bytes."""
    marker = marker_for((summary, diff.text))
    expected, controls = _controls(hashlib.sha256(f"{marker}\0{VERSION}".encode()).hexdigest())
    mapping = quoted(summary, lines=2_000, characters=200_000, width=2_000)
    system = _template("system.md.j2", marker=marker)
    text = _template(
        "judge.md.j2",
        mapping=fenced(marker, "mapping", mapping),
        diff=fenced(marker, "diff", Quoted(lines=diff.lines)),
        controls=controls,
        questions=QUESTIONS,
        receipt=expected.receipt,
    )
    whole = "\0".join((VERSION, system, text)).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(whole).hexdigest()
    request = JudgeRequest(
        system=system, text=text, schema=schema(), version=VERSION, hash=digest, model=model
    )
    return request, expected


def _controls(seed: str) -> tuple[Expected, list[Mapping[str, str]]]:
    """Two changes under a mapping of one column each; which of the two is wrong follows from the seed."""
    wrong = int(seed[0], 16) % 2
    controls: list[Mapping[str, str]] = []
    for index, key in enumerate(CONTROLS):
        names = seed[8 + 12 * index :]
        old, new, other = f"c_{names[:4]}", f"n_{names[4:8]}", f"m_{names[8:12]}"
        controls.append({"key": key, "old": old, "new": new, "used": other if index == wrong else new})
    answers = {key: "yes" if index == wrong else "no" for index, key in enumerate(CONTROLS)}
    return Expected(receipt=f"r-{seed[40:52]}", controls=answers), controls


def _template(path: str, **values: object) -> str:
    return _environment().get_template(path).render(values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
