"""What verifiers say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What is known about a rewrite, strongest first. Only the first two may ever merge by themselves."""

    PROVEN = "proven"
    TESTED = "tested"
    INCONCLUSIVE = "inconclusive"
    REFUTED = "refuted"


class CheckStatus(StrEnum):
    """A verifier's answer. `errored` and `inconclusive` are never `passed`."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """Input tables on which the two versions differ, and what each returned.

    `tables` maps a table's name to its rows; `old` and `new` are the rows each version returned
    (at most a handful; `old_columns`/`new_columns` name and order their columns).
    """

    tables: Mapping[str, tuple[Mapping[str, object], ...]]
    old_columns: tuple[str, ...]
    new_columns: tuple[str, ...]
    old: tuple[tuple[object, ...], ...]
    new: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The outcome of comparing two versions of a file under a mapping.

    `rows` counts the rows that the old version returned over all runs; `method` is `construction`,
    `unfolding`, `execution` or `none`.
    """

    verdict: Verdict
    method: str
    rows: int = 0
    counterexample: Counterexample | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One verifier's answer to one question."""

    verifier: str
    status: CheckStatus
    summary: str
    details: Mapping[str, object] = field(default_factory=dict)
