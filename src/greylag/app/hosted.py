"""A hosted forge of any kind, built from the settings."""

from __future__ import annotations

import importlib
from types import ModuleType

from greylag.app.forge_settings import HostedSettings, signing_of
from greylag.app.hosts import HOSTS
from greylag.app.settings import Settings
from greylag.domain.errors import UsageError
from greylag.engine.clock import Clock, SystemClock
from greylag.engine.database import is_server
from greylag.engine.fleet import FolderFleet, NamesOf
from greylag.engine.mirrored import MirroredFleet
from greylag.forge.base import Forge
from greylag.forge.hosted import HostApi, HostedForge, Mirror, Options, Pace, Refreshed, Selection
from greylag.forge.hosted.targets import Mirrored
from greylag.lineage.index import FleetIndex


def open_forge(settings: Settings, clock: Clock) -> Forge:
    """The forge; its mirrors are in the fleet's folder. Raises UsageError for a secret that is not there."""
    given = settings.forge
    assert isinstance(given, HostedSettings), "the embedded one is built elsewhere"
    module = _module(given.kind)
    if hasattr(module, "open_forge"):
        made: Forge = module.open_forge(settings, clock)
        return made
    api: HostApi = module.open_api(given)
    return HostedForge(
        api, open_mirror(settings, given, api), options=options_of(settings, given), clock=clock.now
    )


def open_mirror(settings: Settings, given: HostedSettings, api: HostApi) -> Mirror:
    """The mirrors, in the fleet's folder."""
    settings.fleet.mkdir(parents=True, exist_ok=True)
    return Mirror(settings.fleet, api, depth=given.depth)


def open_fleet(settings: Settings, forge: Forge, index: FleetIndex, names: NamesOf) -> FolderFleet:
    """The fleet as the settings choose it; of a forge that was handed in, what is in the folder."""
    given = settings.forge
    if not isinstance(forge, Mirrored) or not isinstance(given, HostedSettings):
        return FolderFleet(settings.fleet, index, names=names)
    keeper = forge.keeper(selection_of(given))
    return MirroredFleet(
        settings.fleet,
        index,
        names=names,
        refresh=keeper.refresh,
        bring=keeper.bring,
        apart=is_server(settings.database),
    )


def refresh(settings: Settings) -> Refreshed:
    """Bring the mirrors up to date, for those who only read them."""
    forge, given = open_forge(settings, SystemClock()), settings.forge
    assert isinstance(forge, Mirrored) and isinstance(given, HostedSettings), "hosted forges are mirrored"
    return forge.keeper(selection_of(given)).refresh()


def options_of(settings: Settings, given: HostedSettings) -> Options:
    """How pull requests are made."""
    return Options(
        draft=given.draft,
        merge_method=given.merge_method,
        delete_branch=given.delete_branch,
        author=settings.author.name,
        email=settings.author.email,
        sign=signing_of(given),
        poll=given.look_age,
        trailers=given.trailers,
        assignees=given.assignees,
    )


def selection_of(given: HostedSettings) -> Selection:
    """Which repositories are the fleet."""
    return Selection(
        repositories=given.repositories,
        org=given.org,
        topic=given.topic,
        query=given.query,
        code=given.code,
        exclude=given.exclude,
        archived=given.archived,
        forks=given.forks,
    )


def pace_of(given: HostedSettings) -> Pace:
    """How fast it is asked."""
    return Pace(
        requests_per_second=given.requests_per_second,
        content_per_minute=given.content_per_minute,
        content_per_hour=given.content_per_hour,
    )


def _module(kind: str) -> ModuleType:
    host = HOSTS[kind]
    try:
        return importlib.import_module(host.module)
    except ModuleNotFoundError as error:
        extra = f"`pip install 'greylag[{host.extra}]'`"
        raise UsageError(f"forge: {kind} needs {error.name}: install it with {extra}") from error
