"""A stage for contract tests of runners: a repository, a cage, the proxy, and a scripted model behind it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import greylag
from greylag.agent.base import Job, Runner, Session
from greylag.agent.loop import Desk
from greylag.agent.proxy import Budgets, MemoryBooks, ModelProxy, Price, Upstream, read_price
from greylag.agent.runners import make_runner
from greylag.domain.agent import AttemptKey
from greylag.testing.model import ScriptedModel, Scripts
from greylag.workspace.cage import Cage, Caged, CageLimits, CageSpec
from greylag.workspace.collect import Collected, collect, prepare_folder
from greylag.workspace.command import CommandResult

MODEL = "scripted-1"
ATTEMPT = AttemptKey(migration="users-v2", repository="team/reports")
FILES: Mapping[str, bytes] = {
    "queries/daily.sql": b"SELECT a\nFROM users_v1\n",
    "README.md": b"# Reports\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to run an agent: the runner, its settings, and the API that it speaks.

    `shell`: what the model says is run in a shell. `real`: a binary that npm installs. `few`: a variety that
    only takes part where it makes a difference.
    """

    name: str
    runner: str
    api: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    shell: bool = False
    real: bool = False
    few: bool = False


def agents_folder() -> Path | None:
    """Where the real agents are, if they were asked for: GREYLAG_AGENTS is 1 or a folder."""
    asked = os.environ.get("GREYLAG_AGENTS", "")
    if asked in ("", "0"):
        return None
    return Path.home() / ".cache/greylag/agents" if asked == "1" else Path(asked)


def kinds() -> list[Kind]:
    """Every runner that there is."""
    source = Path(greylag.__file__).parent.parent
    python = (sys.executable, "-m", "greylag.testing.acp_agent")
    here = {"folders": (agents_folder() or Path("/nonexistent"),)}
    allow = ("read", "search", "think", "edit", "delete", "move", "execute")
    return [
        Kind(name="own", runner="own", api="anthropic", settings={"workers": 1}),
        Kind(name="own-chat", runner="own", api="openai-chat", settings={"workers": 1}, few=True),
        Kind(name="acp", runner="acp", api="anthropic", settings={"command": python, "folders": (source,)}),
        Kind(
            name="acp-shell",
            runner="acp",
            api="anthropic",
            settings={"command": python, "folders": (source,), "allow": allow},
            shell=True,
            few=True,
        ),
        Kind(name="claude", runner="claude", api="anthropic", settings=here, real=True),
        Kind(name="codex", runner="codex", api="openai-responses", settings=here, shell=True, real=True),
        Kind(
            name="claude-agent-acp",
            runner="acp",
            api="anthropic",
            settings={**here, "command": ("claude-agent-acp",)},
            real=True,
        ),
    ]


class Watched:
    """A cage that remembers what was started in it."""

    def __init__(self, cage: Cage) -> None:
        self.cage = cage
        self.name = cage.name
        self.started: list[Caged] = []

    def run(
        self, argv: Sequence[str], spec: CageSpec, *, timeout: float, tail: int = 20_000
    ) -> CommandResult:
        return self.cage.run(argv, spec, timeout=timeout, tail=tail)

    def start(self, argv: Sequence[str], spec: CageSpec) -> Caged:
        self.started.append(self.cage.start(argv, spec))
        return self.started[-1]

    def inside(self, spec: CageSpec) -> str:
        return self.cage.inside(spec)

    def profile(self, spec: CageSpec) -> Mapping[str, object]:
        return self.cage.profile(spec)


class Owner(Desk):
    """The host of a runner: remembers what the agent asked of it, and finds nothing wrong."""

    def __init__(self, answer: str | None = None) -> None:
        super().__init__(collect=_nothing, check=lambda changes: (), answer=lambda *asked: answer)
        self.heard: list[tuple[str, ...]] = []

    def verify(self) -> str:
        self.heard.append(("verify",))
        return "Accepted as it stands. End your turn."

    def ask(self, question: str, options: Sequence[str] = ()) -> str:
        self.heard.append(("ask", question, *options))
        return super().ask(question, options)

    def give_up(self, reason: str) -> str:
        self.heard.append(("give_up", reason))
        return super().give_up(reason)


def _nothing() -> Collected:
    return Collected(changes={})


@dataclass(slots=True)
class Notes:
    """A note book."""

    written: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, kind: str, /, **data: object) -> None:
        with self._lock:
            self.written.append((kind, data))

    def of(self, kind: str) -> list[dict[str, object]]:
        return [data for name, data in self.written if name == kind]


@dataclass(slots=True, kw_only=True)
class Scene:
    """What a test looks at."""

    runner: Runner
    session: Session
    model: ScriptedModel
    folder: Path
    host: Owner
    notes: Notes
    cage: Watched
    files: Mapping[str, bytes]

    def collected(self) -> Collected:
        return collect(self.folder, self.files)

    def told(self) -> str:
        """Everything that went to the model."""
        return "\n".join(str(request.body) for request in self.model.requests)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Plain files, as they are."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)


@contextmanager
def scene(
    kind: Kind,
    scripts: Scripts,
    cage: Cage,
    tmp: Path,
    *,
    files: Mapping[str, bytes] = FILES,
    hostile: Mapping[str, bytes] | None = None,
    host: Owner | None = None,
    turns: int = 30,
    budget: float | None = None,
    limits: CageLimits | None = None,
) -> Iterator[Scene]:
    """A session of a runner in a repository, with the real proxy and a scripted model.

    `hostile` files are written besides: an agent's copy of a repository is made without such.
    """
    host, notes, watched = host or Owner(), Notes(), Watched(cage)
    folder = tmp / "work"
    prepare_folder(files, folder)
    write(folder, hostile or {})
    with ExitStack() as stack:
        model = stack.enter_context(ScriptedModel(scripts, key="upstream-key"))
        url = model.url if kind.api == "anthropic" else f"{model.url}/v1"
        upstream = Upstream(
            api=kind.api,  # type: ignore[arg-type]
            url=url,
            model=MODEL,
            key=SecretStr("upstream-key"),
            requests_per_minute=6000,
            tries=1,
        )
        prices: Mapping[str, Price] = {MODEL: read_price({"input": 10.0, "output": 10.0})}
        books = MemoryBooks(Budgets(target=budget))
        proxy = stack.enter_context(ModelProxy([upstream], books, prices=prices, tcp=cage.name == "none"))
        access = stack.enter_context(
            proxy.grant(ATTEMPT, folder=tmp / "replies", host=host, note=notes, turns=turns)
        )
        runner = make_runner(kind.runner, kind.settings)
        stack.callback(getattr(runner, "close", lambda: None))
        job = Job(
            attempt=ATTEMPT,
            folder=folder,
            system="You move reads from one table to another.",
            access=access,
            host=host,
            note=notes,
            cage=watched,
            limits=limits or CageLimits(wall=90),
            turns=turns,
        )
        session = stack.enter_context(runner.session(job))
        yield Scene(
            runner=runner,
            session=session,
            model=model,
            folder=folder,
            host=host,
            notes=notes,
            cage=watched,
            files=files,
        )
