"""GitLab, built from its settings."""

from __future__ import annotations

from greylag.app.gitlab_settings import GitLabSettings
from greylag.app.hosted import pace_of
from greylag.forge.gitlab import DIALECT, GitLabApi, token_auth
from greylag.forge.hosted import Client


def open_api(given: GitLabSettings) -> GitLabApi:
    """The way to the API. Raises UsageError for a secret that is not there."""
    auth = token_auth(given.token(), oauth=given.oauth)
    client = Client(given.api_url, auth, dialect=DIALECT, pace=pace_of(given), patience=given.patience)
    return GitLabApi(client, given.url)
