"""An agent that is not there, or does not start."""

from __future__ import annotations

from greylag.domain.errors import UsageError


class AgentUnavailable(UsageError):
    """The agent cannot be started on this machine: why, and what to install."""
