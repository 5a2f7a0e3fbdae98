"""What an experiment compares, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from greylag.verify.execute import Result
from greylag.verify.mutate import Mutant

Row = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Pair:
    """The queries of one statement, prepared. `named`: column names count; `ordered`: so does ORDER BY.

    `rows` and `filled` count the old version's rows and the rounds with any; `compared` the rounds that
    counted. `reservations` are reasons why equal rows would not settle it.
    """

    number: int
    old: exp.Query
    new: exp.Query
    named: bool
    ordered: bool
    old_sql: str = ""
    new_sql: str = ""
    key_sql: str | None = None
    rows: int = 0
    compared: int = 0
    filled: int = 0
    mutants: list[Mutant] = field(default_factory=list)
    changed: list[Mutant] = field(default_factory=list)
    unfolded_sql: tuple[str, ...] = ()
    dropped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reservations: list[str] = field(default_factory=list)

    @property
    def sorts(self) -> bool:
        """Does the order of the result count?"""
        return self.ordered and self.old.args.get("order") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The two versions differ on a round's data. `shape`: whatever the data; `bind`: the new one does not
    run.
    """

    pair: Pair
    reason: str
    old: Result | None = None
    new: Result | None = None
    shape: bool = False
    bind: bool = False
