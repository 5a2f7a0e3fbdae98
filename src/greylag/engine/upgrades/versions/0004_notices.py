"""What people were told, so that nobody is told twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from greylag.engine.tables import Instant, words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """One table more."""
    op.create_table(
        "notices",
        sa.Column("migration", words(), primary_key=True),
        sa.Column("key", words(), primary_key=True),
        sa.Column("recipient", words(), primary_key=True),
        sa.Column("kind", words(), nullable=False),
        sa.Column("text", words(), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("claimed_at", Instant),
        sa.Column("sent_at", Instant),
    )
