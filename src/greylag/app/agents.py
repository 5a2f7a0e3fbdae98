"""Building what agents need: the cage, the proxy that holds the key, the runner, the judges."""

from __future__ import annotations

import math
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from greylag.agent.base import Runner
from greylag.agent.proxy import ModelProxy, Price, Redactor, Upstream, read_price, read_secret
from greylag.agent.runners import make_runner
from greylag.agent.runners.checking import ATTEMPT, AgentReport, check_runner
from greylag.agent.transcript import prune
from greylag.app.agent_settings import AgentSettings, UpstreamSettings
from greylag.app.settings import Settings
from greylag.domain.errors import UsageError
from greylag.engine.agents import Agents
from greylag.engine.books import Budget, SqlBooks
from greylag.engine.clock import Clock, SystemClock
from greylag.engine.database import connect, prepare, sqlite_file
from greylag.engine.judges import HostJudges
from greylag.engine.store import Store
from greylag.verify.projects import ProjectSettings
from greylag.workspace.cage import Cage, CageLimits, choose_cage, unsafe_cage
from greylag.workspace.cage.container import IMAGE
from greylag.workspace.scratch import own_folder

JUDGE = "judge"
"""The name of the judge's upstream in the proxy."""


@contextmanager
def open_agents(
    settings: Settings, store: Store, clock: Clock, *, unsafe: bool = False
) -> Iterator[Callable[[], Agents] | None]:
    """What makes the agents of a run; None where no runner is configured.

    At the end every agent's process, the pool and the proxy are gone. `unsafe` runs agents without a sandbox.
    Raises UsageError for settings that cannot work, and NoSandbox where no cage does: before anything runs.
    """
    if settings.agent.runner is None:
        yield None
        return
    closing = threading.Event()
    with ExitStack() as stack:
        made = _build(settings, store, clock, stack, closing, unsafe=unsafe)
        try:
            yield lambda: made
        finally:
            closing.set()


def _build(
    settings: Settings,
    store: Store,
    clock: Clock,
    stack: ExitStack,
    closing: threading.Event,
    *,
    unsafe: bool,
) -> Agents:
    given = settings.agent
    folder = agents_folder(settings)
    prune(folder, given.transcripts.keep, now=clock.now())
    budget = Budget(target=given.budget.target, campaign=given.budget.campaign, day=given.budget.day)
    books = SqlBooks(store=store, clock=clock, budget=budget)
    cage = cage_of(given, unsafe=unsafe)
    redactor = Redactor(patterns=given.transcripts.redact)
    proxy = stack.enter_context(proxy_of(given, books, redactor, unsafe=unsafe))
    runner = runner_of(given)
    runner.version()  # raises where it is not installed
    close = getattr(runner, "close", None)
    if close is not None:
        stack.callback(close)
    limits = limits_of(given)
    return Agents(
        runner=runner,
        cage=cage,
        proxy=proxy,
        judges=HostJudges(
            cage=cage,
            limits=limits,
            projects=_projects(given),
            readable=given.verifiers.readable,
            proxy=proxy if given.judge is not None else None,
            upstream=JUDGE,
            folder=folder,
            scratch=_scratch(folder, stack),
        ),
        spent=books.spent,
        refused=books.refused,
        folder=folder,
        model=given.model,
        rounds=given.rounds,
        turns=given.turns,
        limits=limits,
        redact=redactor,
        level=given.transcripts.level,
        closing=closing,
    )


def _scratch(folder: Path, stack: ExitStack) -> Path:
    """A folder for copies that goes with this process; those of killed ones go now."""
    made, lock = own_folder("verify-", folder / "scratch")
    stack.callback(os.close, lock)
    stack.callback(shutil.rmtree, made, ignore_errors=True)
    return made


def check_agent(settings: Settings, *, turns: int, unsafe: bool) -> AgentReport:
    """Have the configured agent make a small edit in a scratch repository; see `check_runner`.

    What it costs stands in the books of this machine. Raises UsageError and NoSandbox.
    """
    given = settings.agent
    runner = runner_of(given)
    cage = cage_of(given, unsafe=unsafe)
    engine = connect(settings.database)
    prepare(engine)
    # It is no campaign's: the day's money is what a refusal should name.
    budget = Budget(target=math.inf, campaign=math.inf, day=given.budget.day)
    books = SqlBooks(store=Store(engine), clock=SystemClock(), budget=budget)
    before = books.spent(ATTEMPT)
    redactor = Redactor(patterns=given.transcripts.redact)
    try:
        with proxy_of(given, books, redactor, unsafe=unsafe) as proxy:
            report = check_runner(
                runner, cage, proxy, spent=books.spent, limits=limits_of(given), turns=turns
            )
    finally:
        close = getattr(runner, "close", None)
        if close is not None:
            close()
        engine.dispose()
    return replace(report, usage=report.usage - before)


def _projects(given: AgentSettings) -> ProjectSettings | None:
    own = given.verifiers
    if not own.enabled:
        return None
    return ProjectSettings(python=own.python, timeout=own.timeout.total_seconds(), skip=own.skip)


def agents_folder(settings: Settings) -> Path:
    """Where the runs of agents are kept: beside the database's file."""
    file = sqlite_file(settings.database)
    return (Path(".greylag") if file is None else file.parent) / "agents"


def cage_of(given: AgentSettings, *, unsafe: bool) -> Cage:
    """The sandbox that the settings ask for and that works here. Raises NoSandbox."""
    if unsafe:
        return unsafe_cage()
    return choose_cage(given.sandbox, image=given.image or IMAGE)


def limits_of(given: AgentSettings) -> CageLimits:
    """What one cage may take."""
    return CageLimits(
        wall=given.limits.wall.total_seconds(),
        cpu=int(given.limits.cpu.total_seconds()),
        memory=given.limits.memory,
        disk=given.limits.disk,
        processes=given.limits.processes,
    )


def proxy_of(given: AgentSettings, books: SqlBooks, redactor: Redactor, *, unsafe: bool) -> ModelProxy:
    """The proxy in front of the configured models. Raises UsageError, e.g. for a key that is not there."""
    prices: dict[str, Price] = {model: read_price(entry) for model, entry in given.prices.items()}
    upstreams = [_upstream(given, given.upstream, given.model, "main")]
    if given.judge is not None:
        where = given.judge.upstream or given.upstream
        upstreams.append(_upstream(given, where, given.judge.model, JUDGE))
    return ModelProxy(upstreams, books, prices=prices, redactor=redactor, tcp=unsafe)


def _upstream(given: AgentSettings, where: UpstreamSettings, model: str, name: str) -> Upstream:
    return Upstream(
        api=where.api,
        url=where.url,
        model=model,
        key=read_secret(env=where.key_env, file=where.key_file),
        name=name,
        aliases=given.aliases,
        max_tokens=given.max_tokens,
        requests_per_minute=where.per_minute,
        timeout=where.timeout.total_seconds(),
    )


def runner_of(given: AgentSettings) -> Runner:
    """The configured runner. Raises UsageError where what it needs is not installed."""
    if given.runner is None:
        raise UsageError(
            "no agent is configured; say `agent: {runner: own, model: …}` in greylag.yaml "
            "(`greylag init` writes the file with every key explained)"
        )
    options: dict[str, object] = dict(given.options)
    if given.runner == "own":
        options = {"workers": given.parallel, "max_tokens": given.max_tokens, **options}
    elif given.command:
        options = {"command": list(given.command), **options}
    return make_runner(given.runner, options)
