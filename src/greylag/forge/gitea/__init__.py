"""The Gitea and Forgejo adapter: one REST API (`/api/v1`), which Forgejo keeps."""

from greylag.forge.gitea.api import GiteaApi
from greylag.forge.gitea.http import DIALECT, token_auth

__all__ = ["DIALECT", "GiteaApi", "token_auth"]
