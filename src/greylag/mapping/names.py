"""Comparing names the way a dialect does, and suggesting the nearest valid one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from greylag.domain.dataset import DatasetRef

# BigQuery's strategy is called case-insensitive in the parser because columns are; its datasets are not.
_EXACT_TABLES = ("bigquery",)
_SHOWN = 40


def nearest(name: str, valid: Iterable[str], label: str) -> str:
    """The end of a fault about a name: the nearest valid one, and all of them after `label`."""
    listed = list(valid)
    if not listed:
        return ""
    options = {option.casefold(): option for option in listed}
    found = get_close_matches(name.casefold(), options, n=1, cutoff=0.6)
    more = f", … ({len(listed)} in all)" if len(listed) > _SHOWN else ""
    every = f"{label}: {', '.join(listed[:_SHOWN])}{more}"
    return f"; did you mean `{options[found[0]]}`? ({every})" if found else f" ({every})"


def table_key(ref: DatasetRef, dialect: str) -> tuple[str, ...]:
    """What two names of one dataset have in common under the dialect's rules of case."""
    strategy = Dialect.get_or_raise(dialect).normalization_strategy
    if dialect in _EXACT_TABLES or strategy is NormalizationStrategy.CASE_SENSITIVE:
        return ref.parts
    return tuple(part.casefold() for part in ref.parts)


def table_ref(table: exp.Table) -> DatasetRef:
    """The name of a table as written in a query."""
    return DatasetRef(tuple(part.name for part in table.parts))


def keeps_case(dialect: str) -> bool:
    """Whether a result's column is spelled as the query spells it, rather than folded to one case."""
    return Dialect.get_or_raise(dialect).normalization_strategy not in (
        NormalizationStrategy.LOWERCASE,
        NormalizationStrategy.UPPERCASE,
    )


def column_key(name: str) -> str:
    """Column names are compared without case: two that differ only in case are refused everywhere."""
    return name.casefold()


def quote(name: str, dialect: str) -> str:
    """A column name as it must be written in SQL of the dialect."""
    return exp.to_identifier(name).sql(dialect=dialect)
