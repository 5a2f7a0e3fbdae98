"""The Gitea and Forgejo adapter: one REST API (`/api/v1`), which Forgejo keeps."""

from greylag.forge.gitea.api import GiteaApi
from greylag.forge.gitea.http import DIALECT, token_auth
from greylag.forge.gitea.mirror import GiteaMirror

__all__ = ["DIALECT", "GiteaApi", "GiteaMirror", "token_auth"]
