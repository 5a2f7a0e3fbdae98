"""Agents, their money and their questions; people's comments. What is missing of version 2 is added.

Written out, and never changed again: it must not follow the tables as they are today. A column is
`name:type`, then `!` for the primary key or `?` where it may be empty, then what it holds in rows that are
there already.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = {
    "agent_calls": (
        "id:int! migration:text repository:text attempt:int=1 run:int=1 model:text request:text "
        "status:text reserved:float=0.0 cost:float=0.0 input_tokens:int=0 output_tokens:int=0 "
        "cached_tokens:int=0 at:instant"
    ),
    "agent_runs": (
        "migration:text! repository:text! attempt:int! run:int! brief:text? agent:text? model:text? "
        "end:text? reason:text verdict:text? rounds:int=0 idioms:json={} changes:json={} "
        "before:json={} checks:json=[] started_at:instant ended_at:instant?"
    ),
    "attempts": (
        "migration:text! repository:text! attempt:int! form:text? base:text? commit_id:text? "
        "verdict:text? pull_number:int? merged_commit:text? outcome:text note:text at:instant"
    ),
    "consumers": (
        "migration:text! key:text! repository:text path:text dataset:text framework:text line:int=0 "
        "column:int=0 columns:json=[] owner:text? evidence:json=[] outcome:text form:text? "
        "verdict:text? method:text? reasons:json=[] questions:json=[] found_at:instant "
        "retired_at:instant?"
    ),
    "events": (
        "id:int! migration:text kind:text repository:text? wave:int? actor:text message:text "
        "data:json={} at:instant"
    ),
    "heartbeats": ("executor:text! host:text pid:int=0 beat_at:instant"),
    "leases": ("repository:text! migration:text since:instant"),
    "leftovers": ("migration:text! repository:text! path:text! idiom:text"),
    "migrations": (
        "name:text! path:text text:text source:text mode:text started_at:instant over_at:instant? "
        "scanned:text?"
    ),
    "questions": (
        "migration:text! key:text! text:text answer:text? answered_by:text? asked_at:instant "
        "answered_at:instant? kind:text=column options:json=[] asked_by:json=[]"
    ),
    "readings": ("id:int! migration:text repository:text attempt:int=1 status:text detail:text at:instant"),
    "remark_marks": ("migration:text! mark:text"),
    "remarks": (
        "migration:text! id:text! repository:text number:int=0 author:text answered:json=[] reply:text "
        "replied:int=0 at:instant"
    ),
    "targets": (
        "migration:text! repository:text! state:text seq:int=0 attempt:int=1 extra:int=0 "
        "consumers:int=0 owners:json=[] wave:int? base:text? commit_id:text? digest:text? source:text? "
        "verdict:text? questions:json=[] reason:text context:text pull_number:int? pull_url:text? "
        "pull_state:text? title:text? body:text? approved_by:text? approved_digest:text? "
        "accepted_by:text? revert_wanted:text? baseline:text? merged_at:instant? merged_commit:text? "
        "checked_at:instant? errors:int=0 not_before:instant? updated_at:instant"
    ),
    "waves": ("migration:text! number:int! size:int=0 reverts:int=0 held:text?"),
}
INDEXES = (
    ("consumers_by_repository", "consumers", ["migration", "repository"]),
    ("agent_calls_by_target", "agent_calls", ["migration", "repository"]),
    ("agent_calls_by_time", "agent_calls", ["at"]),
    ("readings_by_target", "readings", ["migration", "repository", "attempt"]),
    ("events_by_migration", "events", ["migration", "id"]),
)
TYPES = {"text": sa.Text, "int": sa.Integer, "float": sa.Float, "json": sa.JSON}
EMPTY = {"text": "", "int": "0", "float": "0", "json": "{}", "instant": ""}


def upgrade() -> None:
    """Tables, columns and indexes that are not there yet."""
    inspector = sa.inspect(op.get_bind())
    there = set(inspector.get_table_names())
    for name, text in TABLES.items():
        columns = [column(one) for one in text.split()]
        if name not in there:
            op.create_table(name, *columns)
            continue
        known = {one["name"] for one in inspector.get_columns(name)}
        for one in columns:
            if one.name not in known:
                op.add_column(name, one)
    for name, table, keys in INDEXES:
        op.create_index(name, table, keys, if_not_exists=True)


def column(text: str) -> sa.Column[Any]:
    """A column as it is written above."""
    head, _, given = text.partition("=")
    name, _, kind = head.partition(":")
    bare = kind.rstrip("!?")
    made: Any = sa.String(40) if bare == "instant" else TYPES[bare]()
    if kind.endswith("!"):
        return sa.Column(name, made, primary_key=True)
    if kind.endswith("?"):
        return sa.Column(name, made)
    return sa.Column(name, made, nullable=False, server_default=given or EMPTY[bare])
