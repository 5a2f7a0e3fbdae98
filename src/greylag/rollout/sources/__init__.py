"""Health sources: one module a kind, each with its own settings; see docs/health.md."""

from greylag.rollout.sources.local import (
    INCONCLUSIVE_EXIT,
    BakeTimeOnly,
    CommandHealth,
    NoHealth,
    StatusFileHealth,
)

__all__ = ["INCONCLUSIVE_EXIT", "BakeTimeOnly", "CommandHealth", "NoHealth", "StatusFileHealth"]
