"""What an old column is called now, where the mapping does nothing else with it."""

from __future__ import annotations

from sqlglot import exp

from greylag.mapping.compiled import Mapping


def renamed_column(mapping: Mapping, name: str) -> str | None:
    """The new name of a column (in any case); None when the mapping does more with it than rename it."""
    inlining = mapping.inlining
    for output in mapping.outputs:
        column = output.expression
        if output.name.lower() != name.lower() or output.name in mapping.differs or inlining is None:
            continue
        # `geo.country` is a field of a struct, unless the table itself is called so.
        if not isinstance(column, exp.Column) or len(column.parts) > 2:
            continue
        if column.table.lower() in ("", inlining.qualifier.lower()):
            return str(column.name)
    return None
