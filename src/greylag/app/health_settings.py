"""The part `health.sources` of the settings, and how its sources are built."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field

from greylag.domain.errors import UsageError
from greylag.rollout.health import HealthSource
from greylag.rollout.sources.airflow import AirflowHealth, AirflowSettings
from greylag.rollout.sources.base import SourceSettings
from greylag.rollout.sources.combined import CombinedHealth, Part
from greylag.rollout.sources.dbt import DbtHealth, DbtSettings
from greylag.rollout.sources.local import CommandHealth, StatusFileHealth
from greylag.rollout.sources.openlineage import OpenLineageHealth, OpenLineageSettings
from greylag.rollout.sources.page import HttpHealth, HttpSettings
from greylag.rollout.sources.prometheus import PrometheusHealth, PrometheusSettings
from greylag.rollout.sources.sql import SqlHealth, SqlSettings
from greylag.rollout.sources.web import require_libraries


class CommandSettings(SourceSettings):
    """A command, as `health.command`."""

    kind: Literal["command"] = "command"
    command: str = Field(min_length=1)
    timeout: timedelta = Field(timedelta(minutes=10), gt=timedelta(0))


class StatusDirSettings(SourceSettings):
    """A folder of run-status files, as `health.status_dir`."""

    kind: Literal["status_dir"] = "status_dir"
    path: Path


class OutsideSettings(SourceSettings):
    """A source from outside: `package.module:factory`, called with `options`, gives a `HealthSource`."""

    kind: Literal["custom"] = "custom"
    factory: str = Field(pattern=r"^[\w.]+:\w+$")
    options: Mapping[str, Any] = Field(default_factory=dict)


AnySource = Annotated[
    AirflowSettings
    | CommandSettings
    | DbtSettings
    | HttpSettings
    | OpenLineageSettings
    | OutsideSettings
    | PrometheusSettings
    | SqlSettings
    | StatusDirSettings,
    Field(discriminator="kind"),
]


def combined(sources: Sequence[AnySource], base: Path | None = None) -> HealthSource:
    """One source of several; `base` is the folder that relative paths are read from.

    Raises UsageError for a source from outside that cannot be made, and where libraries are missing.
    """
    if any(getattr(one, "web", None) is not None for one in sources):
        require_libraries()
    parts = [Part(source=built(one, base or Path()), concerns=one.concerns) for one in sources]
    return CombinedHealth(parts=tuple(parts))


def built(settings: AnySource, base: Path) -> HealthSource:
    """The source of one entry."""
    match settings:
        case AirflowSettings():
            return AirflowHealth(settings)
        case CommandSettings():
            return CommandHealth(command=settings.command, timeout=settings.timeout)
        case DbtSettings():
            path = None if settings.path is None else str(base / Path(settings.path).expanduser())
            return DbtHealth(settings.model_copy(update={"path": path}))
        case HttpSettings():
            return HttpHealth(settings)
        case OpenLineageSettings():
            folder = None if settings.folder is None else base / settings.folder.expanduser()
            return OpenLineageHealth(settings.model_copy(update={"folder": folder}))
        case OutsideSettings():
            return _outside(settings)
        case PrometheusSettings():
            return PrometheusHealth(settings)
        case SqlSettings():
            return SqlHealth(settings)
        case StatusDirSettings():
            return StatusFileHealth(folder=base / settings.path.expanduser())
        case _:
            assert_never(settings)


def _outside(settings: OutsideSettings) -> HealthSource:
    module, _, name = settings.factory.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
        source: HealthSource = factory(**settings.options)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"health.sources: {settings.factory}: {error}") from error
    if not callable(getattr(source, "read", None)):
        raise UsageError(f"health.sources: {settings.factory} gave no health source: it has no `read`")
    return source
