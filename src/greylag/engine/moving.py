"""Readers that came to another target of their repository: their file has another owner now."""

from __future__ import annotations

from datetime import datetime

from greylag.domain.target import TargetState
from greylag.domain.words import count
from greylag.engine import ledger, tables
from greylag.engine.apply import afresh
from greylag.engine.events import EventKind
from greylag.engine.store import Session


def receive(session: Session, migration: str, name: str, number: int, now: datetime) -> None:
    """A target got so many readers: it becomes one, or begins anew where it had ended by itself.

    What a person ended stays so. One at work sees the moved base, and is rewritten with them.
    """
    reason = f"{count(number, 'reader')} came from another part of the repository"
    target = session.target(migration, name)
    if target is None:
        row = {
            "migration": migration,
            "repository": name,
            "state": TargetState.FOUND.value,
            "reason": reason,
            "context": "",
            "consumers": number,
            "owners": [],
            "updated_at": now,
        }
        session.connection.execute(tables.targets.insert().values(**row))
    elif target.state is TargetState.DONE:
        ledger.close_round(session, migration, name)
        values = afresh(target) | {"attempt": target.attempt + 1, "extra": target.extra + 1}
        if not session.change(migration, target, now, **values, state=TargetState.FOUND.value, reason=reason):
            return
    elif target.skipped_by_rule:
        if not session.change(migration, target, now, state=TargetState.FOUND.value, reason=reason):
            return
    else:
        return
    session.reopen(migration)
    wave = None if target is None else target.wave
    session.event(migration, EventKind.FOUND, f"{name}: {reason}", at=now, repository=name, wave=wave)
