"""GitLab's API: `HostApi` over REST v4, as `doc/api/` in GitLab's own repository describes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from greylag.domain.check import Check
from greylag.domain.words import shortened
from greylag.forge.base import ForgeError, PullRequestState
from greylag.forge.gitlab import checking, finding
from greylag.forge.gitlab.http import Projects
from greylag.forge.gitlab.merging import REFUSALS, body_of, thrown_off, told_of, waits, why_not
from greylag.forge.gitlab.notes import Notes, notes_of
from greylag.forge.gitlab.people import People, encoded
from greylag.forge.gitlab.reading import found_of, listed_of, login, shown_of
from greylag.forge.gitlab.texts import drafted, harmless
from greylag.forge.hosted.api import (
    LABEL,
    Features,
    Found,
    Listed,
    MergeWish,
    Proposal,
    Queued,
    Said,
    Shown,
    Told,
)
from greylag.forge.hosted.client import Client, Refused
from greylag.forge.hosted.evidence import tell_evidence
from greylag.forge.hosted.reached import Reached

_TITLE = 255


class GitLabApi(Reached):
    """gitlab.com, or a self-managed server. `url` is its web address, below which git is served, too."""

    name, kind = "GitLab", "gitlab"
    features = Features(body=1_000_000, heads="refs/merge-requests/{number}/head")

    def __init__(self, client: Client, url: str) -> None:
        super().__init__(client, url)
        self._projects = Projects(client)
        self._people = People(client, self._projects)
        self._trains: dict[str, bool] = {}
        self._notes = Notes(client, self._projects, self._people)

    # See `Remote`.

    def address(self, repository: str) -> str:
        """See `Remote`: where it is now."""
        return f"{self.url}/{self._projects.path(repository)}.git"

    def repository(self, name: str) -> Found | None:
        """See `Remote`."""
        if "/" not in name:
            return None
        document = self._projects.find(name)
        if document is None:
            return None
        self._trains[name] = bool(document.get("merge_trains_enabled"))
        return found_of(document)

    def branch(self, repository: str, branch: str) -> str | None:
        """See `Remote`."""
        found = self._projects.find(repository, f"/repository/branches/{encoded(branch)}")
        return None if found is None else str(found["commit"]["id"])

    # See `HostApi`: which repositories there are.

    def of_owner(self, owner: str) -> Iterator[Found]:
        """See `HostApi`: a group with its subgroups, or a user."""
        yield from map(found_of, finding.of_owner(self.client, owner))

    def of_topic(self, topic: str) -> Iterator[Found]:
        """See `HostApi`: of those that we may write to."""
        yield from map(found_of, finding.everywhere(self.client, topic=topic))

    def searched(self, query: str) -> Iterator[Found]:
        """See `HostApi`: of those that we may write to, by words of name or path."""
        found = finding.everywhere(self.client, search=query, search_namespaces="true")
        yield from map(found_of, found)

    def with_code(self, query: str) -> Iterator[Found]:
        """See `HostApi`."""
        yield from map(found_of, finding.with_code(self.client, query))

    def reachable(self) -> Iterator[Found]:
        """See `HostApi`: those that we may write to."""
        yield from map(found_of, finding.everywhere(self.client))

    # See `HostApi`: pull requests.

    def pull(self, repository: str, number: int) -> Shown | None:
        """See `HostApi`."""
        document = self._projects.find(repository, _one(number))
        if document is None:
            return None
        for user in (document.get("author"), *document.get("reviewers", ()), *document.get("assignees", ())):
            self._people.note(user)
        shown = shown_of(document)
        if shown.state is not PullRequestState.OPEN or not self._has_trains(repository):
            return shown
        car = self._projects.find(repository, f"/merge_trains{_one(number)}")
        if waits(car):
            return replace(shown, queued=True)
        query: dict[str, str | int] = {"sort": "desc", "order_by": "created_at"}
        return replace(
            shown, dequeued=thrown_off(self._projects.pages(repository, notes_of(number), **query))
        )

    def newest_from(self, repository: str, head: str, *, open_only: bool) -> Shown | None:
        """See `HostApi`."""
        query: dict[str, str | int] = {"source_branch": head, "state": "opened" if open_only else "all"}
        found = map(shown_of, self._listed(repository, **query))
        return next((one for one in found if one.inside), None)

    def ours(self, repository: str) -> Iterator[Listed]:
        """See `HostApi`."""
        return map(listed_of, self._listed(repository, labels=LABEL, state="all", view="simple"))

    def _listed(self, repository: str, **query: str | int) -> list[Any]:
        try:
            return self._projects.pages(repository, "/merge_requests", scope="all", **query)
        except Refused as error:
            if error.status != 404:
                raise
            words = f"{repository}: there is no such project, or it is not shown to us"
            raise ForgeError(words) from error

    def create(self, repository: str, proposal: Proposal) -> Shown:
        """See `HostApi`. It has our label from the first moment on."""
        body = {
            "source_branch": proposal.head,
            "target_branch": proposal.base,
            "title": shortened(drafted(proposal.title) if proposal.draft else proposal.title, _TITLE),
            "description": harmless(proposal.body),
            "labels": LABEL,
        }
        return shown_of(self._projects.send("POST", repository, "/merge_requests", body, repeat=False))

    def edit(self, repository: str, number: int, *, title: str, body: str, base: str) -> Shown:
        """See `HostApi`. A draft stays one: it is so by its title, and that is looked at first."""
        before = self._projects.find(repository, _one(number)) or {}
        words = shortened(drafted(title) if before.get("draft") else title, _TITLE)
        wanted = {"title": words, "description": harmless(body), "target_branch": base}
        return shown_of(self._projects.send("PUT", repository, _one(number), wanted))

    def close(self, repository: str, number: int) -> Shown:
        """See `HostApi`."""
        return shown_of(self._projects.send("PUT", repository, _one(number), {"state_event": "close"}))

    def ready(self, repository: str, shown: Shown) -> None:
        """See `HostApi`: the title loses its prefix."""
        self._projects.send("PUT", repository, _one(shown.number), {"title": shown.title})

    def merge(self, repository: str, number: int, wish: MergeWish) -> Told:
        """See `HostApi`: at once, or by the merge train where the project has them."""
        try:
            if self._has_trains(repository):
                body = {"sha": wish.sha, "squash": wish.method == "squash"}
                self._projects.send("POST", repository, f"/merge_trains{_one(number)}", body, repeat=False)
                return Queued(said="it waits on the merge train")
            place = f"{_one(number)}/merge"
            return told_of(self._projects.send("PUT", repository, place, body_of(wish), repeat=False))
        except Refused as error:
            if error.status not in REFUSALS:
                raise
            return why_not(error, self._projects.find(repository, _one(number)))

    def _has_trains(self, repository: str) -> bool:
        if repository not in self._trains:
            self.repository(repository)
        return self._trains.get(repository, False)

    # See `HostApi`: what stands on them.

    def label(self, repository: str, number: int, names: Collection[str]) -> None:
        """See `HostApi`."""
        self._projects.send("PUT", repository, _one(number), {"add_labels": ",".join(names)})

    def reviewed(self, repository: str, number: int) -> Collection[str]:
        """See `HostApi`: those who approved."""
        document = self._projects.find(repository, f"{_one(number)}/approvals") or {}
        return {login(one.get("user")) for one in document.get("approved_by") or ()}

    def ask(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`. Groups cannot be asked: GitLab's reviewers are people."""
        return self._people.put(repository, shown.number, "reviewers", who.removeprefix("@"))

    def assign(self, repository: str, shown: Shown, who: str) -> bool:
        """See `HostApi`."""
        return self._people.put(repository, shown.number, "assignees", who.removeprefix("@"))

    def checks(self, repository: str, number: int, commit: str) -> Iterable[Check]:
        """See `HostApi`."""
        return checking.checks(self._projects, repository, commit)

    def set_check(self, repository: str, shown: Shown, commit: str, check: Check) -> None:
        """See `HostApi`: a commit status, whose address is that of the note with the evidence."""
        url = tell_evidence(self, repository, shown, check, anchor="#note_")
        checking.set_check(self._projects, repository, shown, commit, check, url)

    def comments(self, repository: str, number: int) -> Iterator[Said]:
        """See `HostApi`."""
        return self._notes.of(repository, number)

    def say(self, repository: str, number: int, body: str) -> None:
        """See `HostApi`."""
        self._notes.say(repository, number, body)

    def restate(self, repository: str, number: int, comment: str, body: str) -> None:
        """See `HostApi`."""
        self._notes.restate(repository, number, comment, body)

    def heard(self, repository: str, since: datetime, age: float) -> list[Said]:
        """See `HostApi`."""
        return self._notes.heard(repository, since, age)

    def may_write(self, repository: str, author: str) -> bool:
        """See `HostApi`: Developer or more, now."""
        return self._people.may_write(repository, author)


def _one(number: int) -> str:
    return f"/merge_requests/{number}"
