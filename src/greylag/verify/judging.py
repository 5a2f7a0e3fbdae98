"""What an experiment has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.domain.check import Proof, Verdict
from greylag.verify.limits import unordered_limit
from greylag.verify.minimise import minimise
from greylag.verify.pairs import Difference, Pair

if TYPE_CHECKING:
    from greylag.verify.experiment import Experiment

_MAX_NOTES = 8


def refuted(experiment: Experiment, found: Difference) -> Proof:
    """The verdict on a difference: refuted, unless it may be our data or our columns that make it."""
    where = f"statement {found.pair.number}: " if len(experiment.pairs) > 1 else ""
    reasons = (where + found.reason,)
    if found.bind:
        return _does_not_run(experiment, found, reasons)
    unmapped = _unmapped_output(experiment, found)
    if unmapped is not None:
        reasons = (f"{where}the result has the column `{unmapped}`, which has no counterpart",)
        return Proof(
            verdict=Verdict.INCONCLUSIVE, method="execution", rows=experiment.rows(), reasons=reasons
        )
    example = None if found.shape else minimise(experiment, found, experiment.data)
    return Proof(
        verdict=Verdict.REFUTED,
        method="execution",
        rows=experiment.rows(),
        counterexample=example,
        reasons=reasons,
    )


def _does_not_run(experiment: Experiment, found: Difference, reasons: tuple[str, ...]) -> Proof:
    """Only the new version does not bind: refuted when a name is missing that declared schemas would give."""
    lowered = found.reason.lower()
    missing = "not found" in lowered or "does not exist" in lowered or "ambiguous" in lowered
    refutes = missing and "function" not in lowered
    verdict = Verdict.REFUTED if refutes else Verdict.INCONCLUSIVE
    return Proof(verdict=verdict, method="execution", rows=experiment.rows(), reasons=reasons)


def _unmapped_output(experiment: Experiment, found: Difference) -> str | None:
    """A column without counterpart that a star carries into the old version's result."""
    if found.old is None or found.new is None:
        return None
    kept = {name.lower() for name in found.new.columns}
    unmapped = {name.lower() for mapping in experiment.names.migration.mappings for name in mapping.unmapped}
    gone = [name for name in found.old.columns if name.lower() not in kept]
    rest = [name.lower() for name in found.old.columns if name.lower() in kept]
    if (
        gone
        and all(name.lower() in unmapped for name in gone)
        and rest == [n.lower() for n in found.new.columns]
    ):
        return gone[0]
    return None


def judged(experiment: Experiment) -> Proof:
    """No difference was found: tested where the data was strong enough, else inconclusive with every
    reason.
    """
    reasons: list[str] = []
    notes: list[str] = []
    for pair in experiment.pairs:
        reasons.extend(
            f"statement {pair.number}: {reason}" for reason in (*_doubts(pair), *pair.reservations)
        )
        missed = [mutant for mutant in pair.mutants if not mutant.told_apart and not mutant.critical]
        notes.extend(f"statement {pair.number}: not shown by the data: {mutant.what}" for mutant in missed)
        if pair.dropped:
            notes.append(f"statement {pair.number}: some data was left out: {pair.dropped[-1]}")
        notes.insert(0, f"statement {pair.number}: {evidence(pair, experiment.seed)}")
    if experiment.effort.late:
        notes.append("the time for it was over before the work was done")
    reasons.extend(_captures(experiment))
    verdict = Verdict.INCONCLUSIVE if reasons else Verdict.TESTED
    return Proof(
        verdict=verdict,
        method="execution",
        rows=experiment.rows(),
        reasons=tuple(dict.fromkeys((*reasons, *notes[:_MAX_NOTES]))),
    )


def evidence(pair: Pair, seed: int) -> str:
    """What the verdict rests on: rows, rounds, and how many wrong variants the data told apart."""
    tried = [*pair.mutants, *pair.changed]
    goals = {id(mutant.goal): mutant.goal for mutant in pair.mutants if mutant.goal is not None}
    seen = {id(mutant.goal) for mutant in pair.mutants if mutant.goal is not None and mutant.told_apart}
    told = sum(mutant.told_apart for mutant in tried)
    return (
        f"{pair.rows} rows in {pair.filled} of {pair.compared} rounds, {len(seen)} of {len(goals)} "
        f"conditions reached, {told} of {len(tried)} wrong variants told apart, seed {seed}"
    )


def _doubts(pair: Pair) -> list[str]:
    doubts: list[str] = []
    limit = unordered_limit(pair.old) or unordered_limit(pair.new)
    if limit is not None:
        doubts.append(limit)
    if pair.compared == 0:
        doubts.append(pair.dropped[-1] if pair.dropped else "no data could be compared in the time allowed")
        return doubts
    if pair.rows == 0:
        doubts.append("no generated data made the old version return a row")
        return doubts
    if pair.filled < 2 or pair.compared < max(3, len(pair.dropped)):
        why = f" ({pair.dropped[-1]})" if pair.dropped else ""
        doubts.append(f"too little of the generated data could be compared{why}")
    doubts.extend(
        f"the data would not show it if the rewrite were wrong there: {mutant.what}"
        for mutant in (*pair.mutants, *pair.changed)
        if mutant.critical and not mutant.told_apart
    )
    return doubts


def _captures(experiment: Experiment) -> list[str]:
    """Unqualified, correlated names in the new version that a table without a declared schema could catch."""
    known = {guess.split("\0")[0].lower() for model in experiment.analysis.old for guess in model.guesses}
    found: list[str] = []
    for model in experiment.analysis.new:
        for guess in model.guesses:
            name, inner, outer = guess.split("\0")
            if name.lower() not in known:
                found.append(f"`{name}` means {outer}.{name} only if {inner} has no such column: qualify it")
    return found
