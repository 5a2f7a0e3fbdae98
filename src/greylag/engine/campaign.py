"""A campaign: plan it, run it, look at it. Each tick observes, decides and performs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.domain.errors import UsageError
from greylag.domain.lineage import Dependency
from greylag.domain.migration import Templates
from greylag.domain.outcome import FormChoice
from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine import claims, dependencies, ledger, tables
from greylag.engine.actions import Decision, Effect
from greylag.engine.apply import afresh, apply_all
from greylag.engine.bell import ringing
from greylag.engine.clock import Clock
from greylag.engine.crowd import CrowdRewriter, in_turn
from greylag.engine.database import DATABASE_ERRORS, passes, patiently
from greylag.engine.decide import decide
from greylag.engine.describe import PLAIN
from greylag.engine.events import EventKind
from greylag.engine.freshness import Freshness, Webhooks
from greylag.engine.leftovers import choose, hand_to_agent
from greylag.engine.loading import load_with_answers
from greylag.engine.notices import OnTick
from greylag.engine.observe import Seen, observe, read_world
from greylag.engine.patching import LedgerEntry, Rewriting, fold
from greylag.engine.perform import Performer, Request
from greylag.engine.ports import Fleet, Lessons, ProofLevel, Rewriter, Schedules, untaught
from greylag.engine.questions import adopt
from greylag.engine.remarks import Hearing
from greylag.engine.rewriter import Rewrites
from greylag.engine.store import Session, Store
from greylag.engine.work import Work, WorkFactory
from greylag.engine.world import AgentRules, Local, Mode, Rules, Target, World
from greylag.forge.base import Forge, Unavailable
from greylag.lineage.edges import read_lineage
from greylag.mapping.compiled import CompiledMigration
from greylag.rollout.health import HealthSource, Limits
from greylag.workspace.signing import Signing

if TYPE_CHECKING:
    from greylag.engine.agents import Agents

OpenAgents = Callable[[], AbstractContextManager[Callable[[], "Agents"] | None]]
"""Gives what makes agents when the first is needed, as long as a run lasts."""

OpenNotices = Callable[[str, OnTick], AbstractContextManager[OnTick]]
"""For a campaign, and what is called at each tick: the same, with notices collected and sent."""

_BREATH_SECONDS = 0.03
_SHARE = 4.0
"""While effects run, a tick comes at the earliest after so many times the length of the last tick."""

_LOOK_AGAIN = timedelta(seconds=15)
"""So long waits a run that stays, where nothing but a person's word can change anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: over, or waiting for a person (then `decision.waits` says for what)."""

    over: bool
    decision: Decision
    ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What of a campaign is this machine's to choose."""

    proof: ProofLevel = "fast"
    tries: int = 2
    errors: int = 3
    retry_after: timedelta = timedelta(seconds=30)
    limits: Limits = field(default_factory=Limits)
    author: str = "Greylag"
    email: str = "greylag@localhost"
    agents: AgentRules | None = None
    local: Local = field(default_factory=Local)
    lineage: Path | None = None
    """Where people say what consumers build and read."""
    listens: bool = False
    """May anything be told by pipelines? Then it wakes the campaign, as webhooks do."""
    webhooks: Webhooks = field(default_factory=Webhooks)
    templates: Templates = PLAIN
    signing: Signing | None = None


class Campaign:
    """The campaign of one migration. Everything it knows stands in the database."""

    def __init__(
        self,
        migration: CompiledMigration,
        *,
        text: str,
        store: Store,
        forge: Forge,
        fleet: Fleet,
        rewriter: Rewriter,
        health: HealthSource,
        clock: Clock,
        options: Options,
        work: WorkFactory,
        schedules: Schedules = lambda _: (),
        agents: OpenAgents = nullcontext,
        notices: OpenNotices = lambda _, on_tick: nullcontext(on_tick),
        lessons: Lessons = untaught,
    ) -> None:
        self.migration = migration
        self.name = migration.name
        self.store = store
        self.forge = forge
        self.fleet = fleet
        self.clock = clock
        self._text = text
        self._rewriter = rewriter
        self._work = work
        self._agents = agents
        self._notices = notices
        self.rules = Rules(
            rollout=migration.rollout,
            local=options.local,
            limits=options.limits,
            tries=options.tries,
            errors=options.errors,
            retry_after=options.retry_after,
            agents=options.agents,
            differs=any(mapping.differs for mapping in migration.mappings),
        )
        self._compiled: tuple[tuple[tuple[str, str], ...], CompiledMigration] | None = None
        self._first: dict[str, str | None] | None = None
        self._adopted = False
        self._lineage = options.lineage
        self._listens = options.listens or options.webhooks.on
        self.fresh: Seen = Freshness(store, clock, options.webhooks)
        self._listen: Callable[[], None] = lambda: None
        self._hears = Hearing()
        self.performer = Performer(
            store=store,
            forge=forge,
            fleet=fleet,
            health=health,
            clock=clock,
            schedules=schedules,
            lessons=lessons,
            rules=lambda _: self.rules,
            rewrites=Rewrites(
                store=store,
                fleet=fleet,
                rewriter=rewriter,
                compiled=lambda _: self.compiled(),
                proof=options.proof,
                author=options.author,
                email=options.email,
                agents=options.agents is not None,
                templates=options.templates,
                sign=options.signing,
            ),
        )

    def compiled(self) -> tuple[CompiledMigration, str]:
        """The migration with the answers given so far, and the digest of the file as it stands."""
        with self.store.read() as session:
            answers = session.answers(self.name)
        given = tuple(sorted(self._in_effect(answers).items()))
        known = self._compiled
        if known is None or known[0] != given:
            same = dict(given) == self.migration.answers
            migration = (
                self.migration if same else load_with_answers(self._text, self.migration.path, dict(given))
            )
            known = self._compiled = (given, migration)
        return known[1], self.source

    @property
    def source(self) -> str:
        """What of the file makes a patch outdated. An answer does not: it sets going whom it concerns."""
        return self.migration.basis

    def _in_effect(self, answers: Mapping[str, str | None]) -> dict[str, str]:
        """The answers about columns: those of the file, unless one was given since we first looked."""
        if self._first is None:
            self._first = dict(answers)
        ours = self.migration.answers
        asked = {f"{one.dataset}.{column}" for one in self.migration.mappings for column in one.unmapped}
        known = {key: value for key, value in answers.items() if value is not None and key in {*asked, *ours}}
        file = {key: value for key, value in ours.items() if answers.get(key) == self._first.get(key)}
        return {**known, **file}

    def follow(self) -> None:
        """Somebody else started the campaign, and took over its file's answers: the database's count."""
        self._adopted = True
        self._first = {}

    def try_answers(self, answers: Mapping[str, str]) -> None:
        """Compile the migration with these answers as well. Raises FileFaults when one of them is wrong."""
        with self.store.read() as session:
            given = self._in_effect(session.answers(self.name))
        load_with_answers(self._text, self.migration.path, {**given, **answers})

    def rehearse(self, *, proof: ProofLevel | None = None, flows: bool = True) -> dict[str, Rewriting]:
        """Rewrite every repository that mentions an old dataset, in memory; what reads none is left out.

        `proof` None: as the settings say. `flows`: look also for what each builds and reads beside them.
        """
        migration, _ = self.compiled()
        with self.store.read() as session:
            answers = session.answers(self.name)
        level = self.performer.rewrites.proof if proof is None else proof

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
            if self.rules.agents is not None:
                made = hand_to_agent(made, choose(reports, sources.files))
            entries = ledger.with_owners(made.entries, self.fleet, repository, sources.commit)
            flow = dependencies.flow(sources) if flows and entries else made.flow
            return replace(made, entries=entries, flow=flow)

        names = self.fleet.mentioning(migration)
        with self._crowd(len(names)) as at_once:
            rehearsals = in_turn(rehearsed, names, at_once)
            return {name: made for name, made in zip(names, rehearsals, strict=True) if made.entries}

    @contextmanager
    def _crowd(self, repositories: int = 0) -> Iterator[int]:
        """Rewrite in several processes meanwhile, where that pays; gives how many work at a time."""
        if not isinstance(self._rewriter, CrowdRewriter):
            yield 1
            return
        with self._rewriter.keep(repositories):
            yield self._rewriter.at_once

    def edges(self, made: Mapping[str, Rewriting]) -> tuple[Dependency, ...]:
        """Which of these repositories read what others of them build. Raises UsageError for a wrong file."""
        migration, _ = self.compiled()
        declared = () if self._lineage is None else read_lineage(self._lineage)
        return dependencies.between({name: one.flow for name, one in made.items()}, migration, declared)

    def survey(self) -> tuple[LedgerEntry, ...]:
        """Every consumer in the fleet now, found by a fresh look at the code; writes nothing."""
        made = self.rehearse(proof="none", flows=False)
        return tuple(entry for one in made.values() for entry in one.entries)

    def start(self) -> None:
        """Write the campaign down, or bring it up to the file as it stands now. Raises UsageError."""
        now = self.clock.now()
        table = tables.migrations
        with self.store.write() as session:
            row = session.migration(self.name)
            path = str(Path(self.migration.path).absolute())
            values = {"path": path, "text": self._text, "source": self.source}
            if row is None:
                fresh = {"name": self.name, "mode": Mode.ACTIVE.value, "started_at": now, **values}
                session.connection.execute(table.insert().values(**fresh))
                session.event(self.name, EventKind.STARTED, f"campaign {self.name} started", at=now)
            else:
                session.connection.execute(table.update().where(table.c.name == self.name).values(**values))
            answers = None
            if not self._adopted:
                # Once: what is answered while this process runs is newer than the file as it was read.
                adopt(session, self.migration, now)
                answers = session.answers(self.name)
        if answers is not None:
            self._adopted, self._first = True, answers

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
        if not target.skipped_by_rule or target.source == self.source:
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

    def world(self, busy: frozenset[str] = frozenset()) -> World:
        """What our tables say of the campaign."""
        with self.store.read() as session:
            world = read_world(session, self.name, self.source, self.rules, self.clock.now())
            world = claims.around(session, world)
        agents = self.performer.agents
        return replace(world, busy=busy, agents_down="" if agents is None else agents().down())

    def look(self, busy: frozenset[str] = frozenset()) -> tuple[World, Decision]:
        """Observe and decide; nothing is done."""
        tools = self.performer
        world = self.world(busy)
        world = observe(world, self.forge, self.fleet, tools.schedules, tools.lessons, self.fresh)
        return world, decide(world, self.clock.now())

    def tick(self, work: Work) -> Decision:
        """Observe, decide, perform: changes of our tables at once, effects as work."""
        self._listen()
        self.fresh.begin()
        self._hears.listen(self)
        world, decision = self.look(work.busy())
        now = self.clock.now()
        changes = [action for action in decision.actions if not isinstance(action, Effect)]
        free = claims.let_go(world, self.forge)
        if changes or free:
            with self.store.write() as session:
                if not work.leads(self.name, session):
                    return replace(decision, actions=(), over=False, wake=now)
                for name in free:
                    claims.release(session, self.name, name)
                apply_all(session, world, changes, now)
        effects = [action for action in decision.actions if isinstance(action, Effect)]
        work.submit([self._request(effect) for effect in effects])
        return decision

    def _request(self, effect: Effect) -> Request:
        return Request(
            kind=effect.kind,
            migration=self.name,
            source=self.source,
            repository=effect.repository,
            seq=effect.seq,
            note=effect.note,
        )

    def run(
        self, *, scan: bool = True, stay: bool = False, on_tick: Callable[[Decision], None] = lambda _: None
    ) -> Outcome:
        """Tick until the campaign is over or, unless told to `stay`, only a person can bring it further.

        Raises UsageError, before anything is written, for settings of an agent, or a key to sign with, that
        cannot work.
        """
        self.performer.rewrites.ready()
        with self._agents() as agents, self._crowd():
            self.performer.agents = agents
            patiently(self.start, self.store.patience)
            if scan:
                patiently(self._look_for_more, self.store.patience)
            notices = self._notices(self.name, on_tick)
            with (
                self._work(self.performer.perform) as work,
                notices as told,
                ringing(self.store, work.wake, wanted=self._listens) as self._listen,
            ):
                return self._until_done(work, told, stay=stay)

    def _look_for_more(self) -> None:
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

    def _until_done(self, work: Work, on_tick: Callable[[Decision], None], *, stay: bool) -> Outcome:
        ticks = 0
        while True:
            began = time.monotonic()
            was_busy = bool(work.busy())
            decision = self._turn(work)
            if decision is None:
                work.wait(1.0)
                continue
            on_tick(decision)
            ticks += 1
            if decision.over:
                self._finish(self.clock.now())
                return Outcome(over=True, decision=decision, ticks=ticks)
            if work.busy():
                self._pace(work, time.monotonic() - began)
            elif decision.actions or was_busy:
                continue  # what ended while this tick looked is seen by the next one
            elif decision.wake is not None or stay:
                work.wake.clear()
                self.clock.sleep_until(decision.wake or self.clock.now() + _LOOK_AGAIN, work.wake)
            else:
                return Outcome(over=False, decision=decision, ticks=ticks)

    def _turn(self, work: Work) -> Decision | None:
        """A tick; None while another process leads the campaign, or the database is away."""
        try:
            if not work.leads(self.name):
                return None
            self._same_file()
            return self.tick(work)
        except DATABASE_ERRORS as error:
            if not passes(error):
                raise
            self.fresh.lost()
            return None

    def _same_file(self) -> None:
        """Two runs with two versions of the file would undo each other's patches: the later one counts."""
        if not self.store.shared:
            return
        with self.store.read() as session:
            row = session.migration(self.name)
        if row is not None and row["source"] != self.source:
            raise UsageError(
                f"the campaign {self.name} was started again, elsewhere, with another version of its file: "
                "this run ends, and that one goes on"
            )

    @staticmethod
    def _pace(work: Work, took: float) -> None:
        """Wait for an effect to end, and then a little for others: ticks must not cost more than the work."""
        work.wait(0.5)
        pause = took * _SHARE
        until = time.monotonic() + pause
        while work.busy() and (left := until - time.monotonic()) > 0:
            work.wait(left)
            # Thousands of effects end one by one: whoever asks after each of them asks all the time.
            time.sleep(min(left, _BREATH_SECONDS))

    def _finish(self, now: datetime) -> None:
        table = tables.migrations
        with self.store.write() as session:
            row = session.migration(self.name)
            if row is None:
                raise UsageError(f"there is no campaign {self.name!r}")
            if row["over_at"] is not None:
                return
            session.connection.execute(table.update().where(table.c.name == self.name).values(over_at=now))
            session.event(self.name, EventKind.OVER, f"campaign {self.name} is over", at=now)
