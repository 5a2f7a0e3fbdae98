"""The judge's verdict, folded from its answers: one fault stops; only a whole, attentive answer passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from greylag.domain.check import Check, CheckStatus
from greylag.domain.quoting import name
from greylag.verify.judge.diff import NumberedDiff
from greylag.verify.judge.prompt import Expected, JudgeReply, JudgeRequest, make_request
from greylag.verify.judge.questions import QUESTIONS
from greylag.verify.judge.verdict import Answer, Answers, Malformed, place_of, read_answers

NAME = "judge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Asks a model about a diff. `ask` sends one request and returns one reply; it may raise anything.

    `model` is asked for where it is another than the agent's own. A diff of more than `most` characters is
    not judged in part: it is inconclusive.
    """

    ask: Callable[[JudgeRequest], JudgeReply]
    model: str | None = None
    most: int = 60_000

    def judge(self, summary: str, diff: NumberedDiff) -> Check:
        """The check. `summary` tells the mapping; nothing of the agent's own words may be in it.

        failed: a fault with its place in the diff. errored: no answer, one that is malformed, one that names
        places that do not exist, or one that is wrong about the controls. inconclusive: the judge is unsure,
        or the diff could not be shown whole.
        """
        if not diff.files:
            return _check(CheckStatus.INCONCLUSIVE, "there is no diff to judge")
        if len(diff.text) > self.most or diff.hidden:
            return _check(CheckStatus.INCONCLUSIVE, _unseen(diff))
        request, expected = make_request(summary, diff, self.model)
        told: dict[str, object] = {"template": request.version, "prompt": request.hash}
        try:
            reply = self.ask(request)
        except Exception as error:  # noqa: BLE001 - a judge that cannot be asked has not passed anything
            return _check(CheckStatus.ERRORED, f"it could not be asked: {_short(error)}", told)
        told |= {"model": name(reply.model)}
        try:
            answers = read_answers(reply.text)
        except Malformed as error:
            return _check(CheckStatus.ERRORED, f"its answer cannot be read: {error}", told)
        return _folded(answers, expected, diff, told)


def _folded(answers: Answers, expected: Expected, diff: NumberedDiff, told: dict[str, object]) -> Check:
    told |= {"answers": {one.question: one.answer for one in answers.answers}}
    if answers.receipt != expected.receipt:
        return _check(CheckStatus.ERRORED, "its answer is for another prompt: the receipt is wrong", told)
    asked = [(one.key, answers.of(one.key)) for one in QUESTIONS]
    faults = [(key, answer, _places(answer, diff)) for key, answer in asked if answer.answer == "yes"]
    placed = [(key, answer, places) for key, answer, places in faults if places]
    if placed:
        told |= {
            "faults": {key: {"where": places, "why": name(answer.why, 400)} for key, answer, places in placed}
        }
        key, answer, places = placed[0]
        return _check(CheckStatus.FAILED, f"{key} at {', '.join(places[:3])}: {name(answer.why, 300)}", told)
    if faults:
        return _check(CheckStatus.ERRORED, f"it says {faults[0][0]}, at no place of the diff", told)
    wrong = [key for key, right in expected.controls.items() if answers.of(key).answer != right]
    if wrong:
        return _check(CheckStatus.ERRORED, f"it is wrong about {wrong[0]}, whose answer is known", told)
    unsure = [key for key, answer in asked if answer.answer == "unsure"]
    if unsure:
        return _check(CheckStatus.INCONCLUSIVE, f"it is unsure: {', '.join(unsure)}", told)
    return _check(CheckStatus.PASSED, "no question was answered with a fault", told)


def _places(answer: Answer, diff: NumberedDiff) -> list[str]:
    """The places that are in the diff."""
    found = (place_of(text) for text in answer.where)
    return [f"{place[0]}:{place[1]}" for place in found if place is not None and place in diff.places]


def _unseen(diff: NumberedDiff) -> str:
    if diff.hidden:
        return f"{diff.hidden[0]}: not text, or its lines are too long to be read"
    return f"the diff has {len(diff.text):,} characters: too much to be judged whole"


def _short(error: Exception) -> str:
    return name(f"{type(error).__name__}: {error}", 200)


def _check(status: CheckStatus, summary: str, details: dict[str, object] | None = None) -> Check:
    return Check(verifier=NAME, status=status, summary=summary, details=details or {})
