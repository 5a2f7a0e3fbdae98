"""Looking for consumers: every repository that mentions an old dataset is rewritten, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from greylag.domain.lineage import Dependency
from greylag.domain.outcome import FormChoice
from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine import dependencies, ledger, tables
from greylag.engine.apply import afresh
from greylag.engine.clock import Clock
from greylag.engine.crowd import CrowdRewriter, in_turn
from greylag.engine.events import EventKind
from greylag.engine.leftovers import choose, hand_to_agent
from greylag.engine.patching import LedgerEntry, Rewriting, fold
from greylag.engine.ports import Fleet, ProofLevel, Rewriter
from greylag.engine.store import Session, Store
from greylag.engine.world import Target
from greylag.forge.base import Unavailable
from greylag.lineage.edges import read_lineage
from greylag.mapping.compiled import CompiledMigration


class Scanner:
    """Finds the consumers of one migration. `agents`: what codemods leave over is an agent's to try.

    `lineage` is a file in which people say what consumers build and read. `compiled` gives the migration with
    the answers given so far, and the digest of its file.
    """

    def __init__(
        self,
        name: str,
        *,
        store: Store,
        fleet: Callable[[], Fleet],
        rewriter: Rewriter,
        clock: Clock,
        compiled: Callable[[], tuple[CompiledMigration, str]],
        proof: ProofLevel,
        agents: bool,
        lineage: Path | None,
    ) -> None:
        self.name = name
        self.store = store
        self._fleet = fleet
        self.clock = clock
        self._rewriter = rewriter
        self._compiled = compiled
        self._proof: ProofLevel = proof
        self._agents = agents
        self._lineage = lineage

    @property
    def fleet(self) -> Fleet:
        """The repositories."""
        return self._fleet()

    @property
    def _source(self) -> str:
        return self._compiled()[1]

    def rehearse(self, *, proof: ProofLevel | None = None, flows: bool = True) -> dict[str, Rewriting]:
        """Rewrite every repository that mentions an old dataset, in memory; what reads none is left out.

        `proof` None: as the settings say. `flows`: look also for what each builds and reads beside them.
        """
        migration, _ = self._compiled()
        with self.store.read() as session:
            answers = session.answers(self.name)
        level = self._proof if proof is None else proof

        def rehearsed(repository: str) -> Rewriting:
            sources = self.fleet.sources(repository, migration)
            reports = self._rewriter(
                sources.files,
                migration,
                form=FormChoice.AUTO,
                proof=level,
                only=sources.wanted.__contains__,
            )
            made = fold(
                repository,
                sources.files,
                reports,
                unreadable=sources.unreadable,
                answers=answers,
                elsewhere=sources.elsewhere,
            )
            if self._agents:
                made = hand_to_agent(made, choose(reports, sources.files))
            entries = ledger.with_owners(made.entries, self.fleet, repository, sources.commit)
            flow = dependencies.flow(sources) if flows and entries else made.flow
            return replace(made, entries=entries, flow=flow)

        names = self.fleet.mentioning(migration)
        with self.crowd(len(names)) as at_once:
            rehearsals = in_turn(rehearsed, names, at_once)
            return {name: made for name, made in zip(names, rehearsals, strict=True) if made.entries}

    @contextmanager
    def crowd(self, repositories: int = 0) -> Iterator[int]:
        """Rewrite in several processes meanwhile, where that pays; gives how many work at a time."""
        if not isinstance(self._rewriter, CrowdRewriter):
            yield 1
            return
        with self._rewriter.keep(repositories):
            yield self._rewriter.at_once

    def edges(self, made: Mapping[str, Rewriting]) -> tuple[Dependency, ...]:
        """Which of these repositories read what others of them build. Raises UsageError for a wrong file."""
        migration, _ = self._compiled()
        declared = () if self._lineage is None else read_lineage(self._lineage)
        return dependencies.between({name: one.flow for name, one in made.items()}, migration, declared)

    def survey(self) -> tuple[LedgerEntry, ...]:
        """Every consumer in the fleet now, found by a fresh look at the code; writes nothing."""
        made = self.rehearse(proof="none", flows=False)
        return tuple(entry for one in made.values() for entry in one.entries)

    def scan(self) -> int:
        """Look for consumers; new ones become targets. Returns how many targets are new."""
        made = self.rehearse(proof="none")
        edges = self.edges(made)
        by_repository = {name: one.entries for name, one in made.items()}
        entries = [entry for found in by_repository.values() for entry in found]
        now = self.clock.now()
        new = 0
        with self.store.write() as session:
            known = {target.repository: target for target in session.targets(self.name)}
            for repository, found in sorted(by_repository.items()):
                if repository not in known:
                    self._add(session, repository, found, now)
                    new += 1
                elif known[repository].state is TargetState.DONE:
                    self._reopen(session, known[repository], found, now)
                else:
                    ledger.add(session, self.name, repository, found, now)
                    self._reconsider(session, known[repository], now)
            dependencies.keep(session, self.name, by_repository, edges)
            places = count(len(by_repository), "repository")
            message = f"{count(len(entries), 'consumer')} in {places}, {new} of them new"
            message += dependencies.words(edges)
            data = {"consumers": len(entries), "repositories": len(by_repository), "new": new}
            session.event(self.name, EventKind.SCANNED, message, at=now, data=data)
        return new

    def _add(self, session: Session, repository: str, found: Sequence[LedgerEntry], now: datetime) -> None:
        owners = {entry.consumer.owner for entry in found if entry.consumer.owner}
        session.connection.execute(
            tables.targets.insert().values(
                migration=self.name,
                repository=repository,
                state=TargetState.FOUND.value,
                reason="found",
                context="",
                consumers=len(found),
                owners=sorted(owners),
                updated_at=now,
            )
        )
        pending = [replace(entry, outcome="pending") for entry in found]
        ledger.keep(session, self.name, repository, pending, now)

    def _reconsider(self, session: Session, target: Target, now: datetime) -> None:
        """What was left alone under another migration file may be rewritten under this one."""
        if not target.skipped_by_rule or target.source == self._source:
            return
        reason = "tried again: the migration file changed"
        if session.change(self.name, target, now, state=TargetState.FOUND.value, reason=reason):
            text = f"{target.repository}: {reason}"
            session.event(self.name, EventKind.RETRIED, text, at=now, repository=target.repository)

    def _reopen(self, session: Session, target: Target, found: Sequence[LedgerEntry], now: datetime) -> None:
        """New readers appeared where everything was done: another round, with a pull request of its own."""
        fresh = ledger.appeared(session, self.name, target.repository, found)
        if not fresh:
            return
        ledger.close_round(session, self.name, target.repository)
        values = afresh(target) | {"attempt": target.attempt + 1, "extra": target.extra + 1}
        reason = f"new readers appeared: {len(fresh)}"
        if session.change(self.name, target, now, **values, state=TargetState.FOUND.value, reason=reason):
            pending = [replace(entry, outcome="pending") for entry in found]
            ledger.keep(session, self.name, target.repository, pending, now)
            session.reopen(self.name)
            text = f"{target.repository}: {reason}"
            session.event(
                self.name, EventKind.FOUND, text, at=now, repository=target.repository, wave=target.wave
            )

    def look_for_more(self) -> None:
        """Scan. Where the forge is away, a campaign that has begun goes on with what it knows, and says so.

        Raises Unavailable for one that knows nothing yet.
        """
        try:
            self.scan()
        except Unavailable as error:
            with self.store.write() as session:
                if not session.watched(self.name):
                    raise
                text = f"new consumers could not be looked for: {error}"
                session.event(self.name, EventKind.WAITING, text, at=self.clock.now())
