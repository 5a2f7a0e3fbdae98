"""Mirrors of a Gitea server's repositories: they know in which way their CODEOWNERS are written."""

from __future__ import annotations

from pathlib import Path

from greylag.forge.hosted.api import Remote
from greylag.forge.hosted.mirror import Mirror
from greylag.workspace import Repository
from greylag.workspace.notes import set_note


class GiteaMirror(Mirror):
    """A mirror whose repositories say `codeowners = regex` in their configuration."""

    def __init__(self, root: Path, remote: Remote, *, depth: int | None = 1) -> None:
        super().__init__(root, remote, depth=depth)
        self._told: set[str] = set()

    def open(self, repository: str) -> Repository:
        """See `Mirror`."""
        repo = super().open(repository)
        if repository not in self._told:
            set_note(self.path(repository), "codeowners", "regex")
            self._told.add(repository)
        return repo
