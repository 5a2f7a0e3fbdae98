"""What a fleet of many repositories needs beyond one of a few."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from greylag.engine.tables import Instant, words

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Tables and columns, each by a line of its own."""
    _column("targets", sa.Column("heard", sa.Integer))
    _column("targets", sa.Column("changed", sa.Integer))
    _column("targets", sa.Column("waits", sa.Integer, nullable=False, server_default="0"))
    op.create_index("targets_by_change", "targets", ["changed"], if_not_exists=True)
    op.create_index("targets_by_state", "targets", ["state", "migration"], if_not_exists=True)
    _column("targets", sa.Column("proved_at", Instant))
    _column("targets", sa.Column("reverted_at", Instant))
    _webhooks()
    _order()
    _claims()
    _parcels()


def _column(table: str, column: sa.Column[Any]) -> None:
    """A column more, where it is not there yet."""
    if column.name not in {one["name"] for one in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def _webhooks() -> None:
    """What comes in by webhook, who takes it in, and what pipelines tell of their runs."""
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("forge", words(), nullable=False),
        sa.Column("delivery", words(), nullable=False),
        sa.Column("repository", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("taken_at", Instant),
    )
    op.create_index("deliveries_by_name", "deliveries", ["forge", "delivery"], unique=True)
    op.create_index("deliveries_waiting", "deliveries", ["taken_at"])
    op.create_table(
        "pushed_runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source", words(), nullable=False),
        sa.Column("key", words(), nullable=False),
        sa.Column("repository", words(), nullable=False),
        sa.Column("job", words(), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
    )
    op.create_index("pushed_runs_by_key", "pushed_runs", ["source", "key"], unique=True)
    op.create_index("pushed_runs_by_repository", "pushed_runs", ["repository", "id"])
    op.create_index("pushed_runs_by_job", "pushed_runs", ["source", "job"])
    op.create_table(
        "receivers",
        sa.Column("receiver", words(), primary_key=True),
        sa.Column("beat_at", Instant, nullable=False),
    )


def _claims() -> None:
    """Which files the changes of parts of repositories touch."""
    op.create_table(
        "claims",
        sa.Column("migration", words(), primary_key=True),
        sa.Column("target", words(), primary_key=True),
        sa.Column("kind", words(), primary_key=True),
        sa.Column("path", words(), primary_key=True),
        sa.Column("repository", words(), nullable=False),
    )
    op.create_index("claims_by_path", "claims", ["repository", "path"])


def _order() -> None:
    """Who reads what others build, and which kinds of edits wait."""
    op.create_table(
        "dependencies",
        sa.Column("migration", words(), primary_key=True),
        sa.Column("repository", words(), primary_key=True),
        sa.Column("upstream", words(), primary_key=True),
        sa.Column("dataset", words(), nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
    )
    op.create_table(
        "followed",
        sa.Column("repository", words(), primary_key=True),
        sa.Column("commit_id", words(), primary_key=True),
        sa.Column("since", Instant, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("repository", words(), primary_key=True),
        sa.Column("instances", sa.JSON, nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
    )
    op.create_table(
        "pauses",
        sa.Column("migration", words(), primary_key=True),
        sa.Column("kind", words(), primary_key=True),
        sa.Column("repository", words(), primary_key=True),
        sa.Column("reason", words(), nullable=False),
        sa.Column("since", Instant, nullable=False),
    )


def _parcels() -> None:
    """What one machine committed, for the others."""
    op.create_table(
        "parcels",
        sa.Column("migration", words(), primary_key=True),
        sa.Column("repository", words(), primary_key=True),
        sa.Column("commit_id", words(), primary_key=True),
        sa.Column("base", words(), nullable=False),
        sa.Column("pack", sa.LargeBinary),
        sa.Column("at", Instant, nullable=False),
    )
