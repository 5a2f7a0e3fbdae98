"""PostgreSQL for benchmarks: the server that the tests start."""

from tests.postgresql import Server, serve
from tests.unit.warehouse.servers import postgres_programs

__all__ = ["Server", "installed", "serve"]


def installed() -> bool:
    """Are its programs here?"""
    return postgres_programs() is not None
