"""Gitea's and Forgejo's API: `HostApi` over `/api/v1`, as `templates/swagger/v1_json.tmpl` describes it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from greylag.domain.check import Check
from greylag.domain.words import shortened
from greylag.forge.base import ForgeError, PullRequestState
from greylag.forge.gitea import finding
from greylag.forge.gitea.http import Asking
from greylag.forge.gitea.labels import Labels
from greylag.forge.gitea.merging import body_of, told_of
from greylag.forge.gitea.reading import (
    TO_STATE,
    WIP,
    listed_of,
    newest_checks,
    said_of,
    shown_of,
)
from greylag.forge.hosted.api import (
    LABEL,
    Features,
    Found,
    Listed,
    MergeWish,
    Proposal,
    Said,
    Shown,
    Taken,
    Told,
)
from greylag.forge.hosted.client import Client, Refused
from greylag.forge.hosted.evidence import tell_evidence
from greylag.forge.hosted.reached import Reached

_LOG = logging.getLogger(__name__)
_DESCRIPTION = 250
_WRITERS = frozenset({"write", "admin", "owner"})
_REVIEWED = frozenset({"APPROVED", "REQUEST_CHANGES", "COMMENT"})
_UNASKABLE = frozenset({403, 404, 422})


class GiteaApi(Reached):
    """One Gitea or Forgejo server. `url` is its web address, below which git is served, too."""

    features = Features(conflicts=False, notices=False, heads="refs/pull/{number}/head")

    def __init__(self, client: Client, url: str, *, kind: str = "gitea") -> None:
        super().__init__(client, url)
        self.kind = kind
        self.name = kind.capitalize()
        self._asking = Asking(client)
        self._labels = Labels(self._asking)
        self._mute: set[str] = set()

    # What a mirror needs.

    def repository(self, name: str) -> Found | None:
        """See `Remote`."""
        return finding.repository(self._asking, name)

    def branch(self, repository: str, branch: str) -> str | None:
        """See `Remote`."""
        return finding.branch(self._asking, repository, branch)

    # Which repositories there are.

    def of_owner(self, owner: str) -> Iterable[Found]:
        """See `HostApi`."""
        return finding.of_owner(self._asking, owner)

    def of_topic(self, topic: str) -> Iterable[Found]:
        """See `HostApi`."""
        return finding.of_topic(self._asking, topic)

    def searched(self, query: str) -> Iterable[Found]:
        """See `HostApi`: words of names and descriptions."""
        return finding.searched(self._asking, query)

    def with_code(self, query: str) -> Iterable[Found]:
        """See `HostApi`: there is no such search."""
        raise finding.no_code_search(query)

    def reachable(self) -> Iterable[Found]:
        """See `HostApi`: there is no such thing."""
        raise finding.no_app()

    # Pull requests.

    def pull(self, repository: str, number: int) -> Shown | None:
        """See `HostApi`."""
        document = self.client.find(_pull(repository, number))
        return None if document is None else self._shown(repository, document)

    def newest_from(self, repository: str, head: str, *, open_only: bool) -> Shown | None:
        """See `HostApi`: the list knows no heads, so it is read, newest first, until one is found."""
        state = "open" if open_only else "all"
        try:
            for document in self._asking.pages(f"/repos/{repository}/pulls", state=state):
                side = document["head"]
                if side["label"] == head and side["repo_id"] == document["base"]["repo_id"]:
                    return self._shown(repository, document)
        except Refused as error:
            raise _no_repository(repository, error) from error
        return None

    def ours(self, repository: str) -> Iterable[Listed]:
        """See `HostApi`: by the label's number, for a name that is not known is not asked about at all."""
        try:
            documents = self._labelled(repository)
            if not documents and self._labels.forget(repository, LABEL):
                documents = self._labelled(repository)  # made anew meanwhile, it has another number
        except Refused as error:
            raise _no_repository(repository, error) from error
        return [listed_of(documents[number]) for number in sorted(documents, reverse=True)]

    def _labelled(self, repository: str) -> dict[int, Mapping[str, Any]]:
        found: dict[int, Mapping[str, Any]] = {}
        for label in self._labels.numbers(repository, LABEL):
            for document in self._asking.pages(f"/repos/{repository}/pulls", state="all", labels=label):
                found[int(document["number"])] = document
        return found

    def create(self, repository: str, proposal: Proposal) -> Shown:
        """See `HostApi`: with our label on it from the start."""
        body = {
            "base": proposal.base,
            "head": proposal.head,
            "title": f"{WIP}{proposal.title}" if proposal.draft else proposal.title,
            "body": proposal.body,
            "labels": [self._labels.ensure(repository, LABEL)],
        }
        document = self.client.send("POST", f"/repos/{repository}/pulls", body, repeat=False)
        return self._shown(repository, document)

    def edit(self, repository: str, number: int, *, title: str, body: str, base: str) -> Shown:
        """See `HostApi`: what makes a draft is a part of the title, and stays."""
        shown = self.pull(repository, number)
        if shown is not None and shown.draft:
            title = f"{WIP}{title}"
        return self._change(repository, number, {"title": title, "body": body, "base": base})

    def close(self, repository: str, number: int) -> Shown:
        """See `HostApi`."""
        try:
            return self._change(repository, number, {"state": "closed"})
        except Refused as error:
            shown = self.pull(repository, number) if error.status == 412 else None  # merged meanwhile
            if shown is None:
                raise
            return shown

    def ready(self, repository: str, shown: Shown) -> None:
        """See `HostApi`."""
        self._change(repository, shown.number, {"title": shown.title})

    def merge(self, repository: str, number: int, wish: MergeWish) -> Told:
        """See `HostApi`. Raises ForgeError for a server so old that it would merge whatever is there."""
        if not self._asking.guards_merges():
            version = self._asking.version()
            raise ForgeError(
                f"Gitea {version} merges whatever a branch holds by then; it takes 1.17 or newer"
            )
        try:
            self.client.send("POST", f"{_pull(repository, number)}/merge", body_of(wish), repeat=False)
        except Refused as error:
            return told_of(error)
        return Taken()

    def _change(self, repository: str, number: int, body: Mapping[str, Any]) -> Shown:
        return self._shown(repository, self.client.send("PATCH", _pull(repository, number), body))

    def _shown(self, repository: str, document: Mapping[str, Any]) -> Shown:
        number = int(document["number"])
        if "requested_reviewers_teams" in document:
            teams = [str(one["name"]) for one in document["requested_reviewers_teams"] or ()]
        else:  # older servers tell teams among the reviews only
            reviews = self._asking.pages(f"{_pull(repository, number)}/reviews")
            asked = [one["team"] for one in reviews if one.get("state") == "REQUEST_REVIEW"]
            teams = [str(one["name"]) for one in asked if one]
        shown = shown_of(document, dict.fromkeys(teams))
        if shown.state is not PullRequestState.MERGED or document["head"]["ref"] != shown.head:
            return shown
        # Merged, and its branch is there still: what is told is where that stands by now. What was merged
        # is where the pull request's own ref stopped.
        ref = self.client.get(f"/repos/{repository}/git/refs/pull/{number}/head")
        return replace(shown, head_commit=_commit(ref))

    # What stands on them.

    def label(self, repository: str, number: int, names: Collection[str]) -> None:
        """See `HostApi`."""
        self._labels.add(repository, number, names)

    def reviewed(self, repository: str, number: int) -> Collection[str]:
        """See `HostApi`."""
        reviews = self._asking.pages(f"{_pull(repository, number)}/reviews")
        done = [one.get("user") for one in reviews if one.get("state") in _REVIEWED]
        return {f"@{one['login']}" for one in done if one}

    def ask(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`: `@user`, an address of mail that an account has, or `@org/team` of the owner."""
        group, slash, team = who.removeprefix("@").partition("/")
        if slash and group.lower() != repository.partition("/")[0].lower():
            return False  # a team is looked for in the owner alone: another of that name would be asked
        body = {"team_reviewers": [team]} if slash else {"reviewers": [group]}
        try:
            answer = self.client.send("POST", f"{_pull(repository, shown.number)}/requested_reviewers", body)
        except Refused as error:
            if error.status not in _UNASKABLE:
                raise
            return False
        if answer or not slash:
            return True
        # Where the owner is a user, teams are passed over without a word.
        after = self.pull(repository, shown.number)
        return after is not None and who.lower() in {one.lower() for one in after.reviewers}

    def assign(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`: all are set at once, so those of now are read first."""
        login = who.removeprefix("@")
        able = {str(one["login"]).lower() for one in self.client.get(f"/repos/{repository}/assignees")}
        after = self.pull(repository, shown.number)
        if login.lower() not in able or after is None:
            return False
        there = [one.removeprefix("@") for one in after.assignees]
        self._change(repository, shown.number, {"assignees": list(dict.fromkeys((*there, login)))})
        return True

    def checks(self, repository: str, number: int, commit: str) -> Iterable[Check]:
        """See `HostApi`: every status that was ever set, of which the newest counts."""
        return newest_checks(self._asking.pages(f"/repos/{repository}/commits/{commit}/statuses"))

    def set_check(self, repository: str, shown: Shown, commit: str, check: Check) -> None:
        """See `HostApi`: a commit status, whose address is that of the comment with the evidence."""
        body = {
            "context": check.verifier,
            "state": TO_STATE[check.status],
            "description": shortened(check.summary, _DESCRIPTION),
            "target_url": tell_evidence(self, repository, shown, check, anchor="#issuecomment-"),
        }
        self.client.send("POST", f"/repos/{repository}/statuses/{commit}", body)

    def comments(self, repository: str, number: int) -> Iterable[Said]:
        """See `HostApi`: this list has no pages."""
        return _said(self.client.get(f"/repos/{repository}/issues/{number}/comments") or ())

    def say(self, repository: str, number: int, body: str) -> None:
        """See `HostApi`."""
        path = f"/repos/{repository}/issues/{number}/comments"
        self.client.send("POST", path, {"body": body}, repeat=False)

    def restate(self, repository: str, number: int, comment: str, body: str) -> None:
        """See `HostApi`."""
        self.client.send("PATCH", f"/repos/{repository}/issues/comments/{comment}", {"body": body})

    def heard(self, repository: str, since: datetime, age: float) -> Iterable[Said]:
        """See `HostApi`: one request for fifty of them."""
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            found = self._asking.recent(f"/repos/{repository}/issues/comments", age, since=start)
            return list(_said(found))
        except Refused as error:
            if error.status == 404:
                return ()
            raise

    def may_write(self, repository: str, author: str) -> bool:
        """See `HostApi`. Only an administrator of the repository may ask; for others, nobody may write."""
        path = f"/repos/{repository}/collaborators/{quote(author, safe='')}/permission"
        try:
            document = self.client.find(path)
        except Refused as error:
            if error.status != 403:
                raise
            if repository not in self._mute:
                self._mute.add(repository)
                _LOG.warning(
                    "%s: comments are not taken for commands there: whose token we have is no administrator "
                    "of it, and may not ask what their authors may do (%s)",
                    repository,
                    error.said,
                )
            return False
        return document is not None and document.get("permission") in _WRITERS


def _pull(repository: str, number: int) -> str:
    return f"/repos/{repository}/pulls/{number}"


def _commit(ref: Any) -> str:
    """The commit of a ref; a server may answer with all that begin like it, of which it is the first."""
    return str((ref[0] if isinstance(ref, list) else ref)["object"]["sha"])


def _said(documents: Iterable[Mapping[str, Any]]) -> Iterator[Said]:
    for document in documents:
        said = said_of(document)
        if said is not None:
            yield said


def _no_repository(repository: str, error: Refused) -> ForgeError:
    if error.status != 404:
        return error
    return ForgeError(f"{repository}: there is no such repository, or it is not shown to us")
