"""The questions of a campaign: asked once for all targets, answered once, and what an answer sets going."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from greylag.domain.errors import UsageError
from greylag.domain.question import (
    MOST_OPTIONS,
    OPTION,
    Place,
    QuestionKind,
    clean_question,
    is_question_key,
    question_key,
)
from greylag.domain.quoting import visible
from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.events import EventKind
from greylag.engine.store import Session
from greylag.engine.world import Target
from greylag.mapping.compiled import CompiledMigration

IN_FILE = "the migration file"
"""Who answered, where the answer was read from the file."""

_PLACES = 50
_WAITING = frozenset({TargetState.WAITING_ANSWER, TargetState.AGENT})
_PATCHED = frozenset({TargetState.AGENT, TargetState.REWRITTEN, TargetState.PROPOSED})

__all__ = [
    "IN_FILE",
    "Asked",
    "adopt",
    "answers_for_brief",
    "every",
    "give",
    "question_key",
    "remember",
    "unanswered",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A row of `questions`. `text` is empty where only the migration file knows the key."""

    key: str
    text: str
    kind: QuestionKind
    answer: str | None
    answered_by: str | None
    asked_at: datetime
    answered_at: datetime | None
    options: tuple[str, ...] = ()
    asked_by: tuple[Place, ...] = ()


def every(session: Session, migration: str) -> dict[str, Asked]:
    """All questions of a campaign, by key."""
    table = tables.questions
    query = sa.select(table).where(table.c.migration == migration).order_by(table.c.key)
    return {row["key"]: _asked(row) for row in session.rows(query)}


def _asked(row: Mapping[str, Any]) -> Asked:
    names = ("key", "text", "answer", "answered_by", "asked_at", "answered_at")
    return Asked(
        **{name: row[name] for name in names},
        kind=QuestionKind(row["kind"]),
        options=tuple(row["options"]),
        asked_by=tuple(Place(**place) for place in row["asked_by"]),
    )


def remember(
    session: Session,
    migration: str,
    key: str,
    text: str,
    now: datetime,
    *,
    kind: QuestionKind | Literal["column", "agent"] = QuestionKind.AGENT,
    options: Iterable[str] = (),
    asked_by: str | Iterable[Place] = (),
) -> str | None:
    """Write a question down, or that it came up once more; returns its answer where it is known.

    The first wording stays; options and places are added. `asked_by` may be a repository's name alone.
    Characters that do not show are written out. Raises UsageError for an agent's question that is empty, or
    does not belong to its key.
    """
    known = every(session, migration).get(key)
    came_up = (Place(repository=asked_by),) if isinstance(asked_by, str) else tuple(asked_by)
    places = sorted({*(known.asked_by if known else ()), *came_up})[:_PLACES]
    offered = dict.fromkeys((*(known.options if known else ()), *map(_option, options)))
    kind = QuestionKind(kind)
    text = clean_question(text)
    if kind is QuestionKind.AGENT:
        _check(key, text)
    values: dict[str, object] = {
        "options": [option for option in offered if option][:MOST_OPTIONS],
        "asked_by": [asdict(place) for place in places],
    }
    table = tables.questions
    if known is None:
        row = {"migration": migration, "key": key, "text": text, "kind": kind.value, "asked_at": now}
        session.connection.execute(table.insert().values(**row, **values))
        return None
    if not known.text:
        values["text"] = text
    session.connection.execute(table.update().where(_here(migration, key)).values(**values))
    return known.answer


def _option(text: str) -> str:
    return visible(text, keep="").strip()[:OPTION]


def _check(key: str, text: str) -> None:
    if not text:
        raise UsageError("the question is empty; expected text")
    if key != question_key(text):
        raise UsageError(f"{key!r} is not the key of this question; it is {question_key(text)!r}")


def answers_for_brief(session: Session, migration: str) -> dict[str, str]:
    """What people told agents so far: the question's text to the answer, in a stable order."""
    return {
        one.text: one.answer
        for one in every(session, migration).values()
        if one.kind is QuestionKind.AGENT and one.answer is not None and one.text
    }


def unanswered(session: Session, migration: str, keys: Collection[str]) -> tuple[str, ...]:
    """Those of the keys that nobody answered yet, in their order; also those that nobody asked."""
    answers = session.answers(migration)
    return tuple(key for key in keys if answers.get(key) is None)


def give(
    session: Session, migration: str, key: str, value: str, *, actor: str, now: datetime, via: str = ""
) -> tuple[str, ...]:
    """Answer a question that was asked, whatever was answered before; tells it as an event.

    Returns the targets that go on with the answer. Raises KeyError where nobody asked.
    """
    before = every(session, migration)[key]
    given = {"answer": value, "answered_by": actor, "answered_at": now}
    session.connection.execute(tables.questions.update().where(_here(migration, key)).values(**given))
    woken = _wake(session, migration, before, now, anew=before.answer not in (None, value))
    words = f"answered {value!r}; targets that go on with it: {len(woken)}"
    data = {"key": key, "answer": value, "via": via}
    session.event(migration, EventKind.ANSWERED, f"{key}: {words}", at=now, actor=actor, data=data)
    if woken:
        session.reopen(migration)
    return woken


def _wake(session: Session, migration: str, asked: Asked, now: datetime, *, anew: bool) -> tuple[str, ...]:
    """Let targets go on; `anew`: those too that were rewritten with another answer."""
    readers = _readers(session, migration, asked) if anew else frozenset()
    return tuple(
        target.repository
        for target in session.targets(migration)
        if _goes_on(session, migration, target, asked, now, reads=target.repository in readers)
    )


def _readers(session: Session, migration: str, asked: Asked) -> frozenset[str]:
    """Repositories with a consumer of the dataset that a question is about: whatever columns it is seen
    to use, the answer may be part of its patch.
    """
    if asked.kind is not QuestionKind.COLUMN:
        return frozenset()
    table = tables.consumers
    here = (table.c.migration == migration) & (table.c.dataset == asked.key.rpartition(".")[0])
    query = sa.select(table.c.repository).where(here & table.c.retired_at.is_(None)).distinct()
    return frozenset(row["repository"] for row in session.rows(query))


def _goes_on(
    session: Session, migration: str, target: Target, asked: Asked, now: datetime, *, reads: bool
) -> bool:
    waits = asked.key in target.questions
    if not (waits or reads):
        return False
    if waits and target.state in _WAITING:
        return True
    if target.state in _PATCHED and asked.kind is QuestionKind.COLUMN:
        return session.change(migration, target, now, source=None)
    if target.skipped_by_rule:
        return session.change(migration, target, now, state=TargetState.FOUND.value, reason="answered")
    return False


def adopt(session: Session, migration: CompiledMigration, now: datetime) -> None:
    """Take over the answers that stand in the file, where they are not those that we know: the file wins.

    An answer that came from the file, and is there no more, is taken back.
    """
    known = every(session, migration.name)
    told = {key: said.answer for key, said in migration.said.items()}
    for key, value in {**migration.answers, **told}.items():
        if key not in known:
            text = migration.said[key].question if key in told else f"{key} has no counterpart"
            kind = QuestionKind.AGENT if is_question_key(key) else QuestionKind.COLUMN
            row = {"key": key, "text": text, "kind": kind.value, "asked_at": now, "answered_at": now}
            given = {"migration": migration.name, "answer": value, "answered_by": IN_FILE}
            session.connection.execute(tables.questions.insert().values(**row, **given))
        elif known[key].answer != value:
            give(session, migration.name, key, value, actor=IN_FILE, now=now, via="file")
    for key, asked in known.items():
        if asked.answered_by == IN_FILE and key not in migration.answers and key not in told:
            _take_back(session, migration.name, asked, now)


def _take_back(session: Session, migration: str, asked: Asked, now: datetime) -> None:
    """Whoever used the answer is rewritten, and asks again."""
    _wake(session, migration, asked, now, anew=True)
    session.connection.execute(tables.questions.delete().where(_here(migration, asked.key)))
    waiting = any(asked.key in target.questions for target in session.targets(migration))
    if waiting:
        remember(
            session,
            migration,
            asked.key,
            asked.text,
            now,
            kind=asked.kind,
            options=asked.options,
            asked_by=asked.asked_by,
        )


def _here(migration: str, key: str) -> sa.ColumnElement[bool]:
    table = tables.questions
    return (table.c.migration == migration) & (table.c.key == key)
