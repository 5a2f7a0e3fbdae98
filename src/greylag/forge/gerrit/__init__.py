"""Gerrit: changes over REST, objects over git; no pull requests and no branches of ours."""

from greylag.forge.gerrit.api import DIALECT, GerritApi
from greylag.forge.gerrit.forge import GerritForge, GerritOptions

__all__ = ["DIALECT", "GerritApi", "GerritForge", "GerritOptions"]
