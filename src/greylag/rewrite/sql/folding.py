"""How a dialect compares names: case folding of quoted and unquoted identifiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

# Columns are compared without case, tables (mostly) with it.
_COLUMNS_WITHOUT_CASE = ("bigquery", "mysql", "doris", "singlestore", "starrocks")


@cache
def _strategy(dialect: str) -> NormalizationStrategy:
    return Dialect.get_or_raise(dialect).normalization_strategy


@dataclass(frozen=True, slots=True)
class Folding:
    """Folds identifiers as `dialect` does, so that names may be compared with `==`."""

    dialect: str

    @property
    def _strategy(self) -> NormalizationStrategy:
        return _strategy(self.dialect)

    def fold(self, name: str, *, quoted: bool = False) -> str:
        """Fold one column, alias or CTE name."""
        strategy = self._strategy
        if self.dialect in _COLUMNS_WITHOUT_CASE:
            return name.lower()
        if strategy is NormalizationStrategy.CASE_SENSITIVE:
            return name
        if strategy is NormalizationStrategy.CASE_INSENSITIVE:
            return name.lower()
        if strategy is NormalizationStrategy.CASE_INSENSITIVE_UPPERCASE:
            return name.upper()
        if quoted:
            return name
        return name.upper() if strategy is NormalizationStrategy.UPPERCASE else name.lower()

    def ident(self, identifier: exp.Expr) -> str:
        """Fold an identifier node of a query."""
        return self.fold(identifier.name, quoted=bool(identifier.args.get("quoted")))

    def table_part(self, name: str, *, quoted: bool = False) -> str:
        """Fold one part of a table's name: some tell tables apart by case, columns not."""
        return name if self.dialect in _COLUMNS_WITHOUT_CASE else self.fold(name, quoted=quoted)

    def columns(self, names: Iterable[str]) -> dict[str, str]:
        """Folded name to declared name; a declared name is found both as written and as if unquoted."""
        found: dict[str, str] = {}
        for name in names:
            found.setdefault(self.fold(name), name)
            found.setdefault(self.fold(name, quoted=True), name)
        return found
