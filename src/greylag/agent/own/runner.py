"""The host's side of our own agent: a `Runner` whose sessions borrow a warm worker."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import Field, validate_call

from greylag.agent.base import Job, Session, Turn, TurnEnd
from greylag.agent.loop.desk import Desk
from greylag.agent.own.lines import Misbehaved
from greylag.agent.own.pool import Kind, Pool, Worker
from greylag.agent.unavailable import AgentUnavailable

_NOTES = frozenset({"message", "tool_call", "tool_result", "denied"})
_FIELDS = ("id", "name", "text", "what", "reason")
_TEXT = 20_000
_ARGUMENTS = 64_000


class OwnRunner:
    """Sessions of our own agent. `workers` bounds how many run side by side, each about 120 MB.

    `max_tokens` bounds one reply; `root` is where the workers' folders stand (None: the system's temporary
    folder). `close()` ends every worker; they also end with this process.
    """

    name = "own"

    def __init__(self, *, workers: int = 2, max_tokens: int = 8192, root: Path | None = None) -> None:
        self._pool = Pool(workers, root)
        self._max_tokens = max_tokens

    def version(self) -> str:
        """Our version and that of the library. Raises AgentUnavailable where that is not installed."""
        try:
            return f"own (greylag {version('greylag')}, pydantic-ai-slim {version('pydantic-ai-slim')})"
        except PackageNotFoundError as error:
            raise AgentUnavailable(
                f"our own agent needs {error.name}: install it with `pip install 'greylag[agent]'`"
            ) from None

    @contextmanager
    def session(self, job: Job) -> Iterator[Session]:
        """A session on `job.folder`. The worker sees a copy; what it edits is written back when a turn ends,
        and before the host verifies. Raises AgentUnavailable, NoSandbox, CageError.
        """
        self.version()
        with self._pool.lease(Kind(job.cage, job.access.socket, job.access.api)) as worker:
            session = OwnSession(job, worker, self._max_tokens)
            try:
                yield session
            finally:
                session.leave()

    def warm_up(self, job: Job, count: int) -> None:
        """Have workers ready for jobs like this one."""
        self._pool.warm_up(Kind(job.cage, job.access.socket, job.access.api), count)

    def close(self) -> None:
        """End every worker."""
        self._pool.close()

    def __enter__(self) -> OwnRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class OwnSession:
    """A `Session`, and one that `Remembers`: the worker keeps nothing, the conversation is kept here."""

    def __init__(self, job: Job, worker: Worker, max_tokens: int) -> None:
        self._job, self._worker, self._max_tokens = job, worker, max_tokens
        self._until = time.monotonic() + job.limits.wall
        self._history = ""
        self._used = 0
        self._filled = False

    def memory(self) -> str:
        """The conversation so far; only our own worker reads it."""
        return json.dumps({"used": self._used, "history": self._history})

    def recall(self, memory: str) -> None:
        """Go on after it."""
        known = json.loads(memory)
        self._used, self._history = int(known["used"]), str(known["history"])

    def prompt(self, text: str) -> Turn:
        """One turn. A worker that fails, or does what ours would not do, ends the session and itself."""
        if not self._worker.sound:
            return Turn(end=TurnEnd.FAILED, text="the session has failed before")
        if self._used >= self._job.turns:
            return Turn(end=TurnEnd.OUT_OF_TURNS)
        try:
            return self._turn(text)
        except TimeoutError:
            self._worker.end()
            return Turn(end=TurnEnd.OUT_OF_TIME, text=f"{self._job.limits.wall:g} seconds are over")
        except Misbehaved as error:
            return Turn(end=TurnEnd.FAILED, text=f"our own agent: {self._worker.fail(str(error))}")

    def leave(self) -> None:
        """Nothing of this job stays with the worker."""
        if self._worker.sound:
            self._worker.slot.empty()

    def _turn(self, text: str) -> Turn:
        lines, slot = self._worker.lines, self._worker.slot
        lines.begin()
        if not self._filled:
            slot.fill(self._job.folder)
            self._filled = True
        name_of_turn = secrets.token_hex(8)
        lines.send({"id": name_of_turn, **self._order(text)}, self._until)
        while True:
            line = lines.receive(self._until)
            match line:
                case {"note": str(kind)} if kind in _NOTES:
                    self._note(kind, line)
                case {"call": "verify" | "ask" | "give_up" as name}:
                    slot.take_back(self._job.folder)
                    words = self._serve(name, line)
                    lines.send({"text": words, "over": self._over(name)}, self._until)
                case {"end": str(end), "id": str(of)} if of == name_of_turn:
                    slot.take_back(self._job.folder)
                    return self._ended(end, line)
                case _:
                    raise Misbehaved("it sent a line that our agent does not send")

    def _order(self, text: str) -> Mapping[str, Any]:
        access = self._job.access
        return {
            "folder": self._worker.folder,
            "socket": self._worker.socket,
            "api": access.api,
            "base_url": access.base_url,
            "token": access.token,
            "model": access.model,
            "system": self._job.system,
            "text": text,
            "history": self._history,
            "turns": self._job.turns - self._used,
            "max_tokens": self._max_tokens,
        }

    def _note(self, kind: str, line: Mapping[str, Any]) -> None:
        """Only the fields that are known, each of its type and bounded."""
        data: dict[str, object] = {
            name: line[name][:_TEXT] for name in _FIELDS if isinstance(line.get(name), str)
        }
        arguments = line.get("arguments")
        if isinstance(arguments, dict):
            told = json.dumps(arguments)
            data["arguments"] = arguments if len(told) <= _ARGUMENTS else told[:_ARGUMENTS]
        self._job.note(kind, **data)

    def _serve(self, name: str, line: Mapping[str, Any]) -> str:
        host = self._job.host
        match name:
            case "verify":
                return host.verify()
            case "ask":
                options = line.get("options")
                given = [str(one)[:500] for one in options[:20]] if isinstance(options, list) else []
                return host.ask(str(line.get("question", ""))[:_TEXT], given)
            case _:
                return host.give_up(str(line.get("reason", ""))[:_TEXT])

    def _over(self, name: str) -> bool:
        """Whether the turn ends with this call. A host that is no `Desk` cannot tell of a question."""
        return name == "give_up" or (isinstance(self._job.host, Desk) and self._job.host.over)

    def _ended(self, end: str, line: Mapping[str, Any]) -> Turn:
        text = line.get("text")
        words = text[:_TEXT] if isinstance(text, str) else ""
        match end:
            case "ended":
                history, requests = line.get("history"), line.get("requests")
                if not isinstance(history, str) or not isinstance(requests, int) or requests < 0:
                    raise Misbehaved("it ended a turn without the conversation")
                self._history, self._used = history, self._used + requests
                return Turn(end=TurnEnd.ENDED, text=words)
            case "asked" | "gave_up" | "out_of_turns":
                return Turn(end=TurnEnd(end), text="" if end == "out_of_turns" else words)
            case "failed":
                return self._failed(words, line.get("status"))
            case _:
                raise Misbehaved("it ended a turn in no way that our agent knows")

    def _failed(self, words: str, status: object) -> Turn:
        """The model's API said no. 402 is the proxy's own: money or turns are used up."""
        if status == 402:
            return Turn(
                end=TurnEnd.OUT_OF_TURNS if "out of turns" in words else TurnEnd.OVER_BUDGET, text=words
            )
        self._worker.sound = False
        return Turn(end=TurnEnd.FAILED, text=f"{status}: {words}" if status else words)


@validate_call
def make(
    *,
    workers: int = Field(2, ge=1, le=64),
    max_tokens: int = Field(8192, ge=256),
    root: Path | None = None,
) -> OwnRunner:
    """One from settings. Raises pydantic's ValidationError."""
    return OwnRunner(workers=workers, max_tokens=max_tokens, root=root)
