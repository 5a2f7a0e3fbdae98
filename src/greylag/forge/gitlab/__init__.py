"""The GitLab adapter: merge requests over REST v4, of gitlab.com and of self-managed servers."""

from greylag.forge.gitlab.api import GitLabApi
from greylag.forge.gitlab.http import DIALECT, token_auth

__all__ = ["DIALECT", "GitLabApi", "token_auth"]
