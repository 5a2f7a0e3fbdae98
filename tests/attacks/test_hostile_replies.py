"""Whole attempts of our own agent, whose model's host an attacker has taken over."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from tests.attacks.hosting import KEY, Host, hosting, untouched
from tests.attacks.reply_cases import REPLIES, Reply
from tests.attacks.world import sandbox

from greylag.agent.base import Job, Session, Turn, TurnEnd
from greylag.agent.own import OwnRunner
from greylag.domain.agent import AttemptEnd, AttemptKey


@dataclass
class Taken:
    """A model's host: answers every request with `reply`, and remembers what it was asked."""

    reply: Reply = REPLIES[0]
    port: int = 0
    bodies: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)


class Asking:
    """A runner that only asks its model once, and tells what the proxy made of the answer."""

    name = "asking"

    def version(self) -> str:
        return "asking 1"

    @contextmanager
    def session(self, job: Job) -> Iterator[Session]:
        class Once:
            def prompt(self, text: str) -> Turn:
                words = [{"role": "user", "content": text}]
                body = {"model": job.access.model, "max_tokens": 100, "messages": words}
                transport = httpx.HTTPTransport(uds=str(job.access.socket))
                headers = {"x-api-key": job.access.token}
                with httpx.Client(transport=transport, base_url="http://host", timeout=30) as client:
                    answer = client.post("/v1/messages", json=body, headers=headers)
                return Turn(end=TurnEnd.FAILED, text=f"{answer.status_code}: {answer.text}")

        yield Once()


@pytest.fixture(scope="module")
def taken() -> Iterator[tuple[Taken, str]]:
    state = Taken()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            state.bodies.append(body)
            state.cookies += self.headers.get_all("cookie") or []
            reply = state.reply
            content = reply.body.replace(b"{key}", str(self.headers["x-api-key"]).encode())
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value.replace("{port}", str(state.port)))
            self.send_header("set-cookie", "who=you; path=/")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture(scope="module")
def host(
    taken: tuple[Taken, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Host, OwnRunner]]:
    root = tmp_path_factory.mktemp("replies")
    with (
        hosting(root, sandbox(), {"main": taken[1]}) as made,
        OwnRunner(workers=1, root=root / "slots") as runner,
    ):
        taken[0].port = made.listener.port
        yield made, runner


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.named.name)
def test_nothing_comes_of_it(taken: tuple[Taken, str], host: tuple[Host, OwnRunner], reply: Reply) -> None:
    (state, _), (made, runner) = taken, host
    state.reply, state.bodies = reply, []
    before = made.tree()
    tried = made.attempt(Asking() if reply.fails else runner, turns=5)
    said = f"{tried.result.reason}\n{tried.told()}"
    assert re.search(reply.reported or "session failed: [45]", said), said[-3000:]
    untouched(made, before, tried, "\n".join(state.bodies))
    assert tried.result.changes == {}
    assert tried.result.end in {AttemptEnd.ERRORED, AttemptEnd.REJECTED, AttemptEnd.OVER_BUDGET}
    assert tried.result.reason.isprintable()
    assert len(tried.result.reason) < 2000
    spent = made.books.spent(tried.key)
    assert spent.cost >= 0
    assert made.books.open(tried.key) == 0
    assert len(tried.told("message", "round", "model_call")) < 2_000_000
    assert KEY not in tried.result.reason
    assert state.cookies == [] or set(state.cookies) == {"who=you"}


def test_what_one_target_took_does_not_take_anothers(
    taken: tuple[Taken, str], host: tuple[Host, OwnRunner]
) -> None:
    made, _ = host
    number = made.books.reserve(AttemptKey(migration="users-v2", repository="team/next"), "m", 1.0, "r")
    assert number > 0


def test_the_worker_still_serves(taken: tuple[Taken, str], host: tuple[Host, OwnRunner]) -> None:
    (state, _), (made, runner) = taken, host
    state.reply = next(one for one in REPLIES if "-1,000,000" in one.named.name)
    assert made.attempt(runner, rounds=1).result.reason.endswith("it changed nothing")
