"""Spans of time in settings; the parts of a rollout's settings that stand below read the same."""

from greylag.rollout.durations import Duration, read_duration

__all__ = ["Duration", "read_duration"]
