"""A look at many pull requests: what a tick needs of each, with as few requests as the forge allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from greylag.domain.errors import GreylagError
from greylag.forge.base import Glance, PullRequestState, Unavailable
from greylag.forge.hosted.api import Batching, Glimpse
from greylag.forge.hosted.looking import Looking, marker_of

_PARALLEL = 8

Key = tuple[str, str]
"""A repository, and the key of a pull request there."""


def glance(look: Looking, keys: Collection[Key]) -> Mapping[Key, Glance]:
    """See `Glancing`. Brings the base branches of the mirrors up to date, too.

    Once the forge does not answer, nothing more is asked: the next tick does.
    """
    away = Event()
    batched = dict(_batched(look, keys, away)) if isinstance(look.api, Batching) else {}
    left = [key for key in keys if key not in batched]

    def one(key: Key) -> Glance | None:
        return None if away.is_set() else _one(look, key, away)

    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="glance") as pool:
        told = dict(zip(left, pool.map(one, left), strict=True))
    return batched | {key: found for key, found in told.items() if found is not None}


def _batched(look: Looking, keys: Collection[Key], away: Event) -> Iterator[tuple[Key, Glance]]:
    """Those whose number is known; a batch that fails is left to be asked for one by one."""
    assert isinstance(look.api, Batching), "asked before"
    numbers = {(key[0], number): key for key in keys if (number := look.numbers.get(key)) is not None}
    try:
        for seen in look.api.glimpses(tuple(numbers)):
            key = numbers.get((seen.repository, seen.shown.number))
            marker = marker_of(seen.shown)
            if key is not None and marker is not None and marker.key == key[1]:
                _synced(look, seen)
                yield key, _glance(key, seen)
    except Unavailable:
        away.set()
    except GreylagError:
        return


def _one(look: Looking, key: Key, away: Event) -> Glance | None:
    try:
        shown = look.of_key(*key)
        if shown is None:
            return None
        seen = Glimpse(repository=key[0], shown=shown)
        _synced(look, seen)
        return _glance(key, seen)
    except Unavailable:
        away.set()
    except GreylagError:
        pass  # its repository cannot be read: left out, and its next effect says why
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
