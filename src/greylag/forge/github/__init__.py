"""The GitHub adapter: pull requests over REST, what REST cannot do over GraphQL."""

from greylag.forge.github.api import DIALECT, GitHubApi
from greylag.forge.github.auth import AppAuth

__all__ = ["DIALECT", "AppAuth", "GitHubApi"]
