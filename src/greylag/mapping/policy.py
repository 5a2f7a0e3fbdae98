"""The `rollout` key as a policy value."""

from __future__ import annotations

import re

from greylag.domain.migration import CronWindow, MergePolicy, Rollout, Split, WaveSize
from greylag.mapping.calendar_model import WaveModel, holiday
from greylag.mapping.document import Document
from greylag.mapping.model import CronWindowModel, RolloutModel, parse_duration

_SHARE = re.compile(r"^(\d+(?:\.\d+)?)\s*%$")


def rollout(model: RolloutModel, document: Document) -> Rollout | None:
    """The policy; None when its waves are wrong, with the faults in the document."""
    waves = _waves(model, document)
    if waves is None:
        return None
    window = None
    if isinstance(model.window, CronWindowModel):
        window = CronWindow(cron=model.window.cron, timezone=model.window.timezone)
    return Rollout(
        waves=waves,
        merge=MergePolicy(model.merge),
        window=window,
        bake=parse_duration(model.bake),
        max_reverts=model.max_reverts,
        per_owner=model.per_owner,
        mentions=model.mentions,
        freezes=tuple(freeze.value for freeze in model.freezes),
        holidays=tuple(holiday(one) for one in model.holidays),
        max_open=model.max_open,
        split=None if model.split is None else Split(model.split),
        merges_per_hour=model.merges_per_hour,
        templates=model.templates.value,
    )


def _waves(model: RolloutModel, document: Document) -> tuple[WaveSize, ...] | None:
    """Numbers of targets first, then shares; both growing, so that no wave is empty by construction.

    Waves by what targets are may stand anywhere between them.
    """
    found: list[WaveSize] = []
    before: tuple[WaveSize, int | str] | None = None
    known = len(document.faults)
    for index, value in enumerate(model.waves):
        where = document.at(("rollout", "waves", index))
        if isinstance(value, WaveModel):
            found.append(value.value)
            continue
        size = _wave(value)
        if size is None:
            document.fault(
                where,
                f"`{value}` is not a size of a wave; expected a number of targets, like 5, "
                "or a share, like 10%",
            )
            continue
        if before is not None and not _grows(before[0], size):
            document.fault(where, f"waves must grow: `{value}` cannot follow `{before[1]}`")
        found.append(size)
        before = (size, value)
    return tuple(found) if len(document.faults) == known else None


def _wave(value: int | str) -> WaveSize | None:
    if isinstance(value, int):
        return WaveSize(count=value) if value > 0 else None
    if value.isdecimal():
        return _wave(int(value))
    match = _SHARE.match(value)
    if match is None or not 0 < float(match[1]) <= 100:
        return None
    return WaveSize(share=float(match[1]) / 100)


def _grows(before: WaveSize, after: WaveSize) -> bool:
    if before.count is not None and after.count is not None:
        return after.count > before.count
    if before.share is not None and after.share is not None:
        return after.share > before.share
    return before.share is None  # a number may be followed by a share, not the other way round
