"""Does an agent work here, and what could it reach? For `greylag agent check`."""

from __future__ import annotations

import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from greylag.agent.base import Job, Runner, Turn, TurnEnd
from greylag.agent.loop import Desk
from greylag.agent.proxy import ModelProxy
from greylag.domain.agent import AttemptKey, Changes, Usage
from greylag.domain.check import Check, CheckStatus
from greylag.domain.outcome import Reason
from greylag.workspace.cage import Cage, CageLimits, CageSpec
from greylag.workspace.collect import Collected, collect, prepare_folder

ATTEMPT = AttemptKey(migration="agent-check", repository="scratch/repository")
"""The name under which a check's calls stand in the books."""

_PATH = "queries/daily.sql"
_BEFORE = b"SELECT user_id, country\nFROM users_v1\nWHERE country = 'NL'\n"
_AFTER = b"SELECT user_id, country\nFROM users_v2\nWHERE country = 'NL'\n"
_SYSTEM = "You change files in a repository. Change what you are asked to change and nothing else."
_PROMPT = (
    f"In the file {_PATH} the table users_v1 is now called users_v2. Put the new name in its place, leave "
    "every other byte as it is, and end your turn."
)
_PROBE = """
cat "$1" 2>/dev/null && echo ' read'
(echo x > "$2") 2>/dev/null && echo 'wrote'
(exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null && echo 'connected'
exit 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReport:
    """What a check of an agent found.

    `works`: the scratch repository differs by the asked-for edit and by nothing else. `changes` are what did
    differ, `refused` what no patch may hold. `seconds` are those of the turn with the start of the agent.
    `reached` names what a program in the cage could reach and must not; `profile` is what the cage allows,
    `denied` what was denied during the turn.
    """

    runner: str
    version: str
    works: bool
    end: TurnEnd
    text: str
    seconds: float
    usage: Usage
    cage: str
    profile: Mapping[str, object]
    changes: Changes = field(default_factory=dict)
    refused: tuple[Reason, ...] = ()
    reached: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


def check_runner(
    runner: Runner,
    cage: Cage,
    proxy: ModelProxy,
    *,
    spent: Callable[[AttemptKey], Usage],
    limits: CageLimits | None = None,
    turns: int = 10,
    upstream: str | None = None,
) -> AgentReport:
    """Have the agent rename a table in one file of a scratch repository, and try what its cage lets through.

    It asks the model, so it costs money; `spent` reads the books that the proxy keeps. Raises
    AgentUnavailable, NoSandbox, CageError and UsageError.
    """
    version = runner.version()
    bounds = limits or CageLimits(wall=180)
    files = {_PATH: _BEFORE, "README.md": b"# Scratch\n"}
    with tempfile.TemporaryDirectory(prefix="greylag-check-") as scratch:
        folder = Path(scratch) / "work"
        prepare_folder(files, folder)
        look = _Look(folder, files)
        notes = _Denials()
        reached = probe(cage, folder, bounds)
        began = time.monotonic()
        with proxy.grant(
            ATTEMPT,
            folder=Path(scratch) / "replies",
            host=look.desk(),
            note=notes,
            turns=turns,
            upstream=upstream,
        ) as access:
            job = Job(
                attempt=ATTEMPT,
                folder=folder,
                system=_SYSTEM,
                access=access,
                host=look.desk(),
                note=notes,
                cage=cage,
                limits=bounds,
                turns=turns,
            )
            with runner.session(job) as session:
                turn: Turn = session.prompt(_PROMPT)
        found = look.collected()
        return AgentReport(
            runner=runner.name,
            version=version,
            works=found.changes == {_PATH: _AFTER} and not found.refused,
            end=turn.end,
            text=turn.text,
            seconds=time.monotonic() - began,
            usage=spent(ATTEMPT),
            cage=cage.name,
            profile=cage.profile(CageSpec(folder=folder, socket=access.socket, limits=bounds)),
            changes=found.changes,
            refused=found.refused,
            reached=reached,
            denied=tuple(notes.told),
        )


def probe(cage: Cage, folder: Path, limits: CageLimits) -> tuple[str, ...]:
    """What a program in such a cage reaches and must not: a file beside its folder, the host's network."""
    secret = secrets.token_hex(16)
    with (
        tempfile.TemporaryDirectory(prefix="greylag-probe-", dir=folder.parent) as outside,
        _listener() as port,
    ):
        kept, made = Path(outside) / "kept", Path(outside) / "made"
        kept.write_text(secret, encoding="utf-8")
        argv = ["bash", "-c", _PROBE, "probe", str(kept), str(made), str(port.number)]
        done = cage.run(argv, CageSpec(folder=folder, limits=limits), timeout=30)
        reached = []
        if secret in done.output:
            reached.append("it read a file outside of its folder")
        if made.exists():
            reached.append("it wrote a file outside of its folder")
        if port.connected.wait(0.2):
            reached.append("it connected to the host's loopback network")
        if done.status != 0:
            reached.append(f"unknown: the probe ended with {done.status}: {done.output.strip()[-300:]}")
        return tuple(reached)


class _Port:
    def __init__(self, listening: socket.socket) -> None:
        self.number: int = listening.getsockname()[1]
        self.connected = threading.Event()


@contextmanager
def _listener() -> Iterator[_Port]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = _Port(listening)

        def accept() -> None:
            # Closing the socket ends the wait.
            with suppress(OSError):
                connection, _ = listening.accept()
                port.connected.set()
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield port
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


class _Denials:
    """A `Note` that keeps what was denied."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, kind: str, /, **data: object) -> None:
        if kind == "denied":
            self.told.append(f"{data.get('what', '')}: {data.get('reason', '')}")


class _Look:
    """The host's look at the scratch repository."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self._folder, self._files = folder, files
        self._desk = Desk(collect=self.collected, check=_check)

    def collected(self) -> Collected:
        return collect(self._folder, self._files)

    def desk(self) -> Desk:
        return self._desk


def _check(changes: Changes) -> tuple[Check, ...]:
    right = changes == {_PATH: _AFTER}
    status = CheckStatus.PASSED if right else CheckStatus.FAILED
    summary = "the table is renamed" if right else f"{_PATH} should read users_v2 and differ in nothing else"
    return (Check(verifier="edit", status=status, summary=summary),)
