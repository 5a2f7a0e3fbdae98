"""A look at many pull requests: what a tick needs of each, with as few requests as the forge allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from greylag.domain.errors import GreylagError
from greylag.forge.base import Glance, PullRequestState, Unavailable
from greylag.forge.hosted.api import Batching, Glimpse
from greylag.forge.hosted.client import ODD
from greylag.forge.hosted.looking import Looking, marker_of

_PARALLEL = 8
_AWAY = 3
"""So many repositories of which nothing can be seen are the forge, which is away."""

Key = tuple[str, str]
"""A repository, and the key of a pull request there."""


def glance(look: Looking, keys: Collection[Key]) -> Mapping[Key, Glance]:
    """See `Glancing`. Brings the base branches of the mirrors up to date, too.

    Once the forge does not answer, nothing more is asked: the next tick does.
    """
    unseen: set[str] = set()
    batched = dict(_batched(look, keys, unseen)) if isinstance(look.api, Batching) else {}
    left = [key for key in keys if key not in batched]

    def one(key: Key) -> Glance | None:
        return None if key[0] in unseen or len(unseen) >= _AWAY else _one(look, key, unseen)

    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="glance") as pool:
        told = dict(zip(left, pool.map(one, left), strict=True))
    return batched | {key: found for key, found in told.items() if found is not None}


def _batched(look: Looking, keys: Collection[Key], unseen: set[str]) -> Iterator[tuple[Key, Glance]]:
    """Those whose number is known; what a batch does not tell is left to be asked for one by one."""
    assert isinstance(look.api, Batching), "asked before"
    numbers = {(key[0], number): key for key in keys if (number := look.numbers.get(key)) is not None}
    try:
        for seen in look.api.glimpses(tuple(numbers)):
            key = numbers.get((seen.repository, seen.shown.number))
            marker = marker_of(seen.shown)
            if key is not None and marker is not None and marker.key == key[1]:
                found = _seen(look, key, seen, unseen)
                if found is not None:
                    yield key, found
    except Unavailable:
        unseen.update(key[0] for key in keys)
    except (GreylagError, *ODD):
        return


def _one(look: Looking, key: Key, unseen: set[str]) -> Glance | None:
    try:
        shown = look.of_key(*key)
    except Unavailable:
        unseen.add(key[0])
        return None
    except (GreylagError, *ODD):
        return None  # its repository cannot be read: left out, and its next effect says why
    return None if shown is None else _seen(look, key, Glimpse(repository=key[0], shown=shown), unseen)


def _seen(look: Looking, key: Key, seen: Glimpse, unseen: set[str]) -> Glance | None:
    """What is told of one; None where git cannot bring its base branch."""
    try:
        if len(unseen) < _AWAY:
            _synced(look, seen)
            return _glance(key, seen)
    except Unavailable:
        unseen.add(key[0])
    except (GreylagError, *ODD):
        pass  # as above
    return None


def _synced(look: Looking, seen: Glimpse) -> None:
    if seen.shown.state is PullRequestState.CLOSED:
        return
    if seen.tip is None:
        look.mirror.sync(seen.repository, seen.shown.base)
    else:
        look.mirror.bring(seen.repository, seen.shown.base, seen.tip)


def _glance(key: Key, seen: Glimpse) -> Glance:
    shown = seen.shown
    return Glance(
        repository=key[0],
        key=key[1],
        number=shown.number,
        state=shown.state,
        head_commit=shown.head_commit,
        merge_commit=shown.merge_commit if shown.state is PullRequestState.MERGED else None,
        url=shown.url,
        queued=shown.queued and shown.state is PullRequestState.OPEN,
    )
