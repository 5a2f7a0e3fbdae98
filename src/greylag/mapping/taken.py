"""Names that cannot stand without quotes in one dialect or another."""

from __future__ import annotations

# Keywords, and names that are values somewhere (`user` is the one who asks, in PostgreSQL).
_WORDS = """
all alter analyse analyze and any array as asc authorization between binary both by case cast check
collate column constraint create cross cube current current_catalog current_date current_role
current_schema current_time current_timestamp current_user database date day default delete desc describe
distinct div double drop else end escape except exists explain extract false fetch filter final float for
format from full function grant group groups having hour if ilike in index inner insert int integer
intersect interval into is join key lag lateral lead leading left level like limit localtime
localtimestamp long match merge minus month natural no not null nulls of offset on only or order outer
over partition percent pivot placing position precision prewhere primary procedure public qualify
range rank read regexp replace returning right rlike row rownum rows sample schema select semi
session_user set settings similar some start symmetric sysdate system system_user table tablesample then
time timestamp to top trailing trigger true union unique unnest unpivot update usage user using value
values view when where window with within year
"""

_SNOWFLAKE = """
account all alter and any as between by case cast check column connect connection constraint create
cross current current_date current_time current_timestamp current_user database delete distinct drop
else exists false following for from full grant group gscluster having ilike in increment inner insert
intersect into is issue join lateral left like localtime localtimestamp minus natural not null of on or
order organization qualify regexp revoke right rlike row rows sample schema select set some start table
tablesample then to trigger true try_cast union unique update using values view when whenever where with
"""

_TAKEN = frozenset(_WORDS.split())
_TAKEN_IN = {
    "snowflake": frozenset(_SNOWFLAKE.split()),
    "tsql": _TAKEN | {"plan", "rowcount", "backup", "deny"},
}


def taken(name: str, dialect: str) -> bool:
    """Does the dialect, or perhaps the dialect, keep this name for itself?"""
    return name.lower() in _TAKEN_IN.get(dialect, _TAKEN)
