"""What the host's own checks say of the labelled patches, with and without a judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Literal

from tests.labelled.diffs.loader import LabelledDiff, every, migration

from greylag.agent.brief import summary
from greylag.domain.agent import Leftover
from greylag.domain.check import Check, CheckStatus, Verdict
from greylag.domain.outcome import Edited, Skipped
from greylag.engine.checking import Verification, acceptable, verdict_of
from greylag.engine.finding import look
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dispatch import framework_of
from greylag.verify.follows import NAME as READ
from greylag.verify.follows import follows
from greylag.verify.guards import scope, scope_of
from greylag.verify.judge import Judge, diff_of

Level = Literal["fast", "full"]


class End(StrEnum):
    """What becomes of a patch; only `merged` needs no person."""

    GUARD = "guard"
    PROOF = "proof"
    READ = "read"
    JUDGE = "judge"
    PROPOSED = "proposed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A patch and its checks."""

    diff: LabelledDiff
    checks: tuple[Check, ...]
    end: End

    @property
    def stopped(self) -> bool:
        """Whether it never became a pull request."""
        return self.end in {End.GUARD, End.PROOF, End.READ, End.JUDGE}

    @property
    def failures(self) -> tuple[str, ...]:
        """The names of the verifiers that refused it."""
        return tuple(dict.fromkeys(one.verifier for one in self.checks if one.status is CheckStatus.FAILED))


def leftover(diff: LabelledDiff, compiled: CompiledMigration, files: Mapping[str, str]) -> Leftover:
    """The consumer as the codemods leave it over."""
    outcome = look(diff.path, files[diff.path], compiled, files)
    reads = outcome.reads if isinstance(outcome, Edited | Skipped) else ()
    reasons = outcome.reasons if isinstance(outcome, Skipped) else ()
    return Leftover(path=diff.path, framework=framework_of(diff.path, files), reads=reads, reasons=reasons)


def score(diff: LabelledDiff, judge: Judge | None = None, level: Level = "fast") -> Scored:
    """All checks of one patch, as the engine runs them."""
    compiled = migration(diff.migration)
    files = {path: data.decode() for path, data in diff.before.items()}
    left = (leftover(diff, compiled, files),)
    allowed = scope_of(compiled, left, companions=diff.companions)
    verification = Verification(
        migration=compiled,
        original=files,
        before=files,
        leftovers=left,
        guards=lambda changes: scope(changes, diff.before, allowed),
        others=lambda changes: (read(diff, compiled, left, verification),),
        judge=lambda changes: () if judge is None else vote(judge, diff),
        level=level,
    )
    checks = verification(diff.changes)
    return Scored(diff=diff, checks=checks, end=_end(checks))


def read(
    diff: LabelledDiff, compiled: CompiledMigration, left: tuple[Leftover, ...], made: Verification
) -> Check:
    """What reading the words says of the files that no proof has decided."""
    shown = {path for path, proof in made.proofs.items() if proof.verdict in {Verdict.PROVEN, Verdict.TESTED}}
    return follows(compiled, left, diff.before, diff.changes, decided=shown)


def vote(judge: Judge, diff: LabelledDiff) -> tuple[Check, ...]:
    """The judge's check of a patch."""
    return (judge.judge(summary(migration(diff.migration)), diff_of(diff.before, diff.changes)),)


def judged(scored: Scored, judge: Judge) -> Scored:
    """The same patch with a judge: it is asked last, and only where nothing has refused yet."""
    if scored.stopped:
        return scored
    checks = (*scored.checks, *vote(judge, scored.diff))
    return Scored(diff=scored.diff, checks=checks, end=_end(checks))


def _end(checks: tuple[Check, ...]) -> End:
    failed = [one.verifier for one in checks if one.status is CheckStatus.FAILED]
    if any(one.startswith("guard:") for one in failed):
        return End.GUARD
    if failed == [READ]:
        return End.READ
    if failed and failed != ["judge"]:
        return End.PROOF
    if failed:
        return End.JUDGE
    if not acceptable(checks):
        return End.GUARD
    return End.MERGED if verdict_of(checks) in {Verdict.PROVEN, Verdict.TESTED} else End.PROPOSED


def table(scored: Iterable[Scored]) -> tuple[tuple[str, Mapping[End, int]], ...]:
    """For each label how its patches ended; right ones first, then by number."""
    counts: dict[str, Counter[End]] = {}
    for one in scored:
        counts.setdefault(one.diff.label, Counter())[one.end] += 1
    rows = sorted(counts.items(), key=lambda row: (row[0] != "right", -row[1].total(), row[0]))
    return tuple(rows)


@cache
def alone(level: Level = "fast") -> tuple[Scored, ...]:
    """The whole set, by guards and proof alone."""
    return tuple(score(diff, level=level) for diff in every())
