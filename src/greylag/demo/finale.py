"""After the campaign: every pipeline runs once more, and its tables are compared with those from before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from greylag.demo.compare import compare_runs
from greylag.demo.figures import Equality, equality
from greylag.demo.fleet import Kind
from greylag.demo.pipelines import Job, PipelineRunner, Run
from greylag.demo.stage import Stage
from greylag.workspace import Repository

BEFORE, AFTER = "before", "after"


def run_before(stage: Stage, runner: PipelineRunner, done: Callable[[Run], None]) -> dict[str, Run]:
    """Run every pipeline as it stands, on the old datasets; its tables are the reference."""
    return runner.run(_jobs(stage, BEFORE, with_old=stage.paths), done=done)


def run_after(
    stage: Stage,
    runner: PipelineRunner,
    before: Mapping[str, Run],
    *,
    still_old: Iterable[str],
    done: Callable[[Run], None],
) -> Equality:
    """Run every pipeline at its head and compare.

    The old datasets are gone, except for the repositories in `still_old`. dbt projects build from nothing.
    """
    old = frozenset(still_old)
    after = runner.run(_jobs(stage, AFTER, with_old=old), done=done)
    compared = compare_runs(stage.warehouse, before, after, schemas=(BEFORE, AFTER))
    return equality(compared, before, old, stage.paths.keys() - before.keys())


def touched(stage: Stage, kinds: frozenset[Kind]) -> tuple[str, ...]:
    """Repositories of these kinds whose files are not those that they were built with."""
    return tuple(
        name
        for name, spec in stage.specs.items()
        if spec.kind in kinds and _files(stage.open(name)) != {p: t.encode() for p, t in spec.files.items()}
    )


def _files(repository: Repository) -> dict[str, bytes]:
    head = repository.head()
    return {path: repository.read(head, path) for path in repository.files(head)}


def _jobs(stage: Stage, schema: str, *, with_old: Iterable[str]) -> list[Job]:
    old = frozenset(with_old)
    return [
        Job(
            repository=name,
            path=path,
            commit=stage.open(name).head(),
            with_old=name in old,
            schema=schema,
        )
        for name, path in stage.paths.items()
    ]
