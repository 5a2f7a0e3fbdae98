"""What we say on a pull request besides its text: comments, labels, reviewers, assignees."""

from __future__ import annotations

from collections.abc import Sequence

from greylag.forge.base import Unavailable
from greylag.forge.hosted.api import HostApi, Said, Shown
from greylag.forge.hosted.client import Refused
from greylag.forge.hosted.marker import mark_comment, unmark_comment

_TRIES = 3


def say(api: HostApi, repository: str, number: int, key: str, body: str) -> None:
    """Say something once per key. It is looked for before each try: an answer may get lost."""
    text = mark_comment(key, body, unseen=api.features.unseen)
    for attempt in range(_TRIES):
        said = [(one.id, read[1]) for one in api.comments(repository, number) if (read := _key(one, key))]
        if any(words == body for _, words in said) or _restated(api, repository, number, said, text):
            return
        try:
            api.say(repository, number, text)
            return
        except Unavailable:
            if attempt == _TRIES - 1:
                raise
            api.sleep(2.0**attempt)


def _key(said: Said, key: str) -> tuple[str, str] | None:
    read = unmark_comment(said.body)
    return read if read is not None and read[0] == key else None


def _restated(api: HostApi, repository: str, number: int, said: Sequence[tuple[str, str]], text: str) -> bool:
    """Reword what was said. Anybody may write a comment that looks like ours: forges let us change ours."""
    for comment, _ in said:
        try:
            api.restate(repository, number, comment, text)
        except Refused as error:
            if error.status not in (403, 404):
                raise
        else:
            return True
    return False


def label(api: HostApi, repository: str, shown: Shown, wanted: Sequence[str]) -> bool:
    """Add labels that are missing; those of people stay. Says whether something was done."""
    missing = [name for name in dict.fromkeys(wanted) if name not in shown.labels]
    if not missing or not api.features.labels:
        return False
    api.label(repository, shown.number, missing)
    return True


def ask(api: HostApi, repository: str, shown: Shown, wanted: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    """Ask for reviews. `wanted` are `@login` and `@group/team`.

    Returns whether somebody was asked, and those who cannot be: no such account, or not in this repository.
    """
    # Nobody reviews their own.
    there = {one.lower() for one in (*shown.reviewers, shown.author)}
    missing = [one for one in dict.fromkeys(wanted) if one.lower() not in there]
    if not missing:
        return False, ()
    done = {one.lower() for one in api.reviewed(repository, shown.number)}
    asked, impossible = False, []
    for one in missing:
        if one.lower() in done:
            continue
        # One at a time: a single unknown name makes forges refuse all of them. A mail address is no account.
        if one.startswith("@") and api.ask(repository, shown, one):
            asked = True
        else:
            impossible.append(one)
    return asked, tuple(impossible)


def assign(
    api: HostApi, repository: str, shown: Shown, wanted: Sequence[str]
) -> tuple[bool, tuple[str, ...]]:
    """Assign people who are not yet; returns whether somebody was, and those who cannot be."""
    there = {one.lower() for one in shown.assignees}
    missing = [one for one in dict.fromkeys(wanted) if one.lower() not in there]
    if not api.features.assignees:
        return False, tuple(missing)
    impossible = [one for one in missing if not (one.startswith("@") and api.assign(repository, shown, one))]
    return len(impossible) < len(missing), tuple(impossible)
