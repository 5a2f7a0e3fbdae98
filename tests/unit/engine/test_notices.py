"""Notices: each told once, as digests by owner, whatever happens to the one who sends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.inbox import Inbox
from tests.unit.rollout.servers import serve

from greylag.app.notify_settings import NotifySettings, open_notices
from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.actions import Decision, Wait, WaitKind
from greylag.engine.database import connect
from greylag.engine.events import Event, EventKind
from greylag.engine.notices import Channel, Notice, NoticeKind, Notices, NotSent, digest
from greylag.engine.store import Store
from greylag.engine.upgrades import prepare

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
APPROVAL = Wait(
    kind=WaitKind.PERSON,
    repository="r1",
    reason="the policy is `merge: never`",
    command="greylag approve m r1",
)


@dataclass
class Hands:
    """A clock that stands still until it is told."""

    time: datetime = NOW

    def now(self) -> datetime:
        """See `Clock`."""
        return self.time

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """See `Clock`."""
        self.time = when


@dataclass
class Post:
    """A sender that keeps what it is given; `broken` says why it cannot."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    broken: str | None = None
    tries: int = 0

    def __call__(self, title: str, body: str) -> None:
        """See `Sender`."""
        self.tries += 1
        if self.broken is not None:
            raise NotSent(self.broken)
        self.sent.append((title, body))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A campaign with three targets of two owners."""
    engine = connect(f"sqlite:///{tmp_path / 'g.db'}")
    prepare(engine)
    made = Store(engine)
    with made.write() as session:
        for name, owners, wave in (("r1", ["@a"], 1), ("r2", ["@a", "@b"], 2), ("r3", ["@b"], 2)):
            values: dict[str, Any] = {"migration": "m", "repository": name, "owners": owners, "wave": wave}
            values |= {"state": TargetState.PROPOSED.value, "reason": "", "context": "", "updated_at": NOW}
            session.connection.execute(tables.targets.insert().values(**values))
    return made


def happened(store: Store, kind: EventKind, text: str, at: datetime = NOW, **where: Any) -> None:
    """One event."""
    with store.write() as session:
        session.event("m", kind, text, at=at, **where)


def channel(post: Post, **more: Any) -> Channel:
    """A channel with a window of ten minutes, and nothing at once."""
    return Channel(**{"name": "c", "send": post, "window": 10 * MINUTE, "at_once": frozenset(), **more})


def test_a_digest_for_each_owner_when_the_window_is_over(store: Store) -> None:
    post, clock = Post(), Hands()
    notices = Notices(store, clock, [channel(post, owners=("@*",))], "m")
    happened(store, EventKind.REVERTED, "r1: reverted: it broke", repository="r1", wave=1)
    happened(store, EventKind.REVERTED, "r2: reverted: it broke", repository="r2", wave=2)
    happened(store, EventKind.MERGED, "r3: merged", repository="r3")
    happened(store, EventKind.HELD, "wave 2 is held: 2 reverts", wave=2)
    notices.collect([APPROVAL])
    notices.deliver()
    assert post.sent == []
    clock.time += 10 * MINUTE
    notices.deliver()
    sent = {title: body for title, body in post.sent}
    assert sorted(sent) == ["Greylag: m: 2 notices for @b", "Greylag: m: 4 notices for @a"]
    of_a = sent["Greylag: m: 4 notices for @a"]
    assert "Needs an approval:\n- r1: the policy is `merge: never`: greylag approve m r1\n" in of_a
    assert "Held:\n- wave 2 is held: 2 reverts\n" in of_a
    assert "Reverted:\n- r1: reverted: it broke\n- r2: reverted: it broke\n" in of_a
    assert "merged" not in of_a
    notices.deliver(everything=True)
    assert len(post.sent) == 2


def test_a_restart_tells_nothing_again(store: Store) -> None:
    post, clock = Post(), Hands()
    happened(store, EventKind.QUESTION, "r1 asks: why?", repository="r1")
    for _ in range(3):
        notices = Notices(store, clock, [channel(post)], "m")
        notices.collect([APPROVAL])
        # A reason may tell an age.
        notices.collect([replace(APPROVAL, reason=f"no success for {clock.time:%M}m")])
        notices.deliver(everything=True)
        clock.time += MINUTE
    assert [title for title, _ in post.sent] == ["Greylag: m: 2 notices"]


def test_what_must_not_wait_takes_the_rest_along(store: Store) -> None:
    post = Post()
    notices = Notices(store, Hands(), [channel(post, at_once=frozenset({NoticeKind.HELD}))], "m")
    happened(store, EventKind.WAVE_DONE, "wave 1 is done", wave=1)
    notices.collect([])
    notices.deliver()
    assert post.sent == []
    happened(store, EventKind.HELD, "wave 2 is held: why", wave=2)
    notices.collect([])
    notices.deliver()
    assert [title for title, _ in post.sent] == ["Greylag: m: 2 notices"]


def test_old_events_and_other_kinds_and_other_campaigns_are_not_told(store: Store) -> None:
    post = Post()
    happened(store, EventKind.HELD, "long ago", at=NOW - timedelta(days=3))
    with store.write() as session:
        session.event("other", EventKind.HELD, "not ours", at=NOW)
    notices = Notices(store, Hands(), [channel(post, kinds=frozenset({NoticeKind.DONE}))], "m")
    happened(store, EventKind.HELD, "wave 1 is held", wave=1)
    happened(store, EventKind.OVER, "campaign m is over")
    notices.collect([])
    notices.deliver(everything=True)
    ((title, body),) = post.sent
    assert title == "Greylag: m: 1 notice"
    assert body.splitlines() == ["Done:", "- campaign m is over", "", "See: greylag status m"]


def test_a_sender_that_fails_is_told_once_and_tried_again(store: Store) -> None:
    told: list[Event] = []
    store.subscribe(told.append)
    post, clock = Post(broken="$SLACK is not set, or empty"), Hands()
    notices = Notices(store, clock, [channel(post)], "m")
    happened(store, EventKind.OVER, "campaign m is over")
    told.clear()
    for _ in range(4):
        notices.collect([])
        notices.deliver(everything=True)
        clock.time += 11 * MINUTE
    assert post.tries == 4
    assert [event.kind for event in told] == [EventKind.ERROR]
    assert "the channel c cannot be sent" in told[0].message
    notices.deliver(everything=True)
    post.broken = None
    clock.time += 11 * MINUTE
    notices.deliver(everything=True)
    assert len(post.sent) == 1
    # What breaks anew is told anew; what is a day old is not told any more.
    post.broken = "again"
    happened(store, EventKind.OVER, "over again", at=clock.time)
    notices.collect([])
    notices.deliver(everything=True)
    assert [event.kind for event in told].count(EventKind.ERROR) == 2
    post.broken = None
    clock.time += timedelta(hours=25)
    notices.deliver(everything=True)
    assert len(post.sent) == 1


def test_two_processes_send_once(store: Store) -> None:
    """The second looks while the first is sending."""
    other = Post()
    second = Notices(store, Hands(), [channel(other)], "m")

    def slow(title: str, body: str) -> None:
        second.deliver(everything=True)
        first_sent.append((title, body))

    first_sent: list[tuple[str, str]] = []
    first = Notices(store, Hands(), [Channel(name="c", send=slow)], "m")
    happened(store, EventKind.OVER, "campaign m is over")
    first.collect([])
    first.deliver(everything=True)
    assert (len(first_sent), other.sent) == (1, [])


def test_a_sender_that_hangs_does_not_hold_up_the_campaign(store: Store) -> None:
    go_on = threading.Event()
    happened(store, EventKind.HELD, "wave 1 is held", wave=1)

    def hangs(title: str, body: str) -> None:
        go_on.wait(30)

    notices = Notices(store, Hands(), [Channel(name="c", send=hangs)], "m", patience=0.1)
    began = time.monotonic()
    with notices.listening(lambda _: None) as told:
        told(Decision(actions=(), waits=(APPROVAL,), over=False, wake=None))
    assert time.monotonic() - began < 5
    go_on.set()


def test_a_long_digest_is_cut() -> None:
    _, body = digest("m", "", [Notice(kind=NoticeKind.REVERTED, text=f"r{n}: reverted") for n in range(500)])
    assert len(body.splitlines()) < 40
    assert "and 471 more" in body


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    with serve(made) as made.address:
        yield made


def settings(folder: Path, text: str) -> NotifySettings:
    """One channel, with its addresses in a file."""
    (folder / "urls").write_text(text)
    one = {"name": "ops", "urls": {"file": str(folder / "urls")}}
    return NotifySettings.model_validate({"channels": [one]})


@pytest.mark.parametrize("status", [200, 500])
def test_through_apprise(
    store: Store, inbox: Inbox, tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.status = status
    url = inbox.url("s3cret:s3cret@")
    opened = open_notices(settings(tmp_path, f"{url}\n"), store, Hands())
    told: list[Event] = []
    seen: list[Decision] = []
    with caplog.at_level(logging.DEBUG), opened("m", seen.append) as on_tick:
        on_tick(Decision(actions=(), waits=(APPROVAL,), over=False, wake=None))
        happened(store, EventKind.OVER, "campaign m is over")
        store.subscribe(told.append)
    assert len(seen) == 1
    assert inbox.got[0]["title"] == "Greylag: m: 2 notices"
    assert "- r1: the policy" in inbox.got[0]["message"]
    messages = [event.message for event in told]
    assert len(messages) == (0 if status == 200 else 1)
    assert "s3cret" not in "".join(messages) + caplog.text


@pytest.mark.parametrize(
    ("text", "word"), [("nonsense", "none that apprise knows"), ("\n", "not set, or empty")]
)
def test_addresses_that_are_none(store: Store, tmp_path: Path, text: str, word: str) -> None:
    opened = open_notices(settings(tmp_path, text), store, Hands())
    told: list[Event] = []
    store.subscribe(told.append)
    with opened("m", lambda _: None):
        happened(store, EventKind.OVER, "campaign m is over")
    assert word in told[-1].message


def test_nobody_is_told_without_channels(store: Store) -> None:
    opened = open_notices(NotifySettings(), store, Hands())

    def on_tick(_: Decision) -> None:
        return

    with opened("m", on_tick) as told:
        assert told is on_tick
    with store.read() as session:
        assert session.rows(tables.notices.select()) == []
