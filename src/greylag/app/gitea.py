"""Gitea and Forgejo, built from their settings."""

from __future__ import annotations

from greylag.app.gitea_settings import GiteaSettings
from greylag.app.hosted import options_of, pace_of
from greylag.app.settings import Settings
from greylag.engine.clock import Clock
from greylag.forge.gitea import DIALECT, GiteaApi, GiteaMirror, token_auth
from greylag.forge.hosted import Client, HostedForge


def open_api(given: GiteaSettings) -> GiteaApi:
    """The way to the API. Raises UsageError for a token that is not there."""
    auth = token_auth(given.token())
    client = Client(given.api_url, auth, dialect=DIALECT, pace=pace_of(given), patience=given.patience)
    return GiteaApi(client, given.url, kind=given.kind)


def open_forge(settings: Settings, clock: Clock) -> HostedForge:
    """The forge, over mirrors in the fleet's folder that know how their CODEOWNERS are to be read."""
    given = settings.forge
    assert isinstance(given, GiteaSettings), "the kind says so"
    api = open_api(given)
    settings.fleet.mkdir(parents=True, exist_ok=True)
    mirror = GiteaMirror(settings.fleet, api, depth=given.depth)
    return HostedForge(api, mirror, options=options_of(settings, given), clock=clock.now)
