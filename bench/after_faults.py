"""What must be true of a campaign after random faults."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.faulted import app_on
from greylag.app import App
from greylag.domain.check import CheckStatus, Verdict
from greylag.domain.outcome import Edited, FormChoice
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.describe import pull_key
from greylag.engine.events import EventKind
from greylag.engine.report import events
from greylag.engine.rewriting import rewrite_tree
from greylag.engine.world import TERMINAL, Target
from greylag.forge.base import PullRequest, PullRequestState
from greylag.workspace import CommitFiles, Repository

_ATTEMPTS = 2
"""Of what is unhealthy after every merge."""


def verified(root: Path, url: str, count: int) -> None:
    """Raises AssertionError, with everything that is wrong, unless nothing is."""
    app = app_on(root, url)
    campaign = app.campaign("shop-v2")
    targets = {target.repository: target for target in campaign.world().targets}
    names = sorted(path.stem for path in (root / "fleet").glob("*.git"))
    wrong = [f"{name} was lost" for name in names if name not in targets]
    if len(names) != count:
        wrong.append(f"there are {len(names)} repositories, not {count}")
    pulls: dict[str, list[PullRequest]] = {}
    for pull in app.forge.pull_requests():
        pulls.setdefault(pull.repository, []).append(pull)
    for name, target in targets.items():
        wrong += [f"{name}: {what}" for what in _of_target(app, campaign, target, pulls.get(name, []))]
    told = Counter((event.kind, event.repository) for event in events(campaign))
    for kind in (EventKind.MERGED, EventKind.REVERTED, EventKind.DONE):
        most = {name: _ATTEMPTS if name.startswith("sick") else 1 for name in names}
        wrong += [
            f"{name}: {kind} is told {told[kind, name]} times"
            for name in names
            if told[kind, name] > most[name]
        ]
    with app.store.read() as session:
        held = {name for name in session.leases() if targets[name].state in TERMINAL}
    wrong += [f"{name} has ended, and keeps its lease" for name in sorted(held)]
    if wrong:
        raise AssertionError(f"{len(wrong)} things are wrong:\n" + "\n".join(wrong[:40]))


def _of_target(app: App, campaign: Campaign, target: Target, pulls: list[PullRequest]) -> list[str]:
    """What is wrong with one repository."""
    wrong = []
    name = target.repository.partition("-")[0]
    state = {"unproven": TargetState.PROPOSED, "sick": TargetState.HANDED_OVER}.get(name, TargetState.DONE)
    attempts = _ATTEMPTS if name == "sick" else 1
    if target.state is not state:
        wrong.append(f"it is {target.state}: {target.reason}")
    ours = [pull for pull in pulls if pull.reverts is None]
    undone = [pull for pull in pulls if pull.reverts is not None]
    keys = Counter(pull.key for pull in ours)
    if keys != {pull_key(campaign.name, target.repository, one + 1): 1 for one in range(attempts)}:
        wrong.append(f"its pull requests are {dict(keys)}")
    merged = [pull for pull in ours if pull.state is PullRequestState.MERGED]
    if len(merged) != (0 if name == "unproven" else attempts):
        wrong.append(f"{len(merged)} of them are merged")
    back = sorted(pull.reverts or 0 for pull in undone if pull.state is PullRequestState.MERGED)
    if len(back) != len(undone) or back != (sorted(pull.number for pull in ours) if name == "sick" else []):
        wrong.append(f"reverted are {back}, of {[pull.number for pull in ours]}")
    repo = app.fleet().open(target.repository)
    history = list(repo.log(repo.head(), first_parent=True))
    if len(history) != 1 + len(merged) + len(back):
        wrong.append(f"its main branch has {len(history)} commits")
    if name == "sick" and repo.changed(history[0].id, history[-1].id):
        wrong.append("it is not what it was")
    return wrong + [why for pull in merged for why in _unproven(campaign, repo, pull)]


def _unproven(campaign: Campaign, repo: Repository, pull: PullRequest) -> list[str]:
    """Why what was merged was not proven; nothing where it was."""
    check = pull.checks.get("equivalence")
    if check is None or check.status is not CheckStatus.PASSED:
        return [f"it was merged with the check {check and check.status}"]
    assert pull.merge_commit is not None
    first, second = repo.info(pull.merge_commit).parents
    if first != pull.base_commit or second != pull.head_commit:
        return [f"its merge {pull.merge_commit} is of other commits"]
    files = CommitFiles(repo, first)
    changed = repo.changed(first, pull.merge_commit)
    first_try = pull.key == pull_key(campaign.name, pull.repository, 1)
    form = FormChoice.AUTO if first_try else FormChoice.BOUNDARY
    reports = rewrite_tree(
        files, campaign.migration, form=form, proof="fast", only=lambda path: path in changed
    )
    made = {one.path: one for one in reports if isinstance(one.outcome, Edited)}
    wrong = [f"{path} was merged, and nothing rewrites it so" for path in changed if path not in made]
    for path, one in made.items():
        assert isinstance(one.outcome, Edited)
        if repo.read(pull.merge_commit, path).decode() != one.outcome.text:
            wrong.append(f"{path} was merged in another form")
        if one.proof is not None and one.proof.verdict not in (Verdict.PROVEN, Verdict.TESTED):
            wrong.append(f"{path} was merged, and is {one.proof.verdict}")
    return wrong
