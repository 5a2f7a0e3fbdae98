"""The model proxy on the host: it holds the key, keeps the budget, and records what was paid for.

`ModelProxy` is the door; `Upstream`, `Budgets` and `read_secret` are what settings are made into, `Books`
what the engine keeps. `Redactor` (in `redact`) serves all of `greylag.agent`.
"""

from greylag.agent.proxy.books import Books, Budgets, MemoryBooks, OverBudget
from greylag.agent.proxy.grants import Stopped
from greylag.agent.proxy.prices import Price, default_prices, price_of, read_price
from greylag.agent.proxy.redact import Redactor
from greylag.agent.proxy.secret import read_secret
from greylag.agent.proxy.server import ModelProxy
from greylag.agent.proxy.upstream import Upstream

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
