"""GitHub, built from the settings."""

from __future__ import annotations

from greylag.app.forge_settings import ForgeSettings, secret
from greylag.app.settings import Settings
from greylag.engine.clock import Clock, SystemClock
from greylag.engine.fleet import FolderFleet, NamesOf
from greylag.engine.mirrored import MirroredFleet
from greylag.forge.base import Forge
from greylag.forge.github import (
    AppAuth,
    Auth,
    Client,
    GitHubForge,
    Keeper,
    Mirror,
    Options,
    Pace,
    Refreshed,
    Selection,
    TokenAuth,
)
from greylag.lineage.index import FleetIndex


def open_forge(settings: Settings, clock: Clock) -> GitHubForge:
    """The forge; its mirrors are in the fleet's folder. Raises UsageError for a secret that is not there."""
    given = settings.forge
    options = Options(
        draft=given.draft,
        merge_method=given.merge_method,
        delete_branch=given.delete_branch,
        author=settings.author.name,
        email=settings.author.email,
        poll=given.poll,
    )
    client = open_client(given)
    settings.fleet.mkdir(parents=True, exist_ok=True)
    mirror = Mirror(settings.fleet, given.url, client, depth=given.depth)
    return GitHubForge(client, mirror, options=options, clock=clock.now)


def open_fleet(settings: Settings, forge: Forge, index: FleetIndex, names: NamesOf) -> FolderFleet:
    """The fleet as the settings choose it; of a forge that was handed in, what is in the folder."""
    if not isinstance(forge, GitHubForge):
        return FolderFleet(settings.fleet, index, names=names)
    keeper = Keeper(forge.client, forge.mirror, _selection(settings.forge))
    return MirroredFleet(settings.fleet, index, names=names, refresh=keeper.refresh)


def refresh(settings: Settings) -> Refreshed:
    """Bring the mirrors up to date, for those who only read them."""
    forge = open_forge(settings, SystemClock())
    return Keeper(forge.client, forge.mirror, _selection(settings.forge)).refresh()


def _selection(given: ForgeSettings) -> Selection:
    return Selection(
        repositories=given.repositories,
        org=given.org,
        topic=given.topic,
        query=given.query,
        exclude=given.exclude,
        archived=given.archived,
        forks=given.forks,
    )


def open_client(given: ForgeSettings) -> Client:
    """The way to the API."""
    pace = Pace(
        requests_per_second=given.requests_per_second,
        content_per_minute=given.content_per_minute,
        content_per_hour=given.content_per_hour,
    )
    return Client(given.api_url, _auth(given), pace=pace, patience=given.patience)


def _auth(given: ForgeSettings) -> Auth:
    if given.app is None:
        return TokenAuth(secret("the forge's token", env=given.token_env, file=given.token_file))
    key = secret("the App's private key", env=given.app.key_env, file=given.app.key_file)
    return AppAuth(app_id=given.app.id, installation=given.app.installation, key=key, api=given.api_url)
