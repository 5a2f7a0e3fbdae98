"""Bags of rows: what counts as equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from greylag.verify.compare import freeze_rows, same_bag, same_order, shape_difference
from greylag.verify.execute import Result
from greylag.verify.ordering import blocks_of

NAN = float("nan")
NOON = datetime(2024, 5, 1, 12)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ([(1,), (2,)], [(2,), (1,)], True),
        ([(1,), (1,)], [(1,)], False),
        ([(1,), (1,), (2,)], [(1,), (2,), (2,)], False),
        ([(None,)], [(None,)], True),
        ([(None,)], [(0,)], False),
        ([(NAN,)], [(float("nan"),)], True),
        ([(NAN,)], [(None,)], False),
        ([(0.0,)], [(-0.0,)], True),
        ([(0.1 + 0.2,)], [(0.3,)], True),
        ([(0.1 + 0.2, "a")], [(0.3, "b")], False),
        ([(1.000001,)], [(1.000002,)], False),
        ([(Decimal("1.10"),)], [(Decimal("1.1"),)], True),
        ([("",)], [(None,)], False),
        ([("a",)], [("A",)], False),
        ([([1, 2],)], [([2, 1],)], False),
        ([({"a": 1, "b": None},)], [({"a": 1, "b": None},)], True),
        ([({"a": 1},)], [({"b": 1},)], False),
        ([(NOON.replace(tzinfo=UTC),)], [(NOON.astimezone(timezone(timedelta(hours=2))),)], False),
        ([(True,)], [(False,)], False),
    ],
)
def test_bags(old: list[tuple[object, ...]], new: list[tuple[object, ...]], same: bool) -> None:
    if isinstance(new[0][0], datetime):
        same = new[0][0].astimezone(UTC) == old[0][0]
    assert same_bag(freeze_rows(old), freeze_rows(new)) is same


def test_order_counts_up_to_ties() -> None:
    blocks = blocks_of([("a", 1), ("b", 1), ("c", 2)], 1)
    assert blocks == [[("a",), ("b",)], [("c",)]]
    assert same_order(blocks, [("b",), ("a",), ("c",)])
    assert not same_order(blocks, [("a",), ("c",), ("b",)])
    assert not same_order(blocks, [("a",), ("b",)])


def result(columns: tuple[str, ...], types: tuple[str, ...]) -> Result:
    return Result(columns=columns, types=types, rows=[])


@pytest.mark.parametrize(
    ("old", "new", "dialect", "word"),
    [
        ((("a",), ("BIGINT",)), (("b",), ("BIGINT",)), "duckdb", "called"),
        ((("a",), ("BIGINT",)), (("a",), ("VARCHAR",)), "duckdb", "type"),
        ((("a",), ("BIGINT",)), (("a",), ("INTEGER",)), "duckdb", "type"),
        ((("a",), ("BIGINT",)), (("a",), ("INTEGER",)), "bigquery", None),
        ((("a",), ("BIGINT",)), (("A",), ("BIGINT",)), "bigquery", None),
        ((("a", "b"), ("BIGINT", "BIGINT")), (("a",), ("BIGINT",)), "bigquery", "columns became"),
        ((("a",), ("BIGINT[]",)), (("a",), ("DOUBLE[]",)), "bigquery", "type"),
    ],
)
def test_shapes(
    old: tuple[tuple[str, ...], tuple[str, ...]],
    new: tuple[tuple[str, ...], tuple[str, ...]],
    dialect: str,
    word: str | None,
) -> None:
    reason = shape_difference(result(*old), result(*new), dialect, names=True)
    assert (reason is None) if word is None else (reason is not None and word in reason)
