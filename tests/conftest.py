"""What tests of several packages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.postgresql import Server, serve


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One PostgreSQL for all tests of a process; who stops it starts it again."""
    with serve() as made:
        yield made
