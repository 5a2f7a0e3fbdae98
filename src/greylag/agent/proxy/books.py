"""The money: what calls may cost and did cost, by target, campaign and day."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from greylag.domain.agent import AttemptKey, Usage
from greylag.domain.errors import UsageError

Which = Literal["target", "campaign", "day"]

SETTINGS: dict[Which, str] = {
    "target": "agent.budget.target",
    "campaign": "agent.budget.campaign",
    "day": "agent.budget.day",
}
"""The setting that raises each budget."""


class OverBudget(Exception):
    """A call that might go over a budget. Its text is what the agent and the ledger show.

    Amounts are in US dollars. `spent` counts open reservations; `reserved` is their part of it where it is
    known: a call that is over for their sake only waits until they are settled. `most` is what the call may
    cost.
    """

    def __init__(
        self, which: Which, spent: float, limit: float, most: float = 0.0, reserved: float = 0.0
    ) -> None:
        call = f", and this call may cost up to ${most:.4f}" if most else ""
        super().__init__(
            f"over budget: the {which}'s budget is ${limit:.2f}, of which ${spent:.4f} is spent or "
            f"reserved{call}. Stop here: no further call will pass. "
            f"(For the operator: raise {SETTINGS[which]}, or lower agent.max_tokens.)"
        )
        self.which: Which = which
        self.spent = spent
        self.limit = limit
        self.most = most
        self.reserved = reserved

    @property
    def may_pass_later(self) -> bool:
        """Whether the call would pass if nothing were reserved."""
        return self.reserved > 0 and self.spent - self.reserved + self.most <= self.limit


class Books(Protocol):
    """Keeps the budgets. Called from several threads at once."""

    def reserve(self, attempt: AttemptKey, model: str, most: float, request: str) -> int:
        """Set aside the most that a call may cost, in US dollars; returns the call's number.

        Raises OverBudget. An open reservation counts as spent. `request` names the request within its
        attempt.
        """
        ...

    def settle(self, call: int, usage: Usage, status: str) -> None:
        """Replace a reservation by what the call took; for a call that is settled or unknown, nothing."""
        ...

    def spent(self, attempt: AttemptKey) -> Usage:
        """What the settled calls of an attempt took."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Limits in US dollars; None is no limit. A target is a repository in a migration, all its attempts.

    A day is one of UTC, over all campaigns.
    """

    target: float | None = None
    campaign: float | None = None
    day: float | None = None

    def __post_init__(self) -> None:
        for which, setting in SETTINGS.items():
            limit = getattr(self, which)
            if limit is not None and limit < 0:
                raise UsageError(f"{setting} should be an amount of US dollars, not {limit}")


@dataclass(slots=True)
class _Call:
    attempt: AttemptKey
    day: str
    most: float
    usage: Usage | None = None

    @property
    def amount(self) -> float:
        return self.most if self.usage is None else self.usage.cost

    def counts_for(self, which: Which, attempt: AttemptKey, day: str) -> bool:
        match which:
            case "target":
                mine = (self.attempt.migration, self.attempt.repository)
                return mine == (attempt.migration, attempt.repository)
            case "campaign":
                return self.attempt.migration == attempt.migration
            case "day":
                return self.day == day


class MemoryBooks:
    """Books that live as long as their process: for `greylag agent check` and for tests."""

    def __init__(
        self, budgets: Budgets | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._budgets = budgets or Budgets()
        self._now = now
        self._calls: dict[int, _Call] = {}
        # Recorded replies name their call: a number must not mean another call in another process.
        self._next = int.from_bytes(os.urandom(5)) << 16
        self._lock = threading.Lock()

    def reserve(self, attempt: AttemptKey, model: str, most: float, request: str) -> int:
        """See `Books`."""
        day = self._now().astimezone(UTC).date().isoformat()
        with self._lock:
            for which in SETTINGS:
                limit: float | None = getattr(self._budgets, which)
                if limit is None:
                    continue
                counted = [call for call in self._calls.values() if call.counts_for(which, attempt, day)]
                spent = sum(call.amount for call in counted)
                if spent + most > limit:
                    reserved = sum(call.most for call in counted if call.usage is None)
                    raise OverBudget(which, spent, limit, most, reserved)
            self._next += 1
            self._calls[self._next] = _Call(attempt=attempt, day=day, most=most)
            return self._next

    def settle(self, call: int, usage: Usage, status: str) -> None:
        """See `Books`."""
        with self._lock:
            entry = self._calls.get(call)
            if entry is not None and entry.usage is None:
                entry.usage = usage

    def spent(self, attempt: AttemptKey) -> Usage:
        """See `Books`."""
        with self._lock:
            return sum((c.usage for c in self._calls.values() if c.usage and c.attempt == attempt), Usage())

    def open(self, attempt: AttemptKey) -> float:
        """US dollars that are reserved and not settled."""
        with self._lock:
            return sum(
                call.most for call in self._calls.values() if call.usage is None and call.attempt == attempt
            )
