"""Runs the pipelines of a repository at a commit, on the demo's warehouse."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb
from ruamel.yaml import YAML
from sqlglot.errors import SqlglotError

from greylag.demo.dbt_projects import DbtProjects, DbtResult
from greylag.demo.script import ScriptRun, checks_failed
from greylag.demo.warehouse import Warehouse
from greylag.workspace import Repository, write_atomic


class PipelineError(Exception):
    """A pipeline that failed, with what its log would say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a repository's pipelines. `tables` are the tables that it wrote into its schema."""

    repository: str
    commit: str
    ok: bool
    tables: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to run: a repository at a commit; whether it may still see the old datasets; into which schema."""

    repository: str
    path: Path
    commit: str
    with_old: bool
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Script:
    """One pipeline: its destination, where its SQL comes from, and its own checks."""

    name: str
    sql: Callable[[], str]
    checks: Mapping[str, object] = field(default_factory=dict)


class PipelineRunner:
    """Runs pipelines. `dbt` is None when dbt is not installed: such projects are then not run."""

    def __init__(self, warehouse: Warehouse, scratch: Path, dbt: DbtProjects | None) -> None:
        self._warehouse = warehouse
        self._scratch = scratch
        self._dbt = dbt

    def run(self, jobs: Iterable[Job], *, done: Callable[[Run], None] = lambda run: None) -> dict[str, Run]:
        """Run them all; `done` hears of each as it ends. dbt projects run beside the others."""
        runs: dict[str, Run] = {}

        def ended(run: Run) -> None:
            runs[run.repository] = run
            done(run)

        plain: list[Job] = []
        waiting: list[tuple[Job, Path, Future[DbtResult]]] = []
        for job in jobs:
            if not is_dbt(Repository.open(job.path), job.commit):
                plain.append(job)
            elif self._dbt is not None:
                waiting.append((job, *self._start_dbt(job, self._dbt)))
        for job in plain:
            ended(self._run_plain(job))
        for job, out, future in waiting:
            ended(self._finish_dbt(job, out, future.result()))
        return runs

    def _run_plain(self, job: Job) -> Run:
        repository = Repository.open(job.path)
        with self._warehouse.session(with_old=job.with_old) as connection:
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{job.schema}"')
            written: list[str] = []
            faults: list[str] = []
            for script_of in self._scripts(repository, job.commit):
                script = ScriptRun(
                    connection=connection.cursor(),
                    schema=job.schema,
                    prefix=f"{job.repository}__",
                    name=script_of.name,
                )
                try:
                    _run_script(script, script_of)
                except (duckdb.Error, SqlglotError, PipelineError) as error:
                    faults.append(f"{script_of.name}: {_first_line(error)}")
                written += script.written
        return Run(
            repository=job.repository,
            commit=job.commit,
            ok=not faults,
            tables=tuple(sorted(set(written))),
            error="; ".join(faults) or None,
        )

    def _scripts(self, repository: Repository, commit: str) -> Iterator[_Script]:
        """Every script of a repository: its SQL files, then what its programs print."""
        yield from _queries(repository, commit)
        programs = [path for path in repository.files(commit) if _is_program(path)]
        if not programs:
            return
        with tempfile.TemporaryDirectory(prefix="jobs-", dir=self._scratch) as folder:
            checkout = Path(folder) / "project"
            repository.checkout(commit, checkout)
            for path in programs:
                name = "rendered" if path == "render.py" else PurePosixPath(path).stem
                yield _Script(name=name, sql=partial(_printed, checkout / path))

    def _start_dbt(self, job: Job, dbt: DbtProjects) -> tuple[Path, Future[DbtResult]]:
        folder = Path(tempfile.mkdtemp(prefix="dbt-", dir=self._scratch))
        Repository.open(job.path).checkout(job.commit, folder / "project")
        out = self._warehouse.out.parent / job.schema / f"{job.repository}.duckdb"
        out.parent.mkdir(exist_ok=True)
        return out, dbt.build(folder / "project", out=out, prod=self._warehouse.source(with_old=job.with_old))

    def _finish_dbt(self, job: Job, out: Path, result: DbtResult) -> Run:
        tables: list[str] = []
        if result.ok:
            with self._warehouse.session(with_old=job.with_old) as connection:
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{job.schema}"')
                connection.execute(f"ATTACH '{out}' AS \"{job.repository}\" (READ_ONLY)")
                for model in result.models:
                    table = f"{job.repository}__{model}"
                    connection.execute(
                        f'CREATE OR REPLACE TABLE "{job.schema}"."{table}" AS '
                        f'SELECT * FROM "{job.repository}".main."{model}"'
                    )
                    tables.append(table)
        return Run(
            repository=job.repository,
            commit=job.commit,
            ok=result.ok,
            tables=tuple(tables),
            error=result.error,
        )


def is_dbt(repository: Repository, commit: str) -> bool:
    """Whether a repository is a dbt project."""
    return repository.find(commit, "dbt_project.yml") is not None


def keep_dbt_state(warehouse: Warehouse, source: str, target: str) -> None:
    """Let dbt projects of the run `target` go on from the tables of the run `source`, as a schedule would."""
    before = warehouse.out.parent / source
    if before.is_dir():
        shutil.copytree(before, warehouse.out.parent / target, dirs_exist_ok=True)


def write_status(folder: Path, run: Run, finished_at: datetime, *, cron: str) -> None:
    """Write `<folder>/<repository>.json`: a pipeline's last run, and when it runs next."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "repository": run.repository,
        "commit": run.commit,
        "status": "success" if run.ok else "failed",
        "finished_at": finished_at.isoformat(),
        "detail": run.error or f"wrote {len(run.tables)} tables",
        "schedule": cron,
    }
    write_atomic(folder / f"{run.repository}.json", (json.dumps(document, indent=1) + "\n").encode())


def _run_script(script: ScriptRun, said: _Script) -> None:
    sql = said.sql()
    script.run(sql)
    fault = checks_failed(said.checks, sql)
    if fault is not None:
        raise PipelineError(fault)


def _queries(repository: Repository, commit: str) -> Iterator[_Script]:
    """The SQL files of a repository, each with its pipeline's own checks."""
    files = repository.files(commit)
    for path in files:
        if PurePosixPath(path).name != "query.sql":
            continue
        folder = PurePosixPath(path).parent
        metadata = str(folder / "metadata.yaml")
        said: Mapping[str, Any] = {}
        if metadata in files:
            said = YAML(typ="safe").load(io.BytesIO(repository.read(commit, metadata))) or {}
        text = repository.read(commit, path).decode()
        yield _Script(name=folder.name, sql=partial(str, text), checks=said.get("checks") or {})


def _is_program(path: str) -> bool:
    """Whether a file is a program that prints tonight's SQL."""
    return path == "render.py" or (path.startswith("jobs/") and path.endswith(".py"))


def _printed(program: Path) -> str:
    """The SQL that a repository's own program prints."""
    done = subprocess.run(
        [sys.executable, "-I", str(program)], capture_output=True, timeout=60, check=False, text=True
    )
    if done.returncode != 0:
        raise PipelineError(done.stderr.strip().splitlines()[-1])
    return done.stdout


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
