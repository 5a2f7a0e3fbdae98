"""Gitea and Forgejo, built from their settings."""

from __future__ import annotations

from greylag.app.gitea_settings import GiteaSettings
from greylag.app.hosted import pace_of
from greylag.forge.gitea import DIALECT, GiteaApi, token_auth
from greylag.forge.hosted import Client


def open_api(given: GiteaSettings) -> GiteaApi:
    """The way to the API. Raises UsageError for a token that is not there."""
    auth = token_auth(given.token())
    client = Client(given.api_url, auth, dialect=DIALECT, pace=pace_of(given), patience=given.patience)
    return GiteaApi(client, given.url, kind=given.kind)
