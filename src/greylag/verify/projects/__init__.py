"""Project verifiers: a repository's own tests, linters and compilers judge a change, before and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from greylag.domain.agent import Changes
from greylag.domain.check import Check, CheckStatus
from greylag.domain.errors import FileFaults
from greylag.verify.projects.config import NAME as CONFIG_NAME
from greylag.verify.projects.config import ProjectConfig, read_config
from greylag.verify.projects.running import Project, run_verifiers
from greylag.verify.projects.table import tools_for
from greylag.verify.projects.values import (
    Baselines,
    FolderBaselines,
    MemoryBaselines,
    ProjectSettings,
    ProjectVerifier,
    Report,
    Run,
)

_DEFAULT = ProjectSettings()


def verifiers_for(
    files: Mapping[str, str], settings: ProjectSettings = _DEFAULT
) -> tuple[ProjectVerifier, ...]:
    """The verifiers that a repository's files ask for, the quickest first, then the commands of its own.

    `files` are those of the BASE commit: an agent cannot choose its judges.

    Raises:
        FileFaults: everything that is wrong with `.greylag.yaml`, each with line and column.
    """
    config = read_config(files)
    own = replace(settings, skip=settings.skip | config.skip, timeout=config.timeout or settings.timeout)
    found = (*tools_for(files, own), *config.commands)
    return tuple(verifier for verifier in found if verifier.name not in settings.skip)


class _Texts(Mapping[str, str]):
    """Files as text, each when it is asked for: a repository may be large, and few of its files are read."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def __getitem__(self, path: str) -> str:
        return self._files[path].decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def check_project(
    project: Project, changes: Changes, settings: ProjectSettings = _DEFAULT
) -> tuple[Check, ...]:
    """What the repository's own verifiers say of a change; a wrong `.greylag.yaml` is an errored check."""
    try:
        verifiers = verifiers_for(_Texts(project.files), settings)
    except FileFaults as faults:
        summary = "; ".join(str(fault) for fault in faults.faults)
        return (Check(verifier="project:configuration", status=CheckStatus.ERRORED, summary=summary),)
    return run_verifiers(verifiers, changes, project)


__all__ = [
    "CONFIG_NAME",
    "Baselines",
    "FolderBaselines",
    "MemoryBaselines",
    "Project",
    "ProjectConfig",
    "ProjectSettings",
    "ProjectVerifier",
    "Report",
    "Run",
    "check_project",
    "read_config",
    "run_verifiers",
    "verifiers_for",
]
