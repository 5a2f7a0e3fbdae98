"""Do the columns that a mapping reads exist in the new datasets, as far as those are declared?"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from greylag.mapping.query import ColumnsOf


def check_columns(query: exp.Query, dialect: str, columns_of: ColumnsOf) -> Iterator[tuple[int, str]]:
    """Each column that does not exist: its offset in the SQL, and what is wrong."""
    return iter(())
