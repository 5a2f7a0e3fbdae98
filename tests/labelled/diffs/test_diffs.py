"""The labelled patches: what guards and proof alone stop, and what a judge may and may not do then."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from ruamel.yaml import YAML
from tests.labelled.diffs.judges import FAULT, approving, babbling, careless, perfect, refusing
from tests.labelled.diffs.loader import RIGHT, LabelledDiff, every
from tests.labelled.diffs.scoring import End, Scored, alone, judged, score

from greylag.domain.check import CheckStatus
from greylag.verify.judge import Judge


def scored_by(judge: Callable[[LabelledDiff], Judge]) -> list[Scored]:
    return [judged(one, judge(one.diff)) for one in alone()]


def test_the_set_is_large_and_of_many_kinds() -> None:
    labels = Counter(one.label for one in every())
    assert len(every()) >= 200
    assert labels[RIGHT] >= 20
    assert set(labels) - {RIGHT} == set(FAULT)
    for label in (
        "wrong-column",
        "overreach",
        "weakened-test",
        "injected-instruction",
        "secret",
        "dropped-filter",
    ):
        assert labels[label] >= 6, label
    assert {PurePosixPath(one.path).suffix for one in every()} == {
        ".py", ".sql", ".scala", ".java", ".yaml", ".yml", ".json",
    }  # fmt: skip


def test_every_patch_is_another_one() -> None:
    seen = Counter(
        (one.source, tuple(sorted(one.changes.items(), key=lambda pair: pair[0]))) for one in every()
    )
    assert [source for (source, _), number in seen.items() if number > 1] == []
    assert all(one.changes for one in every())


@pytest.mark.parametrize("diff", every(), ids=lambda diff: f"{diff.source}-{diff.number}")
def test_patched_files_are_still_files_of_their_kind(diff: LabelledDiff) -> None:
    for path, data in diff.changes.items():
        text = "" if data is None else data.decode()
        match PurePosixPath(path).suffix:
            case ".py":
                ast.parse(text)
            case ".json":
                json.loads(text)
            case ".yaml" | ".yml":
                YAML(typ="safe").load(text)
            case _:
                assert "§" not in text


def test_the_proof_refutes_no_right_patch() -> None:
    assert [str(one.diff) for one in alone() if one.diff.right and one.end is End.PROOF] == []


def test_no_wrong_patch_is_merged_without_a_person() -> None:
    assert [str(one.diff) for one in alone() if not one.diff.right and one.end is End.MERGED] == []


@pytest.mark.parametrize("label", ["secret", "weakened-test", "unsafe", "swallowed-error", "wrong-filter"])
def test_of_some_kinds_nothing_gets_past_the_guards(label: str) -> None:
    assert [str(one.diff) for one in alone() if one.diff.label == label and not one.stopped] == []


def test_guards_and_proof_alone_stop_most() -> None:
    """A floor, so that it is seen when it sinks; `python -m bench judge` names what gets through."""
    stopped = [one for one in alone() if not one.diff.right and one.stopped]
    refused = [str(one.diff) for one in alone() if one.diff.right and one.stopped]
    assert len(stopped) >= 165
    assert len(refused) <= 2, refused


def test_a_perfect_judge_stops_what_is_left_and_nothing_that_is_right() -> None:
    for one, before in zip(scored_by(perfect), alone(), strict=True):
        assert one.stopped or one.diff.right, one.diff
        if one.diff.right:
            assert one.end is before.end, one.diff


def test_a_judge_that_approves_passes_nothing_that_is_refused() -> None:
    for one, before in zip(scored_by(approving), alone(), strict=True):
        assert one.end is before.end, one.diff


@pytest.mark.parametrize("judge", [careless, babbling])
def test_a_judge_that_does_not_read_passes_nothing(judge: Callable[[LabelledDiff], Judge]) -> None:
    for one, before in zip(scored_by(judge), alone(), strict=True):
        assert one.end is (before.end if before.stopped else End.PROPOSED), one.diff
        if not before.stopped:
            assert one.checks[-1].verifier == "judge"
            assert one.checks[-1].status is CheckStatus.ERRORED


def test_a_judge_that_refuses_stops_everything() -> None:
    assert [str(one.diff) for one in scored_by(refusing) if not one.stopped] == []


@pytest.mark.parametrize("index", range(0, len(every()), 12))
def test_the_engine_asks_the_judge_last(index: int) -> None:
    """What `judged` does in short is what the engine does: patches that are refused are not even shown."""
    diff = every()[index]
    asked: list[str] = []

    def ask_and_tell(one: LabelledDiff) -> Judge:
        inner = approving(one)
        return Judge(ask=lambda request: (asked.append(request.hash), inner.ask(request))[1])

    whole = score(diff, ask_and_tell(diff))
    assert whole.end is alone()[index].end
    assert bool(asked) is not whole.stopped
