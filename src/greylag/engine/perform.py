"""Effects: what touches the repositories, the forge and the consumers' health. One short function for each.

Every effect may be repeated, at any time, by any process: it looks at the target's row first (`seq` must be
the one that it was asked for), looks its pull request up by key before it makes one, and changes the row only
if nobody else did meanwhile.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from greylag.domain.check import Check, CheckStatus, Verdict
from greylag.domain.errors import GreylagError
from greylag.domain.target import TargetState
from greylag.engine import tables
from greylag.engine.actions import EffectKind
from greylag.engine.apply import record
from greylag.engine.clock import Clock
from greylag.engine.describe import branch, pull_key
from greylag.engine.events import EventKind
from greylag.engine.observe import read_world
from greylag.engine.permits import approval_missing, campaign_stop, merge_stop, wave_stop
from greylag.engine.ports import Fleet
from greylag.engine.rewriter import Rewrites
from greylag.engine.store import Session, Store
from greylag.engine.world import PullState, Rules, Target
from greylag.forge.base import (
    Forge,
    Merged,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    RevertRefusal,
)
from greylag.rollout.health import HealthSource, Subject


class EffectFailed(GreylagError):
    """An effect could not be brought about now; it is tried again, and then handed to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which effect is asked for: plain values, so that they can be kept."""

    kind: EffectKind
    migration: str
    source: str
    repository: str
    seq: int
    note: str = ""


@dataclass(slots=True)
class Performer:
    """Brings effects about. Safe to call from several threads."""

    store: Store
    forge: Forge
    fleet: Fleet
    health: HealthSource
    rewrites: Rewrites
    rules: Callable[[str], Rules]
    clock: Clock

    def perform(self, request: Request) -> bool:
        """Bring one effect about; False when the row had moved on, or the effect failed (the row says
        why).
        """
        with self.store.read() as session:
            target = session.target(request.migration, request.repository)
        if target is None or target.seq != request.seq:
            return False
        try:
            return self._effect(request.kind)(request, target)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is this target's, not the campaign's
            self._failed(request, target, error)
            return False

    def _effect(self, kind: EffectKind) -> Callable[[Request, Target], bool]:
        return {
            EffectKind.REWRITE: self._rewrite,
            EffectKind.PROPOSE: self._propose,
            EffectKind.MERGE: self._merge,
            EffectKind.CHECK: self._check,
            EffectKind.REVERT: self._revert,
            EffectKind.CLOSE: self._close,
        }[kind]

    def _failed(self, request: Request, target: Target, error: Exception) -> None:
        now = self.clock.now()
        expected = isinstance(error, (GreylagError, OSError))
        message = str(error) if expected else f"{type(error).__name__}: {error}"
        pause: timedelta = self.rules(request.migration).retry_after * 2**target.errors
        data: dict[str, object] = {} if expected else {"traceback": traceback.format_exc()}
        with self.store.write() as session:
            kept = session.change(
                request.migration,
                target,
                now,
                errors=target.errors + 1,
                not_before=now + pause,
                reason=message,
            )
            if kept:
                text = f"{request.repository}: {request.kind} failed: {message}"
                self._tell(session, request, target, EventKind.ERROR, text, **data)

    def _tell(
        self,
        session: Session,
        request: Request,
        target: Target,
        kind: EventKind,
        message: str,
        **data: object,
    ) -> None:
        session.event(
            request.migration,
            kind,
            message,
            at=self.clock.now(),
            repository=target.repository,
            wave=target.wave,
            data=data,
        )

    def _change(self, session: Session, request: Request, target: Target, **values: Any) -> bool:
        fresh = {"errors": 0, "not_before": None}
        return session.change(request.migration, target, self.clock.now(), **(fresh | values))

    def _rewrite(self, request: Request, target: Target) -> bool:
        made = self.rewrites.make(request.migration, target)
        now = self.clock.now()
        with self.store.write() as session:
            # Answers that came while we rewrote: the row says which it waited for, the next tick sees it.
            if not self._change(session, request, target, **made.values):
                return False
            self.rewrites.keep(session, request.migration, made, now)
            changed = replace(target, base=made.base, commit=made.commit, verdict=made.verdict)
            record(session, request.migration, changed, now, outcome=made.state.value, note=made.reason)
            if made.state in (TargetState.SKIPPED, TargetState.DONE):
                session.drop_lease(request.migration, target.repository)
            kind = {
                TargetState.REWRITTEN: EventKind.REWRITTEN,
                TargetState.WAITING_ANSWER: EventKind.QUESTION,
                TargetState.DONE: EventKind.DONE,
            }.get(made.state, EventKind.SKIPPED)
            text = f"{target.repository}: {made.reason}"
            self._tell(session, request, target, kind, text, **made.told)
        return True

    def _propose(self, request: Request, target: Target) -> bool:
        now = self.clock.now()
        with self.store.write() as session:
            world = read_world(session, request.migration, request.source, self.rules(request.migration))
            if campaign_stop(world) or wave_stop(world, target, now):
                return self._change(session, request, target)
            if session.take_lease(request.migration, target.repository, now) != request.migration:
                return self._change(session, request, target)
            # Said before it is made: whatever becomes of us, the next tick looks for it in the forge.
            if not session.note(request.migration, target, pull_state=PullState.OPEN.value):
                return False
            row = session.target_row(request.migration, target.repository)
        assert row is not None
        assert target.commit is not None and target.base is not None, "a rewritten target has a patch"
        repo = self.fleet.open(target.repository)
        if not repo.has_commit(target.commit):
            return self._again(request, target, "its patch is no longer in the repository")
        subject = Subject(migration=request.migration, repository=target.repository, base=target.base)
        baseline = self.health.read(subject, now).status
        pull = self.forge.open_or_update(
            PullRequestSpec(
                repository=target.repository,
                base=repo.default_branch,
                head=branch(request.migration, target.attempt),
                commit=target.commit,
                title=row["title"] or request.migration,
                body=row["body"] or "",
                key=pull_key(request.migration, target.repository, target.attempt),
                labels=("greylag", request.migration),
                reviewers=target.owners,
            )
        )
        self._close_earlier(request, target)
        if pull.state is PullRequestState.OPEN:
            self.forge.set_check(target.repository, pull.number, target.commit, _verdict_check(target))
        return self._proposed(request, target, pull, baseline)

    def _proposed(self, request: Request, target: Target, pull: PullRequest, baseline: CheckStatus) -> bool:
        with self.store.write() as session:
            done = self._change(
                session,
                request,
                target,
                state=TargetState.PROPOSED.value,
                pull_number=pull.number,
                pull_url=pull.url,
                baseline=baseline.value,
            )
            if done:
                known = target.pull_number is not None
                kind = EventKind.UPDATED if known else EventKind.PROPOSED
                text = f"{target.repository}: pull request {pull.number} {'updated' if known else 'opened'}"
                data: dict[str, object] = {"number": pull.number, "url": pull.url, "verdict": target.verdict}
                self._tell(session, request, target, kind, text, **data)
        return done

    def _close_earlier(self, request: Request, target: Target) -> None:
        """A person asked for another attempt while an earlier pull request was open: there is one at a
        time.
        """
        for attempt in range(1, target.attempt):
            key = pull_key(request.migration, target.repository, attempt)
            earlier = self.forge.find_key(target.repository, key)
            if earlier is not None and earlier.state is PullRequestState.OPEN:
                self.forge.close(target.repository, earlier.number)

    def _again(self, request: Request, target: Target, reason: str) -> bool:
        """Back to the rewriting; a pull request that is open stays, and is brought up to date."""
        with self.store.write() as session:
            return self._change(session, request, target, source=None, reason=reason)

    def _merge(self, request: Request, target: Target) -> bool:
        number = target.pull_number
        assert number is not None and target.commit is not None, "a proposed target has a pull request"
        pull = self.forge.get(target.repository, number)
        if pull.state is PullRequestState.MERGED:
            return self._merged(request, target, pull.merge_commit)
        with self.store.read() as session:
            world = read_world(session, request.migration, request.source, self.rules(request.migration))
        now = self.clock.now()
        # Decided some time ago, perhaps by a process that was killed: is it still allowed?
        if merge_stop(world, target, now) is not None or pull.state is PullRequestState.CLOSED:
            return self._noted(request, target)
        base = self.fleet.open(target.repository).head()
        if base != target.base:
            return self._noted(request, target)
        baseline = self.health.read(
            Subject(migration=request.migration, repository=target.repository, base=base), now
        ).status
        sick = replace(target, baseline=baseline)
        if approval_missing(world, sick) is not None:
            return self._noted(request, target, baseline=baseline.value)
        with self.store.write() as session:
            if not session.note(request.migration, target, baseline=baseline.value):
                return False
        merged = self.forge.merge(target.repository, number, target.commit)
        if not isinstance(merged, Merged):
            raise EffectFailed(f"pull request {number} cannot be merged: {merged.message}")
        return self._merged(request, target, merged.commit)

    def _noted(self, request: Request, target: Target, **values: Any) -> bool:
        """The effect is not for now: the next tick decides anew."""
        with self.store.write() as session:
            return self._change(session, request, target, **values)

    def _merged(self, request: Request, target: Target, commit: str | None) -> bool:
        now = self.clock.now()
        with self.store.write() as session:
            done = self._change(
                session,
                request,
                target,
                state=TargetState.BAKING.value,
                reason="merged",
                merged_at=now,
                merged_commit=commit,
                pull_state=PullState.MERGED.value,
            )
            if done:
                merged = replace(target, merged_commit=commit)
                record(session, request.migration, merged, now, outcome="merged", note="")
                text = f"{target.repository}: pull request {target.pull_number} merged"
                data: dict[str, object] = {"number": target.pull_number, "commit": commit}
                self._tell(session, request, target, EventKind.MERGED, text, **data)
        return done

    def _check(self, request: Request, target: Target) -> bool:
        now = self.clock.now()
        subject = Subject(
            migration=request.migration,
            repository=target.repository,
            base=target.base or "",
            merged_commit=target.merged_commit,
            merged_at=target.merged_at,
        )
        reading = self.health.read(subject, now)
        with self.store.write() as session:
            if not self._change(session, request, target, checked_at=now):
                return False
            before = session.last_reading(request.migration, target)
            session.connection.execute(
                tables.readings.insert().values(
                    migration=request.migration,
                    repository=target.repository,
                    attempt=target.attempt,
                    status=reading.status.value,
                    detail=reading.detail,
                    at=now,
                )
            )
            if reading.status is not before:
                bad = reading.status is CheckStatus.FAILED
                kind = EventKind.UNHEALTHY if bad else EventKind.HEALTH
                text = f"{target.repository}: health {reading.status}: {reading.detail}"
                self._tell(session, request, target, kind, text, status=reading.status.value)
        return True

    def _revert(self, request: Request, target: Target) -> bool:
        number = target.pull_number
        assert number is not None, "a merged target has a pull request"
        reason = request.note or target.reason
        with self.store.write() as session:
            if not session.note(request.migration, target, state=TargetState.REVERTING.value, reason=reason):
                return False
        undone = self.forge.revert(target.repository, number)
        if isinstance(undone, NotRevertible):
            if undone.reason is not RevertRefusal.NOTHING_LEFT:
                raise EffectFailed(f"pull request {number} cannot be reverted: {undone.message}")
        elif undone.state is not PullRequestState.MERGED:
            merged = self.forge.merge(target.repository, undone.number, undone.head_commit)
            if not isinstance(merged, Merged):
                raise EffectFailed(f"revert {undone.number} cannot be merged: {merged.message}")
        return self._reverted(request, target, reason)

    def _reverted(self, request: Request, target: Target, reason: str) -> bool:
        now = self.clock.now()
        with self.store.write() as session:
            done = self._change(session, request, target, state=TargetState.REVERTED.value, reason=reason)
            if done:
                record(session, request.migration, target, now, outcome="reverted", note=reason)
                if target.wave is not None and target.revert_wanted is None:
                    waves = tables.waves
                    here = (waves.c.migration == request.migration) & (waves.c.number == target.wave)
                    count = waves.update().where(here).values(reverts=waves.c.reverts + 1)
                    session.connection.execute(count)
                text = f"{target.repository}: reverted: {reason}"
                self._tell(session, request, target, EventKind.REVERTED, text, reason=reason)
        return done

    def _close(self, request: Request, target: Target) -> bool:
        key = pull_key(request.migration, target.repository, target.attempt)
        pull = self.forge.find_key(target.repository, key)
        if pull is not None:
            text = f"Closed by greylag: {target.reason}"
            self.forge.comment(target.repository, pull.number, key="closed", body=text)
            pull = self.forge.close(target.repository, pull.number)
        state = PullState.CLOSED.value if pull is None else pull.state.value
        with self.store.write() as session:
            done = self._change(session, request, target, pull_state=state)
            if done and pull is not None:
                text = f"{target.repository}: pull request {pull.number} closed: {target.reason}"
                self._tell(session, request, target, EventKind.CLOSED, text)
        return done


def _verdict_check(target: Target) -> Check:
    verdict = target.verdict or Verdict.INCONCLUSIVE
    shown = verdict in (Verdict.PROVEN, Verdict.TESTED)
    return Check(
        verifier="equivalence",
        status=CheckStatus.PASSED if shown else CheckStatus.INCONCLUSIVE,
        summary=f"{verdict}: old and new version compared under the mapping",
    )
