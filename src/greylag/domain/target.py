"""Targets: one repository in one migration."""

from __future__ import annotations

from enum import StrEnum


class TargetState(StrEnum):
    """Where a target stands, from found to done. Terminal: DONE, SKIPPED, ABORTED, HANDED_OVER."""

    FOUND = "found"
    WAITING_ANSWER = "waiting_answer"
    AGENT = "agent"
    REWRITTEN = "rewritten"
    PROPOSED = "proposed"
    MERGED = "merged"
    BAKING = "baking"
    DONE = "done"
    REVERTING = "reverting"
    REVERTED = "reverted"
    SKIPPED = "skipped"
    HANDED_OVER = "handed_over"
    ABORTED = "aborted"
