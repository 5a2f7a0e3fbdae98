"""Making a pull request as it should be: once, whatever gets lost, and never over a person's work."""

from __future__ import annotations

import contextlib

from greylag.forge.base import ForgeError, PullRequest, PullRequestSpec, PullRequestState, Unavailable
from greylag.forge.hosted import talking
from greylag.forge.hosted.api import LABEL, Proposal, Shown
from greylag.forge.hosted.client import Refused
from greylag.forge.hosted.journal import Journal
from greylag.forge.hosted.looking import LOOKS, Looking, marker_of
from greylag.forge.hosted.marker import Marker, mark
from greylag.workspace import RefMoved, Repository

_ATTEMPTS = 5


class Publishing:
    """Opens pull requests and brings them up to date. `draft`: new ones are drafts, but for reverts."""

    def __init__(self, look: Looking, journal: Journal, *, draft: bool) -> None:
        self._look, self._journal = look, journal
        self._api, self._mirror = look.api, look.mirror
        self._draft = draft and self._api.features.drafts

    def open(self, spec: PullRequestSpec, *, reverts: int | None) -> PullRequest:
        """See `Forge.open_or_update`; `reverts`: the number that it takes back."""
        repository = spec.repository
        known = self._look.of_key(repository, spec.key)
        start = self._start_of(spec, known=None if known is None else marker_of(known))
        known = known or self._api.newest_from(repository, spec.head, open_only=True)
        if known is not None and known.state is not PullRequestState.OPEN:
            return self._look.read(repository, known)
        before = None if known is None else marker_of(known)
        marker = self._marker(spec, start, reverts, before)
        features = self._api.features
        body = mark(spec.body, marker, unseen=features.unseen, most=features.body)
        if known is not None and not _is_as(known, spec, body):
            known = self._api.edit(repository, known.number, title=spec.title, body=body, base=spec.base)
        head = self._move_head(spec, marker)
        if known is None:
            # No check is ever set on what takes something back: as a draft it could not be merged.
            known = self._create(spec, body, draft=self._draft and reverts is None)
        self._look.numbers[repository, spec.key] = known.number
        return self._dressed(spec, known.number, head)

    def _marker(
        self, spec: PullRequestSpec, start: str, reverts: int | None, before: Marker | None
    ) -> Marker:
        labels = () if self._api.features.labels else tuple(dict.fromkeys((LABEL, *spec.labels)))
        heads = before.heads if before else ()
        made = Marker(key=spec.key, head=spec.head, base=start, heads=heads, reverts=reverts, labels=labels)
        return made.with_head(spec.commit)

    def _start_of(self, spec: PullRequestSpec, known: Marker | None) -> str:
        repo = self._mirror.open(spec.repository)
        if not repo.has_commit(spec.commit):
            raise ForgeError(f"{spec.repository}: there is no commit {spec.commit}")
        tip = self._mirror.sync(spec.repository, spec.base)
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
        ours = self._journal.intend(spec.repository, spec.head, spec.commit) | {*marker.heads, *spec.ours}
        for _ in range(_ATTEMPTS):
            found = self._mirror.sync(spec.repository, spec.head)
            if found == spec.commit:
                return found
            if found is not None and found not in ours:
                if not self._is_ours(spec.repository, found):
                    return found
                ours |= {found}
            with contextlib.suppress(RefMoved):
                self._mirror.push(spec.repository, spec.head, spec.commit, expected=found)
                return spec.commit
        raise ForgeError(f"{spec.repository}: {spec.head} kept moving; try again later")

    def _is_ours(self, repository: str, commit: str) -> bool:
        """Does a pull request of ours say that it put a commit on its branch? Lists show anybody's."""
        named = (number for number, told in self._look.listed(repository) if commit in told.heads)
        return any(marker_of(self._look.shown(repository, number)) is not None for number in named)

    def _create(self, spec: PullRequestSpec, body: str, *, draft: bool) -> Shown:
        """Make it, once: whatever becomes of the answer, it is looked for before it is made again."""
        proposal = Proposal(base=spec.base, head=spec.head, title=spec.title, body=body, draft=draft)
        for attempt in range(_ATTEMPTS):
            try:
                return self._api.create(spec.repository, proposal)
            except Unavailable:
                if attempt == _ATTEMPTS - 1:
                    raise
                self._api.sleep(0.5 * 2**attempt)
            except Refused:
                known = self._api.newest_from(spec.repository, spec.head, open_only=True)
                if known is None:
                    raise
                return known
            known = self._api.newest_from(spec.repository, spec.head, open_only=True)
            if known is not None:
                return known
        raise ForgeError(f"{spec.repository}: no pull request could be made from {spec.head}")

    def _dressed(self, spec: PullRequestSpec, number: int, head: str) -> PullRequest:
        """Labels, people, and a word where a person's commits stay; then the whole as it is."""
        repository = spec.repository
        shown = self._look.shown(repository, number)
        for attempt in range(LOOKS):
            if shown.head_commit == head or shown.state is not PullRequestState.OPEN:
                break
            self._api.sleep(min(4.0, 0.25 * 2**attempt))  # a push shows after a moment
            shown = self._look.shown(repository, number)
        changed = talking.label(self._api, repository, shown, (LABEL, *spec.labels))
        asked, impossible = talking.ask(self._api, repository, shown, spec.reviewers)
        assigned, unknown = talking.assign(self._api, repository, shown, spec.assignees)
        words = {
            "reviewers": impossible and f"Could not be asked for a review: {_named(impossible)}.",
            "assignees": unknown and f"Could not be assigned: {_named(unknown)}.",
            "kept": head != spec.commit
            and f"Somebody pushed to this branch: it stays at {head}, and {spec.commit} is not put there.",
        }
        for key, text in words.items():
            if text:
                talking.say(self._api, repository, number, key, str(text))
        if changed or asked or assigned or any(words.values()):
            shown = self._look.shown(repository, number)
        return self._look.read(repository, shown)


def _is_as(shown: Shown, spec: PullRequestSpec, body: str) -> bool:
    there = (shown.title, shown.body.replace("\r\n", "\n"), shown.base)
    return there == (spec.title, body, spec.base)


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{one}`" for one in names)
