"""Variants that are no variants: the same program again, by unfolding.

`plan = 'premium'` with another literal in the arm for `free` filters the same rows. No data can tell it
apart, and none has to.
"""

from __future__ import annotations

from functools import partial

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.verify.pairs import Pair
from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable
from greylag.verify.unfold import Unfolding

_MOST = 24


def forgive_equivalents(pairs: list[Pair], names: Names) -> None:
    """Mark critical variants that the data did not tell apart and that unfold to what they vary."""
    for pair in pairs:
        missed = [one for one in (*pair.mutants, *pair.changed) if one.critical and not one.told_apart]
        if len(missed) > _MOST:
            continue
        forms: dict[int, str | None] = {}
        for mutant in missed:
            base = mutant.make.args[0] if isinstance(mutant.make, partial) else None
            if not isinstance(base, exp.Query):
                continue
            if id(base) not in forms:
                forms[id(base)] = _form(base.sql("duckdb"), names)
            form = forms[id(base)]
            mutant.told_apart = form is not None and form == _form(mutant.sql(), names)


def _form(sql: str, names: Names) -> str | None:
    """The normal form of a query in DuckDB's dialect; None where there is none."""
    try:
        query = sqlglot.parse_one(sql, dialect="duckdb")
        return Unfolding(query, names, deep=True).form(True) if isinstance(query, exp.Query) else None
    except (NotComparable, SqlglotError, RecursionError):
        return None
