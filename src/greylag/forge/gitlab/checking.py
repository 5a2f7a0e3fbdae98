"""Checks on GitLab: commit statuses, and the jobs of pipelines; `doc/api/commits.md`."""

from __future__ import annotations

from collections.abc import Iterable

from greylag.domain.check import Check, CheckStatus
from greylag.domain.words import shortened
from greylag.forge.gitlab.http import Projects
from greylag.forge.gitlab.reading import ERRORED, TO_STATE, check_of
from greylag.forge.hosted.api import Shown
from greylag.forge.hosted.client import Refused

_DESCRIPTION = 255


def checks(projects: Projects, repository: str, commit: str) -> Iterable[Check]:
    """Those of a commit, the newest of each name."""
    if not commit:
        return ()  # it is being prepared: GitLab does not say its head yet
    try:
        found = projects.pages(repository, f"/repository/commits/{commit}/statuses")
    except Refused as error:
        if error.status != 404:
            raise
        return ()
    return [check_of(one) for one in found]


def set_check(projects: Projects, repository: str, shown: Shown, commit: str, check: Check, url: str) -> None:
    """A commit status. With the branch's name, it belongs to the merge request's pipeline."""
    prefix = ERRORED if check.status is CheckStatus.ERRORED else ""
    body = {
        "state": TO_STATE[check.status],
        "name": check.verifier,
        "ref": shown.head,
        "description": shortened(prefix + check.summary, _DESCRIPTION),
        "target_url": url,
    }
    try:
        projects.send("POST", repository, f"/statuses/{commit}", body)
    except Refused as error:
        # It is in that state already: pending twice is refused, and says nothing new.
        if error.status != 400 or "Cannot transition status" not in error.said:
            raise
