"""Any agent that speaks the Agent Client Protocol, by its command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from string import Template
from typing import Any, cast

from acp import PROTOCOL_VERSION, RequestError, text_block
from acp.client.connection import ClientSideConnection
from acp.interfaces import Client
from acp.schema import HttpHeader, HttpMcpServer, Implementation, InitializeResponse

from greylag.agent.base import Job, Session, Turn, TurnEnd
from greylag.agent.runners.acp_client import ALLOWED, HostClient
from greylag.agent.runners.claude import TOOLS, environment
from greylag.agent.runners.command import CommandSettings, Program
from greylag.agent.runners.pipe import Gone, Pipe
from greylag.agent.runners.turns import STOPPED, Clock, ended, is_over, lost

_INSTALL = (
    "name an agent that speaks ACP in `command`, such as claude-agent-acp, codex-acp or [opencode, acp]"
)
_STEP = 0.25
_GRACE = 10.0


# Extensions of known agents; others pass over them. Without this one claude-agent-acp runs the hooks and
# servers that a repository configures, and offers the model a browser, timers and agents of its own.
_CLAUDE = {"settingSources": [], "strictMcpConfig": True, "tools": list(TOOLS)}
_META: Mapping[str, Any] = {"claudeCode": {"options": _CLAUDE}}


class AcpSettings(CommandSettings):
    """Settings of an ACP agent.

    In the values of `env` ${BASE_URL}, ${TOKEN} and ${MODEL} stand for the way to the model. `mode` is set
    where the agent has it: the one in which it asks before it acts. `allow` are kinds of tool calls; `meta`
    is handed to the agent with a new session.
    """

    mode: str = "default"
    allow: tuple[str, ...] = ALLOWED
    meta: Mapping[str, Any] = _META


def make(**settings: Any) -> AcpRunner:
    """A runner from plain settings. Raises pydantic's ValidationError."""
    return AcpRunner(AcpSettings(**settings))


class AcpRunner:
    """An agent that is talked to in ACP, over the standard input and output of its process in the cage."""

    name = "acp"

    def __init__(self, settings: AcpSettings) -> None:
        self.settings = settings
        self.program = Program(settings, ("an ACP agent",), _INSTALL)

    def version(self) -> str:
        """What the command says of `--version`. Raises AgentUnavailable."""
        return self.program.version()

    @contextmanager
    def session(self, job: Job) -> Iterator[Session]:
        """One process and one ACP session for all prompts."""
        spec = self.program.spec(job, _environment(job, self.settings))
        pipe = Pipe(job.cage.start(self.program.argv(), spec))
        try:
            with asyncio.Runner() as loop:
                session = _AcpSession(job, pipe, loop, self.settings, job.cage.inside(spec))
                try:
                    yield session
                finally:
                    pipe.end()
                    session.close()
        finally:
            pipe.end()


def _environment(job: Job, settings: AcpSettings) -> dict[str, str]:
    access = job.access
    way = {"BASE_URL": access.base_url, "TOKEN": access.token, "MODEL": access.model}
    own = {name: Template(value).safe_substitute(way) for name, value in settings.env.items()}
    if access.api == "anthropic":
        return {**environment(job), **own}
    openai = {
        "OPENAI_BASE_URL": f"{access.base_url}/v1",
        "OPENAI_API_KEY": access.token,
        "OPENAI_MODEL": access.model,
    }
    return {**openai, **own}


class _PipeTransport:
    """ACP's messages over a pipe. Lines that are no messages are what agents print besides."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.gone = ""

    async def send(self, message: dict[str, Any]) -> None:
        try:
            await asyncio.to_thread(self._pipe.send, json.dumps(message).encode() + b"\n")
        except Gone as gone:
            self.gone = str(gone)
            raise ConnectionError(self.gone) from gone

    async def receive(self) -> dict[str, Any] | None:
        while True:
            try:
                line = await asyncio.to_thread(self._pipe.receive, _STEP)
            except Gone as gone:
                self.gone = str(gone)
                return None
            if line is None:
                continue
            with suppress(ValueError, RecursionError):
                message = json.loads(line)
                if isinstance(message, dict):
                    return message

    async def close(self) -> None:
        """Nothing to do: the session ends the process."""


class _AcpSession:
    def __init__(self, job: Job, pipe: Pipe, loop: asyncio.Runner, settings: AcpSettings, root: str) -> None:
        self._job, self._pipe, self._loop, self._settings, self._root = job, pipe, loop, settings, root
        self._clock = Clock(job.limits.wall)
        self._client = HostClient(note=job.note, root=root, allow=settings.allow)
        self._transport = _PipeTransport(pipe)
        self._connection: ClientSideConnection | None = None
        self._id = ""

    def prompt(self, text: str) -> Turn:
        try:
            return self._loop.run(self._prompt(text))
        except RequestError as error:
            return ended(_words(error), failed=True)
        except ConnectionError as error:
            return lost(self._transport.gone or str(error), self._pipe.limit, self._clock)
        except TimeoutError:
            self._pipe.end()
            return Turn(end=TurnEnd.OUT_OF_TIME, text="the session's time is up")

    def close(self) -> None:
        """Let go of the connection; the process is ended already."""
        if self._connection is not None:
            self._loop.run(self._connection.close())

    async def _prompt(self, text: str) -> Turn:
        if self._connection is None:
            self._connection = ClientSideConnection(cast(Client, self._client), self._transport)
            await asyncio.wait_for(self._open(self._connection), self._clock.left)
            # ACP has no system prompt.
            text = f"{self._job.system}\n\n{text}" if self._job.system else text
        self._client.begin()
        asked = asyncio.ensure_future(self._connection.prompt(session_id=self._id, prompt=[text_block(text)]))
        try:
            stopped = await self._wait(asked, self._connection)
        finally:
            asked.cancel()
        if stopped is not None:
            return stopped
        answer = asked.result()
        if answer.usage is not None:
            usage = answer.usage.model_dump(exclude_none=True)
            self._job.note("tokens", usage=usage, source="as the agent counts")
        words = self._client.last_words()
        match answer.stop_reason:
            case "max_turn_requests":
                return Turn(end=TurnEnd.OUT_OF_TURNS, text=words)
            case "refusal":
                return Turn(end=TurnEnd.ENDED, text=words or "the model refused")
            case _:
                return ended(words)

    async def _open(self, connection: ClientSideConnection) -> None:
        known = await connection.initialize(
            protocol_version=PROTOCOL_VERSION, client_info=Implementation(name="greylag", version="1")
        )
        session = await connection.new_session(
            cwd=self._root, mcp_servers=self._servers(known), **self._settings.meta
        )
        self._id = session.session_id
        if known.agent_info is not None:
            self._job.note("agent", name=known.agent_info.name, version=known.agent_info.version)
        modes = session.modes
        if modes is not None and modes.current_mode_id != self._settings.mode:
            if any(mode.id == self._settings.mode for mode in modes.available_modes):
                await connection.set_session_mode(session_id=self._id, mode_id=self._settings.mode)
            self._job.note("mode", was=modes.current_mode_id, wanted=self._settings.mode)

    def _servers(self, known: InitializeResponse) -> list[Any]:
        capabilities = known.agent_capabilities.mcp_capabilities if known.agent_capabilities else None
        if capabilities is None or not capabilities.http:
            self._job.note(
                "message", role="host", text="this agent takes no MCP servers over HTTP: no host tools"
            )
            return []
        access = self._job.access
        header = HttpHeader(name="Authorization", value=f"Bearer {access.token}")
        return [HttpMcpServer(type="http", name="greylag", url=f"{access.base_url}/mcp", headers=[header])]

    async def _wait(self, asked: asyncio.Future[Any], connection: ClientSideConnection) -> Turn | None:
        """Wait for the end of the turn; a turn if it was the host that ended it."""
        stopping: Clock | None = None
        while not asked.done():
            await asyncio.wait({asked}, timeout=min(_STEP, self._clock.left))
            if asked.done():
                break
            if self._clock.left == 0.0:
                self._pipe.end()
                return Turn(end=TurnEnd.OUT_OF_TIME, text="the session's time is up")
            if stopping is None and is_over(self._job.host):
                stopping = Clock(_GRACE)
                await connection.cancel(session_id=self._id)
            if stopping is not None and stopping.left == 0.0:
                self._pipe.end()
                return Turn(end=TurnEnd.ENDED, text=STOPPED)
        return None


def _words(error: RequestError) -> str:
    data = error.data
    more = data.get("details") or data.get("message") if isinstance(data, Mapping) else data
    return f"{error}: {more}" if more else str(error)
