"""Bitbucket Cloud, built from its settings."""

from __future__ import annotations

from greylag.app.bitbucket_settings import BitbucketSettings
from greylag.app.forge_settings import secret
from greylag.app.hosted import pace_of
from greylag.forge.bitbucket import DIALECT, ApiTokenAuth, BitbucketApi, OAuthAuth, access_token
from greylag.forge.hosted import Auth, Client


def open_api(given: BitbucketSettings) -> BitbucketApi:
    """The way to the API. Raises UsageError for a secret that is not there."""
    auth = _auth(given)
    client = Client(given.api_url, auth, dialect=DIALECT, pace=pace_of(given), patience=given.patience)
    return BitbucketApi(client, given.url)


def _auth(given: BitbucketSettings) -> Auth:
    if given.oauth is not None:
        word = secret("the consumer's secret", env=given.oauth.secret_env, file=given.oauth.secret_file)
        return OAuthAuth(key=given.oauth.key, secret=word, url=given.url)
    if given.mail is not None:
        return ApiTokenAuth(given.mail, given.token())
    return access_token(given.token())
