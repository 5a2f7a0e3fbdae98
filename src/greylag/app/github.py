"""GitHub, built from its settings."""

from __future__ import annotations

from greylag.app.forge_settings import GitHubSettings, secret
from greylag.app.hosted import pace_of
from greylag.forge.github import DIALECT, AppAuth, GitHubApi
from greylag.forge.hosted import Auth, Client, TokenAuth


def open_api(given: GitHubSettings) -> GitHubApi:
    """The way to the API. Raises UsageError for a secret that is not there."""
    auth = _auth(given)
    client = Client(given.api_url, auth, dialect=DIALECT, pace=pace_of(given), patience=given.patience)
    return GitHubApi(client, given.url, app=given.app is not None)


def _auth(given: GitHubSettings) -> Auth:
    if given.app is None:
        return TokenAuth(given.token())
    key = secret("the App's private key", env=given.app.key_env, file=given.app.key_file)
    return AppAuth(app_id=given.app.id, installation=given.app.installation, key=key, api=given.api_url)
