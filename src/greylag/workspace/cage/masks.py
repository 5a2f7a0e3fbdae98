"""What of a folder a cage hides or keeps from being written: agents' configuration, and git's own files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from greylag.workspace.cage.base import CageError
from greylag.workspace.cage.census import Found, Kind, walk_folder

AGENT_CONFIG: tuple[str, ...] = (
    ".aider.conf.yml",
    ".aider.model.settings.yml",
    ".amazonq",
    ".augment",
    ".claude",
    ".claude-plugin",
    ".clinerules",
    ".codex",
    ".continue",
    ".crush.json",
    ".cursor",
    ".cursorrules",
    ".gemini",
    ".goosehints",
    ".junie",
    ".kiro",
    ".mcp.json",
    ".opencode",
    ".qwen",
    ".roo",
    ".windsurf",
    ".windsurfrules",
    "AGENTS.md",
    "AGENTS.override.md",
    "CLAUDE.local.md",
    "CLAUDE.md",
    "GEMINI.md",
    "QWEN.md",
    "opencode.json",
    "opencode.jsonc",
)
"""Names of files and folders that coding agents read as their own configuration or instructions.

A repository's hooks, servers and instructions are its authors' words, not ours: no agent gets to see them.
What they say that matters (a house rule) is quoted in the brief, as data.
"""

_NAMES = frozenset(name.lower() for name in AGENT_CONFIG)


def is_agent_config(path: str) -> bool:
    """Whether a path in a repository is, or lies in, an agent's configuration; case does not matter."""
    return any(part.lower() in _NAMES for part in PurePosixPath(path).parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """Paths relative to the folder: `git` is kept read-only, the others are shown empty. `size` in bytes."""

    git: tuple[str, ...]
    folders: tuple[str, ...]
    files: tuple[str, ...]
    size: int


def find_masks(folder: Path) -> Masks:
    """What to hide in `folder`, at any depth, and how much there is now. Links are not followed.

    A link that has such a name hides what it leads to, if that is inside. Raises CageError when the folder's
    `.git` is a link, or what is in it cannot be read.
    """
    git: list[str] = []
    folders: set[str] = set()
    files: set[str] = set()
    size = 0
    root = folder.resolve()
    for found in walk_folder(root, inside=_worth_entering):
        size += found.size
        if found.kind is Kind.UNREADABLE:
            raise CageError(f"{root / found.path}: cannot be read, so it cannot be shown safely in a cage")
        if found.name.lower() == ".git":
            git.extend(_git(root, found))
        elif found.name.lower() in _NAMES:
            for path, kind in _targets(root, found):
                (folders if kind is Kind.FOLDER else files).add(path)
    return Masks(
        git=tuple(sorted(git)),
        folders=tuple(sorted(folders)),
        files=tuple(sorted(path for path in files if not _below(path, folders))),
        size=size,
    )


def _worth_entering(found: Found) -> bool:
    return found.name.lower() not in _NAMES and found.name.lower() != ".git"


def _git(root: Path, found: Found) -> Iterator[str]:
    if found.kind is Kind.LINK:
        if found.path == ".git":
            raise CageError(f"{root}/.git: is a symbolic link; a folder or a file was expected")
        return
    yield found.path


def _targets(root: Path, found: Found) -> Iterator[tuple[str, Kind]]:
    if found.kind is not Kind.LINK:
        yield found.path, found.kind
        return
    real = (root / found.path).resolve()
    if real != root and real.is_relative_to(root) and real.exists():
        yield real.relative_to(root).as_posix(), Kind.FOLDER if real.is_dir() else Kind.FILE


def _below(path: str, folders: set[str]) -> bool:
    return any(parent.as_posix() in folders for parent in PurePosixPath(path).parents)
