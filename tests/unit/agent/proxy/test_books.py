from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greylag.agent.proxy import (
    Budgets,
    MemoryBooks,
    OverBudget,
    default_prices,
    price_of,
    read_price,
    read_secret,
)
from greylag.agent.proxy.prices import Tokens, cost_of, most_of, usage_of
from greylag.domain.agent import AttemptKey, Usage
from greylag.domain.errors import UsageError

ONE = AttemptKey(migration="m", repository="a")
AGAIN = AttemptKey(migration="m", repository="a", attempt=2)
OTHER = AttemptKey(migration="m", repository="b")
ELSEWHERE = AttemptKey(migration="n", repository="a")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize(
    ("budgets", "second", "refused"),
    [
        (Budgets(target=1.0), AGAIN, "target"),
        (Budgets(target=1.0), OTHER, None),
        (Budgets(campaign=1.0), OTHER, "campaign"),
        (Budgets(campaign=1.0), ELSEWHERE, None),
        (Budgets(day=1.0), ELSEWHERE, "day"),
        (Budgets(), ONE, None),
    ],
)
def test_an_open_reservation_counts_as_spent(
    budgets: Budgets, second: AttemptKey, refused: str | None
) -> None:
    books = MemoryBooks(budgets)
    books.reserve(ONE, "x", 0.6, "r")
    if refused is None:
        books.reserve(second, "x", 0.6, "r")
        return
    with pytest.raises(OverBudget, match=f"the {refused}'s budget is .1.00, of which .0.6000") as raised:
        books.reserve(second, "x", 0.6, "r")
    assert (raised.value.which, raised.value.spent, raised.value.limit) == (refused, 0.6, 1.0)
    assert f"agent.budget.{refused}" in str(raised.value)


def test_what_is_only_reserved_may_pass_later() -> None:
    books = MemoryBooks(Budgets(campaign=1.0))
    books.settle(books.reserve(ONE, "x", 0.5, "r"), Usage(calls=1, cost=0.3), "200")
    books.reserve(OTHER, "x", 0.5, "r")
    with pytest.raises(OverBudget) as raised:
        books.reserve(ONE, "x", 0.6, "s")
    assert raised.value.may_pass_later
    with pytest.raises(OverBudget) as raised:
        books.reserve(ONE, "x", 0.8, "s")
    assert not raised.value.may_pass_later
    assert not OverBudget("day", 5.0, 4.0, 1.0).may_pass_later


def test_settling_frees_what_was_not_used_and_happens_once() -> None:
    books = MemoryBooks(Budgets(target=1.0))
    call = books.reserve(ONE, "x", 0.9, "r")
    books.settle(call, Usage(calls=1, cost=0.1), "200")
    books.settle(call, Usage(calls=1, cost=0.8), "200")
    books.settle(call + 1, Usage(calls=1, cost=0.8), "of another process")
    assert books.spent(ONE) == Usage(calls=1, cost=0.1)
    assert books.open(ONE) == 0
    books.reserve(ONE, "x", 0.9, "r")


def test_the_next_day_begins_anew() -> None:
    clock = Clock()
    books = MemoryBooks(Budgets(day=1.0), clock)
    books.reserve(ONE, "x", 1.0, "r")
    with pytest.raises(OverBudget):
        books.reserve(ONE, "x", 0.1, "r")
    clock.now += timedelta(days=1)
    books.reserve(ONE, "x", 0.1, "r")


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(UsageError, match=r"agent\.budget\.campaign"):
        Budgets(campaign=-1)


def test_kinds_of_tokens_have_their_prices() -> None:
    price = read_price({"input": 1, "output": 10, "cached": 0.1, "cache_write": 2, "cache_write_1h": 4})
    million = 1_000_000
    assert cost_of(Tokens(fresh=million), price) == 1
    assert cost_of(Tokens(cached=million, output=million), price) == pytest.approx(10.1)
    assert cost_of(Tokens(cache_write=million, cache_write_1h=million), price) == 6
    usage = usage_of(Tokens(fresh=1, cached=2, cache_write=3, output=4), price)
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.calls) == (6, 2, 4, 1)


def test_a_long_input_has_its_own_prices() -> None:
    price = read_price({"input": 1, "output": 1, "long": {"above": 100, "input": 2, "output": 3}})
    assert cost_of(Tokens(fresh=100), price) == pytest.approx(100 / 1e6)
    assert cost_of(Tokens(fresh=50, cached=51, output=10), price) == pytest.approx(232 / 1e6)


def test_the_most_is_never_less_than_the_cost() -> None:
    for price in default_prices().values():
        for tokens in (
            Tokens(fresh=300_000, output=99),
            Tokens(cache_write_1h=99_000),
            Tokens(cached=5, output=1),
        ):
            assert most_of(tokens.input, tokens.output, price) >= cost_of(tokens, price)


def test_a_dated_name_has_the_price_of_its_model() -> None:
    assert price_of("claude-haiku-4-5-20251001", {}) == default_prices()["claude-haiku-4-5"]
    assert price_of("gpt-5.4-2026-03-05", {}) == default_prices()["gpt-5.4"]


def test_an_unknown_model_names_the_setting() -> None:
    with pytest.raises(
        UsageError, match=r"no price is known for the model llama.*agent: \{prices: \{llama: \{input"
    ):
        price_of("llama", {})
    own = read_price({"input": 0, "output": 0})
    assert price_of("llama", {"llama": own}) == own


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"input": 1}, "`input` and `output`"),
        ({"input": 1, "output": -1}, "`output` should be US dollars"),
        ({"input": 1, "output": True}, "`output` should be US dollars"),
        ({"input": 1, "output": 1, "cache": 1}, "no `cache`"),
        ({"input": 1, "output": 1, "long": {"input": 1, "output": 1}}, "`above`"),
    ],
)
def test_a_wrong_price_is_refused(entry: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_price(entry)


def test_a_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret-of-file\n")
    key = read_secret(env="K", file=file, environ={"K": " secret-of-env\n"})
    assert key is not None
    assert key.get_secret_value() == "secret-of-env"
    assert "secret" not in repr(key).replace("SecretStr", "")
    key = read_secret(env="K", file=file, environ={})
    assert key is not None
    assert key.get_secret_value() == "secret-of-file"
    assert read_secret() is None


def test_a_key_that_is_not_there_is_named_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="variable K is not set"):
        read_secret(env="K", environ={"K": " "})
    with pytest.raises(UsageError, match="cannot be read"):
        read_secret(file=tmp_path / "none")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        read_secret(file=tmp_path / "empty")
