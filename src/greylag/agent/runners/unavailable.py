"""What to say when an agent is not there."""

from __future__ import annotations

from greylag.domain.errors import UsageError


class AgentUnavailable(UsageError):
    """The agent cannot be started on this machine; the message says what to install."""
