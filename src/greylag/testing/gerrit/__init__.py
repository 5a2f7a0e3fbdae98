"""A strict Gerrit-shaped server for tests: pushes for review, patch sets, votes, submits, faults."""

from greylag.testing.gerrit.hub import GerritHub
from greylag.testing.gerrit.server import GerritServer

__all__ = ["GerritHub", "GerritServer"]
