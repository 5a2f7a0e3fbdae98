"""Gerrit, built from its settings: a forge of its own, which is no `HostedForge`."""

from __future__ import annotations

from greylag.app.gerrit_settings import GerritSettings
from greylag.app.hosted import pace_of
from greylag.app.settings import Settings
from greylag.engine.clock import Clock
from greylag.forge.gerrit import DIALECT, GerritApi, GerritForge, GerritOptions
from greylag.forge.hosted import BasicAuth, Client, Mirror


def open_forge(settings: Settings, clock: Clock) -> GerritForge:
    """The forge; its mirrors are in the fleet's folder. Raises UsageError for a secret that is not there."""
    given = settings.forge
    assert isinstance(given, GerritSettings), "the registry says so"
    auth = BasicAuth(given.user, given.token())
    client = Client(given.api_url, auth, dialect=DIALECT, pace=pace_of(given), patience=given.patience)
    api = GerritApi(client, given.url)
    options = GerritOptions(
        label=given.label,
        draft=given.draft,
        topic=given.set_topic,
        author=settings.author.name,
        email=settings.author.email,
        poll=given.look_age,
    )
    settings.fleet.mkdir(parents=True, exist_ok=True)
    mirror = Mirror(settings.fleet, api, depth=given.depth)
    return GerritForge(api, mirror, given.url, options=options, clock=clock.now)
