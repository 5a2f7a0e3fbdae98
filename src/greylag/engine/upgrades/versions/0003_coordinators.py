"""Several workers on one database: which process leads each campaign."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from greylag.engine.tables import words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One table more."""
    op.create_table(
        "coordinators",
        sa.Column("migration", words(), primary_key=True),
        sa.Column("executor", words(), nullable=False),
    )
