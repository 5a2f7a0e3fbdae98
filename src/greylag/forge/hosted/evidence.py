"""Where a status has no room for it: what a check found out, in a comment of its own."""

from __future__ import annotations

import json

from greylag.domain.check import Check
from greylag.domain.words import shortened
from greylag.forge.hosted.api import HostApi, Shown
from greylag.forge.hosted.looking import comments_of
from greylag.forge.hosted.talking import say

_MOST = 30_000


def tell_evidence(api: HostApi, repository: str, shown: Shown, check: Check, *, anchor: str) -> str:
    """Say it, once for each check; returns its address, which is the pull request's where there is nothing.

    `anchor`: how the forge's addresses of comments end, before their id.
    """
    if not check.details:
        return shown.url
    key = f"evidence/{check.verifier}"
    say(api, repository, shown.number, key, evidence_of(check))
    known = comments_of(api.comments(repository, shown.number)).get(key)
    return shown.url if known is None else f"{shown.url}{anchor}{known[0]}"


def evidence_of(check: Check) -> str:
    """What a check found out, for people."""
    text = json.dumps(dict(check.details), indent=1, default=str, ensure_ascii=False)
    shown = shortened(text, _MOST)
    return f"**{check.verifier}: {check.status.value}**\n\n{check.summary}\n\n~~~json\n{shown}\n~~~"
