"""The MCP server with the protocol's own client, over standard input and output and over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from tests.e2e.campaigns import MIGRATION, START, make_app, make_fleet, query, write_migration
from typer.testing import CliRunner

from greylag.cli.main import app as cli
from greylag.domain.question import question_key
from greylag.engine import questions
from greylag.engine.report import events
from greylag.engine.work import InlineWork

SCORE = "prod.core.users_v1.score"
ASKED = "Keep closed accounts?"
KEY = question_key(ASKED)
FILE = "users-v2.migration.yaml"
READING = {"find", "plan", "prove", "status", "ledger", "questions", "transcripts", "transcript"}
TOKEN = "a-token-for-tests-only-0123456789"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a fleet, settings, and a campaign that waits for people."""
    folder = tmp_path / "project"
    make_fleet(
        folder / "fleet",
        {"plain": {"p.sql": query(1)}, "ask": {"a.sql": query(3).replace("user_id", "score")}},
    )
    (folder / "greylag.yaml").write_text("fleet: fleet\nhealth: {none: true}\n")
    (folder / "old.sql").write_text("SELECT user_id FROM prod.core.users_v1\n")
    (folder / "new.sql").write_text("SELECT account_id AS user_id FROM prod.core.users_v2\n")
    (tmp_path / "secret.sql").write_text("SELECT 'hidden'\n")
    write_migration(folder, MIGRATION.replace("merge: verified", "merge: never"))
    campaign = make_app(folder, work=InlineWork).campaign(str(folder / FILE))
    campaign.run()
    with campaign.store.write() as session:
        questions.remember(session, campaign.name, KEY, ASKED, START, options=("yes", "no"))
    return folder


@asynccontextmanager
async def stdio(folder: Path, *arguments: str) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "greylag", "mcp", "--actor", "kim", *arguments],
        cwd=str(folder),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    async with Client(server) as client:
        yield client


def command(folder: Path, *arguments: str) -> Any:
    """What the command line prints with `--json`, in that folder."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(cli, [*arguments, "--json"], env={"XDG_CACHE_HOME": str(folder / ".cache")})
    return json.loads(done.stdout)


async def told(client: Client, tool: str, **arguments: object) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return "".join(getattr(part, "text", "") for part in result.content)


def test_reading_says_what_the_commands_say(project: Path) -> None:
    known = {tool["name"]: tool for tool in command(project, "mcp")["tools"]}

    async def talk() -> None:
        async with stdio(project) as client:
            tools = (await client.list_tools()).tools
            assert {tool.name for tool in tools} == READING
            assert {tool.name: tool.input_schema for tool in tools} == {
                name: tool["inputSchema"] for name, tool in known.items()
            }
            for tool in tools:
                assert tool.annotations is not None
                assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
                assert tool.description
                assert tool.output_schema is not None
                assert tool.input_schema["required"][0] == "migration"
            assert await told(client, "status", migration="users-v2") == command(
                project, "status", "users-v2"
            )
            assert await told(client, "questions", migration=FILE) == command(project, "questions", FILE)
            rows = await told(client, "ledger", migration="users-v2")
            assert rows.pop("left_out") == 0
            assert rows == command(project, "ledger", "users-v2")
            one = await told(client, "ledger", migration="users-v2", limit=1, offset=1)
            assert (one["left_out"], one["consumers"]) == (1, rows["consumers"][1:])
            assert await told(client, "plan", migration=FILE, proof="none") == command(
                project, "plan", FILE, "--proof", "none"
            )
            assert await told(client, "find", migration=FILE) == command(project, "find", FILE)
            assert await told(client, "prove", migration=FILE, old="old.sql", new="new.sql") == command(
                project, "prove", FILE, "old.sql", "new.sql"
            )
            texts = {"old_text": (project / "old.sql").read_text(), "new_text": "SELECT 1 AS user_id"}
            assert (await told(client, "prove", migration="users-v2", **texts))["verdict"] == "refuted"
            assert await told(client, "transcripts", migration="users-v2") == {"attempts": []}

    anyio.run(talk)


def test_errors_are_those_of_the_commands_and_nothing_outside_is_read(project: Path) -> None:
    async def talk() -> None:
        async with stdio(project) as client:
            assert "no such file, and no campaign of that name" in await refused(
                client, "status", migration="users-v3"
            )
            outside = "outside of what this server may read"
            for given in ("../secret.sql", "/etc/passwd", "fleet/../../secret.sql"):
                assert outside in await refused(client, "status", migration=given)
                assert outside in await refused(client, "find", migration=FILE, paths=[given])
                said = await refused(client, "prove", migration=FILE, old=given, new="new.sql")
                assert outside in said
                assert "hidden" not in said
            assert "give either `old`" in await refused(client, "prove", migration=FILE, new="new.sql")
            assert "limit" in await refused(client, "ledger", migration=FILE, limit=0)
            (project / "broken.yaml").write_text("name: X\n")
            assert f"{project / 'broken.yaml'}:1:7: `X` is not a valid name" in await refused(
                client, "find", migration="broken.yaml"
            )
            for tool in ("answer", "approve"):
                said = await refused(client, tool, migration=FILE, key=KEY, value="yes", everything=True)
                assert "Unknown tool" in said

    before = {
        path: path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and ".greylag" not in path.parts
    }
    anyio.run(talk)
    (project / "broken.yaml").unlink()
    after = {
        path: path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and ".greylag" not in path.parts
    }
    assert after == before


def test_what_it_may_decide_is_decided_in_a_persons_name(project: Path) -> None:
    async def talk() -> None:
        async with stdio(project, "--allow", "answer,approve") as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == READING | {"answer", "approve"}
            hints = {name: tools[name].annotations for name in ("answer", "approve")}
            assert [(h.read_only_hint, h.destructive_hint) for h in hints.values() if h] == [
                (False, False),
                (False, True),
            ]
            done = await told(client, "answer", migration="users-v2", key=KEY, value="Yes")
            assert done["done"] == {KEY: "answered 'yes'; 0 targets go on with it"}
            assert done["notes"][KEY].startswith("kept in ")
            assert "is no answer to" in await refused(
                client, "answer", migration=FILE, key=SCORE, value="1 +"
            )
            assert "did you mean" in await refused(
                client, "answer", migration=FILE, key=SCORE + "x", value="1"
            )
            done = await told(client, "approve", migration="users-v2", target="plain")
            assert list(done["done"]) == ["plain"]
            assert "say which" in await refused(client, "approve", migration="users-v2")

    anyio.run(talk)
    campaign = make_app(project, work=InlineWork).campaign("users-v2")
    said = {event.kind.value: event for event in events(campaign) if event.actor.startswith("kim (mcp")}
    assert set(said) == {"answered", "override"}
    assert said["answered"].data["via"] == "mcp"
    assert f"{KEY}:\n    question: {ASKED}\n    answer: yes" in (project / FILE).read_text().replace("'", "")


@contextmanager
def listening(folder: Path, *arguments: str) -> Iterator[str]:
    """The server over HTTP; gives its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "greylag", "mcp", "--http", "127.0.0.1:0", *arguments],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GREYLAG_MCP_TOKEN": TOKEN},
    ) as server:
        try:
            assert server.stderr is not None
            line = server.stderr.readline()
            assert line.startswith("listening on "), line
            assert TOKEN not in line
            yield line.removeprefix("listening on ").strip()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(10)


def test_over_http_with_the_token(project: Path) -> None:
    async def talk(url: str) -> None:
        async with (
            create_mcp_http_client(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert {tool.name for tool in (await client.list_tools()).tools} == READING
            found = await told(client, "status", migration="users-v2")
            assert found["migration"] == "users-v2"
        async with create_mcp_http_client() as http:
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
                for address in (url, url.removesuffix("/mcp"), f"{url}/../x"):
                    answer = await http.post(address, json=body, headers=headers)
                    assert answer.status_code == 401
                    assert "result" not in answer.json()
            # A page of another site that reached us by its own name (DNS rebinding) would not get past this.
            rebound = {"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}
            assert (await http.post(url, json=body, headers=rebound)).status_code == 421

    with listening(project) as url:
        anyio.run(talk, url)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--allow", "merge"], "--allow 'merge' is no tool that decides; expected answer or approve"),
        (["--http", "127.0.0.1:0"], "--http needs a token: set GREYLAG_MCP_TOKEN"),
        (["--http", "nowhere"], "expected HOST:PORT"),
        (["--token-file", "t"], "--token-file is for --http"),
        (["--folder", "missing"], "there is no such folder"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "greylag", "mcp", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "GREYLAG_MCP_TOKEN"},
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
