"""A dbt project, parsed and built by dbt itself on DuckDB, before and after: what a rewrite must not break.

dbt runs in a process of its own, in a temporary copy, without network and without our environment. A project
that dbt cannot take here even as it was (another adapter's macros, packages that are not installed,
environment variables) is inconclusive, never failed.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import duckdb
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greylag.domain.check import Check, CheckStatus
from greylag.workspace.command import run_command

Command = Literal["parse", "build"]
_LARGE = 5_000_000
_QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "DBT_VERSION_CHECK": "false"}
_SKIPPED = frozenset({"target", "logs", ".git"})


def dbt_installed() -> bool:
    """Can dbt and its DuckDB adapter be imported?"""
    try:
        return bool(importlib.util.find_spec("dbt.cli")) and bool(
            importlib.util.find_spec("dbt.adapters.duckdb")
        )
    except ModuleNotFoundError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPair:
    """The files of a repository before and after (path to text), and the folder of one dbt project in it."""

    root: str
    before: Mapping[str, str]
    after: Mapping[str, str]


def check_dbt_parse(pair: ProjectPair, *, timeout: float = 120) -> Check:
    """Does dbt still read the project? `passed`, `failed`, or `inconclusive` where it could not before.

    `errored` when dbt was stopped for time. `timeout` is for each of at most two runs, in seconds.
    """
    why = _why_not(pair, "parse")
    if why is not None:
        return _said("dbt-parse", CheckStatus.INCONCLUSIVE, why)
    with tempfile.TemporaryDirectory(prefix="greylag-dbt-") as folder:
        after = _run(pair, pair.after, Path(folder) / "after", "parse", timeout, "")
        if after.ok:
            return _said("dbt-parse", CheckStatus.PASSED, "dbt parses the project")
        before = _run(pair, pair.before, Path(folder) / "before", "parse", timeout, "")
    return _judged("dbt-parse", before, after)


def check_dbt_build(pair: ProjectPair, *, old_data: str, new_data: str, timeout: float = 300) -> Check:
    """Build both versions with dbt and compare every table that they make, as bags of rows.

    `old_data` and `new_data` are SQL (DuckDB's) that fill the database before each build: what the project's
    sources name, the replaced datasets as views over the new ones in `old_data`. Data tests are not run: they
    speak of real data. `timeout` is for each of at most three runs: where tables differ, the old version is
    built once more, and what differs from itself does not count.
    """
    why = _why_not(pair, "build")
    if why is not None:
        return _said("dbt-build", CheckStatus.INCONCLUSIVE, why)
    with tempfile.TemporaryDirectory(prefix="greylag-dbt-") as folder:
        before = _run(pair, pair.before, Path(folder) / "before", "build", timeout, old_data)
        if not before.ok:
            return _judged("dbt-build", before, before)
        after = _run(pair, pair.after, Path(folder) / "after", "build", timeout, new_data)
        if not after.ok:
            return _judged("dbt-build", before, after)
        old, new = (_tables(run.database) for run in (before, after))
        differing = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        differing = [
            name for name in differing if name in old and (name in new or not _is_given(name, old_data))
        ]
        if differing:
            again = _run(pair, pair.before, Path(folder) / "again", "build", timeout, old_data)
            second = _tables(again.database) if again.ok else {}
            differing = [name for name in differing if second.get(name) == old[name]]
    if differing:
        return _said("dbt-build", CheckStatus.FAILED, f"dbt builds other rows: {', '.join(differing[:5])}")
    rows = sum(sum(table.rows.values()) for table in old.values())
    return _said("dbt-build", CheckStatus.PASSED, f"dbt builds the same {len(old)} tables, {rows} rows")


# -- whether ------------------------------------------------------------------------------------------------


def _why_not(pair: ProjectPair, command: Command) -> str | None:
    if not dbt_installed():
        return "dbt with its DuckDB adapter is not installed"
    files = pair.after
    inside = [path for path in files if _below(path, pair.root) is not None]
    for name in ("packages.yml", "dependencies.yml"):
        listed = _loaded(files.get(str(PurePosixPath(pair.root) / name), "")).get("packages")
        if listed and not any("dbt_packages/" in path for path in inside):
            return f"the project needs packages ({name}), which are not fetched"
    if command == "build" and any(path.endswith(".py") and "/models/" in f"/{path}" for path in inside):
        return "the project has Python models, which are not run"
    if sum(len(files[path]) for path in inside) > _LARGE:
        return "the project is too large to be copied"
    return None


def _below(path: str, root: str) -> str | None:
    """The path inside the project; None for what is outside, or made by dbt."""
    try:
        inside = PurePosixPath(path).relative_to(root) if root != "." else PurePosixPath(path)
    except ValueError:
        return None
    safe = not inside.is_absolute() and ".." not in inside.parts
    return str(inside) if safe and not _SKIPPED & set(inside.parts[:1]) else None


def _loaded(text: str) -> Mapping[str, Any]:
    try:
        data = YAML(typ="safe").load(text)
    except (YAMLError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


# -- running ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    ok: bool
    faults: tuple[str, ...]
    database: Path
    timed_out: bool = False


def _run(
    pair: ProjectPair, files: Mapping[str, str], folder: Path, command: Command, timeout: float, data: str
) -> _Ran:
    project = folder / "project"
    for path in files:
        inside = _below(path, pair.root)
        if inside is not None:
            target = project / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[path].encode())
    database = folder / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        if data:
            connection.execute(data)
    settings = _loaded(files.get(str(PurePosixPath(pair.root) / "dbt_project.yml"), ""))
    _write_profile(folder, str(settings.get("profile") or "default"), database)
    paths = ["--project-dir", str(project), "--profiles-dir", str(folder)]
    flags = ["--quiet", "--no-partial-parse", "--target-path", str(folder / "target")]
    if command == "build":
        flags += ["--exclude-resource-type", "test"]
    ran = run_command(
        [sys.executable, "-m", "greylag.verify.dbt_worker", command, *paths, *flags],
        cwd=folder,
        timeout=timeout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": ":".join(sys.path), **_QUIET},
    )
    if ran.timed_out:
        return _Ran(ok=False, faults=("dbt ran out of time",), database=database, timed_out=True)
    try:
        said = json.loads(ran.output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return _Ran(ok=False, faults=(ran.output.strip()[-300:] or "dbt said nothing",), database=database)
    faults = tuple(" ".join(str(fault).split())[:300] for fault in said["faults"])
    return _Ran(ok=bool(said["ok"]), faults=faults, database=database)


def _write_profile(folder: Path, name: str, database: Path) -> None:
    output: dict[str, object] = {"type": "duckdb", "path": str(database), "threads": 1}
    profile = {name: {"target": "dev", "outputs": {"dev": output}}}
    (folder / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")  # JSON is YAML


# -- judging ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Table:
    columns: tuple[str, ...]
    rows: Counter[tuple[str, ...]]


def _tables(database: Path) -> dict[str, _Table]:
    """Every table and view of the database, by schema and name."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return dict(_read(connection))


def _read(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, _Table]]:
    names = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"
    ).fetchall()
    for schema, name in names:
        found = connection.execute(f'SELECT * FROM "{schema}"."{name}"')
        columns = tuple(one[0] for one in found.description or ())
        rows = Counter(tuple(map(repr, row)) for row in found.fetchall())
        yield f"{schema}.{name}", _Table(columns, rows)


def _is_given(name: str, data: str) -> bool:
    """Was the table there before the build? Then only the old version needs it."""
    return name.rsplit(".", 1)[-1].lower() in data.lower()


def _judged(verifier: str, before: _Ran, after: _Ran) -> Check:
    if after.timed_out or before.timed_out:
        return _said(verifier, CheckStatus.ERRORED, "dbt ran out of time")
    if not before.ok:
        why = before.faults[0] if before.faults else "it gave no reason"
        return _said(verifier, CheckStatus.INCONCLUSIVE, f"dbt cannot take the project here as it was: {why}")
    why = after.faults[0] if after.faults else "it gave no reason"
    return _said(verifier, CheckStatus.FAILED, f"dbt refuses the new version: {why}")


def _said(verifier: str, status: CheckStatus, summary: str) -> Check:
    return Check(verifier=verifier, status=status, summary=summary)
