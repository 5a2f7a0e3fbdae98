"""The checks of an agent's changes that other floors make: guards, project verifiers, the judge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from greylag.agent.base import Access, Host, Note
from greylag.agent.brief import VerifierNote, summary
from greylag.domain.agent import AttemptKey, Changes, Leftover
from greylag.domain.check import Check
from greylag.domain.errors import FileFaults
from greylag.engine.checking import CalledOff, More
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.guards import scope, scope_of
from greylag.verify.judge import Judge, asked_over, diff_of
from greylag.verify.projects import (
    FolderBaselines,
    Project,
    ProjectSettings,
    check_project,
    verifiers_for,
)
from greylag.workspace import CommandResult
from greylag.workspace.cage import Cage, CageLimits, CageSpec
from greylag.workspace.cage.base import never

_JUDGE_TURNS = 20
_TAIL = 200_000
_JUDGE_SECONDS = 900.0

_NOTES = (
    VerifierNote(name="guards", judges="that only what the migration needs changed, and no test is weaker"),
    VerifierNote(name="old-dataset-unread", judges="that no file you were given still reads an old dataset"),
    VerifierNote(name="equivalence", judges="that each query returns the same rows and columns as before"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A repository before all of our changes."""

    commit: str
    files: Mapping[str, bytes]
    executable: frozenset[str]


class JudgeProxy(Protocol):
    """The proxy, as far as the judge needs it."""

    def grant(
        self,
        attempt: AttemptKey,
        *,
        folder: Path,
        host: Host,
        note: Note,
        turns: int,
        upstream: str | None = None,
    ) -> AbstractContextManager[Access]:
        """See `greylag.agent.proxy.ModelProxy`."""
        ...


class _NoHost:
    """The judge has no tools: it reads, and votes."""

    def verify(self) -> str:
        """See `Host`."""
        return "There is nothing to verify here."

    def ask(self, question: str, options: Sequence[str] = ()) -> str:
        """See `Host`."""
        return "Nobody answers here."

    def give_up(self, reason: str) -> str:
        """See `Host`."""
        return "Noted."


@dataclass(slots=True, kw_only=True)
class HostJudges:
    """See `greylag.engine.agents.Judges`.

    `projects`: how the repositories' own tests and linters are run, in `cage`; None: not at all. `readable`
    is what they are shown besides. `proxy` None: there is no judge; `upstream` is its model's name in the
    proxy, `folder` where what it was paid for is kept, `scratch` where the copies are made that are tested.
    """

    cage: Cage
    limits: CageLimits
    projects: ProjectSettings | None
    readable: tuple[Path, ...] = ()
    proxy: JudgeProxy | None
    upstream: str
    folder: Path
    scratch: Path | None = None

    def guards(
        self,
        migration: CompiledMigration,
        leftovers: Sequence[Leftover],
        before: Mapping[str, bytes],
        *,
        companions: Collection[str] = (),
        residue: tuple[str, ...] = (),
    ) -> More:
        """The scope guards, for the files that were left over and those that may follow them."""
        allowed = scope_of(migration, leftovers, companions=companions, residue=residue)
        return lambda changes: scope(changes, before, allowed)

    def others(self, base: Base, ours: Mapping[str, bytes], *, stopped: Callable[[], bool] = never) -> More:
        """The repository's own verifiers, before all of our changes and after them.

        Raises CalledOff when `stopped` says so: what a command says that was ended is no answer.
        """
        settings = self.projects
        if settings is None:
            return lambda changes: ()
        project = Project(
            files=base.files,
            key=base.commit,
            run=partial(self._run, stopped),
            baselines=FolderBaselines(self.folder / "baselines"),
            executable=base.executable,
            scratch=self.scratch,
        )
        return lambda changes: check_project(project, {**ours, **changes}, settings)

    def _run(
        self, stopped: Callable[[], bool], argv: Sequence[str], folder: Path, timeout: float
    ) -> CommandResult:
        spec = CageSpec(folder=folder, readable=self.readable, limits=self.limits, stopped=stopped)
        # What tests say in the end may be far behind a long list.
        result = self.cage.run(argv, spec, timeout=timeout, tail=_TAIL)
        if stopped():
            raise CalledOff("the verifiers were called off")
        return result

    def judge(
        self, attempt: AttemptKey, migration: CompiledMigration, before: Mapping[str, bytes], note: Note
    ) -> More:
        """The judge, if there is one."""
        proxy = self.proxy
        if proxy is None:
            return lambda changes: ()

        def vote(changes: Changes) -> tuple[Check, ...]:
            folder = self.folder / attempt.migration / attempt.repository.replace("/", "__") / "judge"
            folder.mkdir(parents=True, exist_ok=True)
            with proxy.grant(
                attempt,
                folder=folder,
                host=_NoHost(),
                note=note,
                turns=_JUDGE_TURNS,
                upstream=self.upstream,
            ) as access:
                judge = Judge(ask=asked_over(_post(access), api=access.api, model=access.model))
                return (judge.judge(summary(migration), diff_of(before, changes)),)

        return vote

    def notes(self, files: Mapping[str, str]) -> tuple[VerifierNote, ...]:
        """What the agent is told of them."""
        if self.projects is None:
            return _NOTES
        try:
            found = verifiers_for(files, self.projects)
        except FileFaults:
            return _NOTES  # told by the check
        return (*_NOTES, *(VerifierNote(name=one.name, judges=one.judges) for one in found))


class _Post:
    """Sends a request of the judge to the proxy, over its socket."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer's document. Raises httpx.HTTPError."""
        import httpx

        transport = httpx.HTTPTransport(uds=str(self._access.socket))
        headers = {"authorization": f"Bearer {self._access.token}", "x-api-key": self._access.token}
        with httpx.Client(transport=transport, base_url="http://host", timeout=_JUDGE_SECONDS) as client:
            answer = client.post(path, json=dict(body), headers=headers)
        answer.raise_for_status()
        document = answer.json()
        assert isinstance(document, dict), "the proxy answers with objects"
        return document


def _post(access: Access) -> _Post:
    return _Post(access)
