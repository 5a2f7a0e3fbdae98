"""The only place where adapters are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.app.crew import Crew
from greylag.app.forge_settings import EmbeddedForgeSettings, signing_of
from greylag.app.health_settings import combined, followed
from greylag.app.notify_settings import open_notices
from greylag.app.rollout_settings import local_rules
from greylag.app.settings import HealthSettings, Settings
from greylag.domain.errors import UsageError
from greylag.domain.migration import Split
from greylag.engine.campaign import Campaign, OpenAgents, OpenNotices, Options
from greylag.engine.claims import standing
from greylag.engine.clock import Clock, ServerClock, SystemClock
from greylag.engine.database import connect, is_server, prepare, process_lock, sqlite_file
from greylag.engine.events import Listener
from greylag.engine.fleet import FolderFleet
from greylag.engine.following import SharedTurns, first_seen
from greylag.engine.freshness import Webhooks
from greylag.engine.hooks import runs_of
from greylag.engine.loading import load_with_answers
from greylag.engine.parted import PartedForge, PartedHealth, parted_lessons, parted_schedules
from greylag.engine.parts import SplitFleet, Standing
from greylag.engine.perform import Request
from greylag.engine.ports import Lessons, Rewriter, Schedules, untaught
from greylag.engine.store import PATIENCE_SECONDS, Store
from greylag.engine.work import Work, WorkFactory
from greylag.engine.world import AgentRules
from greylag.forge.base import Forge
from greylag.forge.embedded import EmbeddedForge
from greylag.lineage.index import FleetIndex
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import candidate_names
from greylag.rollout.health import HealthSource, Limits
from greylag.rollout.sources import BakeTimeOnly, CommandHealth, NoHealth, StatusFileHealth
from greylag.rollout.sources.pushed import PushedSettings
from greylag.rollout.traffic import TrafficFile

if TYPE_CHECKING:
    from greylag.engine.agents import Agents


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything that was built from the settings."""

    settings: Settings
    store: Store
    forge: Forge
    health: HealthSource
    rewriter: Rewriter
    clock: Clock
    work: WorkFactory
    schedules: Schedules = lambda _: ()
    agents: OpenAgents = nullcontext
    notices: OpenNotices = lambda _, on_tick: nullcontext(on_tick)

    def subscribe(self, listener: Listener) -> None:
        """Hear every event of this process."""
        self.store.subscribe(listener)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the database for a run; a server is shared, and waited for. Raises DatabaseBusy."""
        if self.store.shared:
            self.store.patience = PATIENCE_SECONDS
        return process_lock(self.settings.database)

    def fleet(self) -> FolderFleet:
        """The repositories of the fleet as they are now."""
        return _fleet(self.settings, self.forge)

    def campaign(self, migration: str) -> Campaign:
        """The campaign of a migration file, or, by name, of one that was started before.

        Raises FileFaults for a file that does not compile, UsageError for a name that is not known.
        """
        return self._campaign(*self._source(migration))

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Perform the effects of all campaigns. Raises UsageError for a database that is not shared."""
        if not is_server(self.settings.database):
            raise UsageError(
                "a worker needs a database that several processes share: set `database` to "
                "postgresql+psycopg://USER@HOST/NAME; on SQLite `greylag run` does all the work"
            )
        signing = signing_of(self.settings.forge)
        if signing is not None:
            signing.try_out()
        crew = Crew(self.store, self.clock, self._campaign)
        with self.agents() as agents, self.work(crew.perform):
            crew.agents = agents
            yield

    def _work(self, campaign: Callable[[], Campaign]) -> WorkFactory:
        """Work that finds the campaign of each effect; `campaign` is the one that this process runs."""

        def start(_perform: Callable[[Request], bool]) -> AbstractContextManager[Work]:
            crew = Crew(self.store, self.clock, self._campaign)
            crew.adopt(campaign())
            return self.work(crew.perform)

        return start

    def _campaign(self, text: str, path: str) -> Campaign:
        compiled = load_with_answers(text, path, {})
        made = Campaign(
            compiled,
            text=text,
            store=self.store,
            forge=PartedForge(self.forge),
            fleet=self._split(),
            rewriter=self.rewriter,
            health=PartedHealth(self.health),
            clock=self.clock,
            options=_options(self.settings),
            work=self._work(lambda: made),
            schedules=parted_schedules(self.schedules),
            lessons=parted_lessons(_lessons(self.settings, compiled, self.clock)),
            agents=self.agents,
            notices=self.notices,
        )

        return made

    def _split(self) -> SplitFleet:
        """The fleet, with the repositories that owners share in parts."""
        patterns = self.settings.rollout.split

        def split(repository: str, migration: CompiledMigration) -> bool:
            every = migration.rollout.split is Split.OWNER
            return every or any(fnmatchcase(repository, pattern) for pattern in patterns)

        def begun(migration: str) -> Standing:
            with self.store.read() as session:
                return standing(session, migration)

        return SplitFleet(self.fleet(), split, begun)

    def _source(self, migration: str) -> tuple[str, str]:
        path = Path(migration)
        if path.is_file():
            return path.read_text(encoding="utf-8"), migration
        with self.store.read() as session:
            row = session.migration(migration)
        if row is None:
            raise UsageError(
                f"{migration}: no such file, and no campaign of that name was started "
                "(`greylag run FILE` starts one)"
            )
        known = Path(row["path"])
        text = known.read_text(encoding="utf-8") if known.is_file() else row["text"]
        return str(text), str(known)


def build(
    settings: Settings,
    *,
    rewriter: Rewriter | None = None,
    clock: Clock | None = None,
    health: HealthSource | None = None,
    forge: Forge | None = None,
    work: WorkFactory | None = None,
    unsafe: bool = False,
) -> App:
    """Wire the application; what is handed in stands in for what the settings name (demo, tests).

    `unsafe`: agents run without a sandbox.

    Raises UsageError for settings that cannot work, e.g. a fleet whose folder is missing.
    """
    engine = connect(settings.database)
    prepare(engine)
    store = Store(engine)
    time = clock or clock_of(store)
    source = health or _health(settings.health, base_folder(settings), store)
    pulls = forge or _forge(settings, time)
    return App(
        settings=settings,
        store=store,
        health=source if health else _followed(settings, pulls, source, store),
        forge=pulls,
        rewriter=rewriter or _rewriter(settings),
        clock=time,
        work=work or _durable(settings, store),
        schedules=_schedules(settings.health),
        agents=_agents(settings, store, time, unsafe=unsafe),
        notices=open_notices(settings.notify, store, time, base_folder(settings)),
    )


def clock_of(store: Store) -> Clock:
    """The clock that all processes on a database share."""
    if not store.shared:
        return SystemClock()

    def ask() -> datetime:
        with store.aside() as session:
            return session.now()

    return ServerClock(ask)


def _agents(settings: Settings, store: Store, clock: Clock, *, unsafe: bool) -> OpenAgents:
    if settings.agent.runner is None:
        return nullcontext

    def start() -> AbstractContextManager[Callable[[], Agents] | None]:
        # What agents need takes a second to import: only a run with one pays for it.
        from greylag.app.agents import open_agents

        return open_agents(settings, store, clock, unsafe=unsafe)

    return start


def _durable(settings: Settings, store: Store) -> WorkFactory:
    def start(perform: Callable[[Request], bool]) -> AbstractContextManager[Work]:
        # The library takes a second to import: only a run pays for it.
        from greylag.engine.durable import durable_work

        agents = settings.agent.parallel if settings.agent.runner is not None else 0
        return durable_work(
            settings.database,
            store,
            perform,
            workers=settings.workers,
            agents=agents,
            life=settings.time_to_live,
        )

    return start


def _forge(settings: Settings, clock: Clock) -> Forge:
    if settings.forge.kind != "embedded":
        # Its libraries are an extra: only those who use it pay for them.
        try:
            from greylag.app.hosted import open_forge
        except ModuleNotFoundError as error:
            kind = settings.forge.kind
            message = f"forge: {kind} needs {error.name}: install it with `pip install 'greylag[github]'`"
            raise UsageError(message) from error
        return open_forge(settings, clock)
    if not settings.fleet.is_dir():
        raise UsageError(
            f"{settings.fleet}: the fleet's folder does not exist; say where it is under `fleet` in "
            "greylag.yaml or in GREYLAG_FLEET (`greylag init` writes the file)"
        )
    author = settings.author
    sign = signing_of(settings.forge)
    return EmbeddedForge(settings.fleet, clock=clock.now, author=author.name, email=author.email, sign=sign)


def _fleet(settings: Settings, forge: Forge) -> FolderFleet:
    file = sqlite_file(settings.database)
    folder = Path(".greylag") if file is None else file.parent
    index = FleetIndex(folder / "index.db")
    if settings.forge.kind != "embedded":
        from greylag.app.hosted import open_fleet

        return open_fleet(settings, forge, index, candidate_names)
    return FolderFleet(settings.fleet, index, names=candidate_names)


def _rewriter(settings: Settings) -> Rewriter:
    from greylag.engine.crowd import CrowdRewriter, cores
    from greylag.engine.rewriting import rewrite_tree

    # On a server each worker is a process: there are as many as there are cores for them.
    if is_server(settings.database):
        return rewrite_tree
    return CrowdRewriter(rewriter=rewrite_tree, processes=min(cores(), settings.workers))


def _health(settings: HealthSettings, base: Path | None, store: Store) -> HealthSource:
    sources = settings.sources
    given: Mapping[str, HealthSource] = {
        name: source
        for name, source in (
            ("command", CommandHealth(command=settings.command) if settings.command else None),
            ("status_dir", StatusFileHealth(folder=settings.status_dir) if settings.status_dir else None),
            ("none", BakeTimeOnly() if settings.none else None),
            ("sources", combined(sources, base, pushed=runs_of(store)) if sources else None),
        )
        if source is not None
    }
    if len(given) > 1:
        raise UsageError(
            f"`health` takes one of command, status_dir, none and sources, not {' and '.join(given)}"
        )
    return next(iter(given.values()), NoHealth())


def _followed(settings: Settings, forge: Forge, health: HealthSource, store: Store) -> HealthSource:
    """The health, and whether everything that runs a repository runs what was merged."""
    given = settings.health

    def includes(repository: str, commit: str, merged: str) -> bool:
        fleet = _fleet(settings, forge)
        known = fleet.open(repository)
        if fleet.apart and not (known.has_commit(commit) and known.has_commit(merged)):
            fleet.freshen(repository)  # another machine merged it
            known = fleet.open(repository)
        both = known.has_commit(commit) and known.has_commit(merged)
        return both and known.is_ancestor(merged, commit)

    return followed(
        health,
        given.instances,
        watch=given.watch,
        includes=includes,
        base=base_folder(settings),
        at_most=given.at_most,
        first=first_seen(store),
        turns=SharedTurns(store),
    )


def base_folder(settings: Settings) -> Path | None:
    """The folder that relative paths are read from."""
    return None if settings.file is None else settings.file.absolute().parent


def _schedules(settings: HealthSettings) -> Schedules:
    if settings.status_dir is None:
        return lambda _: ()
    return StatusFileHealth(folder=settings.status_dir).schedules


def _lessons(settings: Settings, migration: CompiledMigration, clock: Clock) -> Lessons:
    given = settings.rollout.traffic
    if given is None:
        return untaught
    file = TrafficFile(file=given.file, timezone=given.timezone)
    datasets = [str(mapping.dataset) for mapping in migration.mappings]
    return lambda _, repository: file.lesson(repository, datasets, clock.now())


def _options(settings: Settings) -> Options:
    health = settings.health
    return Options(
        proof=settings.proof,
        tries=settings.tries,
        limits=Limits(
            failed=health.failed,
            errored=health.errored,
            patience=health.patience,
            inconclusive=health.inconclusive,
        ),
        author=settings.author.name,
        email=settings.author.email,
        agents=_agent_rules(settings),
        local=local_rules(settings.rollout),
        lineage=settings.rollout.lineage,
        listens=_listens(settings),
        webhooks=_webhooks(settings),
        templates=settings.forge.templates.value,
        signing=signing_of(settings.forge),
    )


def _listens(settings: Settings) -> bool:
    """May anything come in at `greylag serve` that a campaign waits for?"""
    return any(isinstance(one, PushedSettings) for one in settings.health.sources)


def _webhooks(settings: Settings) -> Webhooks:
    given = settings.forge
    if isinstance(given, EmbeddedForgeSettings):
        return Webhooks()
    poll = timedelta(seconds=given.poll)
    return Webhooks(on=given.webhooks, catch_up=given.catch_up, life=settings.time_to_live, poll=poll)


def _agent_rules(settings: Settings) -> AgentRules | None:
    given = settings.agent
    if given.runner is None:
        return None
    return AgentRules(parallel=given.parallel, campaign=given.budget.campaign, day=given.budget.day)
