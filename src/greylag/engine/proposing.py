"""Effects before the merge: rewrite, propose, close."""

from __future__ import annotations

from dataclasses import replace

from greylag.domain.check import Check, CheckStatus, Verdict
from greylag.domain.parts import part
from greylag.domain.target import TargetState
from greylag.engine import claims, parcels
from greylag.engine.apply import record
from greylag.engine.describe import CHECK, branch, pull_key
from greylag.engine.effects import EffectFailed, Request, Tools
from greylag.engine.events import EventKind
from greylag.engine.merging import before
from greylag.engine.observe import read_world
from greylag.engine.optouts import Unclear, asked
from greylag.engine.permits import campaign_stop, wave_stop
from greylag.engine.world import PullState, Target
from greylag.forge.base import (
    PullRequest,
    PullRequestSpec,
    PullRequestState,
)
from greylag.lineage.owners import Owners
from greylag.workspace import Repository


def rewrite(tools: Tools, request: Request, target: Target) -> bool:
    """Rewrite the repository from its head, and keep what came of it."""
    if tools.fleet.apart:
        tools.fleet.freshen(target.repository)
    repo = tools.fleet.open(target.repository)
    out = asked(repo, repo.head(), request.migration)
    if isinstance(out, Unclear):
        raise EffectFailed(f"nobody knows whether it takes part: {out.reason}")
    if out is not None:
        return _left_out(tools, request, target, out)
    made = tools.rewrites.make(request.migration, target)
    now = tools.clock.now()
    with tools.store.write() as session:
        # Answers that came while we rewrote: the row says which it waited for, the next tick sees it.
        if not tools.change(session, request, target, **made.values, proved_at=now):
            return False
        tools.rewrites.keep(session, request.migration, made, now)
        changed = replace(target, base=made.base, commit=made.commit, verdict=made.verdict)
        record(session, request.migration, changed, now, outcome=made.state.value, note=made.reason)
        if made.state in (TargetState.SKIPPED, TargetState.DONE):
            claims.leave(session, request.migration, target, made.state)
        kind = {
            TargetState.REWRITTEN: EventKind.REWRITTEN,
            TargetState.WAITING_ANSWER: EventKind.QUESTION,
            TargetState.AGENT: EventKind.AGENT,
            TargetState.DONE: EventKind.DONE,
        }.get(made.state, EventKind.SKIPPED)
        text = f"{target.repository}: {made.reason}"
        tools.tell(session, request, target, kind, text, **made.told)
    return True


def _left_out(tools: Tools, request: Request, target: Target, reason: str) -> bool:
    with tools.store.write() as session:
        done = tools.change(session, request, target, state=TargetState.SKIPPED.value, reason=reason)
        if done:
            claims.leave(session, request.migration, target, TargetState.SKIPPED)
            text = f"{target.repository}: {reason}"
            tools.tell(session, request, target, EventKind.SKIPPED, text)
    return done


def propose(tools: Tools, request: Request, target: Target) -> bool:
    """Open the pull request, or bring it up to date."""
    now = tools.clock.now()
    with tools.store.write() as session:
        world = read_world(session, request.migration, request.source, tools.rules(request.migration), now)
        if campaign_stop(world) or wave_stop(world, target, now):
            return tools.change(session, request, target)
        # A change in the way first: a lease that is taken keeps others out.
        if claims.take(session, request.migration, target.repository) is not None:
            return tools.change(session, request, target)
        if session.take_lease(request.migration, target.repository, now) != request.migration:
            return tools.change(session, request, target)
        # Said before it is made: whatever becomes of us, the next tick looks for it in the forge.
        if not session.note(request.migration, target, pull_state=PullState.OPEN.value):
            return False
        row = session.target_row(request.migration, target.repository)
        earlier = parcels.ours(session, request.migration, target.repository)
    assert row is not None
    assert target.commit is not None and target.base is not None, "a rewritten target has a patch"
    repo = parcels.patched(tools.store, tools.fleet, request.migration, target)
    if repo is None:
        return _again(tools, request, target, "its patch is no longer in the repository")
    baseline = tools.health.read(before(request.migration, target, target.base), now).status
    _close_earlier(tools, request, target)
    pull = tools.forge.open_or_update(
        PullRequestSpec(
            repository=target.repository,
            base=repo.default_branch,
            head=_branch(tools, request, target),
            commit=target.commit,
            title=row["title"] or request.migration,
            body=row["body"] or "",
            key=pull_key(request.migration, target.repository, target.attempt),
            labels=("greylag", request.migration),
            reviewers=_reviewers(repo, target),
            ours=earlier,
        )
    )
    if pull.state is PullRequestState.OPEN:
        tools.forge.set_check(target.repository, pull.number, target.commit, _verdict_check(target))
    return _proposed(tools, request, target, pull, baseline)


def _reviewers(repo: Repository, target: Target) -> tuple[str, ...]:
    """All who own a file that is touched, as the base says: a target's own owners are one for each reader."""
    assert target.commit is not None and target.base is not None, "a rewritten target has a patch"
    owners = Owners.at(repo, target.base)
    named = [owner for path in repo.changed(target.base, target.commit) for owner in owners.all_of(path)]
    return tuple(dict.fromkeys((*target.owners, *named)))


def _branch(tools: Tools, request: Request, target: Target) -> str:
    """The branch's name; of a pull request that is there already, the one that it has."""
    name = request.migration
    templates = tools.rewrites.worded(tools.rewrites.compiled(name)[0])
    if templates.branch is not None or target.attempt > 1:
        # Templates may have changed since, and a version before named later attempts otherwise.
        known = tools.forge.find_key(target.repository, pull_key(name, target.repository, target.attempt))
        if known is not None:
            # A part's own name is added where its branch is made (see `PartedForge`).
            return known.head.removesuffix(f".{part(target.repository)}")
    return branch(name, target.attempt, templates, repository=target.repository)


def _proposed(
    tools: Tools, request: Request, target: Target, pull: PullRequest, baseline: CheckStatus
) -> bool:
    with tools.store.write() as session:
        done = tools.change(
            session,
            request,
            target,
            state=TargetState.PROPOSED.value,
            pull_number=pull.number,
            pull_url=pull.url,
            baseline=baseline.value,
        )
        if done:
            claims.hold(session, request.migration, target.repository)
            known = target.pull_number is not None
            kind = EventKind.UPDATED if known else EventKind.PROPOSED
            text = f"{target.repository}: pull request {pull.number} {'updated' if known else 'opened'}"
            data: dict[str, object] = {"number": pull.number, "url": pull.url, "verdict": target.verdict}
            tools.tell(session, request, target, kind, text, **data)
    return done


def _close_earlier(tools: Tools, request: Request, target: Target) -> None:
    """A person asked for another attempt while an earlier pull request was open: there is one at a
    time.
    """
    for attempt in range(1, target.attempt):
        key = pull_key(request.migration, target.repository, attempt)
        earlier = tools.forge.find_key(target.repository, key)
        if earlier is not None and earlier.state is PullRequestState.OPEN:
            tools.forge.close(target.repository, earlier.number)


def _again(tools: Tools, request: Request, target: Target, reason: str) -> bool:
    """Back to the rewriting; a pull request that is open stays, and is brought up to date."""
    with tools.store.write() as session:
        return tools.change(session, request, target, source=None, reason=reason)


def close(tools: Tools, request: Request, target: Target) -> bool:
    """Close what is open of a target that was withdrawn."""
    _close_earlier(tools, request, target)
    key = pull_key(request.migration, target.repository, target.attempt)
    pull = tools.forge.find_key(target.repository, key)
    if pull is not None and pull.state is PullRequestState.MERGED:
        with tools.store.write() as session:
            return tools.change(session, request, target)  # somebody was faster: the next tick watches it
    if pull is not None:
        text = f"Closed by greylag: {target.reason}"
        tools.forge.comment(target.repository, pull.number, key="closed", body=text)
        pull = tools.forge.close(target.repository, pull.number)
    state = PullState.CLOSED.value if pull is None else pull.state.value
    with tools.store.write() as session:
        done = tools.change(session, request, target, pull_state=state)
        if done and state != PullState.OPEN:
            claims.release(session, request.migration, target.repository)
        if done and pull is not None:
            text = f"{target.repository}: pull request {pull.number} closed: {target.reason}"
            tools.tell(session, request, target, EventKind.CLOSED, text)
    return done


def _verdict_check(target: Target) -> Check:
    verdict = target.verdict or Verdict.INCONCLUSIVE
    shown = verdict in (Verdict.PROVEN, Verdict.TESTED)
    return Check(
        verifier=CHECK,
        status=CheckStatus.PASSED if shown else CheckStatus.INCONCLUSIVE,
        summary=f"{verdict}: old and new version compared under the mapping",
    )
