"""A fleet of any size in three frameworks, from a seed: SQL files, dbt projects, and Airflow DAGs.

Repositories are packed, as they are on a server: one pack and its index are written directly (formats:
https://git-scm.com/docs/gitformat-pack), which takes a millisecond a repository and starts no process. The
same count and seed give the same commits. Every repository reads a replaced dataset of `shop.migration.yaml`
in one to three files, and has others that do not; one in fifty also has a reader that no codemod knows.
"""

from __future__ import annotations

import binascii
import hashlib
import random
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
FRAMEWORKS = ("sql", "dbt", "airflow")
TEAMS = 60
OTHERS = 12
"""Files of a repository that read nothing of the migration's."""
LEFT_EVERY = 50
SECONDS = 1_772_442_000
"""When every repository was committed (2026-03-02 09:00 UTC)."""

REFS = """
ref:
  prod.shop.orders_v1: [{dbt: "source('shop', 'orders_v1')"}]
  prod.shop.orders_v2: [{dbt: "source('shop', 'orders_v2')"}]
  prod.shop.customers_v1: [{dbt: "source('shop', 'customers_v1')"}]
  prod.shop.customers_v2: [{dbt: "source('shop', 'customers_v2')"}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One repository: its name, framework, how many files read a replaced dataset, and its first commit."""

    name: str
    framework: str
    readers: int
    left: bool
    commit: str


def migration_text(rollout: str) -> str:
    """`shop.migration.yaml` with the names that dbt projects use, and a rollout."""
    return (HERE / "shop.migration.yaml").read_text(encoding="utf-8") + REFS + rollout


def make_fleet(root: Path, count: int, seed: int = 20260301, *, others: int = OTHERS) -> tuple[Made, ...]:
    """Write `count` bare repositories below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        rnd = random.Random(f"{seed}/{number}")
        framework = FRAMEWORKS[number % len(FRAMEWORKS)]
        name = f"{framework}-{number:05}"
        readers = rnd.randint(1, 3)
        left = number % LEFT_EVERY == LEFT_EVERY - 1
        files = dict(_files(rnd, framework, number, readers, others))
        if left:
            files["report.R"] = _R.format(number=number)
        commit = write_bare(root / f"{name}.git", {path: text.encode() for path, text in files.items()})
        made.append(Made(name=name, framework=framework, readers=readers, left=left, commit=commit))
    return tuple(made)


def _files(
    rnd: random.Random, framework: str, number: int, readers: int, others: int
) -> Iterator[tuple[str, str]]:
    yield "README.md", f"# Pipelines {number}\n"
    yield "CODEOWNERS", f"* @team-{number % TEAMS:02}\n"
    match framework:
        case "dbt":
            yield "dbt_project.yml", _PROJECT.format(number=number)
            yield "models/sources.yml", _SOURCES
            for index in range(readers):
                text = _query(rnd, number, index)
                yield f"models/marts/reader_{index}.sql", _in_dbt(text)
        case "airflow":
            for index in range(readers):
                text = _query(rnd, number, index)
                yield (
                    f"dags/reader_{index}.py",
                    _DAG.format(number=number, index=index, query=_indented(text)),
                )
        case _:
            for index in range(readers):
                yield f"queries/reader_{index}.sql", _query(rnd, number, index)
    folder, suffix = {"dbt": ("models/other", "sql"), "airflow": ("dags", "py")}.get(
        framework, ("queries", "sql")
    )
    for index in range(others):
        yield f"{folder}/part_{index:02}.{suffix}", _other(rnd, framework, number, index)


def _query(rnd: random.Random, number: int, index: int) -> str:
    shape = rnd.choice(_SHAPES)
    return shape.format(
        number=number,
        index=index,
        country=rnd.choice(("SE", "DE", "FR", "IT", "PT", "NL")),
        total=rnd.randrange(5, 900),
        state=rnd.choice(("open", "shipped", "cancelled")),
        day=f"2025-{rnd.randrange(1, 13):02}-01",
        a=rnd.choice(("o", "src", "t", "ord_")),
    )


def _in_dbt(query: str) -> str:
    for table in ("orders_v1", "customers_v1", "shipments"):
        query = query.replace(f"prod.shop.{table}", f"{{{{ source('shop', '{table}') }}}}")
    return "{{ config(materialized='table') }}\n" + query


def _indented(text: str) -> str:
    return "".join(f"            {line}\n" for line in text.splitlines())


def _other(rnd: random.Random, framework: str, number: int, index: int) -> str:
    columns = ",\n    ".join(
        f"{rnd.choice(_NOUNS)}_{rnd.choice(_NOUNS)}_{i}" for i in range(rnd.randint(3, 14))
    )
    query = (
        f"SELECT\n    {columns}\nFROM lake.{rnd.choice(_NOUNS)}_{number}_{index}\nWHERE day > '2025-01-01'\n"
    )
    if framework != "airflow":
        return query
    return _DAG.format(number=number, index=f"other_{index}", query=_indented(query))


# --- a packed repository -------------------------------------------------------------------------------


def write_bare(path: Path, files: Mapping[str, bytes]) -> str:
    """A bare repository with one commit on main, all objects in one pack; returns the commit."""
    pack = _Pack()
    tree = _tree(pack, files)
    who = f"A <a@example.org> {SECONDS} +0000"
    commit = pack.add(1, f"tree {tree}\nauthor {who}\ncommitter {who}\n\nFirst\n".encode())
    (path / "objects" / "pack").mkdir(parents=True)
    (path / "refs" / "heads").mkdir(parents=True)
    (path / "HEAD").write_bytes(b"ref: refs/heads/main\n")
    (path / "config").write_bytes(
        b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
    )
    (path / "refs" / "heads" / "main").write_bytes(f"{commit}\n".encode())
    data, index, name = pack.written()
    (path / "objects" / "pack" / f"pack-{name}.pack").write_bytes(data)
    (path / "objects" / "pack" / f"pack-{name}.idx").write_bytes(index)
    return commit


class _Pack:
    """Whole objects, none as a difference to another."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 12
        self._known: dict[str, tuple[int, int]] = {}

    def add(self, kind: int, body: bytes) -> str:
        """Add an object (1: commit, 2: tree, 3: blob), once; returns its name."""
        head = f"{('', 'commit', 'tree', 'blob')[kind]} {len(body)}\0".encode()
        name = hashlib.sha1(head + body, usedforsecurity=False).hexdigest()
        if name not in self._known:
            part = _size(kind, len(body)) + zlib.compress(body, 1)
            self._known[name] = (self._at, binascii.crc32(part))
            self._parts.append(part)
            self._at += len(part)
        return name

    def written(self) -> tuple[bytes, bytes, str]:
        """The pack, its index (version 2), and the pack's name."""
        data = struct.pack(">4sLL", b"PACK", 2, len(self._known)) + b"".join(self._parts)
        total = hashlib.sha1(data, usedforsecurity=False).digest()
        names = sorted(self._known)
        firsts = [int(name[:2], 16) for name in names]
        fanout = b"".join(struct.pack(">L", sum(first <= byte for first in firsts)) for byte in range(256))
        index = b"\377tOc" + struct.pack(">L", 2) + fanout
        index += b"".join(bytes.fromhex(name) for name in names)
        index += b"".join(struct.pack(">L", self._known[name][1]) for name in names)
        index += b"".join(struct.pack(">L", self._known[name][0]) for name in names)
        index += total
        return data + total, index + hashlib.sha1(index, usedforsecurity=False).digest(), total.hex()


def _size(kind: int, size: int) -> bytes:
    """An object's type and size, as a pack says them."""
    byte, size = kind << 4 | size & 15, size >> 4
    out = bytearray()
    while size:
        out.append(byte | 128)
        byte, size = size & 127, size >> 7
    out.append(byte)
    return bytes(out)


def _tree(pack: _Pack, files: Mapping[str, bytes]) -> str:
    folders: dict[str, dict[str, bytes]] = {}
    entries: list[tuple[bytes, bytes]] = []
    for path, data in files.items():
        folder, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(folder, {})[rest] = data
        else:
            blob = pack.add(3, data)
            entries.append((path.encode(), b"100644 " + path.encode() + b"\0" + bytes.fromhex(blob)))
    for folder, below in folders.items():
        name = folder.encode()
        entries.append((name + b"/", b"40000 " + name + b"\0" + bytes.fromhex(_tree(pack, below))))
    return pack.add(2, b"".join(entry for _, entry in sorted(entries)))


# --- what stands in the files --------------------------------------------------------------------------

_NOUNS = ("user", "item", "geo", "plan", "device", "event", "day", "total", "revenue", "channel", "basket")

_SHAPES = (
    """-- {number}: customers of {country}
SELECT {a}.customer_id, {a}.name, {a}.segment
FROM prod.shop.customers_v1 AS {a}
WHERE {a}.country = '{country}' AND {a}.customer_id > {index}
""",
    """SELECT
  {a}.order_id,
  {a}.placed_on,  -- the day in local time
  {a}.total
FROM prod.shop.orders_v1 AS {a}
WHERE {a}.total > {total}
  AND {a}.channel = 'web_{number}'
""",
    """SELECT status, COUNT(*) AS orders_{number}, SUM(total) AS revenue
FROM prod.shop.orders_v1
WHERE placed_on >= DATE '{day}'
GROUP BY status
""",
    """WITH big AS (
  SELECT customer_id, SUM(total) AS spent
  FROM prod.shop.orders_v1
  WHERE status = '{state}'
  GROUP BY customer_id
)
SELECT c.name, big.spent
FROM big
JOIN prod.shop.customers_v1 AS c ON c.customer_id = big.customer_id
WHERE big.spent > {total}
""",
    """SELECT s.shipment_id, {a}.order_id, {a}.customer_id
FROM prod.shop.shipments AS s
LEFT JOIN prod.shop.orders_v1 AS {a} ON {a}.order_id = s.order_id AND {a}.channel = 'shop_{number}'
WHERE s.weight > {total}
""",
    """SELECT segment, MAX(balance) AS most_{number}
FROM prod.shop.customers_v1
WHERE country IN ('{country}', 'NO')
GROUP BY segment
HAVING MAX(balance) > {total}
""",
)

_DAG = '''"""Pipeline {number}, part {index}."""

from airflow import DAG
from airflow.providers.google.cloud.operators.bigquery import BigQueryInsertJobOperator

with DAG(dag_id="pipeline_{number}_{index}", schedule="15 3 * * *") as dag:
    build = BigQueryInsertJobOperator(
        task_id="build",
        configuration={{
            "query": {{
                "query": """
{query}                """,
                "useLegacySql": False,
            }}
        }},
    )
'''

_R = """# The numbers of the month, {number}
library(bigrquery)
bq_project_query("reports", "SELECT status, SUM(total) FROM prod.shop.orders_v1 GROUP BY status")
"""

_PROJECT = """name: pipelines_{number}
version: "1.0"
config-version: 2
profile: bigquery
model-paths: [models]
"""


@lru_cache(maxsize=1)
def _sources() -> str:
    tables = "".join(
        f"      - name: {name}\n"
        for name in ("orders_v1", "orders_v2", "customers_v1", "customers_v2", "shipments")
    )
    return (
        f"version: 2\nsources:\n  - name: shop\n    database: prod\n    schema: shop\n    tables:\n{tables}"
    )


_SOURCES = _sources()
