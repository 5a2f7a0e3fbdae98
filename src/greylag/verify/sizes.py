"""How many rows the tables may have, so that joining them stays small whatever machine does it."""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.model import SelectInfo
from greylag.verify.resolve import Model

_MOST = 1_000_000
_SIZES = (300, 200, 120, 80, 50, 35, 25, 18, 12, 8, 6, 4)


def row_cap(models: list[Model], spread: int) -> int:
    """The most rows a table may have for every SELECT to join at most about a million combinations.

    `spread` is the number of distinct values in a column.
    """
    shapes = {_shape(select, model) for model in models for select in model.selects}
    for size in _SIZES:
        if all(_combinations(size, spread, *shape) <= _MOST for shape in shapes):
            return size
    return _SIZES[-1]


def _combinations(size: int, spread: int, sources: int, groups: int) -> float:
    """Sources that equalities tie together give fewer combinations than sources that are only listed."""
    return float(size) ** groups * max(1.0, size / spread) ** (sources - groups)


def _shape(select: SelectInfo, model: Model) -> tuple[int, int]:
    """How many sources a SELECT joins, and into how many groups equalities tie them."""
    sources = [source for source in select.sources.values() if source.unnest is None]
    group = {id(source): number for number, source in enumerate(sources)}

    def tie(one: int, other: int) -> None:
        old, new = group[one], group[other]
        for key, number in group.items():
            group[key] = new if number == old else number

    for column_ids in _equalities(select, model):
        known = [identity for identity in column_ids if identity in group]
        for other in known[1:]:
            tie(known[0], other)
    for join in select.node.args.get("joins") or []:
        if join.args.get("using") or join.method:
            for source in sources[1:]:
                tie(id(sources[0]), id(source))
    return len(sources), len(set(group.values()))


def _equalities(select: SelectInfo, model: Model) -> list[list[int]]:
    """The sources that each equality of the SELECT looks at."""
    found: list[list[int]] = []
    for equal in select.node.find_all(exp.EQ):
        if equal.find_ancestor(exp.Select) is not select.node or equal.find_ancestor(exp.Or) is not None:
            continue
        refs = [model.refs.get(id(column)) for column in equal.find_all(exp.Column)]
        found.append([id(ref.source) for ref in refs if ref is not None and ref.source is not None])
    return found
