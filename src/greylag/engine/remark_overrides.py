"""What a comment on a pull request decides about its target: skip, retry, take, approve."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, assert_never

import sqlalchemy as sa

from greylag.engine import agent_runs, ledger
from greylag.engine.commands import Override, Verb
from greylag.engine.events import EventKind
from greylag.engine.store import Session
from greylag.engine.tables import events
from greylag.engine.world import Target
from greylag.forge.base import Remark

if TYPE_CHECKING:
    from greylag.engine.campaign import Campaign
    from greylag.engine.overrides import Verdict

_SHOWN_ANEW = (EventKind.PROPOSED.value, EventKind.UPDATED.value)


def decided(
    campaign: Campaign, session: Session, repository: str, command: Override, remark: Remark, now: datetime
) -> tuple[bool, str]:
    """Do what a comment says, in the transaction of `session`: was anything done, and the words for it."""
    # They know the campaign, and the campaign listens to remarks.
    from greylag.engine.overrides import Nothing, carry_out

    target = session.target(campaign.name, repository)
    if target is None:
        return False, "it is no target any more"
    verdict = _verdict(campaign, session, target, command, remark, now)
    if isinstance(verdict, Nothing):
        return False, verdict.why
    command_name, because = command.verb.value, command.because
    via = f"pull request {remark.number} of {remark.repository}"
    carry_out(
        session,
        campaign.name,
        target,
        verdict,
        command=command_name,
        actor=remark.author,
        because=because,
        now=now,
        via=via,
    )
    session.reopen(campaign.name)
    return True, verdict.words


def _verdict(
    campaign: Campaign, session: Session, target: Target, command: Override, remark: Remark, now: datetime
) -> Verdict:
    from greylag.engine import overrides

    name, repository = campaign.name, target.repository
    match command.verb:
        case Verb.SKIP:
            if not command.because:
                return overrides.Nothing(why="say why: /greylag skip because …")
            return overrides.skipping(target, remark.author, command.because)
        case Verb.TAKE:
            return overrides.taking(target, remark.author, command.because)
        case Verb.RETRY:
            agent_runs.forget_failures(session, name, repository)
            left = bool(ledger.left_alone(session, name, repository))
            again = overrides.retrying(target, command.because, left=left)
            if isinstance(again, overrides.Change) and overrides.begins_a_round(target):
                ledger.close_round(session, name, repository)
            return again
        case Verb.APPROVE:
            if target.commit is not None and _changed_since(session, name, repository, remark.at):
                why = (
                    "the change was brought up to date after that was written; look at it, and approve again"
                )
                return overrides.Nothing(why=why)
            return overrides.approval(campaign.world(), target, remark.author, now)
        case _:
            assert_never(command.verb)


def _changed_since(session: Session, migration: str, repository: str, at: datetime) -> bool:
    """Was the pull request given another patch after somebody wrote? They did not see it."""
    here = (events.c.migration == migration) & (events.c.repository == repository)
    here &= events.c.kind.in_(_SHOWN_ANEW) & (events.c.at > at)
    return session.connection.execute(sa.select(events.c.id).where(here).limit(1)).first() is not None
