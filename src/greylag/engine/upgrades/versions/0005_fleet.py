"""What a fleet of many repositories needs beyond one of a few."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Tables and columns, each by a line of its own."""
