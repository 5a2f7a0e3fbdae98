"""What we note about a repository of ours in its own configuration: it goes where the folder goes."""

from __future__ import annotations

from pathlib import Path

import pygit2

_SECTION = "greylag"


def note_of(path: str | Path, name: str) -> str | None:
    """What was noted under a name; None: nothing. A repository of somebody's own has no notes."""
    config = Path(path) / "config"
    if not config.is_file():
        return None
    try:
        return str(pygit2.Config(str(config))[f"{_SECTION}.{name}"])
    except KeyError:
        return None


def set_note(path: str | Path, name: str, value: str) -> None:
    """Note something about a bare repository; written as git writes its configuration, whole."""
    if note_of(path, name) != value:
        pygit2.Config(str(Path(path) / "config"))[f"{_SECTION}.{name}"] = value
