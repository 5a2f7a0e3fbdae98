"""The parts `health.sources` and `health.instances` of the settings, and how they are built."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, assert_never

from pydantic import BaseModel, Field

from greylag.domain.errors import UsageError
from greylag.rollout.durations import Duration
from greylag.rollout.health import HealthSource
from greylag.rollout.instances.argo import ArgoApplications, ArgoSettings
from greylag.rollout.instances.base import FirstSeen, FollowedHealth, Includes, Instances, Turns, Watched
from greylag.rollout.instances.kubernetes import KubernetesRollouts, KubernetesSettings
from greylag.rollout.instances.pipelines import (
    AirflowInstances,
    AirflowInstanceSettings,
    CommandInstances,
    CommandInstanceSettings,
    DbtInstances,
    DbtInstanceSettings,
)
from greylag.rollout.sources.airflow import AirflowHealth, AirflowSettings
from greylag.rollout.sources.base import SecretSettings, SourceSettings
from greylag.rollout.sources.combined import CombinedHealth, Part
from greylag.rollout.sources.dbt import DbtHealth, DbtSettings
from greylag.rollout.sources.local import CommandHealth, StatusFileHealth
from greylag.rollout.sources.openlineage import OpenLineageHealth, OpenLineageSettings
from greylag.rollout.sources.page import HttpHealth, HttpSettings
from greylag.rollout.sources.prometheus import PrometheusHealth, PrometheusSettings
from greylag.rollout.sources.pushed import PushedHealth, PushedRuns, PushedSettings
from greylag.rollout.sources.sql import SqlHealth, SqlSettings
from greylag.rollout.sources.web import WebSettings, require_libraries


class CommandSettings(SourceSettings):
    """A command, as `health.command`."""

    kind: Literal["command"] = "command"
    command: str = Field(min_length=1)
    timeout: Duration = Field(timedelta(minutes=10), gt=timedelta(0))


class StatusDirSettings(SourceSettings):
    """A folder of run-status files, as `health.status_dir`."""

    kind: Literal["status_dir"] = "status_dir"
    path: Path


class OutsideSettings(SourceSettings):
    """One from outside: `package.module:factory`, called with `options`; it gives a `HealthSource`, or
    `Instances`.
    """

    kind: Literal["custom"] = "custom"
    factory: str = Field(pattern=r"^[\w.]+:\w+$")
    options: Mapping[str, Any] = Field(default_factory=dict)


Asked = (
    AirflowSettings
    | CommandSettings
    | DbtSettings
    | HttpSettings
    | OpenLineageSettings
    | OutsideSettings
    | PrometheusSettings
    | SqlSettings
    | StatusDirSettings
)
"""Sources that are asked; the other kind is told."""

AnySource = Annotated[Asked | PushedSettings, Field(discriminator="kind")]


def combined(
    sources: Sequence[AnySource], base: Path | None = None, *, pushed: PushedRuns | None = None
) -> HealthSource:
    """One source of several; `base` is the folder that relative paths are read from, `pushed` reads what
    pipelines told of.

    Raises UsageError for a source from outside that cannot be made, and where libraries are missing.
    """
    if any(getattr(one, "web", None) is not None for one in sources):
        require_libraries()
    folder = base or Path()
    parts = [
        Part(source=_source(placed(one, folder), folder, pushed), concerns=one.concerns) for one in sources
    ]
    return CombinedHealth(parts=tuple(parts))


_Placed = TypeVar("_Placed", bound=BaseModel)


def placed(settings: _Placed, base: Path) -> _Placed:
    """The same settings, with the files of secrets and certificates read from a folder."""
    changed: dict[str, object] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            changed[name] = placed(value, base)
        elif name in ("file", "ca_file") and isinstance(settings, SecretSettings | WebSettings) and value:
            changed[name] = type(value)(base / Path(value).expanduser())
    return settings.model_copy(update=changed)


def _source(settings: AnySource, base: Path, pushed: PushedRuns | None) -> HealthSource:
    if not isinstance(settings, PushedSettings):
        return built(settings, base)
    if pushed is None:
        raise UsageError(f"health.sources: {settings.kind}: there is no database that holds runs")
    return PushedHealth(settings, pushed)


def built(settings: Asked, base: Path) -> HealthSource:
    """The source of one entry that is asked."""
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
            made: HealthSource = _outside(settings, "health.sources", "read")
            return made
        case PrometheusSettings():
            return PrometheusHealth(settings)
        case SqlSettings():
            return SqlHealth(settings)
        case StatusDirSettings():
            return StatusFileHealth(folder=base / settings.path.expanduser())
        case _:
            assert_never(settings)


def _outside(settings: OutsideSettings, place: str, method: str) -> Any:
    module, _, name = settings.factory.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)(**settings.options)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"{place}: {settings.factory}: {error}") from error
    if not callable(getattr(made, method, None)):
        raise UsageError(f"{place}: what {settings.factory} gave has no `{method}`")
    return made


AnyInstances = Annotated[
    AirflowInstanceSettings
    | ArgoSettings
    | CommandInstanceSettings
    | DbtInstanceSettings
    | KubernetesSettings
    | OutsideSettings,
    Field(discriminator="kind"),
]


def followed(
    health: HealthSource,
    instances: Sequence[AnyInstances],
    *,
    watch: timedelta,
    includes: Includes,
    base: Path | None = None,
    at_most: int | None = None,
    first: FirstSeen | None = None,
    turns: Turns | None = None,
) -> HealthSource:
    """The health source, which passes only once everything that runs a repository runs the merge."""
    if not instances:
        return health
    if any(getattr(one, "web", None) is not None for one in instances):
        require_libraries()
    folder = base or Path()
    watched = tuple(
        Watched(instances=_instances(placed(one, folder), includes, folder), concerns=one.concerns)
        for one in instances
    )
    made = FollowedHealth(health=health, watched=watched, watch=watch, at_most=at_most)
    return replace(made, first=first or made.first, turns=turns or made.turns)


def _instances(settings: AnyInstances, includes: Includes, base: Path) -> Instances:
    match settings:
        case AirflowInstanceSettings():
            return AirflowInstances(settings, includes)
        case ArgoSettings():
            return ArgoApplications(settings, includes)
        case CommandInstanceSettings():
            return CommandInstances(settings)
        case DbtInstanceSettings():
            path = None if settings.path is None else str(base / Path(settings.path).expanduser())
            return DbtInstances(settings.model_copy(update={"path": path}), includes)
        case KubernetesSettings():
            return KubernetesRollouts(settings, includes)
        case OutsideSettings():
            made: Instances = _outside(settings, "health.instances", "look")
            return made
        case _:
            assert_never(settings)
