"""Accounting for every row of a campaign's ledger: against a fresh scan, the forge and the repositories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pygit2

from bench.fleet_maker import Made
from greylag.app import App
from greylag.domain.target import TargetState
from greylag.engine import ledger
from greylag.engine.campaign import Campaign
from greylag.engine.retire import retire
from greylag.forge.base import PullRequestState

OLD = (b"orders_v1", b"customers_v1")
ENDED = frozenset({"retired", "skipped", "handed_over", "failed"})


def account(app: App, campaign: Campaign, made: Iterable[Made]) -> dict[str, int]:
    """Ledger rows by state. Raises AssertionError for one that is not accounted for.

    - `retire` scans the code anew: exactly the rows that are not retired still have a reader, and say why.
    - What was generated is in the ledger: every reader of every repository, and what no codemod knows.
    - A repository has one pull request, merged; on its main branch no retired reader names an old dataset.
    """
    told = retire(campaign)
    with app.store.read() as session:
        rows = ledger.read(session, campaign.name)
        targets = {target.repository: target for target in session.targets(campaign.name)}
    still = {(reader.repository, reader.path) for reader in told.readers}
    by_state = Counter(row.state for row in rows)
    if unknown := set(by_state) - ENDED:
        raise AssertionError(f"rows that did not end: {sorted(unknown)}")
    if unsaid := [row for row in rows if not row.reason]:
        raise AssertionError(f"{len(unsaid)} rows give no reason, the first: {unsaid[0]}")
    left = {(row.repository, row.path) for row in rows if row.state != "retired"}
    if left != still:
        raise AssertionError(f"the ledger and a fresh scan differ: {sorted(left ^ still)[:5]}")
    files = {(row.repository, row.path) for row in rows}
    pulls = Counter(pull.repository for pull in app.forge.pull_requests())
    merged = Counter(pull.repository for pull in app.forge.pull_requests(state=PullRequestState.MERGED))
    for one in made:
        expected = one.readers + one.left
        found = {path for repository, path in files if repository == one.name and "reader" in path}
        target = targets.get(one.name)
        if len(found) != one.readers or (one.left and (one.name, "report.R") not in left):
            raise AssertionError(f"{one.name}: {expected} places read it; the ledger has {sorted(found)}")
        if target is None or target.state is not TargetState.DONE:
            raise AssertionError(f"{one.name} is {target and target.state}: {target and target.reason}")
        if pulls[one.name] != 1 or merged[one.name] != 1:
            raise AssertionError(f"{one.name} has {pulls[one.name]} pull requests, {merged[one.name]} merged")
    for name, path in sorted(files - left):
        repo = pygit2.Repository(str(app.settings.fleet / f"{name}.git"))
        data = repo.revparse_single(f"HEAD:{path}").data
        if not path.endswith("sources.yml") and any(old in data for old in OLD):
            raise AssertionError(f"{name}: {path} is retired, and still names an old dataset")
    return dict(by_state)
