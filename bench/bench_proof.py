"""How often the proof errs on rewrites whose label is known, and what it costs.

The rewrites are those of `tests/labelled`: the wrong ones differ from the old text on tables that stand
beside them, the right ones were written to be right. A false accept is a wrong one that is `proven` or
`tested`; a false reject is a right one that is not (most are `inconclusive`: they could not be checked). All
of them run at the fast level, every eighth at the full level. The cost stands beside running both versions
once over the few rows of the folder's `data.sql`: what a comparison without generated data spends.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.execution import Tables
from tests.labelled.loader import Labelled, every, labelled, migration, migrations, tables

from bench.figure import Figure
from greylag.domain.check import Verdict
from greylag.verify import prove
from greylag.verify.prove import Level

BASELINE = "both run once on fixed tables"
ACCEPTED = (Verdict.PROVEN, Verdict.TESTED)
STEP = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A rewrite with what the proof said, and the CPU milliseconds that it took."""

    entry: Labelled
    verdict: Verdict
    spent: float

    @property
    def accepted(self) -> bool:
        """May it merge by itself under some policy?"""
        return self.verdict in ACCEPTED


def run() -> Iterable[Figure]:
    """Rates first, over the whole set, then costs."""
    fast = judge(every(), "fast")
    full = judge(every()[::STEP], "full")
    yield from rates(fast, "fast")
    yield from rates(full, f"full, every {STEP}th")
    floor = [milliseconds for name in migrations() for milliseconds in executions(name)]
    for level, judged, target in (("fast", fast, 50.0), ("full", full, 500.0)):
        for label in (True, False):
            part = [each for each in judged if each.entry.right is label]
            name = f"{level} proof of {'right' if label else 'wrong'} ones"
            yield cost(f"{name}, median", [each.spent for each in part], floor, target=target)
            yield Figure(name=f"{name}, 95th percentile", value=high(part), unit="CPU ms")


def judge(entries: Iterable[Labelled], level: Level) -> list[Judged]:
    """Prove every rewrite once."""
    judged = []
    for entry in entries:
        compiled = migration(entry.migration)
        started = time.process_time()
        verdict = prove(entry.old, entry.new, compiled, level=level).verdict
        spent = (time.process_time() - started) * 1000
        judged.append(Judged(entry=entry, verdict=verdict, spent=spent))
    return judged


def rates(judged: list[Judged], level: str) -> Iterable[Figure]:
    """False accepts by kind of wrong rewrite, false rejects by how the right one was made."""
    wrong = [each for each in judged if not each.entry.right]
    right = [each for each in judged if each.entry.right]
    yield Figure(
        name=f"false accepts ({level})",
        value=share(wrong, sum(each.accepted for each in wrong)),
        unit="%",
        target=0.0,
        note=f"{len(wrong)} wrong rewrites, {verdicts(wrong)}; accepted of each kind: "
        + ", ".join(
            f"{kind} {accepted}/{count}"
            for kind, count, accepted in by_kind(wrong, lambda each: each.accepted)
        ),
    )
    yield Figure(
        name=f"false rejects ({level})",
        value=share(right, sum(not each.accepted for each in right)),
        unit="%",
        note=f"{len(right)} right rewrites, {verdicts(right)}; not accepted of each kind: "
        + ", ".join(
            f"{kind} {rejected}/{count}"
            for kind, count, rejected in by_kind(right, lambda each: not each.accepted)
        ),
    )
    refuted = sum(each.verdict is Verdict.REFUTED for each in right)
    yield Figure(name=f"right ones refuted ({level})", value=share(right, refuted), unit="%", target=0.0)


def by_kind(judged: list[Judged], counts: Callable[[Judged], bool]) -> list[tuple[str, int, int]]:
    """Every kind with its number of rewrites, and how many of these count; the largest kinds first."""
    totals = Counter(each.entry.kind for each in judged)
    hits = Counter(each.entry.kind for each in judged if counts(each))
    return [(kind, count, hits[kind]) for kind, count in totals.most_common()]


def executions(name: str) -> list[float]:
    """CPU milliseconds to run both versions of each right rewrite of a folder once, tables already there."""
    old = Tables(tables(name), migration(name), old=True)
    new = Tables(tables(name), migration(name), old=False)
    spent = []
    for entry in labelled(name):
        if entry.right:
            started = time.process_time()
            old.run(entry.old)
            new.run(entry.new)
            spent.append((time.process_time() - started) * 1000)
    old.close()
    new.close()
    return spent


def cost(name: str, spent: list[float], floor: list[float], *, target: float) -> Figure:
    """A median beside the baseline's; the target bounds the value itself, so it is told in the note."""
    median = statistics.median(spent)
    met = "met" if median <= target else "MISSED"
    return Figure(
        name=name,
        value=median,
        unit="CPU ms",
        baseline=BASELINE,
        baseline_value=statistics.median(floor),
        note=f"at most {target:g} ms: {met}",
    )


def high(judged: list[Judged]) -> float:
    """The 95th percentile of the costs."""
    return sorted(each.spent for each in judged)[int(len(judged) * 0.95)]


def share(judged: list[Judged], count: int) -> float:
    """In percent."""
    return 100.0 * count / len(judged) if judged else 0.0


def verdicts(judged: list[Judged]) -> str:
    """How many of each verdict."""
    counts = Counter(str(each.verdict) for each in judged)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
