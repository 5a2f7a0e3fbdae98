"""Making a change as it should be: one commit under a Change-Id, and never over a person's patch set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greylag.forge.base import ForgeError, PullRequestSpec, Unavailable
from greylag.forge.gerrit.looking import Looking
from greylag.forge.gerrit.reading import BODY, STATES, patch_of
from greylag.forge.gerrit.talking import say
from greylag.forge.gerrit.wording import Origin, change_id, message
from greylag.forge.hosted.api import LABEL
from greylag.forge.hosted.client import Refused
from greylag.workspace import Repository

_LOOKS = 8
_PULL = STATES["NEW"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Whose our commits are, where Gerrit does not tell an address of our account."""

    name: str
    email: str


class Publishing:
    """Opens changes and brings them up to date. `draft`: new ones are work in progress."""

    def __init__(self, look: Looking, author: Author, *, draft: bool, topic: bool) -> None:
        self._look, self._api, self._mirror = look, look.api, look.mirror
        self._author, self._draft, self._topic = author, draft, topic

    def open(self, spec: PullRequestSpec, *, reverts: int | None) -> dict[str, Any]:
        """See `Forge.open_or_update`; the change as it is then. `reverts`: the number that it takes back."""
        repository = spec.repository
        repo = self._mirror.open(repository)
        if not repo.has_commit(spec.commit):
            raise ForgeError(f"{repository}: there is no commit {spec.commit}")
        known = self._look.of_key(repository, spec.key)
        start = self._start_of(spec, known)
        known = known or self._look.from_branch(repository, spec.head, open_only=True)
        if known is not None and STATES[known["status"]] is not _PULL:
            return known
        origin = Origin(key=spec.key, commit=spec.commit, start=start, head=spec.head, reverts=reverts)
        identity = change_id(spec.key) if known is None else str(known["change_id"])
        current = None if known is None else patch_of(known, self._look.me)
        kept = current is not None and current.origin is None
        passed: tuple[int, ...] = ()
        if known is None or not kept:
            commit = self._commit(Repository.open(repo.path), spec, origin, identity)
            if known is None or commit != known["current_revision"]:
                self._push(spec, commit, is_new=known is None)
                known = self._seen(spec, identity, commit, known)
                # There is no saying "only over the patch set that I saw": whose came between is told.
                expected = 1 if current is None else current.number + 1
                passed = tuple(range(expected, patch_of(known, self._look.me).number))
        return self._dressed(spec, known, kept=kept, passed=passed)

    def _start_of(self, spec: PullRequestSpec, known: Mapping[str, Any] | None) -> str:
        tip = self._mirror.sync(spec.repository, spec.base)
        repo = Repository.open(self._mirror.path(spec.repository))
        start = None if tip is None else repo.merge_base(tip, spec.commit)
        where = f"{spec.repository}: {spec.commit[:12]}"
        if start is None:
            raise ForgeError(f"{where} does not start from branch {spec.base!r}")
        if start != spec.commit:
            return start
        told = None if known is None else patch_of(known, self._look.me).told
        if told is None:
            raise ForgeError(f"{where}: {spec.base!r} holds it already")
        return told.start

    def _commit(self, repo: Repository, spec: PullRequestSpec, origin: Origin, identity: str) -> str:
        """The files that were proven, as one commit: the same spec, the same commit."""
        commits = list(repo.log(spec.commit, until=origin.start))
        newest = repo.info(spec.commit)
        text = message(
            spec.title,
            origin,
            identity,
            subjects=[one.message.partition("\n")[0] for one in reversed(commits)],
            trailers=newest.trailers,
        )
        me = self._api.me()
        return repo.retold(
            spec.commit,
            parents=(origin.start,),
            message=text,
            # Gerrit takes a commit only from an address of the account that pushes it.
            author=str(me.get("name") or self._author.name),
            email=str(me.get("email") or self._author.email),
            when=newest.when,
        )

    def _push(self, spec: PullRequestSpec, commit: str, *, is_new: bool) -> None:
        options = [f"hashtag={LABEL}"]
        topic = next((one for one in spec.labels if one != LABEL), None)
        if topic is not None and self._topic and not self._api.submits_whole_topics():
            options.append(f"topic={topic}")
        if is_new and self._draft:
            options.append("wip")
        try:
            self._mirror.offer(spec.repository, commit, f"refs/for/{spec.base}%{','.join(options)}")
        except Unavailable:
            raise
        except ForgeError as error:
            # It is there: an earlier push arrived, whose answer got lost; or it was closed meanwhile.
            if "no new changes" not in str(error) and "closed" not in str(error):
                raise

    def _seen(
        self, spec: PullRequestSpec, identity: str, commit: str, known: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """The change, once the push shows in it (an index may lag behind)."""
        for attempt in range(_LOOKS):
            found = (
                self._look.of_identity(spec.repository, identity)
                if known is None
                else self._api.change(spec.repository, int(known["_number"]))
            )
            if found is not None and (
                found["current_revision"] == commit or STATES[found["status"]] is not _PULL
            ):
                return found
            if found is not None and patch_of(found, self._look.me).origin is None:
                return found  # somebody uploaded a patch set right after ours
            self._api.sleep(min(4.0, 0.25 * 2**attempt))
        raise Unavailable(f"{spec.repository}: {commit[:12]} was pushed for review, and no change shows it")

    def _dressed(
        self, spec: PullRequestSpec, change: Mapping[str, Any], *, kept: bool, passed: tuple[int, ...]
    ) -> dict[str, Any]:
        """Hashtags, people, the text, a word where a person's patch set stays; then the whole as it is."""
        repository, number = spec.repository, int(change["_number"])
        missing = [one for one in dict.fromkeys((LABEL, *spec.labels)) if one not in change["hashtags"]]
        if missing:
            self._api.act(repository, number, "hashtags", {"add": missing})
        impossible = [one for one in self._unasked(spec, change) if not self._ask(repository, number, one)]
        words = {BODY: spec.body}
        if impossible:
            names = ", ".join(f"`{one}`" for one in impossible)
            words["reviewers"] = f"Could not be asked for a review: {names}."
        if kept:
            stays = change["current_revision"]
            words["kept"] = (
                f"Somebody uploaded a patch set: it stays at {stays}, and {spec.commit} is not put over it."
            )
        if passed:
            numbers = ", ".join(str(one) for one in passed)
            words[f"passed-{numbers}"] = (
                f"Patch set {numbers} was uploaded while ours was on its way, "
                "and is not part of it: look there."
            )
        for key, text in words.items():
            if text:
                say(self._api, change, self._look.me, key, text)
        return self._look.change(repository, number)

    def _unasked(self, spec: PullRequestSpec, change: Mapping[str, Any]) -> list[str]:
        people = [one for kind in (change.get("reviewers") or {}).values() for one in kind]
        people.append(change["owner"])
        names = {
            f"@{one[field]}".lower() for one in people for field in ("username", "email") if field in one
        }
        return [
            one for one in dict.fromkeys(spec.reviewers) if f"@{one.removeprefix('@')}".lower() not in names
        ]

    def _ask(self, repository: str, number: int, who: str) -> bool:
        """Ask a user, an address or a group; a large group would have to be confirmed, and is not asked."""
        try:
            answer = self._api.act(repository, number, "reviewers", {"reviewer": who.removeprefix("@")})
        except Refused as error:
            if error.status not in (400, 403, 404, 409, 422):
                raise
            return False
        return not (answer.get("error") or answer.get("confirm"))
