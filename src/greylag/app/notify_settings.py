"""The part `notify` of the settings: who is told what, and through which addresses."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from greylag.app.health_settings import placed
from greylag.engine.campaign import OpenNotices
from greylag.engine.clock import Clock
from greylag.engine.notices import Channel, NoticeKind, Notices, NotSent
from greylag.engine.notify_apprise import AppriseSender, require_apprise
from greylag.engine.store import Store
from greylag.rollout.durations import Duration
from greylag.rollout.sources.base import SecretSettings, Unanswered


class ChannelSettings(BaseModel):
    """Apprise URLs (one a line) from the environment or a file: they hold secrets, and never stand here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    urls: SecretSettings
    owners: tuple[str, ...] = Field((), description="a digest for each of these (globs); empty: one for all")
    kinds: frozenset[NoticeKind] = frozenset(NoticeKind)
    window: Duration = Field(timedelta(minutes=15), ge=timedelta(0), description="of a digest")
    at_once: frozenset[NoticeKind] = frozenset({NoticeKind.HELD})


class NotifySettings(BaseModel):
    """Without channels, nobody is told anything but by the commands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[ChannelSettings, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> NotifySettings:
        names = [one.name for one in self.channels]
        if len(set(names)) != len(names):
            raise ValueError("two channels have the same name")
        return self


def open_notices(
    settings: NotifySettings, store: Store, clock: Clock, base: Path | None = None
) -> OpenNotices:
    """What listens to a campaign; `base` is the folder that relative paths are read from.

    Raises UsageError where apprise is missing.
    """
    if not settings.channels:
        return lambda _, on_tick: nullcontext(on_tick)
    require_apprise()
    channels = [_channel(placed(one, base or Path())) for one in settings.channels]
    return lambda migration, on_tick: Notices(store, clock, channels, migration).listening(on_tick)


def _channel(settings: ChannelSettings) -> Channel:
    secret = settings.urls
    place = f"${secret.env}" if secret.env is not None else str(secret.file)

    def urls() -> tuple[str, ...]:
        try:
            return tuple(line.strip() for line in secret.read().splitlines() if line.strip())
        except Unanswered as error:
            raise NotSent(str(error)) from error

    return Channel(
        name=settings.name,
        send=AppriseSender(urls, place),
        owners=settings.owners,
        kinds=settings.kinds,
        window=settings.window,
        at_once=settings.at_once,
    )
