"""The part `rollout` of the settings: what holds for every migration on this machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from greylag.domain.migration import Criticality
from greylag.engine.world import Local
from greylag.mapping.calendar_model import FreezeModel, HolidaysModel, holiday
from greylag.mapping.strict import TimeZone
from greylag.rollout.calendar import Calendar


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_text(value: Any) -> Any:
    """Days and times as text: YAML reads them as what they are, the migration file as text."""
    if not isinstance(value, dict):
        return value
    return {key: item.isoformat() if isinstance(item, date) else item for key, item in value.items()}


class TrafficSettings(_Part):
    """Where it is written when consumers ran: what quiet hours are learned from."""

    file: Path = Field(description="NDJSON or CSV with `repository` or `dataset`, and `at`")
    timezone: TimeZone = Field("UTC", description="of hours of the week, and of times without an offset")


class RolloutSettings(_Part):
    """Added to the policy of every migration; the stricter one counts."""

    freezes: tuple[Annotated[FreezeModel, BeforeValidator(_as_text)], ...] = ()
    holidays: tuple[HolidaysModel, ...] = ()
    optout: dict[str, str] = Field(
        default_factory=dict, description="repositories (patterns) or owners that take no part, and why"
    )
    max_open: int | None = Field(None, ge=1, description="open pull requests at a time, over all owners")
    merges_per_hour: int | None = Field(None, ge=1, description="merges in any hour, over all owners")
    split: tuple[str, ...] = Field(
        (), description="repositories (patterns) that are a target for each owner's part, in every migration"
    )
    traffic: TrafficSettings | None = None
    lineage: Path | None = Field(
        None, description="JSON lines: what a consumer produces and reads, where its code does not say it"
    )
    criticality: dict[Criticality, tuple[str, ...]] = Field(
        default_factory=dict, description="low, normal, high: repositories (patterns) or owners"
    )


def local_rules(settings: RolloutSettings) -> Local:
    """The settings as the engine has them."""
    order = (Criticality.HIGH, Criticality.NORMAL, Criticality.LOW)
    return Local(
        calendar=Calendar(
            freezes=tuple(freeze.value for freeze in settings.freezes),
            holidays=tuple(holiday(one) for one in settings.holidays),
        ),
        optouts=tuple(settings.optout.items()),
        max_open=settings.max_open,
        merges_per_hour=settings.merges_per_hour,
        criticality=tuple((name, level) for level in order for name in settings.criticality.get(level, ())),
    )


def absolute(settings: RolloutSettings, base: Path) -> RolloutSettings:
    """The same settings with relative paths read from a folder."""
    found: dict[str, object] = {}
    if settings.traffic is not None:
        file = base / settings.traffic.file.expanduser()
        found["traffic"] = settings.traffic.model_copy(update={"file": file})
    if settings.lineage is not None:
        found["lineage"] = base / settings.lineage.expanduser()
    return settings.model_copy(update=found)
