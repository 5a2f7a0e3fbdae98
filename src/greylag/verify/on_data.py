"""Comparing two relations inside a warehouse: as bags of rows, or row by row over a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from greylag.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A SELECT in parentheses or a table's name, in the warehouse's dialect; `types` of known columns."""

    sql: str
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedDifference:
    """Rows that meet over a key, rows that do not, and the rows that meet but differ, by column."""

    matched: int
    only_old: int
    only_new: int
    different: Mapping[str, int]


def count_rows(warehouse: Warehouse, relation: Relation) -> int:
    """How many rows a relation has."""
    ((count,),) = warehouse.rows(f"SELECT COUNT(*) FROM {relation.sql} AS counted").rows
    return int(str(count))


def bag_difference(
    warehouse: Warehouse, old: Relation, new: Relation, columns: Sequence[str]
) -> tuple[int, int]:
    """How many rows (over these columns) each side has that the other has too few of."""
    grouped = _sides(warehouse, old, new, columns)
    query = (
        f"{grouped} SELECT SUM(CASE WHEN d > 0 THEN d ELSE 0 END), SUM(CASE WHEN d < 0 THEN -d ELSE 0 END) "
        "FROM differing"
    )
    ((only_old, only_new),) = warehouse.rows(query).rows
    return int(str(only_old or 0)), int(str(only_new or 0))


def differing_rows(
    warehouse: Warehouse, old: Relation, new: Relation, columns: Sequence[str], limit: int
) -> tuple[tuple[tuple[object, ...], int], ...]:
    """Some rows that one side has too few of, with how many more the old side (negative: the new) has."""
    query = f"{_sides(warehouse, old, new, columns)} SELECT * FROM differing LIMIT {limit}"
    return tuple((tuple(row[:-1]), int(str(row[-1]))) for row in warehouse.rows(query).rows)


def _sides(warehouse: Warehouse, old: Relation, new: Relation, columns: Sequence[str]) -> str:
    dialect = warehouse.dialect
    names = [f"c{number}" for number in range(len(columns))]
    listed = ", ".join(names)

    def side(relation: Relation, sign: int) -> str:
        values = ", ".join(
            f"{_groupable(column, relation, dialect)} AS {name}"
            for column, name in zip(columns, names, strict=True)
        )
        return f"SELECT {values}, {sign} AS side FROM {relation.sql} AS t"

    return (
        f"WITH sides AS ({side(old, 1)} UNION ALL {side(new, -1)}), "
        f"differing AS (SELECT {listed}, SUM(side) AS d FROM sides GROUP BY {listed} HAVING SUM(side) <> 0)"
    )


def keyed_difference(
    warehouse: Warehouse, old: Relation, new: Relation, key: Sequence[str], columns: Sequence[str]
) -> KeyedDifference:
    """Rows compared over a key that is unique on both sides."""
    dialect = warehouse.dialect
    on = " AND ".join(f"o.{quoted(name, dialect)} = n.{quoted(name, dialect)}" for name in key)
    sums = "".join(
        f", SUM(CASE WHEN {_groupable(name, old, dialect, 'o')} IS DISTINCT FROM "
        f"{_groupable(name, new, dialect, 'n')} THEN 1 ELSE 0 END)"
        for name in columns
    )
    query = f"SELECT COUNT(*){sums} FROM {old.sql} AS o JOIN {new.sql} AS n ON {on}"
    ((matched, *different),) = warehouse.rows(query).rows
    met = int(str(matched))
    return KeyedDifference(
        matched=met,
        only_old=count_rows(warehouse, old) - met,
        only_new=count_rows(warehouse, new) - met,
        different={name: int(str(value or 0)) for name, value in zip(columns, different, strict=True)},
    )


def is_unique(warehouse: Warehouse, relation: Relation, key: Sequence[str]) -> bool:
    """Does the key tell the rows of a relation apart, without NULLs in it?"""
    listed = ", ".join(quoted(name, warehouse.dialect) for name in key)
    nulls = " OR ".join(f"{quoted(name, warehouse.dialect)} IS NULL" for name in key)
    query = (
        f"SELECT (SELECT COUNT(*) FROM {relation.sql} AS a), "
        f"(SELECT COUNT(*) FROM (SELECT DISTINCT {listed} FROM {relation.sql} AS b) AS c), "
        f"(SELECT COUNT(*) FROM {relation.sql} AS d WHERE {nulls})"
    )
    ((rows, distinct, empty),) = warehouse.rows(query).rows
    return rows == distinct and not empty


_HASH = {
    "duckdb": "hash(CAST({0} AS VARCHAR))",
    "postgres": "abs(hashtext(CAST({0} AS text))::bigint)",
    "bigquery": "ABS(MOD(FARM_FINGERPRINT(CAST({0} AS STRING)), 1000000007))",
    "snowflake": "ABS(HASH(CAST({0} AS VARCHAR)))",
}


def sampled(warehouse: Warehouse, relation: Relation, key: Sequence[str], one_in: int) -> Relation:
    """The rows whose key falls into one of `one_in` classes: the same classes on both sides."""
    name = quoted(key[0], warehouse.dialect)
    test = f"MOD({_HASH[warehouse.dialect].format(name)}, {one_in}) = 0"
    return Relation(sql=f"(SELECT * FROM {relation.sql} AS s WHERE {test})", types=relation.types)


def quoted(name: str, dialect: str) -> str:
    """A column as the warehouse spells it."""
    if dialect == "snowflake":
        return name  # its names have no case unless they were made with quotes
    return exp.to_identifier(name, quoted=True).sql(dialect=dialect)


def _groupable(name: str, relation: Relation, dialect: str, alias: str = "t") -> str:
    """The column as something that can be grouped and compared."""
    text = f"{alias}.{quoted(name, dialect)}"
    kind = relation.types.get(name, "").lower()
    if dialect == "bigquery":
        return f"TO_JSON_STRING({text})"
    if dialect == "postgres" and kind in {"json", "xml", "point", "box", "polygon", "path", "circle", "line"}:
        return f"CAST({text} AS text)"
    return text
