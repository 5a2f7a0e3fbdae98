"""What we say on a change: messages under a tag, and our proof as a vote."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import Unavailable
from greylag.forge.gerrit.api import GerritApi
from greylag.forge.gerrit.reading import check_tag, check_text, checks_of, comment_tag, comments_of
from greylag.forge.hosted.client import Refused

_LOG = logging.getLogger(__name__)
_TRIES = 3
_MOST = 15_000
"""Characters of a message; Gerrit takes 16,384 with what it puts before it."""


def say(api: GerritApi, change: Mapping[str, Any], me: int, key: str, text: str) -> None:
    """Say something once per key: what stands there already is not said again, and the last word counts."""
    cut = text if len(text) <= _MOST else f"{text[:_MOST]}\n\n… (cut: it is longer than Gerrit takes)"
    repository, number = str(change["project"]), int(change["_number"])
    # Gerrit cuts white space at the ends.
    wanted = cut.strip()
    for attempt in range(_TRIES):
        known = comments_of(change, me).get(key)
        if known is not None and known.body.strip() == wanted:
            return
        try:
            revision = str(change["current_revision"])
            api.review(repository, number, revision, message=wanted, tag=comment_tag(key))
            return
        except Unavailable:
            if attempt == _TRIES - 1:
                raise
            api.sleep(2.0**attempt)
            change = api.change(repository, number) or change


def set_check(
    api: GerritApi, change: Mapping[str, Any], me: int, patch_set: int, check: Check, label: str | None
) -> None:
    """Tell a check on the current patch set: a message with its evidence, and a vote for all of ours."""
    checks = {**checks_of(change, me, patch_set), check.verifier: check}
    evidence = ""
    if check.details:
        shown = json.dumps(dict(check.details), indent=1, default=str, ensure_ascii=False)
        evidence = f"\n\n{shown}"[: _MOST // 2]
    text = check_text(check, evidence)[:_MOST]
    repository, number, revision = (
        str(change["project"]),
        int(change["_number"]),
        str(change["current_revision"]),
    )
    labels = {} if label is None else {label: vote(checks)}
    tag = check_tag(check.verifier)
    for attempt in range(_TRIES):
        try:
            api.review(repository, number, revision, message=text, tag=tag, labels=labels)
            return
        except Unavailable:
            if attempt == _TRIES - 1:
                raise
            api.sleep(2.0**attempt)  # said twice, the last word counts
        except Refused as error:
            if not labels or error.status not in (400, 403):
                raise
            _LOG.warning("%s: the proof is told, but not voted: %s", repository, error)
            set_check(api, change, me, patch_set, check, None)
            return


def vote(checks: Mapping[str, Check]) -> int:
    """Our vote for a patch set: +1 when all have passed, -1 when one did not, 0 while something is open."""
    states = {check.status for check in checks.values()}
    if states & {CheckStatus.FAILED, CheckStatus.ERRORED}:
        return -1
    return 1 if states == {CheckStatus.PASSED} else 0
