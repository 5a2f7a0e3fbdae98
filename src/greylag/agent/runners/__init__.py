"""Runners: how each kind of coding agent is started, talked to and ended.

`RUNNERS` names what is built in; a dotted path (`package.module:factory`) names one from outside. A factory
takes the runner's own settings, as plain values, and validates them itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from pydantic import ValidationError

from greylag.agent.base import Runner
from greylag.agent.unavailable import AgentUnavailable
from greylag.domain.errors import UsageError

RUNNERS: Mapping[str, str] = {
    "own": "greylag.agent.own.runner:make",
    "acp": "greylag.agent.runners.acp:make",
    "claude": "greylag.agent.runners.claude:make",
    "codex": "greylag.agent.runners.codex:make",
}
"""Name to the factory's dotted path: none is imported before it is asked for."""

__all__ = ["RUNNERS", "AgentUnavailable", "make_runner"]


def make_runner(name: str, settings: Mapping[str, object] | None = None) -> Runner:
    """The runner of that name. Raises UsageError for an unknown name, wrong settings, a missing library."""
    path = RUNNERS.get(name, name)
    if ":" not in path:
        known = ", ".join(sorted(RUNNERS))
        raise UsageError(f"no runner is called {name!r}: use {known}, or package.module:factory")
    module, _, factory = path.partition(":")
    try:
        made: Runner = getattr(importlib.import_module(module), factory)(**(settings or {}))
    except ImportError as error:
        if name not in RUNNERS:
            raise AgentUnavailable(f"the runner {name!r} cannot be imported: {error}") from error
        raise AgentUnavailable(
            f"the runner {name!r} needs {error.name or error}: pip install 'greylag[agent]'"
        ) from error
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise UsageError(f"settings of the runner {name!r}: {'; '.join(lines)}") from error
    return made
