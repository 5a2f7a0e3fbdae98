"""The tables of version 1. Never run: who has version 1 has them, and new databases are made whole."""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing to do."""
