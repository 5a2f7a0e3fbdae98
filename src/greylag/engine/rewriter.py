"""Rewriting one repository: its files at the head, the rewriter that was handed in, a commit without a
ref.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from greylag.domain.check import Verdict
from greylag.domain.migration import Templates
from greylag.domain.outcome import FormChoice
from greylag.domain.parts import is_part
from greylag.domain.target import TargetState
from greylag.engine import claims, ledger, parcels, tables
from greylag.engine.describe import PLAIN, agent_message, body, commit_message, mentions_message, title
from greylag.engine.leftovers import AgentPart, Chosen, choose, hand_to_agent, with_agent
from greylag.engine.mentions import mentions_in_text
from greylag.engine.moving import receive
from greylag.engine.patching import LedgerEntry, Rewriting, fold
from greylag.engine.ports import Fleet, ProofLevel, Rewriter, Sources
from greylag.engine.remarks import plain
from greylag.engine.store import Session, Store
from greylag.engine.world import Target
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import OverlaidFiles, Repository
from greylag.workspace.signing import Signing


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A rewritten repository: what to write into its row, its questions and its part of the ledger."""

    state: TargetState
    reason: str
    base: str
    commit: str | None
    verdict: Verdict | None
    values: dict[str, Any]
    asked: dict[str, str]
    entries: tuple[LedgerEntry, ...]
    repository: str
    told: dict[str, object]
    idioms: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    parcel: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the codemods make of a repository, before anything is committed."""

    migration: CompiledMigration
    source: str
    sources: Sources
    made: Rewriting
    chosen: Chosen
    answers: Mapping[str, str | None]


@dataclass(slots=True)
class Rewrites:
    """Makes patches. `compiled` gives a migration with the answers so far, and the digest of its file.

    `agents`: what codemods leave over waits for an agent.
    """

    store: Store
    fleet: Fleet
    rewriter: Rewriter
    compiled: Callable[[str], tuple[CompiledMigration, str]]
    proof: ProofLevel
    author: str
    email: str
    agents: bool = False
    templates: Templates = PLAIN
    sign: Signing | None = None

    def ready(self) -> None:
        """Try what is needed for every commit. Raises UsageError for a key that does not work."""
        if self.sign is not None:
            self.sign.try_out()

    def worded(self, migration: CompiledMigration) -> Templates:
        """The migration's own templates, and where it has none, those of the settings."""
        return migration.rollout.templates.over(self.templates)

    def draft(self, name: str, target: Target) -> Draft:
        """Rewrite a repository from the head of its default branch, in memory."""
        migration, source = self.compiled(name)
        with self.store.read() as session:
            answers = session.answers(name)
        sources = self.fleet.sources(target.repository, migration)
        # The first form that was tried has been reverted: the other one keeps the program's own text as it
        # is.
        form = FormChoice.AUTO if target.attempt == 1 else FormChoice.BOUNDARY
        reports = self.rewriter(
            sources.files, migration, form=form, proof=self.proof, only=sources.wanted.__contains__
        )
        made = fold(
            target.repository,
            sources.files,
            reports,
            unreadable=sources.unreadable,
            answers=answers,
            elsewhere=sources.elsewhere,
        )
        chosen = choose(reports, sources.files) if self.agents else Chosen()
        return Draft(
            migration=migration,
            source=source,
            sources=sources,
            made=hand_to_agent(made, chosen),
            chosen=chosen,
            answers=answers,
        )

    def make(self, name: str, target: Target) -> Made:
        """Rewrite a repository; the commit stands in it, without a ref."""
        return self.finish(self.draft(name, target), target)

    def commit(self, draft: Draft, target: Target) -> str | None:
        """The codemods' commit on top of the head, None where they changed nothing."""
        if not draft.made.changes or draft.made.state is TargetState.WAITING_ANSWER:
            return None
        message = commit_message(draft.migration, target, self.worded(draft.migration))
        return self._commit(draft, draft.sources.commit, draft.made.changes, message)

    def _commit(self, draft: Draft, base: str, changes: Mapping[str, bytes], message: str) -> str:
        repo = self.fleet.open(draft.sources.repository).signed(self.sign)
        return repo.commit(
            base,
            changes,
            message=message,
            author=self.author,
            email=self.email,
            when=repo.info(draft.sources.commit).when,
        )

    def finish(self, draft: Draft, target: Target, part: AgentPart | None = None) -> Made:
        """Commit what was made: the codemods' changes, an agent's on top of them, mentions on top of both."""
        made = draft.made if part is None else with_agent(draft.made, part)
        migration, sources = draft.migration, draft.sources
        templates = self.worded(migration)
        commit = self.commit(draft, target)
        if part is not None and part.changes:
            message = agent_message(migration, target, self.worded(migration))
            commit = self._commit(draft, commit or sources.commit, part.changes, message)
        if commit is not None and migration.rollout.mentions and made.state is TargetState.REWRITTEN:
            repo = self.fleet.open(target.repository)
            commit = self._mentions(repo, commit, sources, made.changes, migration, target)
        entries = ledger.with_owners(made.entries, self.fleet, target.repository, sources.commit)
        if sources.note and made.changes:
            made = replace(made, reason=f"{made.reason}; {sources.note}")
        values = {
            "state": made.state.value,
            "reason": made.reason,
            "base": sources.commit,
            "commit_id": commit,
            "digest": made.digest,
            "source": draft.source,
            "verdict": made.verdict,
            "questions": list(made.questions),
            "title": title(migration, target, templates),
            "body": body(migration, target, made, templates)
            + (f"\n{plain(sources.note)}.\n" if sources.note else ""),
            "consumers": len(entries),
            "owners": sorted({entry.consumer.owner for entry in entries if entry.consumer.owner}),
        }
        edited = [entry for entry in entries if entry.outcome == "edited"]
        return Made(
            state=made.state,
            reason=made.reason,
            base=sources.commit,
            commit=commit,
            verdict=made.verdict,
            values=values,
            asked={key: _question(migration, key) for key in made.questions},
            entries=entries,
            repository=target.repository,
            idioms=dict(draft.chosen.idioms or {}) if made.state is TargetState.AGENT else {},
            elsewhere=sources.elsewhere,
            paths=self._touched(target, sources.commit, commit),
            parcel=self._parcel(target, sources.commit, commit),
            told={
                "verdict": made.verdict,
                "commit": commit,
                "edited": len(edited),
                "left": len(entries) - len(edited),
                "forms": sorted({entry.form for entry in edited if entry.form}),
                "questions": list(made.questions),
            },
        )

    def _touched(self, target: Target, base: str, commit: str | None) -> tuple[str, ...]:
        """The files that the patch of a part changes."""
        if commit is None or not is_part(target.repository):
            return ()
        return tuple(self.fleet.open(target.repository).changed(base, commit))

    def _parcel(self, target: Target, base: str, commit: str | None) -> bytes | None:
        """The patch, for machines whose copies of the repositories are their own."""
        if commit is None or not self.fleet.apart:
            return None
        return self.fleet.open(target.repository).parcel(base, commit)

    def _mentions(
        self,
        repo: Repository,
        commit: str,
        sources: Sources,
        changes: Mapping[str, bytes],
        migration: CompiledMigration,
        target: Target,
    ) -> str:
        """The names that are only mentioned, in a commit of their own; the same commit without any."""
        files = OverlaidFiles(sources.files, {path: data.decode() for path, data in changes.items()})
        said = {
            path: new.encode("utf-8")
            for path in sorted(sources.wanted)
            if (new := mentions_in_text(path, files[path], migration, files)) != files[path]
        }
        if not said:
            return commit
        return repo.signed(self.sign).commit(
            commit,
            said,
            message=mentions_message(migration, target, self.worded(migration)),
            author=self.author,
            email=self.email,
            when=repo.info(sources.commit).when,
        )

    def keep(self, session: Session, migration: str, made: Made, now: datetime) -> None:
        """Write the ledger rows and the questions of a rewritten repository."""
        moved = ledger.keep(session, migration, made.repository, made.entries, now, elsewhere=made.elsewhere)
        for name, number in moved.items():
            receive(session, migration, name, number, now)
        claims.want(session, migration, made.repository, made.paths)
        session.keep_idioms(migration, made.repository, made.idioms)
        if made.parcel is not None and made.commit is not None:
            parcels.keep(session, migration, made.repository, made.base, made.commit, made.parcel, now)
        known = session.answers(migration)
        for key, text in made.asked.items():
            if key not in known:
                session.connection.execute(
                    tables.questions.insert().values(migration=migration, key=key, text=text, asked_at=now)
                )


def _question(migration: CompiledMigration, key: str) -> str:
    for mapping in migration.mappings:
        for column, text in mapping.unmapped.items():
            if key == f"{mapping.dataset}.{column}":
                return text
    return f"{key} has no counterpart in the new datasets"
