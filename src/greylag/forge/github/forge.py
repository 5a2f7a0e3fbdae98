"""Pull requests on GitHub, github.com or Enterprise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from greylag.domain.check import Check, CheckStatus
from greylag.forge.base import (
    ForgeError,
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    Remarks,
    RevertRefusal,
)
from greylag.forge.github import talking
from greylag.forge.github.client import Client, Refused, Unavailable
from greylag.forge.github.hearing import hear
from greylag.forge.github.journal import Journal
from greylag.forge.github.marker import Marker, mark, unmark
from greylag.forge.github.mirror import Mirror
from greylag.forge.github.reading import marker_of, pull_of
from greylag.forge.settling import refusal, take_back
from greylag.workspace import Conflict, RefMoved, Repository

LABEL = "greylag"
"""On every pull request of ours: by it they are listed, however many others there are."""

_ATTEMPTS = 5
_LOOKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How pull requests are made. `draft`: until our checks have passed. Names for commits that revert."""

    draft: bool = False
    merge_method: Literal["merge", "squash", "rebase"] = "merge"
    delete_branch: bool = True
    author: str = "Greylag"
    email: str = "greylag@localhost"


class GitHubForge:
    """Pull requests of the repositories that `client` reaches; `mirror` holds the objects that are proposed.

    What it knows stands on GitHub (a marker in each body, a label), so any machine can go on; only the
    commits that this machine is about to push are noted beside the mirror first.
    """

    def __init__(
        self,
        client: Client,
        mirror: Mirror,
        *,
        options: Options | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.client, self.mirror = client, mirror
        self._options = options or Options()
        self._clock = clock
        self._journal = Journal(mirror.root / ".forge" / "github.db")
        self._numbers: dict[tuple[str, str], int] = {}

    def open_or_update(self, spec: PullRequestSpec) -> PullRequest:
        """See `Forge`: note what is ours, move the branch, then publish."""
        return self._open(spec, reverts=None)

    def get(self, repository: str, number: int) -> PullRequest:
        """See `Forge`. Brings the base branch of the mirror up to date, too."""
        return self._read(repository, self._document(repository, number))

    def find(self, repository: str, head: str) -> PullRequest | None:
        """See `Forge`."""
        known = self._from_branch(repository, head, "all")
        return None if known is None else self.get(repository, int(known["number"]))

    def find_key(self, repository: str, key: str) -> PullRequest | None:
        """See `Forge`."""
        document = self._of_key(repository, key)
        return None if document is None else self._read(repository, document)

    def pull_requests(
        self, repository: str | None = None, *, state: PullRequestState | None = None
    ) -> tuple[PullRequest, ...]:
        """See `Forge`: those of ours, in the repositories that are mirrored here."""
        names = self.mirror.names() if repository is None else (repository,)
        found = [self.get(name, number) for name in names for number, _ in self._listed(name)]
        found = [pull for pull in found if pull.key and state in (None, pull.state)]
        return tuple(sorted(found, key=lambda pull: (pull.repository, pull.number)))

    def set_check(self, repository: str, number: int, commit: str, check: Check) -> PullRequest:
        """See `Forge`."""
        document = self._document(repository, number)
        talking.set_check(self.client, repository, commit, check, document["html_url"])
        pull = self._read(repository, document)
        if document.get("draft") and self._options.draft and commit == pull.head_commit and _shown(pull):
            self.client.graphql(_READY, id=document["node_id"])
        return pull

    def merge(self, repository: str, number: int, sha: str) -> Merged | NotMergeable:
        """See `Forge`."""
        for attempt in range(_ATTEMPTS):
            pull = self._settled(repository, number)
            refused = refusal(pull, sha)
            if refused is not None:
                return refused
            if pull.state is PullRequestState.MERGED:
                return _merged(pull, already=attempt == 0)
            if pull.mergeable is False:
                return self._conflict(pull)
            told = self._merge_once(pull, sha)
            if told is not None:
                return told
            self.client.sleep(0.2 * 2**attempt)
        raise ForgeError(f"{repository}#{number}: {pull.base} kept moving; try again later")

    def revert(self, repository: str, number: int) -> PullRequest | NotRevertible:
        """See `Forge`: the commit is made here, so that a conflict shows before anything is proposed."""
        pull = self.get(repository, number)
        if pull.merge_commit is None:
            return NotRevertible(reason=RevertRefusal.NOT_MERGED, message=f"#{number} is {pull.state}")
        key = f"revert:{pull.key}"
        known = self.find_key(repository, key)
        if known is not None and known.state is PullRequestState.OPEN:
            known = self._settled(repository, known.number)
        if known is not None and (known.state is not PullRequestState.OPEN or known.mergeable):
            return known
        title = f"Revert “{pull.title}”"
        trailers = f"Greylag-Reverts: {number}\nGreylag-Key: {key}\n"
        undone = take_back(
            self._whole(pull),
            pull,
            message=f"{title}\n\nThis takes back #{number}.\n\n{trailers}",
            author=self._options.author,
            email=self._options.email,
            when=self._clock(),
        )
        if isinstance(undone, Conflict):
            return NotRevertible(reason=RevertRefusal.CONFLICT, message=undone.reason, paths=undone.paths)
        if not undone.changed:
            reason = RevertRefusal.NOTHING_LEFT
            return NotRevertible(reason=reason, message=f"{pull.base} holds nothing of it")
        spec = PullRequestSpec(
            repository=repository,
            base=pull.base,
            head=f"revert-{number}-{pull.head}",
            commit=undone.commit,
            title=title,
            body=f"Takes back #{number} (merged as {pull.merge_commit}).",
            key=key,
            labels=pull.labels,
            reviewers=pull.reviewers,
        )
        return self._open(spec, reverts=number)

    def close(self, repository: str, number: int) -> PullRequest:
        """See `Forge`."""
        document = self._document(repository, number)
        if document["state"] == "open":
            document = self.client.send("PATCH", _pull(repository, number), {"state": "closed"})
        return self._read(repository, document)

    def comment(self, repository: str, number: int, *, key: str, body: str) -> PullRequest:
        """See `Forge`."""
        self._document(repository, number)
        talking.say(self.client, repository, number, key, body)
        return self.get(repository, number)

    def remarks(self, repositories: Collection[str], since: str | None = None) -> Remarks:
        """See `Forge`: one conditional request a repository."""
        return hear(self.client, repositories, since)

    # Below: reading.

    def _document(self, repository: str, number: int) -> dict[str, Any]:
        found = self.client.find(_pull(repository, number))
        if found is None:
            raise ForgeError(f"{repository} has no pull request #{number}, or it is not shown to us")
        return dict(found)

    def _read(self, repository: str, document: Mapping[str, Any]) -> PullRequest:
        if document["state"] == "open":
            self.mirror.sync(repository, document["base"]["ref"])
        checks = talking.checks(self.client, repository, document["head"]["sha"])
        told = talking.comments(self.client, repository, document["number"]) if document["comments"] else {}
        comments = [comment for _, comment in told.values()]
        return pull_of(repository, document, checks=checks, comments=comments)

    def _settled(self, repository: str, number: int) -> PullRequest:
        """The pull request, once the forge knows whether it merges (or does not get to know it in time)."""
        for attempt in range(_LOOKS):
            document = self._document(repository, number)
            if document["state"] != "open" or document.get("mergeable") is not None:
                break
            self.client.sleep(min(8.0, 0.25 * 2**attempt))
        return self._read(repository, document)

    def _listed(self, repository: str) -> Iterator[tuple[int, Marker]]:
        """Numbers and markers of the pull requests with our label, newest first."""
        query = {"labels": LABEL, "state": "all"}
        try:
            for issue in self.client.pages(f"/repos/{repository}/issues", **query):
                marker = unmark(issue.get("body"))[1]
                if "pull_request" in issue and marker is not None:
                    yield int(issue["number"]), marker
        except Refused as error:
            if error.status != 404:
                raise
            raise ForgeError(
                f"{repository}: there is no such repository, or it is not shown to us"
            ) from error

    def _of_key(self, repository: str, key: str) -> dict[str, Any] | None:
        known = self._numbers.get((repository, key))
        for number in (*((known,) if known else ()), *self._numbers_of(repository, key)):
            document = self._document(repository, number)
            marker = marker_of(document, repository)
            if marker is not None and marker.key == key:
                self._numbers[repository, key] = number
                return document
        return None

    def _numbers_of(self, repository: str, key: str) -> Iterator[int]:
        return (number for number, marker in self._listed(repository) if marker.key == key)

    def _from_branch(self, repository: str, head: str, state: str) -> dict[str, Any] | None:
        query = {"head": f"{repository.split('/', maxsplit=1)[0]}:{head}", "state": state}
        try:
            return next(iter(self.client.pages(f"/repos/{repository}/pulls", **query)), None)
        except Refused as error:
            raise ForgeError(f"{repository}: {error.said or 'there is no such repository'}") from error

    # Below: proposing.

    def _open(self, spec: PullRequestSpec, *, reverts: int | None) -> PullRequest:
        document = self._of_key(spec.repository, spec.key)
        start = self._start_of(spec, known=None if document is None else marker_of(document, spec.repository))
        document = document or self._from_branch(spec.repository, spec.head, "open")
        if document is not None and document["state"] != "open":
            return self._read(spec.repository, document)
        marker = Marker(key=spec.key, head=spec.head, base=start, reverts=reverts)
        before = None if document is None else marker_of(document, spec.repository)
        marker = replace(marker, heads=before.heads if before else ()).with_head(spec.commit)
        wanted = {"title": spec.title, "body": mark(spec.body, marker), "base": spec.base}
        if document is not None and any(_field(document, name) != text for name, text in wanted.items()):
            document = self.client.send("PATCH", _pull(spec.repository, document["number"]), wanted)
        head = self._move_head(spec, marker)
        if document is None:
            document = self._create(spec, wanted)
        number = int(document["number"])
        self._numbers[spec.repository, spec.key] = number
        return self._dressed(spec, number, head)

    def _start_of(self, spec: PullRequestSpec, known: Marker | None) -> str:
        repo = self.mirror.open(spec.repository)
        if not repo.has_commit(spec.commit):
            raise ForgeError(f"{spec.repository}: there is no commit {spec.commit}")
        tip = self.mirror.sync(spec.repository, spec.base)
        start = None if tip is None else Repository.open(repo.path).merge_base(tip, spec.commit)
        if start is None:
            raise ForgeError(
                f"{spec.repository}: {spec.commit[:12]} does not start from branch {spec.base!r}"
            )
        if start == spec.commit and known is None:
            raise ForgeError(f"{spec.repository}: {spec.base!r} holds {spec.commit[:12]} already")
        return known.base if known is not None and start == spec.commit else start

    def _move_head(self, spec: PullRequestSpec, marker: Marker) -> str:
        """Put the commit on the head branch unless a person has pushed there; returns where it stands."""
        ours = self._journal.intend(spec.repository, spec.head, spec.commit) | {*marker.heads}
        for _ in range(_ATTEMPTS):
            found = self.mirror.sync(spec.repository, spec.head)
            if found == spec.commit:
                return found
            if found is not None and found not in ours:
                ours |= {one for _, told in self._listed(spec.repository) for one in told.heads}
                if found not in ours:
                    return found
            with contextlib.suppress(RefMoved):
                self.mirror.push(spec.repository, spec.head, spec.commit, expected=found)
                return spec.commit
        raise ForgeError(f"{spec.repository}: {spec.head} kept moving; try again later")

    def _create(self, spec: PullRequestSpec, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Make it, once: whatever becomes of the answer, it is looked for before it is made again."""
        body: dict[str, Any] = {**wanted, "head": spec.head, "draft": self._options.draft}
        for attempt in range(_ATTEMPTS):
            try:
                return dict(self.client.send("POST", f"/repos/{spec.repository}/pulls", body, repeat=False))
            except Unavailable:
                if attempt == _ATTEMPTS - 1:
                    raise
                self.client.sleep(0.5 * 2**attempt)
            except Refused as error:
                if error.status != 422:
                    raise
                if body["draft"] and "draft" in error.said.lower():
                    body["draft"] = False  # not every plan has drafts
                    continue
                known = self._from_branch(spec.repository, spec.head, "open")
                if known is None:
                    raise
                return known
            known = self._from_branch(spec.repository, spec.head, "open")
            if known is not None:
                return known
        raise ForgeError(f"{spec.repository}: no pull request could be made from {spec.head}")

    def _dressed(self, spec: PullRequestSpec, number: int, head: str) -> PullRequest:
        """Labels, reviewers, and a word where a person's commits stay; then the whole as it is."""
        repository = spec.repository
        document = self._document(repository, number)
        for attempt in range(_LOOKS):
            if document["head"]["sha"] == head or document["state"] != "open":
                break
            self.client.sleep(min(4.0, 0.25 * 2**attempt))  # a push shows after a moment
            document = self._document(repository, number)
        changed = talking.label(self.client, repository, document, (LABEL, *spec.labels))
        asked, impossible = talking.ask(self.client, repository, document, spec.reviewers)
        if impossible:
            text = f"Could not be asked for a review: {', '.join(f'`{one}`' for one in impossible)}."
            talking.say(self.client, repository, number, "reviewers", text)
        if head != spec.commit:
            text = f"Somebody pushed to this branch: it stays at {head}, and {spec.commit} is not put there."
            talking.say(self.client, repository, number, "kept", text)
        if changed or asked or impossible or head != spec.commit:
            document = self._document(repository, number)
        return self._read(repository, document)

    # Below: merging.

    def _merge_once(self, pull: PullRequest, sha: str) -> Merged | NotMergeable | None:
        """One try; None: look again."""
        body = {"sha": sha, "merge_method": self._options.merge_method}
        if self._options.merge_method != "rebase":
            body["commit_title"] = f"Merge pull request #{pull.number} from {pull.head}"
            trailers = f"Greylag-Pull-Request: {pull.number}\nGreylag-Key: {pull.key}\n"
            body["commit_message"] = f"{pull.title}\n\n{trailers}"
        try:
            path = f"{_pull(pull.repository, pull.number)}/merge"
            self.client.send("PUT", path, body, repeat=False)
        except Unavailable:
            after = self.get(pull.repository, pull.number)
            return self._taken(after) if after.state is PullRequestState.MERGED else None
        except Refused as error:
            return self._why_not(pull, error)
        return self._taken(self.get(pull.repository, pull.number))

    def _taken(self, pull: PullRequest) -> Merged:
        """It is merged: let the mirror know, and drop the branch if it still stands at what was merged."""
        self.mirror.sync(pull.repository, pull.base)
        if self._options.delete_branch:
            with contextlib.suppress(RefMoved, ForgeError):
                if self.mirror.sync(pull.repository, pull.head) == pull.head_commit:
                    self.mirror.push(pull.repository, pull.head, None, expected=pull.head_commit)
        return _merged(pull, already=False)

    def _why_not(self, pull: PullRequest, error: Refused) -> NotMergeable | None:
        if error.status == 409:
            if "head" in error.said.lower():
                return NotMergeable(reason=MergeRefusal.SHA_MOVED, message=error.said)
            return None  # the base moved meanwhile
        if error.status not in (403, 404, 405, 422):
            raise error
        after = self.get(pull.repository, pull.number)
        if after.state is PullRequestState.MERGED or after.head_commit != pull.head_commit:
            return None
        conflict = self._conflict(after)
        if conflict.paths:
            return conflict
        return NotMergeable(reason=MergeRefusal.RULES, message=error.said)

    def _conflict(self, pull: PullRequest) -> NotMergeable:
        tip = self.mirror.sync(pull.repository, pull.base)
        head = self.mirror.sync(pull.repository, pull.head)
        paths: tuple[str, ...] = ()
        if tip is not None and head is not None:
            found = Repository.open(self.mirror.path(pull.repository)).conflict(tip, head)
            paths = () if found is None else found.paths
        message = f"#{pull.number} conflicts with {pull.base}"
        return NotMergeable(reason=MergeRefusal.CONFLICT, message=message, paths=paths)

    def _whole(self, pull: PullRequest) -> Repository:
        """The mirror with everything that taking it back needs."""
        repository = pull.repository
        repo = self.mirror.open(repository)
        self.mirror.sync(repository, pull.base)
        needed = [one for one in (pull.merge_commit, pull.head_commit, pull.base_commit) if one]
        shallow = any(self.mirror.is_shallow_at(repository, one) for one in needed[:1])
        if shallow or not all(Repository.open(repo.path).has_commit(one) for one in needed):
            self.mirror.deepen(repository)
        return Repository.open(repo.path)


_READY = """
mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { clientMutationId } }
"""


def _pull(repository: str, number: int) -> str:
    return f"/repos/{repository}/pulls/{number}"


def _field(document: Mapping[str, Any], name: str) -> str:
    return str(document["base"]["ref"] if name == "base" else document.get(name) or "").replace("\r\n", "\n")


def _shown(pull: PullRequest) -> bool:
    return all(check.status is CheckStatus.PASSED for check in pull.checks.values())


def _merged(pull: PullRequest, *, already: bool) -> Merged:
    if pull.merge_commit is None or pull.merged_at is None:
        raise ForgeError(f"{pull.repository}#{pull.number} was merged, but GitHub does not say by what")
    return Merged(commit=pull.merge_commit, at=pull.merged_at, already=already)
