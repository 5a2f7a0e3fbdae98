"""Writes a designed fleet into bare git repositories."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greylag.demo.fleet import RepositorySpec
from greylag.workspace import Repository

EPOCH = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""When the demo's story begins: a Monday morning. All history is older."""


def write_fleet(folder: Path, specs: Iterable[RepositorySpec]) -> dict[str, Path]:
    """Write every repository below `folder` as `<name>.git`; returns name to path.

    Each has two commits on `main`: its papers first, then its pipelines. The same specs give the same
    commit ids.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {spec.name: _write(folder / f"{spec.name}.git", spec, age) for age, spec in enumerate(specs)}


def _write(path: Path, spec: RepositorySpec, age: int) -> Path:
    repository = Repository.init_bare(path)
    team = spec.owner.removeprefix("@")
    papers = {name: text.encode() for name, text in spec.files.items() if "/" not in name and "." in name}
    everything = {name: text.encode() for name, text in spec.files.items()}
    tip: str | None = None
    for days, message, files in (
        (90, "Describe the repository", papers),
        (30, "Add the pipelines", everything),
    ):
        tip = repository.commit(
            tip,
            files,
            message=f"{message}\n",
            author=team,
            email=f"{team}@example.com",
            when=EPOCH - timedelta(days=days, hours=age),
        )
    repository.set_ref("refs/heads/main", tip, expected=None)
    return path
