"""Cells: values under construction, with what is known about them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from greylag.verify.typevars import TypeVar
from greylag.verify.values import Pool, coerce, from_like, kind_of, neighbour

UNSET = object()


@dataclass(slots=True, eq=False)
class Cell:
    """One value of one row: unified with others by equalities, bounded by comparisons."""

    var: TypeVar
    link: Cell | None = None
    equal: object = UNSET
    low: object = None
    low_open: bool = False
    high: object = None
    high_open: bool = False
    options: list[object] | None = None
    excluded: list[object] = field(default_factory=list)
    like: str | None = None
    null: bool | None = None
    value: object = UNSET

    def root(self) -> Cell:
        """The representative of the cells that are equal to this one."""
        node = self
        while node.link is not None:
            node = node.link
        return node

    def unify(self, other: Cell) -> None:
        """Both hold the same value from now on."""
        left, right = self.root(), other.root()
        if left is right:
            return
        right.link = left
        if left.equal is UNSET:
            left.equal = right.equal
        for name, strict in (("low", "low_open"), ("high", "high_open")):
            if getattr(left, name) is None:
                setattr(left, name, getattr(right, name))
                setattr(left, strict, getattr(right, strict))
        left.options = left.options if left.options is not None else right.options
        left.excluded += right.excluded
        left.like = left.like or right.like
        left.null = left.null if left.null is not None else right.null

    def compare(self, operator: str, value: object) -> None:
        """Add a comparison with a constant."""
        cell = self.root()
        match operator:
            case "=":
                if cell.equal is UNSET:
                    cell.equal = value
            case "<>":
                cell.excluded.append(value)
            case "<" | "<=":
                if cell.high is None or _less(cell, value, cell.high):
                    cell.high, cell.high_open = value, operator == "<"
            case ">" | ">=":
                if cell.low is None or _less(cell, cell.low, value):
                    cell.low, cell.low_open = value, operator == ">"

    def constrained(self) -> bool:
        """Is anything known of it?"""
        cell = self.root()
        return (
            cell.equal is not UNSET
            or cell.options is not None
            or bool(cell.excluded)
            or cell.like is not None
            or cell.null is not None
            or cell.low is not None
            or cell.high is not None
        )

    def choose(self, pool: Pool, rng: random.Random) -> object:
        """Settle the value."""
        cell = self.root()
        if cell.value is UNSET:
            cell.value = cell._choose(pool, rng)
        return cell.value

    def _choose(self, pool: Pool, rng: random.Random) -> object:
        node = self.var.root()
        if self.null:
            return None
        if node.element is not None or node.fields:
            return pool.draw(self.var, nulls=0.0)
        scalar = node.sql()
        if node.read_as is not None and scalar == "VARCHAR":
            # What is asked of it is asked of the number or date that it holds.
            scalar = node.read_as
        if self.equal is not UNSET:
            equal = coerce(self.equal, scalar)
            return equal if equal is not None else coerce(self.equal, node.sql())
        excluded = [coerce(value, scalar) for value in self.excluded]
        if self.options is not None:
            usable = [coerce(value, scalar) for value in self.options]
            usable = [value for value in usable if value not in excluded and self._inside(value, scalar)]
            return rng.choice(usable) if usable else None
        if self.like is not None and kind_of(scalar) == "text":
            return from_like(self.like, rng)
        bounded = self.low is not None or self.high is not None
        for _ in range(8):
            value = self._between(scalar, pool, rng) if bounded else pool.draw(self.var, nulls=0.0)
            if value not in excluded:
                break
        return value

    def _inside(self, value: object, scalar: str) -> bool:
        low, high = coerce(self.low, scalar), coerce(self.high, scalar)
        if value is None:
            return False
        if low is not None and (value < low or (self.low_open and value == low)):  # type: ignore[operator]
            return False
        return not (high is not None and (value > high or (self.high_open and value == high)))  # type: ignore[operator]

    def _between(self, scalar: str, pool: Pool, rng: random.Random) -> object:
        low, high = coerce(self.low, scalar), coerce(self.high, scalar)
        if low is None and high is None:
            return pool.draw(self.var, nulls=0.0)
        if (
            isinstance(high, datetime)
            and type(self.high) is date
            and not self.high_open
            and rng.random() < 0.4
        ):
            # A whole day is the bound: a moment within that day, which only a comparison of days lets
            # through.
            return high + timedelta(hours=rng.choice([1, 12, 23]))
        if low is not None and high is not None and type(low) is type(high):
            return _middle(low, high, self.low_open, self.high_open, rng)
        if low is not None:
            value = low if not self.low_open and rng.random() < 0.4 else neighbour(low, rng, step=1)
            return value if not isinstance(low, str) or value >= low else low + "m"  # type: ignore[operator]
        value = high if not self.high_open and rng.random() < 0.4 else neighbour(high, rng, step=-1)
        return value if not isinstance(high, str) or value <= high else ""  # type: ignore[operator]


def _less(cell: Cell, left: object, right: object) -> bool:
    scalar = cell.var.root().sql()
    a, b = coerce(left, scalar), coerce(right, scalar)
    try:
        return a is not None and b is not None and a < b  # type: ignore[operator]
    except TypeError:
        return False


def _middle(low: object, high: object, low_open: bool, high_open: bool, rng: random.Random) -> object:
    """A value between two bounds, often at an edge that belongs to the range."""
    choice = rng.random()
    if choice < 0.25 and not low_open:
        return low
    if choice < 0.5 and not high_open:
        return high
    match low, high:
        case int(), int():
            first, last = low + low_open, high - high_open
            return rng.randint(first, last) if first <= last else low
        case float(), float():
            return low + (high - low) * rng.choice([0.5, 0.25, 0.9])
        case Decimal(), Decimal():
            return low + (high - low) * Decimal("0.5")
        case datetime(), datetime():
            return low + timedelta(seconds=int((high - low).total_seconds() * rng.random()))
        case date(), date():
            days = (high - low).days
            first, last = int(low_open), days - int(high_open)
            return low + timedelta(days=rng.randint(first, last) if first <= last else 0)
        case str(), str():
            return low + "m" if low + "m" <= high else low
        case _:
            return low
