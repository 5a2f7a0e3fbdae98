"""What a file of a dbt project sees of its project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtSurroundings:
    """Variables of `dbt_project.yml` (name to value) and the project's own macros (name to whole source).

    A macro's source is its text from `{% macro ... %}` to `{% endmacro %}`. Macros of packages, and two
    macros of one name, are absent: nobody knows here what they render.
    """

    variables: Mapping[str, object] = field(default_factory=dict)
    macros: Mapping[str, str] = field(default_factory=dict)


FUNCTIONS: Mapping[str, Mapping[str, str]] = {
    "dbt": {
        "cast_bool_to_text": "c",
        "concat": "*",
        "date_trunc": "lc",
        "dateadd": "lcc",
        "datediff": "ccl",
        "hash": "c",
        "last_day": "cl",
        "length": "c",
        "position": "cc",
        "replace": "ccc",
        "right": "cc",
        "safe_cast": "cl",
        "split_part": "ccc",
    },
    "dbt_utils": {
        "generate_surrogate_key": "*",
        "safe_divide": "cc",
        "surrogate_key": "*",
    },
}
"""Macros of dbt and dbt_utils that are functions of the SQL expressions handed to them as texts.

One letter an argument: `c` is an expression, `l` any other text (a date part, a type); `*`: expressions, one
by one or as a list. Aggregates are absent: they depend on the rows around them.
"""
