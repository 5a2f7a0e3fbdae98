"""What codemods leave over in the demo's fleet, and what its scripted model makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from tests.unit.demo.world import World

from greylag.agent.learning import idiom_of
from greylag.demo.fleet import Kind
from greylag.demo.running import answers_to_agents
from greylag.demo.scripted import Part, model, parts
from greylag.domain.agent import Changes
from greylag.domain.check import Check, CheckStatus
from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, FileReport, Skipped
from greylag.engine.checking import EQUIVALENCE, Verification, acceptable
from greylag.engine.leftovers import Chosen, choose
from greylag.engine.rewriting import rewrite_tree
from greylag.testing.model import Seen
from greylag.verify.guards import scope
from greylag.verify.guards.scope import scope_of

NEW = 17
"""Consumers that were put into the fleet for agents."""


class Left:
    """One repository with leftovers: its files as an agent gets them, and the part written for it."""

    def __init__(self, world: World, name: str) -> None:
        self.name, self.kind = name, world.specs[name].kind
        self.original: Mapping[str, str] = dict(world.specs[name].files)
        self.migration = world.migration
        self.reports: Sequence[FileReport] = rewrite_tree(self.original, world.migration, proof="none")
        self.chosen: Chosen = choose(self.reports, self.original)
        edited = {one.path: one.outcome.text for one in self.reports if isinstance(one.outcome, Edited)}
        self.before = {**self.original, **edited}

    @property
    def paths(self) -> list[str]:
        return [left.path for left in self.chosen.leftovers]

    def part(self) -> tuple[Part, Sequence[str]]:
        """The part for it; there has to be one, and only one."""
        text = "\n".join(self.paths)
        found = [(part, match.groups()) for part in parts() if (match := part.knows.search(text))]
        assert len(found) == 1, (self.name, self.paths)
        return found[0]

    def guards(self, changes: Changes) -> tuple[Check, ...]:
        before = {path: text.encode() for path, text in self.before.items()}
        return scope(changes, before, scope_of(self.migration, self.chosen.leftovers))

    def turns(self, *, guarded: bool = True) -> Iterator[tuple[Check, ...]]:
        """What the checks say after each turn of the part; the proof has its say where no guard has."""
        part, groups = self.part()
        files = dict(self.before)
        for turn in part.at(groups):
            for path, pairs in turn.change.items():
                for old, new in pairs:
                    assert files[path].count(old) == 1, (path, old, files[path])
                    files[path] = files[path].replace(old, new)
            verification = Verification(
                migration=self.migration,
                original=self.original,
                before=self.before,
                leftovers=self.chosen.leftovers,
                guards=self.guards if guarded else lambda changes: (),
            )
            changed = {path: text for path, text in files.items() if text != self.before[path]}
            yield verification({path: text.encode() for path, text in changed.items()})


@pytest.fixture(scope="module")
def left_over(world: World) -> list[Left]:
    """Every repository of the fleet that has leftovers for an agent."""
    found = [Left(world, name) for name in world.specs]
    return [one for one in found if one.chosen.leftovers]


def new(left_over: list[Left]) -> list[Left]:
    return [one for one in left_over if one.kind in (Kind.LEFTOVER, Kind.DBT)]


def test_codemods_leave_them_over_and_say_where_and_why(left_over: list[Left]) -> None:
    leftovers = [left for one in new(left_over) for left in one.chosen.leftovers]
    assert len(leftovers) >= NEW
    assert {left.framework for left in leftovers} >= {
        Framework.PYTHON, Framework.DBT, Framework.CONFIG, Framework.SQL,
    }  # fmt: skip
    for left in leftovers:
        assert left.reasons
        assert all(reason.message and reason.line for reason in left.reasons), left
        assert {reason.code for reason in left.reasons} - {"unmapped-column"}


def test_nothing_of_them_was_edited_and_nobody_has_to_be_asked_about_a_column(left_over: list[Left]) -> None:
    for one in new(left_over):
        outcomes = {report.path: report.outcome for report in one.reports}
        for path in one.paths:
            assert isinstance(outcomes[path], Skipped)
            assert one.before[path] == one.original[path]
        assert not any(isinstance(found, Skipped) and found.questions for found in outcomes.values())


def test_two_repositories_share_their_idioms(left_over: list[Left]) -> None:
    """So that the first of them is the other's pilot."""
    idioms = [
        {idiom_of(left, one.before[left.path]) for left in one.chosen.leftovers}
        for one in new(left_over)
        if "jobs/plan_mix.py" in one.paths
    ]
    assert len(idioms) == 2
    assert idioms[0] == idioms[1]


def test_each_has_a_part_that_ends_in_a_patch_that_may_be_proposed(left_over: list[Left]) -> None:
    wrong = 0
    verdicts: list[CheckStatus] = []
    for one in left_over:
        part, _ = one.part()
        assert bool(part.turns) is (part.give_up is None)
        checks = list(one.turns())
        if not checks:
            continue
        *earlier, last = checks
        assert acceptable(last), (one.name, last)
        wrong += len(earlier)
        for refused in earlier:
            assert not acceptable(refused), one.name
        verdicts += [check.status for check in last if check.verifier == EQUIVALENCE]
    assert wrong == 3  # two lies, and one patch that the proof refutes
    assert verdicts.count(CheckStatus.PASSED) >= 8
    assert CheckStatus.INCONCLUSIVE in verdicts


def test_the_refuted_one_is_refuted_by_rows(left_over: list[Left]) -> None:
    (one,) = [one for one in left_over if any("_row_counts.sql" in path for path in one.paths)]
    first, _ = one.turns(guarded=False)
    failed = [check for check in first if check.status is CheckStatus.FAILED]
    assert failed
    assert {check.summary.split(": ")[1] for check in failed} == {"the two versions return different rows"}


def test_the_model_finds_its_part_in_a_brief(left_over: list[Left]) -> None:
    for one in left_over:
        prompt = "Change these:\n" + "\n".join(f"- {path}" for path in one.paths)
        step = model(Seen(api="anthropic", model="m", system="", prompt=prompt))
        assert "no part was written" not in str(step)
    unknown = model(Seen(api="anthropic", model="m", system="", prompt="- src/other.py"))
    assert "no part was written" in str(unknown)


def test_what_the_model_asks_the_demos_person_can_answer() -> None:
    asked = [part.ask for part in parts() if part.ask]
    answers = answers_to_agents()
    assert asked
    for question in asked:
        assert sum(word in question for word in answers) == 1
