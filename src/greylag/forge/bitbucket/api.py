"""Bitbucket Cloud's REST API 2.0 (developer.atlassian.com/cloud/bitbucket/rest)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx

from greylag.domain.check import Check
from greylag.domain.words import shortened
from greylag.forge.base import ForgeError, MergeRefusal, PullRequestState
from greylag.forge.bitbucket.finding import Finding
from greylag.forge.bitbucket.merging import merge_once
from greylag.forge.bitbucket.people import People
from greylag.forge.bitbucket.reading import (
    TO_STATE,
    check_of,
    listed_of,
    name_of,
    said_of,
    shown_of,
    when,
)
from greylag.forge.hosted.api import (
    PREFIX,
    Features,
    Held,
    Listed,
    MergeWish,
    Proposal,
    Said,
    Shown,
    Told,
)
from greylag.forge.hosted.client import Client, Refused
from greylag.forge.hosted.dialect import Dialect, Page

_PAGE = 50
"""What a page of pull requests holds at most; others hold more."""

_STATES = ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")
_KEY = 40
_TITLE = _DESCRIPTION = 255
_SHORT = 12


def _paged(_: httpx.Response, document: Any, __: str | None) -> Page:
    return list(document["values"]), document.get("next")


DIALECT = Dialect(page={"pagelen": _PAGE}, size=_PAGE, paged=_paged)
"""Pages name the next one in the document; there are no conditional requests."""


class BitbucketApi(Finding):
    """See `HostApi`. `url` is the web address, where git is, too."""

    features = Features(labels=False, assignees=False, unseen="reference", body=32_768, conflicts=False)

    def __init__(self, client: Client, url: str = "https://bitbucket.org") -> None:
        super().__init__(client, url)
        self._people = People(client)
        self._whole: dict[tuple[str, str], Mapping[str, Any]] = {}

    # Pull requests.

    def pull(self, repository: str, number: int) -> Shown | None:
        """See `HostApi`."""
        found = self.client.find(_pull(repository, number))
        return None if found is None else self._shown(repository, found)

    def newest_from(self, repository: str, head: str, *, open_only: bool) -> Shown | None:
        """See `HostApi`."""
        states = _STATES[:1] if open_only else _STATES
        query = {"q": f'source.branch.name="{head}"', "sort": "-created_on"}
        try:
            found = self.client.pages(_pulls(repository), None, state=states, **query)
            mine = (one for one in found if _inside(one, repository))
            newest = next(mine, None)
        except Refused as error:
            raise ForgeError(f"{repository}: {error.said or 'there is no such repository'}") from error
        return None if newest is None else self._shown(repository, newest)

    def ours(self, repository: str) -> Iterable[Listed]:
        """See `HostApi`: what our account made, or what comes from a branch that is called like ours.

        There are no labels, and a repository may hold thousands of others.
        """
        me = self._people.me()
        wanted = 'source.branch.name ~ "greylag"'
        query = {"q": f'(author.uuid="{me}" OR {wanted})'} if me else {}
        try:
            for one in self.client.pages(
                _pulls(repository), None, state=_STATES, sort="-created_on", **query
            ):
                if _inside(one, repository):
                    yield listed_of(one)
        except Refused as error:
            if error.status != 404:
                raise
            words = f"{repository}: there is no such repository, or it is not shown to us"
            raise ForgeError(words) from error

    def create(self, repository: str, proposal: Proposal) -> Shown:
        """See `HostApi`. Default reviewers are asked: only the web pages do that by themselves."""
        body: dict[str, Any] = {
            "title": shortened(proposal.title, _TITLE),
            "description": proposal.body,
            "source": {"branch": {"name": proposal.head}},
            "destination": {"branch": {"name": proposal.base}},
            "draft": proposal.draft,
            "close_source_branch": False,
            "reviewers": self._default_reviewers(repository),
        }
        try:
            made = self.client.send("POST", _pulls(repository), body, repeat=False)
        except Refused as error:
            if not body["reviewers"] or "reviewer" not in error.said.lower():
                raise
            # One of them is the author, or gone: a pull request without them is better than none.
            made = self.client.send("POST", _pulls(repository), body | {"reviewers": []}, repeat=False)
        return self._shown(repository, made)

    def _default_reviewers(self, repository: str) -> list[dict[str, str]]:
        me = self._people.me()
        try:
            found = list(self.client.pages(f"/repositories/{repository}/effective-default-reviewers"))
        except Refused:
            return []
        accounts = (str((one.get("user") or {}).get("uuid")) for one in found)
        return [{"uuid": one} for one in dict.fromkeys(accounts) if one != me]

    def edit(self, repository: str, number: int, *, title: str, body: str, base: str) -> Shown:
        """See `HostApi`."""
        wanted = {
            "title": shortened(title, _TITLE),
            "description": body,
            "destination": {"branch": {"name": base}},
        }
        return self._put(repository, number, wanted)

    def _put(self, repository: str, number: int, changes: Mapping[str, Any]) -> Shown:
        """Put a pull request; what is left out of it may be dropped, so its reviewers are in it."""
        here = _pull(repository, number)
        known = self.client.get(here)
        whole = {
            "title": known["title"],
            "description": known.get("description") or "",
            "reviewers": [{"uuid": one["uuid"]} for one in known.get("reviewers") or ()],
        }
        return self._shown(repository, self.client.send("PUT", here, whole | dict(changes)))

    def close(self, repository: str, number: int) -> Shown:
        """See `HostApi`."""
        try:
            return self._shown(
                repository, self.client.send("POST", f"{_pull(repository, number)}/decline", {})
            )
        except Refused as error:
            # Done by a call whose answer got lost, or by somebody else.
            known = self.pull(repository, number) if error.status == 400 else None
            if known is None or known.state is PullRequestState.OPEN:
                raise
            return known

    def ready(self, repository: str, shown: Shown) -> None:
        """See `HostApi`."""
        self._put(repository, shown.number, {"draft": False})

    def merge(self, repository: str, number: int, wish: MergeWish) -> Told:
        """See `HostApi` and `greylag.forge.bitbucket.merging`."""
        shown = self.pull(repository, number)
        head = None if shown is None else self.branch(repository, shown.head)
        if head != wish.sha:
            said = f"the head stands at {(head or 'nothing')[:12]}, not {wish.sha[:12]}"
            return Held(said=said, reason=MergeRefusal.SHA_MOVED)
        return merge_once(self.client, _pull(repository, number), wish)

    # What stands on them.

    def label(self, repository: str, number: int, names: Collection[str]) -> None:
        """See `HostApi`: there are none, and it is never called."""
        raise ForgeError("Bitbucket has no labels")

    def reviewed(self, repository: str, number: int) -> Collection[str]:
        """See `HostApi`."""
        known = self.client.get(_pull(repository, number)).get("participants") or ()
        return [f"@{name_of(one.get('user'))}" for one in known if one.get("approved") or one.get("state")]

    def ask(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`: `@nickname` or `@{uuid}`; groups cannot be asked."""
        account = self._people.account(repository.partition("/")[0], who)
        if account is None:
            return False
        known = self.client.get(_pull(repository, shown.number)).get("reviewers") or ()
        wanted = [{"uuid": one["uuid"]} for one in known] + [{"uuid": account}]
        try:
            self._put(repository, shown.number, {"reviewers": wanted})
        except Refused as error:
            if error.status not in (400, 403, 404):
                raise
            return False
        return True

    def assign(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`: nobody is ever assigned."""
        return False

    def checks(self, repository: str, number: int, commit: str) -> Iterable[Check]:
        """See `HostApi`: build statuses."""
        for one in self.client.pages(f"/repositories/{repository}/commit/{commit}/statuses"):
            check, key = check_of(one), str(one["key"])
            # Names need not be unique, keys are: only ours is a name's short form.
            ours = check.verifier.startswith(PREFIX) and _key(check.verifier) == key
            yield check if ours else replace(check, verifier=key)

    def set_check(self, repository: str, shown: Shown, commit: str, check: Check) -> None:
        """See `HostApi`."""
        body = {
            "key": _key(check.verifier),
            "name": check.verifier,
            "state": TO_STATE[check.status],
            "description": shortened(check.summary, _DESCRIPTION),
            "url": shown.url,
            "refname": shown.head,
        }
        self.client.send("POST", f"/repositories/{repository}/commit/{commit}/statuses/build", body)

    def comments(self, repository: str, number: int) -> Iterable[Said]:
        """See `HostApi`."""
        found = (said_of(one, number) for one in self.client.pages(f"{_pull(repository, number)}/comments"))
        return [one for one in found if one is not None]

    def say(self, repository: str, number: int, body: str) -> None:
        """See `HostApi`."""
        content = {"content": {"raw": body}}
        self.client.send("POST", f"{_pull(repository, number)}/comments", content, repeat=False)

    def restate(self, repository: str, number: int, comment: str, body: str) -> None:
        """See `HostApi`."""
        self.client.send("PUT", f"{_pull(repository, number)}/comments/{comment}", {"content": {"raw": body}})

    def heard(self, repository: str, since: datetime, age: float) -> Iterable[Said]:
        """See `HostApi`: the repository's activity, newest first, as far back as `since`.

        A comment stands there when it was made; that it was edited later is not told.
        """
        try:
            for entry in self.client.recent(f"/repositories/{repository}/pullrequests/activity", age):
                if _at(entry) < since:
                    return
                comment = entry.get("comment")
                said = said_of(comment, int(entry["pull_request"]["id"])) if comment else None
                if said is not None:
                    self._people.heard(repository, comment.get("user"))
                    yield said
        except Refused as error:
            if error.status != 404:
                raise

    def may_write(self, repository: str, author: str) -> bool:
        """See `HostApi`: needs the right to administer the repository; without it, nobody may."""
        return self._people.may_write(repository, author)

    # Below: hashes, which pull requests have in short.

    def _shown(self, repository: str, document: Mapping[str, Any]) -> Shown:
        branch, short = document["source"]["branch"]["name"], str(document["source"]["commit"]["hash"])
        merged = (document.get("merge_commit") or {}).get("hash")
        taken = self._commit(repository, str(merged)) if merged else None
        parents = [str(one["hash"]) for one in (taken or {}).get("parents") or ()]
        if len(parents) == 2:
            head = parents[1]  # what was merged, for certain
        else:
            head = self._head(repository, branch, short, is_open=document["state"] == "OPEN")
        shown = shown_of(
            document, repository, head=head, merge_commit=None if taken is None else str(taken["hash"])
        )
        # Its last change may be a comment; the merge commit says when it was merged.
        at = when(taken.get("date")) if taken else None
        return replace(shown, merged_at=at or shown.merged_at) if shown.merged_at else shown

    def _head(self, repository: str, branch: str, short: str, *, is_open: bool) -> str:
        if (repository, short) not in self._whole and is_open:
            tip = self.branch(repository, branch)
            if tip is not None and tip.startswith(short):
                return tip
        known = self._commit(repository, short)
        return short if known is None else str(known["hash"])

    def _commit(self, repository: str, short: str) -> Mapping[str, Any] | None:
        """A commit by its short hash; it never changes, so it is asked for once."""
        known = self._whole.get((repository, short))
        if known is None:
            known = self.client.find(f"/repositories/{repository}/commit/{short}")
            if known is not None:
                self._whole[repository, short] = known
        return known


def _key(verifier: str) -> str:
    """A status's key, which has at most 40 characters."""
    if len(verifier) <= _KEY:
        return verifier
    digest = hashlib.sha256(verifier.encode()).hexdigest()[:_SHORT]
    return f"{verifier[: _KEY - _SHORT - 1]}-{digest}"


def _at(entry: Mapping[str, Any]) -> datetime:
    comment, others = entry.get("comment"), ("update", "approval", "changes_requested")
    text = (
        comment["created_on"] if comment else next((entry[one]["date"] for one in others if one in entry), "")
    )
    # What is of no known kind does not end the list.
    return datetime.fromisoformat(text) if text else datetime.fromisoformat("9999-12-31T00:00:00+00:00")


def _inside(document: Mapping[str, Any], repository: str) -> bool:
    return bool((document["source"].get("repository") or {}).get("full_name") == repository)


def _pulls(repository: str) -> str:
    return f"/repositories/{repository}/pullrequests"


def _pull(repository: str, number: int) -> str:
    return f"{_pulls(repository)}/{number}"
