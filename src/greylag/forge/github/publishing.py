"""Making a pull request as it should be: once, whatever gets lost, and never over a person's work."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from greylag.forge.base import ForgeError, PullRequest, PullRequestSpec
from greylag.forge.github import talking
from greylag.forge.github.client import Refused, Unavailable
from greylag.forge.github.journal import Journal
from greylag.forge.github.looking import LOOKS, Looking, pull_path
from greylag.forge.github.marker import Marker, mark
from greylag.forge.github.reading import LABEL, marker_of
from greylag.workspace import RefMoved, Repository

_ATTEMPTS = 5


class Publishing:
    """Opens pull requests and brings them up to date. `draft`: new ones are drafts."""

    def __init__(self, look: Looking, journal: Journal, *, draft: bool) -> None:
        self._look, self._journal, self._draft = look, journal, draft
        self._client, self._mirror = look.client, look.mirror

    def open(self, spec: PullRequestSpec, *, reverts: int | None) -> PullRequest:
        """See `Forge.open_or_update`; `reverts`: the number that it takes back."""
        document = self._look.of_key(spec.repository, spec.key)
        start = self._start_of(spec, known=None if document is None else marker_of(document, spec.repository))
        document = document or self._look.from_branch(spec.repository, spec.head, "open")
        if document is not None and document["state"] != "open":
            return self._look.read(spec.repository, document)
        marker = Marker(key=spec.key, head=spec.head, base=start, reverts=reverts)
        before = None if document is None else marker_of(document, spec.repository)
        marker = replace(marker, heads=before.heads if before else ()).with_head(spec.commit)
        wanted = {"title": spec.title, "body": mark(spec.body, marker), "base": spec.base}
        if document is not None and any(_field(document, name) != text for name, text in wanted.items()):
            document = self._client.send("PATCH", pull_path(spec.repository, document["number"]), wanted)
        head = self._move_head(spec, marker)
        if document is None:
            document = self._create(spec, wanted)
        number = int(document["number"])
        self._look.numbers[spec.repository, spec.key] = number
        return self._dressed(spec, number, head)

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
        ours = self._journal.intend(spec.repository, spec.head, spec.commit) | {*marker.heads}
        for _ in range(_ATTEMPTS):
            found = self._mirror.sync(spec.repository, spec.head)
            if found == spec.commit:
                return found
            if found is not None and found not in ours:
                ours |= {one for _, told in self._look.listed(spec.repository) for one in told.heads}
                if found not in ours:
                    return found
            with contextlib.suppress(RefMoved):
                self._mirror.push(spec.repository, spec.head, spec.commit, expected=found)
                return spec.commit
        raise ForgeError(f"{spec.repository}: {spec.head} kept moving; try again later")

    def _create(self, spec: PullRequestSpec, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Make it, once: whatever becomes of the answer, it is looked for before it is made again."""
        body: dict[str, Any] = {**wanted, "head": spec.head, "draft": self._draft}
        for attempt in range(_ATTEMPTS):
            try:
                return dict(self._client.send("POST", f"/repos/{spec.repository}/pulls", body, repeat=False))
            except Unavailable:
                if attempt == _ATTEMPTS - 1:
                    raise
                self._client.sleep(0.5 * 2**attempt)
            except Refused as error:
                if error.status != 422:
                    raise
                if body["draft"] and "draft" in error.said.lower():
                    body["draft"] = False  # not every plan has drafts
                    continue
                known = self._look.from_branch(spec.repository, spec.head, "open")
                if known is None:
                    raise
                return known
            known = self._look.from_branch(spec.repository, spec.head, "open")
            if known is not None:
                return known
        raise ForgeError(f"{spec.repository}: no pull request could be made from {spec.head}")

    def _dressed(self, spec: PullRequestSpec, number: int, head: str) -> PullRequest:
        """Labels, reviewers, and a word where a person's commits stay; then the whole as it is."""
        repository = spec.repository
        document = self._look.document(repository, number)
        for attempt in range(LOOKS):
            if document["head"]["sha"] == head or document["state"] != "open":
                break
            self._client.sleep(min(4.0, 0.25 * 2**attempt))  # a push shows after a moment
            document = self._look.document(repository, number)
        changed = talking.label(self._client, repository, document, (LABEL, *spec.labels))
        asked, impossible = talking.ask(self._client, repository, document, spec.reviewers)
        if impossible:
            text = f"Could not be asked for a review: {', '.join(f'`{one}`' for one in impossible)}."
            talking.say(self._client, repository, number, "reviewers", text)
        if head != spec.commit:
            text = f"Somebody pushed to this branch: it stays at {head}, and {spec.commit} is not put there."
            talking.say(self._client, repository, number, "kept", text)
        if changed or asked or impossible or head != spec.commit:
            document = self._look.document(repository, number)
        return self._look.read(repository, document)


def _field(document: Mapping[str, Any], name: str) -> str:
    return str(document["base"]["ref"] if name == "base" else document.get(name) or "").replace("\r\n", "\n")
