"""The host's side of our own agent, with workers that are small scripts: honest, hostile, dead, slow."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.unit.agent.agents import KEY, Found, collector, contains

from greylag.agent.base import Access, Job, Turn, TurnEnd
from greylag.agent.loop import Desk
from greylag.agent.own import OwnRunner
from greylag.agent.own.pool import Kind, Pool
from greylag.agent.own.runner import make as make_own
from greylag.agent.unavailable import AgentUnavailable
from greylag.workspace.cage import Cage, Caged, CageLimits, CageSpec, unsafe_cage

READY = """
import json, os, pathlib, sys, time
def say(**line): sys.stdout.write(json.dumps(line) + "\\n"); sys.stdout.flush()
def hear():
    global id
    order = json.loads(sys.stdin.readline())
    id = order.get("id", id)
    return order
def end(how, **more): say(end=how, id=id, **more)
id = ""
say(ready=True)
"""

# Changes a file, asks for the verdict, and ends; says what it was told.
HONEST = (
    READY
    + """
while True:
    order = hear()
    path = pathlib.Path(order["folder"], "a.sql")
    path.write_text(order["text"])
    say(note="tool_call", name="edit", arguments={"path": "a.sql"})
    say(call="verify")
    told = hear()
    history = order["history"] + order["text"]
    text = f"{os.getpid()} {order['turns']} {order['history']} {told['text']}"
    end("ended", text=text, requests=3, history=history)
"""
)


class Scripted:
    """The cage that is none, with another command: `script` is what the worker does."""

    name = "none"

    def __init__(self, script: str) -> None:
        self._inner = unsafe_cage()
        self.script = script
        self.started: list[Caged] = []

    def start(self, argv: Sequence[str], spec: CageSpec) -> Caged:
        caged = self._inner.start([sys.executable, "-I", "-S", "-c", self.script], spec)
        self.started.append(caged)
        return caged

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


class Place:
    """A folder with one file, a socket that leads nowhere, and what was noted."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "work"
        self.folder.mkdir()
        (self.folder / "a.sql").write_text("before")
        self.socket = root / "s"
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.socket))
        self.slots = root / "slots"
        self.noted: list[str] = []
        self.desk = Desk(collect=self.collect, check=contains("a.sql", "users_v2"))

    def collect(self) -> Found:
        return collector(self.folder, {"a.sql": b"before"})()

    def note(self, kind: str, /, **data: object) -> None:
        self.noted.append(f"{kind} {data}")

    def job(self, cage: Cage | Scripted, wall: float = 30.0, turns: int = 10) -> Job:
        access = Access(socket=self.socket, base_url="", token="t", model="m", api="anthropic")
        return Job(
            attempt=KEY,
            folder=self.folder,
            system="",
            access=access,
            host=self.desk,
            note=self.note,
            cage=cage,  # type: ignore[arg-type]
            limits=CageLimits(wall=wall),
            turns=turns,
        )

    def prompt(self, runner: OwnRunner, job: Job, *texts: str) -> list[Turn]:
        with runner.session(job) as session:
            return [session.prompt(text) for text in texts]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def make(place: Place) -> Iterator[Callable[..., OwnRunner]]:
    made: list[OwnRunner] = []

    def one(workers: int = 1) -> OwnRunner:
        made.append(OwnRunner(workers=workers, root=place.slots))
        return made[-1]

    yield one
    for runner in made:
        runner.close()
    assert list(place.slots.glob("*")) == []


def test_edits_come_back_and_the_conversation_goes_on(place: Place, make: Callable[..., OwnRunner]) -> None:
    first, second = place.prompt(make(), place.job(Scripted(HONEST)), "users_v3", "users_v2")
    assert (first.end, second.end) == (TurnEnd.ENDED, TurnEnd.ENDED)
    pid, turns, told = first.text.split(" ", 2)
    assert (turns, "users_v2 is expected" in told) == ("10", True)
    assert second.text == f"{pid} 7 users_v3 Accepted as it stands. End your turn."
    assert (place.folder / "a.sql").read_text() == "users_v2"
    assert place.noted == ["tool_call {'name': 'edit', 'arguments': {'path': 'a.sql'}}"] * 2


def test_a_worker_serves_one_target_after_the_other(place: Place, make: Callable[..., OwnRunner]) -> None:
    runner, cage = make(), Scripted(HONEST)
    pids = {place.prompt(runner, place.job(cage), "x")[0].text.split()[0] for _ in range(3)}
    assert (len(pids), len(cage.started)) == (1, 1)


def test_turns_are_those_of_the_whole_attempt(place: Place, make: Callable[..., OwnRunner]) -> None:
    ends = [turn.end for turn in place.prompt(make(), place.job(Scripted(HONEST), turns=6), "a", "b", "c")]
    assert ends == [TurnEnd.ENDED, TurnEnd.ENDED, TurnEnd.OUT_OF_TURNS]


def test_a_conversation_is_put_into_another_session(place: Place, make: Callable[..., OwnRunner]) -> None:
    runner, cage = make(), Scripted(HONEST)
    with runner.session(place.job(cage)) as session:
        session.prompt("one")
        memory = session.memory()  # type: ignore[attr-defined]
    with runner.session(place.job(cage)) as session:
        session.recall(memory)  # type: ignore[attr-defined]
        assert session.prompt("two").text.split()[1:3] == ["7", "one"]


HOSTILE = {
    "no JSON": 'print("words", flush=True)',
    "no object": "print([1], flush=True)",
    "a line of its own kind": "say(do='anything')",
    "a record that is the loop's": "say(note='ended', end='accepted')",
    "a tool that is none": "say(call='shell', command='id')",
    "an end that is none": "end('accepted', text='fine')",
    "an end without a conversation": "end('ended', text='fine', requests=1)",
    "turns given back": "end('ended', text='', requests=-100, history='')",
    "two ends": "end('gave_up'); end('gave_up'); time.sleep(30)",
    "an end of another turn": "say(end='gave_up', id='0123456789abcdef')",
    "an exit": "sys.exit(3)",
    "a crash": "raise RuntimeError('broken')",
    "a new file": "pathlib.Path(order['folder'], 'new').write_text('x'); end('gave_up')",
    "a link": "os.chdir(order['folder']); os.remove('a.sql'); os.symlink('/', 'a.sql'); say(call='verify')",
    "a model that is down": "end('failed', status=529, text='overloaded')",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_worker_that_misbehaves_is_ended_and_replaced(
    place: Place, make: Callable[..., OwnRunner], name: str
) -> None:
    runner, cage = make(), Scripted(f"{READY}\norder = hear()\n{HOSTILE[name]}\ntime.sleep(30)")
    turns = place.prompt(runner, place.job(cage), "x", "y")
    assert turns[-1].end is TurnEnd.FAILED
    assert {path.name for path in place.folder.iterdir()} == {"a.sql"}
    assert (place.folder / "a.sql").read_text() == "before"
    assert cage.started[0].poll() is not None
    assert place.noted == []
    cage.script = HONEST
    assert place.prompt(runner, place.job(cage), "z")[0].end is TurnEnd.ENDED
    assert len(cage.started) == 2


def test_notes_hold_only_known_fields_of_bounded_size(place: Place, make: Callable[..., OwnRunner]) -> None:
    script = READY + (
        "hear()\nbig = 'x' * 1000000\n"
        "say(note='message', text=big, name=5, end='accepted', arguments={'a': big})\n"
        "end('gave_up', text='z' * 1000000)\nhear()"
    )
    (turn,) = place.prompt(make(), place.job(Scripted(script)), "x")
    assert len(turn.text) == 20_000
    (noted,) = place.noted
    assert len(noted) < 90_000
    assert "accepted" not in noted


def test_time_is_up(place: Place, make: Callable[..., OwnRunner]) -> None:
    cage = Scripted(READY + "hear()\ntime.sleep(60)")
    begun = time.monotonic()
    (turn,) = place.prompt(make(), place.job(cage, wall=0.3), "x")
    assert turn.end is TurnEnd.OUT_OF_TIME
    assert cage.started[0].poll() is not None
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("said", "end"),
    [("402", TurnEnd.OVER_BUDGET), ("402 out of turns", TurnEnd.OUT_OF_TURNS), ("429", TurnEnd.FAILED)],
)
def test_what_the_proxy_refuses(
    place: Place, make: Callable[..., OwnRunner], said: str, end: TurnEnd
) -> None:
    script = READY + f"hear()\nend('failed', status={said[:3]}, text='{said}')\ntime.sleep(60)"
    assert place.prompt(make(), place.job(Scripted(script)), "x")[0].end is end


def test_a_question_ends_the_turn_unless_it_is_answered(place: Place, make: Callable[..., OwnRunner]) -> None:
    script = READY + (
        "while True:\n order = hear()\n say(call='ask', question=order['text'], options=['a', 5])\n"
        " told = hear()\n end('asked' if told['over'] else 'gave_up', text=told['text'])"
    )
    place.desk = Desk(
        collect=place.collect,
        check=contains("a.sql", "x"),
        answer=lambda text, options: "yes" if "known" in text else None,
    )
    turns = place.prompt(make(), place.job(Scripted(script)), "known", "new")
    assert [turn.end for turn in turns] == [TurnEnd.GAVE_UP, TurnEnd.ASKED]
    assert turns[0].text == "yes"
    assert place.desk.asked == {"new": "new"}
    assert place.desk.options == {"new": ("a", "5")}


def test_an_idle_worker_that_died_is_not_used(place: Place, make: Callable[..., OwnRunner]) -> None:
    runner, cage = make(), Scripted(HONEST)
    pid = int(place.prompt(runner, place.job(cage), "x")[0].text.split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while cage.started[0].poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert place.prompt(runner, place.job(cage), "x")[0].end is TurnEnd.ENDED
    assert len(cage.started) == 2


def test_killed_in_the_middle_of_a_turn(place: Place, make: Callable[..., OwnRunner]) -> None:
    script = (
        READY
        + "order = hear()\npathlib.Path(order['folder'], 'a.sql').write_text('half')\nos.kill(os.getpid(), 9)"
    )
    (turn,) = place.prompt(make(), place.job(Scripted(script)), "x")
    assert turn.end is TurnEnd.FAILED
    assert "its process ended" in turn.text
    assert (place.folder / "a.sql").read_text() == "before"


def test_what_does_not_start_says_why(place: Place, make: Callable[..., OwnRunner]) -> None:
    runner, cage = make(), Scripted("raise ImportError('no pydantic_ai')")
    with pytest.raises(AgentUnavailable, match="no pydantic_ai"):
        place.prompt(runner, place.job(cage), "x")
    cage.script = HONEST
    assert place.prompt(runner, place.job(cage), "x")[0].end is TurnEnd.ENDED


def test_who_comes_later_waits(place: Place, make: Callable[..., OwnRunner]) -> None:
    runner, cage = make(), Scripted(HONEST)
    order: list[str] = []

    def second() -> None:
        with runner.session(place.job(cage)):
            order.append("second")

    with runner.session(place.job(cage)):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]
    assert len(cage.started) == 1


def test_closing_ends_who_works_and_who_waits(place: Place, make: Callable[..., OwnRunner]) -> None:
    runner, cage = make(), Scripted(READY + "hear()\ntime.sleep(60)")
    ends: list[object] = []

    def works() -> None:
        ends.append(place.prompt(runner, place.job(cage), "x")[0].end)

    def waits() -> None:
        try:
            place.prompt(runner, place.job(cage), "x")
        except AgentUnavailable as error:
            ends.append(str(error))

    threads = [threading.Thread(target=works), threading.Thread(target=waits)]
    threads[0].start()
    while not cage.started:
        time.sleep(0.01)
    time.sleep(0.3)
    threads[1].start()
    time.sleep(0.2)
    runner.close()
    runner.close()
    for thread in threads:
        thread.join(20)
    assert sorted(map(str, ends)) == ["failed", "our own agent is being shut down"]
    assert all(caged.poll() is not None for caged in cage.started)


def test_another_way_out_is_another_worker(
    place: Place, tmp_path: Path, make: Callable[..., OwnRunner]
) -> None:
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    runner, cage = make(), Scripted(HONEST)
    place.prompt(runner, place.job(cage), "x")
    other.prompt(runner, other.job(cage), "x")
    assert len(cage.started) == 2
    assert cage.started[0].poll() is not None


def test_what_a_killed_process_left_is_removed(place: Place) -> None:
    for name, age in (
        ("greylag-own-old", 3600),
        ("greylag-own-locked", 3600),
        ("greylag-own-new", 0),
        ("x", 3600),
    ):
        folder = place.slots / name
        (folder / "0").mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    held = os.open(place.slots / "greylag-own-locked", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    workers = Pool(1, place.slots)
    with workers.lease(Kind(Scripted(HONEST), place.socket, "anthropic")):  # type: ignore[arg-type]
        kept = {path.name for path in place.slots.iterdir()}
    workers.close()
    os.close(held)
    assert kept >= {"greylag-own-locked", "greylag-own-new", "x"}
    assert "greylag-own-old" not in kept


@pytest.mark.parametrize("settings", [{"workers": 0}, {"workers": "many"}, {"max_tokens": 1}, {"worker": 2}])
def test_settings_that_are_wrong(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make_own(**settings)


def test_settings_that_are_right(tmp_path: Path) -> None:
    runner = make_own(workers=3, root=tmp_path)
    assert "pydantic-ai-slim" in runner.version()
    runner.close()
