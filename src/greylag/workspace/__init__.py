"""A repository at a commit: read, edit in memory, commit; a working tree only when a command must run."""

from greylag.workspace.atomic import write_atomic
from greylag.workspace.command import CommandResult, run_command
from greylag.workspace.files import CommitFiles, FolderFiles, OverlaidFiles
from greylag.workspace.fleet import find_repositories, is_bare, is_repository
from greylag.workspace.refs import loose_head
from greylag.workspace.repository import Repository
from greylag.workspace.sqlite import SqliteFile
from greylag.workspace.text import decode_text, kept_elsewhere
from greylag.workspace.values import (
    CommitInfo,
    Conflict,
    Entry,
    EntryKind,
    MergeResult,
    NotARepository,
    RefMoved,
    RepositoryError,
)
from greylag.workspace.walk import tracked_files

__all__ = [
    "CommandResult",
    "CommitFiles",
    "CommitInfo",
    "Conflict",
    "Entry",
    "EntryKind",
    "FolderFiles",
    "MergeResult",
    "NotARepository",
    "OverlaidFiles",
    "RefMoved",
    "Repository",
    "RepositoryError",
    "SqliteFile",
    "decode_text",
    "find_repositories",
    "is_bare",
    "is_repository",
    "kept_elsewhere",
    "loose_head",
    "run_command",
    "tracked_files",
    "write_atomic",
]
