"""What the demo measured: every number that the story tells, and the document of `--json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from greylag.demo.compare import Comparison
from greylag.demo.pipelines import Run
from greylag.engine.ledger import LedgerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that waits for a person: why, and what to type."""

    repository: str
    where: str
    reason: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Equality:
    """Every pipeline after the campaign against itself before the change.

    `compared` counts the pipelines that ran well before; `broken_before` names those that did not;
    `still_old` those that a fresh scan still finds reading an old dataset (they ran with it in place, all
    others without it); `not_run` are dbt projects where dbt is not installed.
    """

    compared: int
    equal: int
    tables: int
    rows: int
    unequal: Mapping[str, str]
    broken_before: tuple[str, ...]
    still_old: tuple[str, ...]
    not_run: tuple[str, ...] = ()

    @property
    def all_equal(self) -> bool:
        """Whether nothing changed for anybody."""
        return self.compared > 0 and self.equal == self.compared

    def sentence(self) -> str:
        """The last line of the demo."""
        asides = [
            f"{number} {text}"
            for number, text in (
                (len(self.broken_before), "failed before the change, and are not counted"),
                (len(self.not_run), "did not run, dbt is not installed"),
            )
            if number
        ]
        aside = f" ({'; '.join(asides)})" if asides else ""
        return f"{self.equal} of {self.compared} pipelines return the same rows as before{aside}"


def equality(
    compared: Sequence[Comparison],
    before: Mapping[str, Run],
    still_old: Iterable[str],
    not_run: Iterable[str],
) -> Equality:
    """Add the comparisons up."""
    return Equality(
        compared=len(compared),
        equal=sum(one.equal for one in compared),
        tables=sum(one.tables for one in compared),
        rows=sum(one.rows for one in compared),
        unequal={one.repository: one.fault for one in compared if one.fault is not None},
        broken_before=tuple(sorted(name for name, run in before.items() if not run.ok)),
        still_old=tuple(sorted(still_old)),
        not_run=tuple(sorted(not_run)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The ledger, added up: consumers by state, by form and by verdict (the last two of what was merged)."""

    consumers: int
    repositories: int
    states: Mapping[str, int]
    forms: Mapping[str, int]
    verdicts: Mapping[str, int]


MIGRATED = frozenset({"migrated", "retired"})


def summarise(rows: Sequence[LedgerRow]) -> Summary:
    """Count the rows of the ledger."""
    done = [row for row in rows if row.state in MIGRATED]
    return Summary(
        consumers=len(rows),
        repositories=len({row.repository for row in rows}),
        states=dict(Counter(row.state for row in rows).most_common()),
        forms=dict(Counter(row.form for row in done if row.form).most_common()),
        verdicts=dict(Counter(row.verdict for row in done if row.verdict).most_common()),
    )


@dataclass(slots=True, kw_only=True)
class Figures:
    """Everything that is counted while the story goes on."""

    seed: int
    repositories: int
    folder: str | None
    changes: int = 0
    targets: int = 0
    waves: int = 0
    merges: int = 0
    reverts: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, dict[str, object]] = field(default_factory=dict)
    approved: int = 0
    agent: Mapping[str, object] | None = None
    refuted: bool = False
    ledger: Summary | None = None
    left: tuple[Left, ...] = ()
    equality: Equality | None = None
    retired: int = 0
    harmless: int = 0
    touched: tuple[str, ...] = ()
    simulated_hours: float = 0.0
    seconds: float = 0.0

    def document(self) -> dict[str, object]:
        """The document of `--json`."""
        return asdict(self)
