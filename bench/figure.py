"""What a benchmark reports, and how it is printed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value beside its baseline, in the same unit; less is better.

    `baseline_value` is None where there is nothing to compare with; then `target` bounds the value itself,
    else it bounds the ratio of value to baseline. `target` None: no bound, only told.
    """

    name: str
    value: float
    unit: str
    baseline: str = ""
    baseline_value: float | None = None
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value by baseline: below 1 is faster than the baseline."""
        return self.value / self.baseline_value if self.baseline_value else None

    @property
    def met(self) -> bool | None:
        """Whether the target holds; None without a target."""
        if self.target is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.target


def _target(figure: Figure) -> str:
    match figure.met:
        case None:
            return ""
        case met:
            sign = "" if figure.ratio is None else " x"
            return f"≤ {figure.target:g}{sign}: {'met' if met else 'MISSED'}"


def print_table(figures: Iterable[Figure]) -> None:
    """Print one table on standard output; notes follow it."""
    table = Table("what", "value", "baseline", "its value", "ratio", "target")
    notes: list[str] = []
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} x"
        base = "" if figure.baseline_value is None else f"{figure.baseline_value:.2f} {figure.unit}"
        value = f"{figure.value:.2f} {figure.unit}"
        table.add_row(figure.name, value, figure.baseline, base, ratio, _target(figure))
        notes += [f"{figure.name}: {figure.note}"] if figure.note else []
    # Without a terminal the table would be squeezed into 80 columns.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    console.print(table)
    for note in notes:
        console.print(note, markup=False)
