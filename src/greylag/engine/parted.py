"""What knows repositories only, for targets that are parts of one: the forge, health, schedules, traffic."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from greylag.domain.check import Check
from greylag.domain.errors import GreylagError
from greylag.domain.migration import CronWindow
from greylag.domain.parts import part, whole
from greylag.engine.ports import Lessons, Schedules
from greylag.forge.base import (
    Forge,
    ForgeError,
    Glance,
    Glancing,
    Merged,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    Remark,
    Remarks,
    Unavailable,
    glance_of,
)
from greylag.rollout.health import HealthSource, Reading, Subject
from greylag.rollout.instances.base import Paced
from greylag.rollout.quiet import Lesson


class PartedForge:
    """A forge that takes a part for its repository: pull requests are there, with branches of their own.

    The branch ends in the part's name; the key holds it already, as it is made of the target's. What comes
    back names the target.
    """

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._targets: dict[tuple[str, int], str] = {}

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """See `Forge`."""
        target = spec.repository
        given = replace(spec, repository=whole(target), head=_branch(target, spec.head))
        return self._known(target, self._forge.open_or_update(given))

    def get(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        return self._known(repository, self._forge.get(whole(repository), number))

    def find(self, repository: str, head: str) -> PullRequest | None:
        """See `Forge`."""
        found = self._forge.find(whole(repository), _branch(repository, head))
        return None if found is None else self._known(repository, found)

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """See `Forge`."""
        found = self._forge.find_key(whole(repository), key)
        return None if found is None else self._known(repository, found)

    def glance(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Glance]:
        """See `Glancing`; a forge that is not one is asked for each."""
        asked = {(whole(target), key): target for target, key in keys}
        if isinstance(self._forge, Glancing):
            return {(asked[place], place[1]): one for place, one in self._forge.glance(tuple(asked)).items()}
        found: dict[tuple[str, str], Glance] = {}
        for (repository, key), target in asked.items():
            with contextlib.suppress(GreylagError):
                pull = self._forge.find_key(repository, key)
                if pull is not None:
                    found[target, key] = glance_of(pull)
        return found

    def pull_requests(
        self, repository: str | None = None, *, state: PullRequestState | None = None
    ) -> tuple[PullRequest, ...]:
        """See `Forge`: of a part, those of its repository."""
        return self._forge.pull_requests(None if repository is None else whole(repository), state=state)

    def set_check(self, repository: str, number: int, commit: str, check: Check) -> PullRequest:
        """See `Forge`."""
        return self._known(repository, self._forge.set_check(whole(repository), number, commit, check))

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`."""
        return self._forge.merge(whole(repository), number, sha)

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """See `Forge`."""
        made = self._forge.revert(whole(repository), number)
        return made if isinstance(made, NotRevertible) else self._known(repository, made)

    def close(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        return self._known(repository, self._forge.close(whole(repository), number))

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        """See `Forge`."""
        return self._known(repository, self._forge.comment(whole(repository), number, key=key, body=body))

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        """See `Forge`: each remark names the target whose pull request it is about, where that is known."""
        parts = frozenset(name for name in repositories if part(name) is not None)
        heard = self._forge.remarks(frozenset(map(whole, repositories)), since)
        shared = frozenset(map(whole, parts))
        return replace(heard, items=tuple(self._about(one, shared, parts) for one in heard.items))

    def _about(self, remark: Remark, shared: frozenset[str], parts: frozenset[str]) -> Remark:
        if remark.repository not in shared:
            return remark
        place = (remark.repository, remark.number)
        if place not in self._targets:
            self._targets[place] = self._target(*place, parts)
        return replace(remark, repository=self._targets[place])

    def _target(self, repository: str, number: int, parts: frozenset[str]) -> str:
        """Whose a pull request is. One that the forge does not show whole is a person's, and none of ours."""
        try:
            key = self._forge.get(repository, number).key
        except Unavailable:
            raise  # it may be one of ours: its remarks are read again
        except ForgeError:
            return repository
        mine = (name for name in parts if whole(name) == repository and f"/{name}/" in key)
        return next(mine, repository)

    def _known(self, target: str, pull: PullRequest) -> PullRequest:
        if part(target) is None:
            return pull
        self._targets[pull.repository, pull.number] = target
        return replace(pull, repository=target)


def _branch(target: str, head: str) -> str:
    name = part(target)
    return head if name is None else f"{head}.{name}"


@dataclass(frozen=True, slots=True)
class PartedHealth:
    """The health of a part is that of its repository: nothing runs a part by itself."""

    source: HealthSource

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        return self.source.read(replace(subject, repository=whole(subject.repository)), now)

    @property
    def paces(self) -> bool:
        """See `Paced`."""
        return isinstance(self.source, Paced) and self.source.paces

    def crowded(self, subject: Subject, others: Sequence[Subject], now: datetime) -> str | None:
        """See `Paced`: parts of one repository share what runs it."""
        if not isinstance(self.source, Paced):
            return None
        theirs = [replace(other, repository=whole(other.repository)) for other in others]
        return self.source.crowded(replace(subject, repository=whole(subject.repository)), theirs, now)


def parted_schedules(schedules: Schedules) -> Schedules:
    """When the consumers of a target run."""

    def of(target: str) -> tuple[CronWindow, ...]:
        return schedules(whole(target))

    return of


def parted_lessons(lessons: Lessons) -> Lessons:
    """What traffic taught of a target."""

    def of(migration: str, target: str) -> Lesson | None:
        return lessons(migration, whole(target))

    return of
