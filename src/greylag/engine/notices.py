"""What people are told, and when: notices are collected in a table, and sent as digests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Protocol

import sqlalchemy as sa

from greylag.domain.errors import GreylagError
from greylag.domain.words import count
from greylag.engine import tables
from greylag.engine.actions import Decision, Wait, WaitKind
from greylag.engine.clock import Clock
from greylag.engine.events import EventKind
from greylag.engine.store import Session, Store

HORIZON = timedelta(hours=24)
"""What is older is not told any more."""
LEASE = timedelta(minutes=10)
"""What could not be sent, or was being sent by a process that died, is tried again after so long."""
LINES = 30
"""Of a digest; the rest is counted."""
_BEAT = 1.0


class NoticeKind(StrEnum):
    """What a notice is about."""

    APPROVAL = "approval"
    QUESTION = "question"
    HELD = "held"
    REVERTED = "reverted"
    HANDED_OVER = "handed_over"
    DONE = "done"


_OF_EVENTS = {
    EventKind.QUESTION: NoticeKind.QUESTION,
    EventKind.HELD: NoticeKind.HELD,
    EventKind.STUCK: NoticeKind.HELD,
    EventKind.REVERTED: NoticeKind.REVERTED,
    EventKind.HANDED_OVER: NoticeKind.HANDED_OVER,
    EventKind.WAVE_DONE: NoticeKind.DONE,
    EventKind.OVER: NoticeKind.DONE,
}
_HEADINGS = {
    NoticeKind.APPROVAL: "Needs an approval",
    NoticeKind.QUESTION: "Asks",
    NoticeKind.HELD: "Held",
    NoticeKind.REVERTED: "Reverted",
    NoticeKind.HANDED_OVER: "Handed over to a person",
    NoticeKind.DONE: "Done",
}


class NotSent(GreylagError):
    """A message could not be sent; the message of the error holds no address and no secret."""


class Sender(Protocol):
    """Sends a message."""

    def __call__(self, title: str, body: str) -> None:
        """Plain text. Raises NotSent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where notices go. With `owners` (globs), each of these owners gets a digest of their own; without,
    everything stands in one. `at_once` are the kinds that do not wait for the end of the `window`.
    """

    name: str
    send: Sender
    owners: tuple[str, ...] = ()
    kinds: frozenset[NoticeKind] = frozenset(NoticeKind)
    window: timedelta = timedelta(minutes=15)
    at_once: frozenset[NoticeKind] = frozenset({NoticeKind.HELD})

    def recipients(self, owners: Sequence[str]) -> tuple[str, ...]:
        """Who of a thing's owners is told through this channel."""
        if not self.owners:
            return (self.name,)
        fitting = {one for one in owners if any(fnmatchcase(one, pattern) for pattern in self.owners)}
        return tuple(f"{self.name} {owner}" for owner in sorted(fitting))

    def serves(self, recipient: str) -> bool:
        """Is a recipient of this channel?"""
        return recipient == self.name or recipient.startswith(f"{self.name} ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell."""

    kind: NoticeKind
    text: str


OnTick = Callable[[Decision], None]


class Notices:
    """Collects notices of one campaign at every tick, and sends them from a thread of its own.

    Each has a key: what was told is not told again, whoever runs. A sender that fails, or hangs, never holds
    up the campaign; the first failure is told as an event.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        channels: Sequence[Channel],
        migration: str,
        *,
        patience: float = 30.0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._channels = tuple(channels)
        self._migration = migration
        self._patience = patience
        self._seen: set[tuple[str | None, str]] = set()
        self._stop = threading.Event()

    @contextmanager
    def listening(self, on_tick: OnTick) -> Iterator[OnTick]:
        """Collect after each call of `on_tick`, send meanwhile, and at the end what is left, at once."""
        # A daemon: a sender that hangs must not keep the process.
        thread = threading.Thread(target=self._send_on, name="notices", daemon=True)
        thread.start()

        def told(decision: Decision) -> None:
            on_tick(decision)
            self._try(lambda: self.collect(decision.waits))

        try:
            yield told
        finally:
            self._try(lambda: self.collect(()))
            self._stop.set()
            thread.join(self._patience)

    def _send_on(self) -> None:
        while not self._stop.wait(_BEAT):
            self._try(self.deliver)
        self._try(lambda: self.deliver(everything=True))

    @staticmethod
    def _try(what: Callable[[], None]) -> None:
        try:
            what()
        except (GreylagError, sa.exc.SQLAlchemyError):
            return  # the database is away: the next time finds the same

    def collect(self, waits: Sequence[Wait]) -> None:
        """Write down what is new: events since the last time, and what waits for an approval."""
        fresh = [wait for wait in waits if _asks(wait) and (wait.repository, wait.reason) not in self._seen]
        with self._store.read() as session:
            after, last = self._cursor(session), _last_event(session, self._migration)
        if not fresh and after == last and after is not None:
            return
        now = self._clock.now()
        with self._store.write() as session:
            owners = _Owners(session, self._migration)
            self._of_events(session, owners, now)
            for wait in fresh:
                self._of_wait(session, wait, owners, now)
        self._seen.update((wait.repository, wait.reason) for wait in fresh)

    def _cursor(self, session: Session) -> int | None:
        row = session.one(sa.select(tables.notices.c.text).where(self._here(_CURSOR, "")))
        return None if row is None else int(row["text"])

    def _here(self, key: str, recipient: str) -> sa.ColumnElement[bool]:
        table = tables.notices
        return (
            (table.c.migration == self._migration) & (table.c.key == key) & (table.c.recipient == recipient)
        )

    def _of_events(self, session: Session, owners: _Owners, now: datetime) -> None:
        table = tables.events
        here = table.c.migration == self._migration
        cursor = self._cursor(session)
        # The first time, what happened long before notices were switched on is not told.
        recent = table.c.at >= now - timedelta(hours=1) if cursor is None else table.c.id > cursor
        rows = session.rows(sa.select(table).where(here & recent).order_by(table.c.id))
        for row in rows:
            kind = _OF_EVENTS.get(EventKind(row["kind"]))
            if kind is not None:
                notice = Notice(kind=kind, text=row["message"])
                self._keep(session, f"event/{row['id']}", notice, owners.of(row), row["at"])
        last = rows[-1]["id"] if rows else cursor or _last_event(session, self._migration) or 0
        if cursor is None:
            self._add(session, _CURSOR, "", _CURSOR, str(last), now)
        else:
            statement = tables.notices.update().where(self._here(_CURSOR, ""))
            session.connection.execute(statement.values(text=str(last)))

    def _of_wait(self, session: Session, wait: Wait, owners: _Owners, now: datetime) -> None:
        text = f"{wait.repository}: {wait.reason}: {wait.command}"
        # Not the reason: it may hold an age, which is another one at each look.
        key = f"approval/{wait.repository}/{owners.standing(wait.repository)}"
        notice = Notice(kind=NoticeKind.APPROVAL, text=text)
        self._keep(session, key, notice, owners.of({"repository": wait.repository, "wave": None}), now)

    def _keep(self, session: Session, key: str, notice: Notice, owners: Sequence[str], at: datetime) -> None:
        for channel in self._channels:
            if notice.kind in channel.kinds:
                for recipient in channel.recipients(owners):
                    self._add(session, key, recipient, notice.kind.value, notice.text, at)

    def _add(self, session: Session, key: str, recipient: str, kind: str, text: str, at: datetime) -> bool:
        table = tables.notices
        if session.one(sa.select(table.c.key).where(self._here(key, recipient))) is not None:
            return False
        values = {"migration": self._migration, "key": key, "recipient": recipient}
        session.connection.execute(table.insert().values(**values, kind=kind, text=text, at=at))
        return True

    def deliver(self, *, everything: bool = False) -> None:
        """Send the digests that are due; `everything`: also those whose window is still open."""
        now = self._clock.now()
        with self._store.read() as session:
            waiting = session.rows(self._pending(now))
        by_recipient: dict[str, list[dict[str, Any]]] = {}
        for row in waiting:
            by_recipient.setdefault(row["recipient"], []).append(row)
        for recipient, rows in by_recipient.items():
            channel = next((one for one in self._channels if one.serves(recipient)), None)
            if channel is not None and (everything or _due(channel, rows, now)):
                self._send(channel, recipient, now)

    def _pending(self, now: datetime) -> sa.Select[Any]:
        table = tables.notices
        free = table.c.claimed_at.is_(None) | (table.c.claimed_at < now - LEASE)
        open_ = table.c.sent_at.is_(None) & (table.c.at >= now - HORIZON)
        told = table.c.kind.in_([kind.value for kind in NoticeKind])
        here = (table.c.migration == self._migration) & told & open_ & free
        return sa.select(table).where(here).order_by(table.c.at, table.c.key)

    def _send(self, channel: Channel, recipient: str, now: datetime) -> None:
        """Claim first, so that no other process sends the same; only what was sent is marked as sent."""
        table = tables.notices
        with self._store.write() as session:
            rows = [row for row in session.rows(self._pending(now)) if row["recipient"] == recipient]
            if not rows:
                return
            keys = [row["key"] for row in rows]
            mine = (
                (table.c.migration == self._migration)
                & (table.c.recipient == recipient)
                & table.c.key.in_(keys)
            )
            session.connection.execute(table.update().where(mine).values(claimed_at=now))
        notices = [Notice(kind=NoticeKind(row["kind"]), text=row["text"]) for row in rows]
        owner = recipient.removeprefix(channel.name).strip()
        title, body = digest(self._migration, owner, notices)
        try:
            channel.send(title, body)
        except NotSent as error:
            self._failed(channel, str(error), now)
            return
        with self._store.write() as session:
            session.connection.execute(table.update().where(mine).values(sent_at=now))
            session.connection.execute(table.delete().where(self._here(_BROKEN, channel.name)))

    def _failed(self, channel: Channel, why: str, now: datetime) -> None:
        """Told once, until something gets through again."""
        with self._store.write() as session:
            if self._add(session, _BROKEN, channel.name, _BROKEN, why, now):
                text = f"notices of the channel {channel.name} cannot be sent (they are tried again): {why}"
                session.event(self._migration, EventKind.ERROR, text, at=now)


_CURSOR = "cursor"
_BROKEN = "broken"


def _asks(wait: Wait) -> bool:
    command = wait.command or ""
    return (
        wait.kind is WaitKind.PERSON and wait.repository is not None and command.startswith("greylag approve")
    )


def _last_event(session: Session, migration: str) -> int | None:
    table = tables.events
    row = session.one(sa.select(sa.func.max(table.c.id).label("last")).where(table.c.migration == migration))
    last: int | None = None if row is None else row["last"]
    return last


def _due(channel: Channel, rows: Sequence[dict[str, Any]], now: datetime) -> bool:
    first: datetime = min(row["at"] for row in rows)
    if any(NoticeKind(row["kind"]) in channel.at_once for row in rows):
        return True
    return first + channel.window <= now


class _Owners:
    """Whose a thing is: the owners of its repository, of its wave, or of the whole campaign."""

    def __init__(self, session: Session, migration: str) -> None:
        self._targets = {target.repository: target for target in session.targets(migration)}

    def of(self, row: dict[str, Any]) -> tuple[str, ...]:
        """The owners of what an event is about."""
        target = self._targets.get(row["repository"] or "")
        if target is not None:
            return target.owners
        every = self._targets.values()
        wave = [one for one in every if one.wave == row["wave"]] if row["wave"] is not None else every
        return tuple(sorted({owner for one in wave for owner in one.owners}))

    def standing(self, repository: str | None) -> str:
        """Attempt and state: what is approved once for each."""
        target = self._targets.get(repository or "")
        return "" if target is None else f"{target.attempt}/{target.state}"


def digest(migration: str, owner: str, notices: Sequence[Notice]) -> tuple[str, str]:
    """Title and body of one message over all notices, by kind. Pure."""
    whose = f" for {owner}" if owner else ""
    title = f"Greylag: {migration}: {count(len(notices), 'notice')}{whose}"
    lines: list[str] = []
    for kind in NoticeKind:
        texts = [notice.text for notice in notices if notice.kind is kind]
        if texts:
            lines += [f"{_HEADINGS[kind]}:", *(f"- {text}" for text in texts), ""]
    if len(lines) > LINES:
        left = sum(line.startswith("- ") for line in lines[LINES:])
        lines = [*lines[:LINES], f"… and {left} more"]
    return title, "\n".join([*lines, f"See: greylag status {migration}"])
