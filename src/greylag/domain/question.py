"""What only a person can decide: asked once, answered once, applied to every target that waits on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`key` is the same for every target with the same question, e.g. `prod.core.users_v1.legacy_score`."""

    key: str
    text: str
    answer: str | None = None
