"""Bitbucket Cloud: pull requests over REST 2.0. Data Center has another API, and is not this."""

from greylag.forge.bitbucket.api import DIALECT, BitbucketApi
from greylag.forge.bitbucket.auth import ApiTokenAuth, OAuthAuth, access_token

__all__ = ["DIALECT", "ApiTokenAuth", "BitbucketApi", "OAuthAuth", "access_token"]
