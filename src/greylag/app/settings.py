"""Settings: `greylag.yaml` from the working directory upwards, `GREYLAG_…` above it, defaults below."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from greylag.app.agent_settings import AgentSettings
from greylag.app.durations import Duration
from greylag.app.faults import faults_of, read_yaml
from greylag.app.forge_settings import EmbeddedForgeSettings
from greylag.app.health_settings import AnyInstances, AnySource
from greylag.app.hosts import AnyForge
from greylag.app.notify_settings import NotifySettings
from greylag.app.rollout_settings import RolloutSettings, absolute
from greylag.app.serve_settings import ServeSettings
from greylag.domain.errors import FileFaults, UsageError

FILE = "greylag.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HealthSettings(_Part):
    """Where the health of what was merged is read from: exactly one of `command`, `status_dir`, `none` and
    `sources`.
    """

    command: str | None = Field(None, description="run for each target; exit status 0 is healthy")
    status_dir: Path | None = Field(None, description="folder with <repository>.json, the last run of each")
    none: bool = Field(False, description="true: the bake time passes, and nothing is watched")
    sources: tuple[AnySource, ...] = Field((), description="several, of which the worst answer counts")
    instances: tuple[AnyInstances, ...] = Field((), description="what must run a merge before it is done")
    watch: Duration = Field(timedelta(0), description="at least so long after its instances follow")
    at_most: int | None = Field(
        None, ge=0, description="instances of a consumer in change when another merge of it begins"
    )
    failed: int = Field(0, ge=0, description="failed readings that are tolerated after a merge")
    errored: int = Field(4, ge=0, description="readings in a row that may fail to be taken")
    patience: Duration = Field(timedelta(hours=24), description="wait for evidence after the bake time")
    inconclusive: int | None = Field(None, ge=0, description="readings in a row that may tell nothing")


class AuthorSettings(_Part):
    """Who the commits are by."""

    name: str = "Greylag"
    email: str = "greylag@localhost"


class Settings(BaseSettings):
    """What this machine knows: where the fleet and the database are, and how effects run.

    Paths in the file are relative to the file. `file` is None when there is none.
    """

    model_config = SettingsConfigDict(
        env_prefix="GREYLAG_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    file: Path | None = Field(None, exclude=True)
    fleet: Path = Field(Path("fleet"), description="folder with the repositories (bare, or working copies)")
    database: str = Field("sqlite:///.greylag/greylag.db", description="a database URL")
    health: HealthSettings = Field(default_factory=lambda: HealthSettings.model_validate({}))
    workers: int = Field(4, ge=1, le=64, description="effects at a time")
    time_to_live: timedelta = Field(
        timedelta(seconds=30),
        ge=timedelta(seconds=2),
        description="how long a worker on a server may be silent; the same on all machines",
    )
    proof: Literal["none", "fast", "full"] = "fast"
    tries: int = Field(2, ge=1, description="attempts before a target is handed to a person")
    forge: AnyForge = Field(default_factory=EmbeddedForgeSettings)
    author: AuthorSettings = Field(default_factory=AuthorSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    rollout: RolloutSettings = Field(default_factory=lambda: RolloutSettings.model_validate({}))
    agent: AgentSettings = Field(default_factory=lambda: AgentSettings.model_validate({}))
    serve: ServeSettings = Field(default_factory=lambda: ServeSettings.model_validate({}))

    @field_validator("fleet", mode="after")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment stands above what the file says, which comes as arguments."""
        return env_settings, init_settings


def find_file(start: Path) -> Path | None:
    """The nearest `greylag.yaml` from a folder upwards."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    return None


def load_settings(config: Path | None = None, *, start: Path | None = None) -> Settings:
    """Settings of this machine.

    `config` names the file; otherwise the nearest one from `start` (the working directory) upwards, or none.
    Raises FileFaults for a file, and UsageError for an environment variable, that is wrong.
    """
    here = Path.cwd() if start is None else start
    if config is None and "GREYLAG_CONFIG" in os.environ:
        config = Path(os.environ["GREYLAG_CONFIG"])
    file = find_file(here) if config is None else config
    if file is None:
        return _build({}, None)
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file; `greylag init` writes one")
    text = file.read_text(encoding="utf-8")
    document = read_yaml(text, str(file))
    return _absolute(_build(document, file, text), file.absolute().parent)


def _build(document: Mapping[str, Any], file: Path | None, text: str = "") -> Settings:
    try:
        # A part of which every line is commented out is one that is not there.
        given = {name: value for name, value in document.items() if value is not None}
        return Settings(**{**given, "file": file})
    except ValidationError as error:
        if file is not None:
            faults = faults_of(error, text, str(file), Settings)
            if faults:
                raise FileFaults(faults) from error
        lines = [f"{_variable(item['loc'])}: {item['msg']}" for item in error.errors()]
        raise UsageError("\n".join(lines)) from error


def _variable(loc: tuple[int | str, ...]) -> str:
    return "GREYLAG_" + "__".join(str(part) for part in loc).upper()


def _absolute(settings: Settings, base: Path) -> Settings:
    """The same settings with relative paths read from the file's own folder."""
    health = settings.health
    folder = None if health.status_dir is None else base / health.status_dir.expanduser()
    database = settings.database
    prefix = "sqlite:///"
    if database.startswith(prefix) and not database.startswith("sqlite:////"):
        database = f"{prefix}{base / database.removeprefix(prefix)}"
    return settings.model_copy(
        update={
            "fleet": base / settings.fleet,
            "database": database,
            "rollout": absolute(settings.rollout, base),
            "health": health.model_copy(update={"status_dir": folder}),
            "forge": settings.forge.below(base),
        }
    )
