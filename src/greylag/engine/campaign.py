"""A campaign: plan it, run it, look at it. Each tick observes, decides and performs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.domain.migration import Templates
from greylag.engine import claims, tables
from greylag.engine.actions import Decision, Effect
from greylag.engine.apply import apply_all
from greylag.engine.bell import ringing
from greylag.engine.clock import Clock
from greylag.engine.database import patiently
from greylag.engine.decide import decide
from greylag.engine.describe import PLAIN
from greylag.engine.events import EventKind
from greylag.engine.freshness import Freshness, Webhooks
from greylag.engine.loading import load_with_answers
from greylag.engine.loop import Loop, Outcome
from greylag.engine.notices import OnTick
from greylag.engine.observe import Seen, observe, read_world
from greylag.engine.patching import LedgerEntry
from greylag.engine.perform import Performer, Request
from greylag.engine.ports import Fleet, Lessons, ProofLevel, Rewriter, Schedules, untaught
from greylag.engine.questions import adopt
from greylag.engine.remarks import Hearing
from greylag.engine.rewriter import Rewrites
from greylag.engine.scanning import Scanner
from greylag.engine.store import Store
from greylag.engine.work import Work, WorkFactory
from greylag.engine.world import AgentRules, Local, Mode, Rules, World
from greylag.forge.base import Forge
from greylag.mapping.compiled import CompiledMigration
from greylag.rollout.health import HealthSource, Limits
from greylag.workspace.signing import Signing

if TYPE_CHECKING:
    from greylag.engine.agents import Agents

OpenAgents = Callable[[], AbstractContextManager[Callable[[], "Agents"] | None]]
"""Gives what makes agents when the first is needed, as long as a run lasts."""

OpenNotices = Callable[[str, OnTick], AbstractContextManager[OnTick]]
"""For a campaign, and what is called at each tick: the same, with notices collected and sent."""


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
        self.scanner = Scanner(
            self.name,
            store=store,
            fleet=lambda: self.fleet,
            rewriter=rewriter,
            clock=clock,
            compiled=self.compiled,
            proof=options.proof,
            agents=options.agents is not None,
            lineage=options.lineage,
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

    def survey(self) -> tuple[LedgerEntry, ...]:
        """Every consumer in the fleet now, found by a fresh look at the code; writes nothing."""
        return self.scanner.survey()

    def scan(self) -> int:
        """Look for consumers; new ones become targets. Returns how many targets are new."""
        return self.scanner.scan()

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
        with self._agents() as agents, self.scanner.crowd():
            self.performer.agents = agents
            patiently(self.start, self.store.patience)
            if scan:
                patiently(self.scanner.look_for_more, self.store.patience)
            notices = self._notices(self.name, on_tick)
            with (
                self._work(self.performer.perform) as work,
                notices as told,
                ringing(self.store, work.wake, wanted=self._listens) as self._listen,
            ):
                return Loop(self).until_done(work, told, stay=stay)
