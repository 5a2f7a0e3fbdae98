"""What a client of the MCP server may reach: one folder, the fleet of the settings, and campaigns by name."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.domain.errors import UsageError

if TYPE_CHECKING:
    from greylag.app import App, Settings
    from greylag.engine.campaign import Campaign
    from greylag.mapping.compiled import CompiledMigration

TOOLS_THAT_WRITE = ("answer", "approve")

_NAME = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One server's rights. `allow` names the tools that decide something; without any, it only reads.

    `folder` is absolute and holds what paths may name; `scratch` is for caches, and goes with the server.
    """

    folder: Path
    actor: str
    scratch: Path
    config: Path | None = None
    allow: frozenset[str] = frozenset()

    def settings(self) -> Settings:
        """The settings of the folder, read anew: what a person changed holds at once."""
        from greylag.app import load_settings

        return load_settings(self.config, start=self.folder)

    def app(self) -> App:
        """The application. Where there is no database yet, an empty one is shown, and none is made."""
        from greylag.app import build
        from greylag.engine.database import sqlite_file

        settings = self.settings()
        file = sqlite_file(settings.database)
        if file is not None and not file.exists():
            empty = f"sqlite:///{self.scratch / 'empty' / 'greylag.db'}"
            settings = settings.model_copy(update={"database": empty})
        return build(settings)

    def agents_folder(self) -> Path:
        """Where transcripts of agents are."""
        from greylag.engine.documents import agents_folder

        return agents_folder(self.settings().database)

    def roots(self) -> tuple[Path, ...]:
        """The folders that paths may name something in."""
        fleet = self.settings().fleet
        return (self.folder, *([fleet.resolve()] if fleet.is_dir() else []))

    def path(self, given: str) -> Path:
        """A path as a client names it, relative to the folder, whether it exists or not.

        Raises UsageError for one that leads elsewhere, symbolic links followed, without saying what is there.
        """
        if "\0" in given or not given.strip():
            raise UsageError(f"{given!r} is no path")
        try:
            found = (self.folder / given).resolve()
        except (OSError, RuntimeError) as error:
            raise UsageError(f"{given!r} is no path that can be followed") from error
        roots = self.roots()
        if not any(found == root or root in found.parents for root in roots):
            shown = ", ".join(str(root) for root in roots)
            raise UsageError(f"{given}: outside of what this server may read ({shown})")
        return found

    def migration(self, given: str) -> str:
        """A migration file within reach, or the name of a campaign, as `App.campaign` takes them."""
        if _NAME.fullmatch(given) and not (self.folder / given).is_file():
            return given
        found = self.path(given)
        if not found.is_file():
            raise UsageError(f"{given}: no such file, and no name of a campaign")
        return str(found)

    def campaign(self, given: str) -> Campaign:
        """The campaign of a file or a name."""
        return self.app().campaign(self.migration(given))

    def compiled(self, given: str) -> CompiledMigration:
        """The migration of a file or of a campaign, with the answers that are known."""
        from greylag.mapping import load_migration

        found = self.migration(given)
        return load_migration(found) if Path(found).is_absolute() else self.campaign(given).compiled()[0]


@contextmanager
def access(
    folder: Path, *, actor: str, config: Path | None = None, allow: frozenset[str] = frozenset()
) -> Iterator[Access]:
    """Rights over a folder, for as long as a server runs."""
    with tempfile.TemporaryDirectory(prefix="greylag-mcp-") as scratch:
        yield Access(folder=folder.resolve(), actor=actor, scratch=Path(scratch), config=config, allow=allow)
