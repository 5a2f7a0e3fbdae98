"""Generated tables in Spark's own SQL: new datasets full of what the mapping and the program tell apart."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Mapping, Provided
from greylag.verify.spark_literals import Pools

_INTEGERS = {
    exp.DType.TINYINT: 127, exp.DType.SMALLINT: 32767, exp.DType.INT: 2**31 - 1, exp.DType.BIGINT: 2**63 - 1,
}  # fmt: skip
_TEXTS = {exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.CHAR}
_TIMES = {
    exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPLTZ,
    exp.DType.DATETIME,
}  # fmt: skip
_DAY = date(2024, 1, 15)
_NOISE = ("k1", "k2", "k3", "k4", "k5", "K1", "")


class NoTable(Exception):
    """A table that cannot be generated; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round's tables (CREATE OR REPLACE VIEW statements), and the same with rows in another order."""

    tables: tuple[str, ...]
    shuffled: tuple[str, ...]


def rounds(migration: CompiledMigration, known: Pools, seed: int, count: int) -> list[Round]:
    """Tables without rows, then many small sets of rows. Raises NoTable for types that are not known here."""
    made = [_round(migration, known, random.Random(f"{seed}:0"), 0)]
    for number in range(1, count):
        rng = random.Random(f"{seed}:{number}")
        made.append(_round(migration, known, rng, 5 if number == count - 1 else 60))
    return made


def _round(migration: CompiledMigration, known: Pools, rng: random.Random, count: int) -> Round:
    plain: list[str] = []
    shuffled: list[str] = []
    for provided in migration.provides:
        rows = _rows(provided, known, rng, count)
        plain.append(_view(provided, rows))
        shuffled.append(_view(provided, rng.sample(rows, len(rows))))
    return Round(tables=tuple(plain), shuffled=tuple(shuffled))


def _rows(provided: Provided, known: Pools, rng: random.Random, count: int) -> list[tuple[str, ...]]:
    if not provided.columns:
        raise NoTable(f"{provided.dataset} has no columns under `provides`: declare them")
    types = {name: _type(kind) for name, kind in provided.columns.items()}
    keys = [tuple(name.casefold() for name in key) for key in provided.unique]
    fixed = {name for key in keys for name in key}
    rows: list[tuple[str, ...]] = []
    seen: set[tuple[object, ...]] = set()
    for _ in range(count):
        likely = rng.random() < 0.5
        row = {
            name.casefold(): value(
                kind, name, known, rng, likely=likely, nulls=0 if name.casefold() in fixed else 0.12
            )
            for name, kind in types.items()
        }
        marks = {(key, *(row.get(name) for name in key)) for key in keys}
        if marks & seen:
            continue
        seen |= marks
        rows.append(tuple(row.values()))
        if not keys and rng.random() < 0.2:
            rows.append(rows[-1])
    return rows


def _type(text: str) -> exp.DataType:
    try:
        kind = exp.DataType.build(text, dialect="spark")
    except (SqlglotError, ValueError):
        raise NoTable(f"the type {text} is not known in Spark") from None
    return kind


def value(
    kind: exp.DataType,
    name: str,
    known: Pools,
    rng: random.Random,
    *,
    likely: bool = False,
    nulls: float = 0.12,
) -> str:
    """An expression of Spark SQL of the type. `likely`: what a condition asks for, where one does."""
    if rng.random() < (nulls / 4 if likely else nulls):
        return f"CAST(NULL AS {kind.sql('spark')})"
    if kind.this is exp.DType.STRUCT:
        fields = []
        for part in kind.expressions:
            if not isinstance(part, exp.ColumnDef) or part.kind is None:
                raise NoTable(f"the type {kind.sql('spark')} is not understood")
            inner = value(part.kind, part.name, known, rng, likely=likely)
            fields.append(f"{_text(part.name)}, {inner}")
        return f"CAST(named_struct({', '.join(fields)}) AS {kind.sql('spark')})"
    if kind.this is exp.DType.ARRAY:
        items = [value(kind.expressions[0], name, known, rng) for _ in range(rng.randrange(4))]
        return f"CAST(array({', '.join(items)}) AS {kind.sql('spark')})"
    if kind.this is exp.DType.MAP:
        key, held = kind.expressions
        pairs = [f"{_text(str(n))}, {value(held, name, known, rng)}" for n in range(rng.randrange(3))]
        return f"CAST(map({', '.join(pairs)}) AS MAP<{key.sql('spark')}, {held.sql('spark')}>)"
    hints = [*dict.fromkeys(_fitting(kind, known.hints.get(name.casefold(), [])))]
    common = _fitting(kind, known.common)
    chosen = _choice(kind, hints, common, rng, likely)
    return f"CAST({chosen} AS {kind.sql('spark')})"


def _choice(kind: exp.DataType, hints: list[str], common: list[str], rng: random.Random, likely: bool) -> str:
    if hints and (likely or rng.random() < 0.6):
        return rng.choice(hints[:6] if likely else hints)
    if common and rng.random() < 0.4:
        return rng.choice(common)
    return _noise(kind, rng)


def _fitting(kind: exp.DataType, said: list[str]) -> list[str]:
    """The literals that are values of the type, numbers and days with those beside them."""
    if kind.this in _TEXTS:
        return [_text(one) for one in said]
    if kind.this in _INTEGERS or kind.is_type(*exp.DataType.REAL_TYPES):
        top = _INTEGERS.get(kind.this)
        numbers = [number for one in said if (number := _number(one)) is not None]
        near = [number + step for step in (0, 1, -1) for number in numbers]
        return [str(one) for one in near if top is None or (one == int(one) and abs(one) <= top)]
    if kind.this is exp.DType.DATE or kind.this in _TIMES:
        days = [day for one in said if (day := _date(one)) is not None]
        return [f"'{day + timedelta(step)}'" for step in (0, 1, -1) for day in days]
    return []


def _number(text: str) -> Decimal | None:
    try:
        made = Decimal(text)
    except InvalidOperation:
        return None
    return made if made.is_finite() and abs(made) < 10**18 else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _noise(kind: exp.DataType, rng: random.Random) -> str:
    if kind.this in _TEXTS:
        return _text(rng.choice(_NOISE))
    if kind.this in _INTEGERS:
        return str(rng.choice((-1, 0, 1, 2, 3, 4, 5, 7)))
    if kind.is_type(*exp.DataType.REAL_TYPES):
        return rng.choice(("-1.5", "0", "0.25", "1", "2.5", "3", "7"))
    if kind.this is exp.DType.BOOLEAN:
        return rng.choice(("true", "false"))
    if kind.this is exp.DType.DATE:
        return f"'{_DAY + timedelta(rng.randrange(-40, 40, 5))}'"
    if kind.this in _TIMES:
        day = _DAY + timedelta(rng.randrange(-40, 40, 5))
        return f"'{day} {rng.choice(('00:00:00', '12:30:00', '23:59:59.5'))}'"
    if kind.this in (exp.DType.BINARY, exp.DType.VARBINARY):
        return rng.choice(("X'00'", "X'FF01'", "X''"))
    raise NoTable(f"values of the type {kind.sql('spark')} are not made here")


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def dataset_name(dataset: DatasetRef) -> str:
    """The name that the dataset has in the local Spark: at most a database and a table."""
    return ".".join(quoted(part) for part in dataset.parts[-2:])


def _view(provided: Provided, rows: list[tuple[str, ...]]) -> str:
    columns = ", ".join(quoted(name) for name in provided.columns)
    if rows:
        body = ", ".join(f"({', '.join(row)})" for row in rows)
        source = f"SELECT * FROM VALUES {body} AS made({columns})"
    else:
        nulls = ", ".join(f"CAST(NULL AS {_type(kind).sql('spark')})" for kind in provided.columns.values())
        source = f"SELECT * FROM VALUES ({nulls}) AS made({columns}) WHERE false"
    return f"CREATE OR REPLACE VIEW {dataset_name(provided.dataset)} AS {source}"


def old_view(mapping: Mapping, query: str) -> str:
    """The old dataset as a view."""
    columns = [name for name in mapping.columns if name in {output.name for output in mapping.outputs}]
    listed = ", ".join(quoted(name) for name in columns) if columns else "*"
    return (
        f"CREATE OR REPLACE VIEW {dataset_name(mapping.dataset)} AS SELECT {listed} FROM ({query}) AS mapped"
    )
