"""What the engine is given: the rewriter, the repositories, and how a migration is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from greylag.domain.migration import CronWindow
from greylag.domain.outcome import FileReport, FormChoice, Reason
from greylag.mapping.compiled import CompiledMigration
from greylag.rollout.quiet import Lesson
from greylag.workspace import Repository

ProofLevel = Literal["none", "fast", "full"]


class Rewriter(Protocol):
    """Rewrites the files of one repository under a migration; `greylag.engine.rewriting.rewrite_tree` is
    one.
    """

    def __call__(
        self,
        files: Mapping[str, str],
        migration: CompiledMigration,
        *,
        form: FormChoice,
        proof: ProofLevel,
        only: Callable[[str], bool],
    ) -> tuple[FileReport, ...]:
        """One report for each of the files that `only` selects, and for those that have to follow them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The files of a repository at a commit, and which of them a migration may concern.

    `files` are all of them, read when they are asked for. `wanted` mention an old dataset, or use what such a
    file defines. `unreadable` mention one and are no text that can be edited. Of a part of a repository,
    `elsewhere` are those that belong to other targets, by name, and `note` says what is special about it.
    """

    repository: str
    commit: str
    files: Mapping[str, str]
    wanted: frozenset[str]
    unreadable: Mapping[str, Reason]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class Fleet(Protocol):
    """The repositories under care.

    `unreadable` names those that the last search could not read, and why.
    """

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Name to reason."""
        ...

    @property
    def apart(self) -> bool:
        """Are these copies of this machine's own, which may be behind, and whose commits others have not?"""
        ...

    def freshen(self, repository: str) -> None:
        """Bring a copy up to date; nothing where all machines see the same one.

        Raises a GreylagError when that cannot be done.
        """
        ...

    def names(self) -> tuple[str, ...]:
        """Every repository, sorted."""
        ...

    def open(self, repository: str) -> Repository:
        """A repository; an instance belongs to one thread."""
        ...

    def head(self, repository: str) -> str:
        """The tip of a repository's default branch: the same as `open(…).head()`, and cheaper."""
        ...

    def mentioning(self, migration: CompiledMigration) -> tuple[str, ...]:
        """Repositories with a file on their default branch that may read a replaced dataset, sorted."""
        ...

    def sources(self, repository: str, migration: CompiledMigration) -> Sources:
        """The files that matter, at the head of the default branch."""
        ...

    def owner(self, repository: str, commit: str, path: str) -> str | None:
        """Who owns a file, as far as the repository says."""
        ...


Schedules = Callable[[str], tuple[CronWindow, ...]]
"""When the consumers of a repository run, as far as that is known."""

Lessons = Callable[[str, str], Lesson | None]
"""What traffic taught, by migration and repository. None: no traffic is read."""


def untaught(migration: str, repository: str) -> None:
    """Nothing is known of anybody's traffic."""


class Loader(Protocol):
    """Compiles a migration, with the answers that people gave."""

    def __call__(self, text: str, path: str, answers: Mapping[str, str]) -> CompiledMigration:
        """Raises FileFaults for a file, or an answer, that does not compile."""
        ...
