"""The model proxy on the host: it holds the key, keeps the budget, and records what was paid for.

`ModelProxy` is the door; `Upstream`, `Budgets` and `read_secret` are what settings are made into, `Books`
what the engine keeps. `Redactor` (in `redact`) serves all of `greylag.agent`.

The books and the prices are for every installation; what serves needs the extra `agent`, and is imported when
it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from greylag.agent.proxy.books import Books, Budgets, MemoryBooks, OverBudget
from greylag.agent.proxy.prices import Price, default_prices, price_of, read_price
from greylag.agent.proxy.redact import Redactor
from greylag.agent.proxy.secret import read_secret

if TYPE_CHECKING:
    from greylag.agent.proxy.grants import Stopped
    from greylag.agent.proxy.server import ModelProxy
    from greylag.agent.proxy.upstream import Upstream

_SERVING = {"ModelProxy": "server", "Stopped": "grants", "Upstream": "upstream"}

__all__ = [
    "Books",
    "Budgets",
    "MemoryBooks",
    "ModelProxy",
    "OverBudget",
    "Price",
    "Redactor",
    "Stopped",
    "Upstream",
    "default_prices",
    "price_of",
    "read_price",
    "read_secret",
]


def __getattr__(name: str) -> object:
    if name not in _SERVING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_SERVING[name]}"), name)
