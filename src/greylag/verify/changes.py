"""MERGE, UPDATE and DELETE: compared by what they read and by what the target holds afterwards."""

from __future__ import annotations

from greylag.verify.pairs import Pair
from greylag.verify.prepare import Names
from greylag.verify.program import NotComparable, Statement


def pair_of_change(number: int, one: Statement, other: Statement, names: Names) -> Pair:
    """The statement as a pair of queries over its source."""
    raise NotComparable(f"statement {number} is a {one.node.key.upper()}, which is not compared yet")
