"""Our own small agent: a loop on pydantic-ai in a cage, with six tools.

`worker` is what runs in the cage; nothing that it imports may be slow to import or reach further than its
folder. `OwnRunner` is the host's side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greylag.agent.own.runner import OwnRunner as OwnRunner

__all__ = ["OwnRunner"]


def __getattr__(name: str) -> object:
    # Only on the host: the worker imports this package too, and has no use for the host's side.
    if name == "OwnRunner":
        from greylag.agent.own.runner import OwnRunner

        return OwnRunner
    raise AttributeError(name)
