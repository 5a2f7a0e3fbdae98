"""What a call costs: US dollars per million tokens. The default table has a date and a source."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from greylag.domain.agent import Usage
from greylag.domain.errors import UsageError

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Prices by kind of token. A price of None is that of `input`: nobody bills them higher unless told so.

    `cache_write` is for prompts that are written into a cache for minutes, `cache_write_1h` for an hour.
    """

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None

    @property
    def dearest_input(self) -> float:
        """The most that a token of input may cost."""
        return max(self.input, self.cached or 0, self.cache_write or 0, self.cache_write_1h or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The rates of a model; `long` instead where the input has more than `above` tokens."""

    rates: Rates
    long: Rates | None = None
    above: int = 0

    def at(self, input_tokens: int) -> Rates:
        """The rates for a call with so much input."""
        return self.long if self.long is not None and input_tokens > self.above else self.rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What one call took, by kind. The four kinds of input do not overlap: `fresh` is what no cache had."""

    fresh: int = 0
    cached: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    output: int = 0

    @property
    def input(self) -> int:
        """All input."""
        return self.fresh + self.cached + self.cache_write + self.cache_write_1h


def cost_of(tokens: Tokens, price: Price) -> float:
    """US dollars."""
    rates = price.at(tokens.input)

    def at(rate: float | None) -> float:
        return rates.input if rate is None else rate

    total = (
        tokens.fresh * rates.input
        + tokens.cached * at(rates.cached)
        + tokens.cache_write * at(rates.cache_write)
        + tokens.cache_write_1h * at(rates.cache_write_1h)
        + tokens.output * rates.output
    )
    return total / MILLION


def most_of(input_tokens: int, output_tokens: int, price: Price) -> float:
    """The most that a call with at most so many tokens may cost, in US dollars."""
    rates = price.at(input_tokens)
    return (input_tokens * rates.dearest_input + output_tokens * rates.output) / MILLION


def usage_of(tokens: Tokens, price: Price) -> Usage:
    """One call's usage."""
    return Usage(
        calls=1,
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cached_tokens=tokens.cached,
        cost=cost_of(tokens, price),
    )


def read_price(entry: Mapping[str, object]) -> Price:
    """A price as `prices.json` and the setting `agent.prices` write it.

    `{"input": 3, "output": 15, "cached": 0.3, "long": {"above": 200000, "input": 6, "output": 22.5}}`; input
    and output are needed. Raises UsageError.
    """
    long = entry.get("long")
    if long is None:
        return Price(rates=_rates(entry))
    rest = {str(name): value for name, value in long.items()} if isinstance(long, Mapping) else {}
    above = rest.pop("above", None)
    if not isinstance(above, int):
        raise UsageError("a price's `long` needs `above`, the number of tokens above which it holds")
    return Price(rates=_rates(entry), long=_rates(rest), above=above)


def _rates(entry: Mapping[str, object]) -> Rates:
    known = ("input", "output", "cached", "cache_write", "cache_write_1h")
    values: dict[str, float] = {}
    for name, value in entry.items():
        if name in {"long"}:
            continue
        if name not in known:
            raise UsageError(f"a price has no `{name}`; it may have {', '.join(known)} and long")
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise UsageError(f"the price `{name}` should be US dollars per million tokens, not {value!r}")
        values[name] = float(value)
    if "input" not in values or "output" not in values:
        raise UsageError("a price needs `input` and `output`, in US dollars per million tokens")
    return Rates(
        input=values["input"],
        output=values["output"],
        cached=values.get("cached"),
        cache_write=values.get("cache_write"),
        cache_write_1h=values.get("cache_write_1h"),
    )


@cache
def default_prices() -> Mapping[str, Price]:
    """Model to price, from `prices.json`; its `date` and `source` say whence and when."""
    document = json.loads(files(__package__).joinpath("prices.json").read_text(encoding="utf-8"))
    return {model: read_price(entry) for model, entry in document["models"].items()}


def price_of(model: str, prices: Mapping[str, Price]) -> Price:
    """The price of a model: as set, else as in the default table, also for a dated name of a model there.

    Raises UsageError with the setting to add: a call whose cost nobody knows would pass every budget.
    """
    if model in prices:
        return prices[model]
    defaults = default_prices()
    undated = re.sub(r"[-@](\d{8}|\d{4}-\d{2}-\d{2})$", "", model)
    found = defaults.get(model) or defaults.get(undated)
    if found is None:
        raise UsageError(
            f"no price is known for the model {model}, so no budget could hold. Add to greylag.yaml, in US "
            "dollars per million tokens (0 for a model of your own): "
            f"agent: {{prices: {{{model}: {{input: …, output: …}}}}}}"
        )
    return found
