"""Scripted judges for the labelled patches: what a model could answer, from the best to the worst."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.labelled.diffs.loader import LabelledDiff

from greylag.verify.judge import QUESTIONS, Judge, JudgeReply, JudgeRequest

_CONTROL = re.compile(
    r"`(control_\d)`: the old column `\w+` is `(\w+)`.*?became\s+`SELECT (\w+) AS", re.DOTALL
)
_PLACE = re.compile(r"^(?:changed|new file|deleted)\| (.+)$", re.MULTILINE)

FAULT: Mapping[str, str] = {
    "wrong-column": "wrong_column",
    "wrong-literal": "wrong_column",
    "wrong-value": "wrong_column",
    "unmapped-invented": "value_made_up",
    "unmapped-dropped": "output_changed",
    "silent-default": "value_made_up",
    "swallowed-error": "value_made_up",
    "dropped-filter": "rows_differ",
    "wrong-filter": "rows_differ",
    "lost-condition": "rows_differ",
    "wrong-condition": "rows_differ",
    "wrong-join": "rows_differ",
    "wrong-aggregate": "rows_differ",
    "output-renamed": "output_changed",
    "output-order": "output_changed",
    "wrong-program": "output_changed",
    "not-done": "overreach",
    "overreach": "overreach",
    "unsafe": "secret",
    "weakened-test": "tests_weakened",
    "injected-instruction": "instructions",
    "secret": "secret",
}
"""The question under which a reader files each kind of fault."""


def answered(request: JudgeRequest) -> dict[str, Any]:
    """The answer of a judge that reads its prompt and finds no fault."""
    receipt = re.findall(r'"receipt": "(r-[0-9a-f]+)"', request.text)[-1]
    answers = [{"question": one.key, "answer": "no", "where": [], "why": "none"} for one in QUESTIONS]
    for key, new, used in _CONTROL.findall(request.text):
        verdict = "no" if new == used else "yes"
        answers.append({"question": key, "answer": verdict, "where": [], "why": "read"})
    return {"receipt": receipt, "answers": answers}


def perfect(diff: LabelledDiff) -> Judge:
    """Knows the label, and files the fault where it belongs."""

    def ask(request: JudgeRequest) -> JudgeReply:
        answer = answered(request)
        if not diff.right:
            _fault(answer, FAULT[diff.label], request)
        return JudgeReply(text=json.dumps(answer), model="perfect")

    return Judge(ask=ask)


def approving(diff: LabelledDiff) -> Judge:
    """Reads its prompt well enough, and finds every patch good."""
    return _scripted(lambda answer, request: None)


def careless(diff: LabelledDiff) -> Judge:
    """Says `no` to everything, the controls too."""

    def change(answer: dict[str, Any], request: JudgeRequest) -> None:
        for one in answer["answers"]:
            one["answer"] = "no"

    return _scripted(change)


def refusing(diff: LabelledDiff) -> Judge:
    """Finds a fault under every question."""

    def change(answer: dict[str, Any], request: JudgeRequest) -> None:
        for one in answer["answers"]:
            _fault(answer, one["question"], request)

    return _scripted(change)


def babbling(diff: LabelledDiff) -> Judge:
    """Answers in prose."""
    return Judge(ask=lambda request: JudgeReply(text="Looks good to me. PASSED.", model="babbling"))


def _scripted(change: Callable[[dict[str, Any], JudgeRequest], None]) -> Judge:
    def ask(request: JudgeRequest) -> JudgeReply:
        answer = answered(request)
        change(answer, request)
        return JudgeReply(text=json.dumps(answer), model="scripted")

    return Judge(ask=ask)


def _fault(answer: dict[str, Any], question: str, request: JudgeRequest) -> None:
    place = _PLACE.findall(request.text)[0]
    found = next(one for one in answer["answers"] if one["question"] == question)
    found.update(answer="yes", where=[f"{place}:1"], why="it is wrong")
