"""Comments on pull requests that are commands: `/greylag skip because …`, each acted on once.

What a comment sets going and the words of our reply are written in one transaction; the reply is said
afterwards, under a key made of the comment's id. A process that dies between the two leaves a reply that the
next tick says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import sqlalchemy as sa

from greylag.domain.errors import GreylagError, UsageError
from greylag.domain.quoting import cut, visible
from greylag.engine import tables
from greylag.engine.answering import checked, going_on, keep_in_file, nearest
from greylag.engine.commands import Answer, Command, Help, Override, Unknown, commands_of
from greylag.engine.events import EventKind
from greylag.engine.questions import Asked, every, give
from greylag.engine.remark_overrides import decided
from greylag.engine.store import Session
from greylag.engine.world import PullState, Target
from greylag.forge.base import Remark

if TYPE_CHECKING:
    from greylag.engine.campaign import Campaign

_SHOWN = 10
_LONG = 300

USAGE = """\
A command stands on a line of its own:

- `/greylag answer KEY VALUE` answers a question
- `/greylag skip because …` leaves this repository alone
- `/greylag take` makes it yours: greylag does nothing more about it
- `/greylag retry`, or `retry because …`, begins again from the head of its base branch
- `/greylag approve` lets this very change merge, in its wave and window
- `/greylag help` says this"""
NO_RIGHT = "Only people who may write to this repository can answer or decide here; nothing was done."
_BOT = "[bot]"
"""What the names of programs' accounts end in: programs decide nothing here."""


@dataclass(slots=True)
class Hearing:
    """Reads what people say on the pull requests of a campaign. `deaf`: why the last try failed."""

    deaf: str = ""

    def listen(self, campaign: Campaign) -> None:
        """Act on what was said since the last time, and say the replies that are due.

        A forge that cannot be read now is asked again by the next tick; what it says is told once.
        """
        try:
            _read(campaign)
            _reply(campaign)
            self.deaf = ""
        except GreylagError as error:
            if str(error) != self.deaf:
                self.deaf = str(error)
                with campaign.store.write() as session:
                    text = f"comments could not be read or answered: {error}"
                    session.event(campaign.name, EventKind.ERROR, text, at=campaign.clock.now())


def _read(campaign: Campaign) -> None:
    with campaign.store.read() as session:
        targets = [target for target in session.watched(campaign.name) if target.pull_state is not None]
        mark = _mark(session, campaign.name)
    wanted = campaign.fresh.unheard({target.repository for target in targets})
    if not wanted:
        return
    try:
        heard = campaign.forge.remarks(wanted, mark)
    except GreylagError:
        campaign.fresh.heard(wanted, failed=True)
        raise
    pulls = {(target.repository, target.pull_number): target for target in targets}
    # A pull request that is just being opened has no number in our row yet: what is said there is read again.
    early = {target.repository for target in targets if _opening(target)}
    held = False
    for remark in heard.items:
        target = pulls.get((remark.repository, remark.number))
        if target is not None and not remark.ours:
            _act(campaign, remark, target)
        held = held or (target is None and remark.repository in early)
    if held:
        return
    if heard.mark is not None and heard.mark != mark:
        with campaign.store.write() as session:
            _set_mark(session, campaign.name, heard.mark)
    campaign.fresh.heard(wanted)


def _opening(target: Target) -> bool:
    return target.pull_number is None and target.pull_state == PullState.OPEN


def _act(campaign: Campaign, remark: Remark, target: Target) -> None:
    """Do what a comment says, and write down what is to be replied; once for each comment."""
    said = () if remark.author.endswith(_BOT) else commands_of(remark.body)
    if not said:
        return
    with campaign.store.read() as session:
        if _known(session, campaign.name, remark.id):
            return
        asked = every(session, campaign.name)
    # What is SQL in an answer is tried before anything is written.
    judged = [_judged(campaign, asked, command) for command in said] if remark.may_write else [NO_RIGHT]
    now = campaign.clock.now()
    with campaign.store.write() as session:
        if _known(session, campaign.name, remark.id):
            return
        lines, answered = [], []
        for one in judged:
            words = one
            if isinstance(one, tuple):
                done, words = _given(session, campaign.name, *one, remark, now)
                answered += [one[0]] if done else []
            elif isinstance(one, Override):
                done, told = decided(campaign, session, target.repository, one, remark, now)
                words = f"{code(one.verb)}: {'' if done else 'not done: '}{plain(told)}."
            lines.append(str(words))
        if any(isinstance(command, Help | Unknown) for command in said) and remark.may_write:
            lines.append(_help(asked))
        session.connection.execute(
            tables.remarks.insert().values(
                migration=campaign.name,
                id=remark.id,
                repository=target.repository,
                number=remark.number,
                author=remark.author,
                answered=answered,
                reply="\n\n".join(line for line in lines if line),
                at=now,
            )
        )


def _judged(
    campaign: Campaign, asked: Mapping[str, Asked], command: Command
) -> str | tuple[str, str] | Override:
    """A key and its answer, what is decided about the target, or the words that say what is wrong."""
    match command:
        case Unknown():
            return f"Not understood: {code(command.text)}."
        case Help():
            return ""
        case Override():
            return command
        case Answer() if command.key not in asked:
            near = nearest(asked, command.key)
            hint = f"; did you mean {code(near)}?" if near else "."
            return f"Not answered: {code(command.key)} was not asked{hint}\n\n{_help(asked)}"
        case Answer():
            try:
                return command.key, checked(campaign, asked[command.key], command.value)
            except UsageError as error:
                return f"Not answered: {plain(str(error))}."
        case _:
            assert_never(command)


def _given(
    session: Session, migration: str, key: str, value: str, remark: Remark, now: datetime
) -> tuple[bool, str]:
    before = every(session, migration)[key]
    if before.answer is None:
        via = f"pull request {remark.number} of {remark.repository}"
        woken = give(session, migration, key, value, actor=remark.author, now=now, via=via)
        return True, f"{code(key)}: {plain(going_on(value, woken))}."
    by = f" by {plain(before.answered_by)}" if before.answered_by else ""
    told = f"{code(key)} was answered already{by}: {code(before.answer)}."
    return False, f"{told} `greylag answer {migration} {key} … --again` changes it."


def _help(asked: Mapping[str, Asked]) -> str:
    waiting = [one for one in asked.values() if one.answer is None]
    if not waiting:
        return f"{USAGE}\n\nNo question is open now."
    lines = [USAGE, "", "Open questions:", ""]
    for one in waiting[:_SHOWN]:
        options = f" ({' / '.join(code(option) for option in one.options)})" if one.options else ""
        lines.append(f"- {code(one.key)}: {code(one.text)}{options}")
    if len(waiting) > _SHOWN:
        lines.append(f"- and {len(waiting) - _SHOWN} more")
    return "\n".join(lines)


def code(text: str) -> str:
    """Text of others in a comment of ours: it can neither mention anybody nor be a command."""
    line = cut(" ".join(visible(text).split()), _LONG)
    longest = max((len(run) for run in _backticks(line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"


def _backticks(text: str) -> list[str]:
    return [run for run in "".join(one if one == "`" else " " for one in text).split() if run]


def plain(text: str) -> str:
    """Words of ours that hold words of others: nobody is mentioned by them, and nothing is marked up."""
    line = cut(" ".join(visible(text).split()), _LONG)
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>#|~" else one for one in line).replace("@", "@\u2060")


def _reply(campaign: Campaign) -> None:
    table = tables.remarks
    here = (table.c.migration == campaign.name) & (table.c.replied == 0)
    with campaign.store.read() as session:
        due = session.rows(sa.select(table).where(here).order_by(table.c.at, table.c.id))
        asked = every(session, campaign.name) if due else {}
    for row in due:
        notes = [_kept(campaign, asked[key]) for key in row["answered"] if key in asked]
        body = "\n\n".join([row["reply"], *notes])
        campaign.forge.comment(row["repository"], row["number"], key=f"reply:{row['id']}", body=body)
        with campaign.store.write() as session:
            one = (table.c.migration == campaign.name) & (table.c.id == row["id"])
            session.connection.execute(table.update().where(one).values(replied=1))


def _kept(campaign: Campaign, asked: Asked) -> str:
    if asked.answer is None:
        return f"{code(asked.key)} is open again."
    path = Path(campaign.migration.path)
    words = keep_in_file(campaign, asked, asked.answer).replace(str(path), path.name)
    return f"{code(asked.key)}: {plain(words)}."


def _known(session: Session, migration: str, remark: str) -> bool:
    table = tables.remarks
    here = (table.c.migration == migration) & (table.c.id == remark)
    return session.one(sa.select(table.c.id).where(here)) is not None


def _mark(session: Session, migration: str) -> str | None:
    table = tables.remark_marks
    row = session.one(sa.select(table.c.mark).where(table.c.migration == migration))
    return None if row is None else str(row["mark"])


def _set_mark(session: Session, migration: str, mark: str) -> None:
    table = tables.remark_marks
    session.connection.execute(table.delete().where(table.c.migration == migration))
    session.connection.execute(table.insert().values(migration=migration, mark=mark))
