"""How good drafted mappings are: guesses that hold on rows that were not looked at, and columns found."""

from __future__ import annotations

from collections.abc import Iterable
from time import process_time

import duckdb

from bench.draft_pairs import PAIRS, Pair
from bench.figure import Figure
from greylag.domain.dataset import DatasetRef
from greylag.schema import Data, Draft, draft, find_table, tables_of


def run() -> Iterable[Figure]:
    """Precision and recall over all pairs, from rows and from names alone."""
    for how in ("rows", "names"):
        right = wrong = wanted = 0
        began = process_time()
        for pair in PAIRS:
            made = drafted(pair, with_rows=how == "rows")
            good, bad = judged(pair, made)
            right, wrong, wanted = right + len(good), wrong + len(bad), wanted + len(pair.answers)
        spent = (process_time() - began) / len(PAIRS)
        precision = 100 * right / max(right + wrong, 1)
        note = f"{right} right, {wrong} wrong, {wanted} wanted, {spent:.1f} CPU s a pair"
        bound = 0 if how == "rows" else None
        yield Figure(name=f"draft from {how}: wrong guesses", value=100 - precision, unit="%", target=bound)
        yield Figure(name=f"draft from {how}: columns found", value=100 * right / wanted, unit="%", note=note)


def connect(pair: Pair, seed: int) -> duckdb.DuckDBPyConnection:
    """A database in memory with the rows of one seed."""
    connection = duckdb.connect()
    connection.execute(pair.script(seed))
    return connection


def drafted(pair: Pair, *, with_rows: bool, seed: int = 1) -> Draft:
    """The draft of a pair."""
    with connect(pair, seed) as connection:
        tables = tuple(tables_of(connection))
        old = find_table(tables, DatasetRef.parse(pair.old))
        new = [find_table(tables, DatasetRef.parse(name)) for name in pair.new]
        assert old is not None
        found = [table for table in new if table is not None]
        return draft(old, found, "duckdb", Data(connection) if with_rows else None)


def judged(pair: Pair, made: Draft, seed: int = 2) -> tuple[set[str], set[str]]:
    """The guesses that give the old column on rows of another seed, and those that do not."""
    sql = made.sql()
    if sql is None:
        return set(), set()
    right: set[str] = set()
    with connect(pair, seed) as connection:
        for guess in made.guesses:
            name = f'"{guess.column}"'
            old, new = f"SELECT {name} FROM {pair.old}", f"SELECT {name} FROM ({sql})"
            both = f"(({old}) EXCEPT ALL ({new})) UNION ALL (({new}) EXCEPT ALL ({old}))"
            (different,) = connection.execute(f"SELECT count(*) FROM ({both})").fetchone() or (1,)
            if different == 0:
                right.add(guess.column)
    return right, {guess.column for guess in made.guesses} - right
