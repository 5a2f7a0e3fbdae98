"""One call of a model: from the record if it was paid for, else reserve, ask, record, settle; then the reply.

The order is what keeps the money: a reply is on disk before its cost is settled, and both before anybody
sees it. A process killed in between finds the record again, and settles it again, which changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import anyio.to_thread
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from greylag.agent.proxy import records
from greylag.agent.proxy.apis import Api, Checked, Failure, Reading, Refused
from greylag.agent.proxy.apis.base import TRY_AGAIN
from greylag.agent.proxy.apis.chat import without_usage
from greylag.agent.proxy.books import Books, OverBudget
from greylag.agent.proxy.faults import costs_nothing, failure_of, refusal_of
from greylag.agent.proxy.grants import Grant, Slot
from greylag.agent.proxy.prices import Price, Tokens, most_of, usage_of
from greylag.agent.proxy.records import Record
from greylag.agent.proxy.redact import Redactor
from greylag.agent.proxy.upstream import Answer, Line
from greylag.domain.agent import Usage

_log = logging.getLogger(__name__)

FOR_ALL = frozenset({401, 402, 403, 404})
"""What an upstream says of the host's key, account or model: no other request would be answered either."""

UNHASHED = frozenset({"prompt_cache_key", "prompt_cache_retention"})
"""Fields that do not change the reply: session names must not hide a repetition."""


class Busy(Exception):
    """The upstream did not answer this time; the same request may be tried again."""

    def __init__(self, failure: Failure, after: float | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.after = after


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a call needs besides its grant. `prices` has every model of the line's upstream."""

    line: Line
    books: Books
    prices: Mapping[str, Price]
    redactor: Redactor

    @property
    def api(self) -> Api:
        """The API that the upstream speaks."""
        return self.line.api


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request in its place. `request` is its hash, `asked` the headers that the agent sent,
    `content` what is sent on."""

    grant: Grant
    slot: Slot
    checked: Checked
    request: str
    asked: Mapping[str, str]
    content: bytes

    @property
    def size(self) -> int:
        """Bytes of the request as it is sent on."""
        return len(self.content)


def request_hash(api: Api, checked: Checked) -> str:
    """What makes two requests equal: the API and all that is sent on, in any order of keys."""
    body = {name: value for name, value in checked.body.items() if name not in UNHASHED}
    return hashlib.sha256(json.dumps([api.name, body], sort_keys=True).encode()).hexdigest()


async def answer(desk: Desk, call: Call) -> tuple[Record, bool]:
    """The reply to a checked request, and whether it is a replayed one. Raises Refused, and nothing else."""
    try:
        return await _answer(desk, call)
    except Refused as refused:
        await call.grant.write("denied", what=refused.code, reason=str(refused))
        raise
    except Exception as error:
        _log.exception("a call of %s failed", call.grant.attempt.id)
        raise Refused("the host failed; it is not your fault", status=500, code="host_failed") from error


async def _answer(desk: Desk, call: Call) -> tuple[Record, bool]:
    begun = time.monotonic()
    record = await anyio.to_thread.run_sync(records.load, call.grant.folder, call.request, call.slot.number)
    replayed = record is not None
    tries = 1
    if record is None:
        record, tries = await _paid(desk, call)
    else:
        # It may have been killed between the record and the books.
        await anyio.to_thread.run_sync(desk.books.settle, record.call, record.usage, "replayed")
    seconds = time.monotonic() - begun
    await call.grant.write(
        "model_call",
        call=record.call,
        model=record.model,
        api=desk.api.name,
        status=200,
        stream=call.checked.stream,
        request=call.request,
        occurrence=call.slot.number,
        replayed=replayed,
        tries=tries,
        seconds=round(seconds, 3),
        ms=round(seconds * 1000),
        input_tokens=record.usage.input_tokens,
        output_tokens=record.usage.output_tokens,
        cached_tokens=record.usage.cached_tokens,
        cost=0.0 if replayed else record.usage.cost,
    )
    return record, replayed


async def _paid(desk: Desk, call: Call) -> tuple[Record, int]:
    """Ask the upstream, again where that may help. Raises Refused."""
    upstream = desk.line.upstream
    usual = wait_exponential_jitter(multiplier=upstream.pause, max=30, jitter=upstream.pause)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        told = error.after if isinstance(error, Busy) else None
        return usual(state) if told is None else told

    def enough(state: RetryCallState) -> bool:
        # Asked to stay away for longer than anybody waits: say so at once.
        return (
            stop_after_attempt(upstream.tries)(state)
            or (state.seconds_since_start or 0.0) + state.upcoming_sleep > upstream.patience
        )

    tries = 0
    try:
        async for attempt in AsyncRetrying(
            stop=enough, wait=pause, retry=retry_if_exception_type(Busy), reraise=True
        ):
            with attempt:
                tries += 1
                return await _once(desk, call), tries
    except Busy as busy:
        message = desk.redactor(
            f"the model's provider failed {tries} times: {busy.failure.status} {busy.failure.message}"
        )
        raise Refused(message, status=busy.failure.status, code="upstream_failed") from None
    raise AssertionError("tenacity ends by a result or an exception")


async def _once(desk: Desk, call: Call) -> Record:
    """One request, with its own reservation. Raises Busy or Refused."""
    size = call.size
    price = desk.prices[call.checked.model]
    # Half a token a byte is more than any text or code has; a base64 image has far fewer.
    most = most_of(size // 2 + 512, call.checked.output, price)
    await desk.line.turn(size // 4)
    # From here on it may cost: the end of the grant waits for it instead of cancelling it.
    mine = asyncio.current_task()
    call.grant.sent.add(mine)
    try:
        return await _asked(desk, call, most)
    except Busy:
        call.grant.sent.discard(mine)
        raise


async def _asked(desk: Desk, call: Call, most: float) -> Record:
    """Reserve, ask, settle. Raises Busy or Refused."""
    number = await _reserved(desk, call, most)
    reached = Answer(broken="cancelled")
    try:
        reached = await desk.line.post(call.content, call.asked)
    finally:
        if reached.broken == "cancelled":
            # The host goes down with a call under way: nobody knows what it took.
            desk.books.settle(number, Usage(calls=1, cost=most), "abandoned")
    try:
        return await _settled(desk, call, number, reached)
    except (Busy, Refused):
        raise
    except Exception:
        # A reply that breaks its reader was paid for too; a reservation left open would count for ever.
        usage = usage_of(_guess(call, reached), desk.prices[call.checked.model])
        await anyio.to_thread.run_sync(desk.books.settle, number, usage, "unreadable")
        raise


async def _reserved(desk: Desk, call: Call, most: float) -> int:
    """The call's number in the books. Raises Refused when it is over budget.

    What others reserved is mostly given back when they settle: a call that is over only for their sake waits.
    """
    request = f"{call.request}.{call.slot.number}"
    give_up = time.monotonic() + desk.line.upstream.patience
    pause = 0.2
    while True:
        try:
            return await anyio.to_thread.run_sync(
                desk.books.reserve, call.grant.attempt, call.checked.model, most, request
            )
        except OverBudget as error:
            if not error.may_pass_later or time.monotonic() > give_up:
                call.grant.stop("over_budget", str(error))
                raise Refused(str(error), status=402, code="over_budget") from None
        # Each look takes the lock of the whole database: those who wait long look seldom.
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 2.0)


async def _settled(desk: Desk, call: Call, number: int, reached: Answer) -> Record:
    """The record of an answer, in the books. Raises Busy or Refused for one that is none."""
    price = desk.prices[call.checked.model]
    reading = (
        desk.api.read(reached.content, sse=reached.sse) if reached.status == 200 else Reading(complete=False)
    )
    failure = failure_of(reached, reading)
    if failure is not None:
        tokens = Tokens() if costs_nothing(reached) else reading.tokens or _guess(call, reached)
        usage = usage_of(tokens, price)
        await anyio.to_thread.run_sync(desk.books.settle, number, usage, f"failed {failure.status}")
        await _told(desk, call, failure, usage)
        if failure.status not in TRY_AGAIN:
            refusal = refusal_of(failure, desk.redactor)
            if failure.status in FOR_ALL:
                call.grant.stop("provider", str(refusal))
            raise refusal
        if reached.retry_after is not None:
            desk.line.leave_alone(min(reached.retry_after, desk.line.upstream.patience))
        raise Busy(failure, reached.retry_after)
    body = without_usage(reached.content) if call.checked.hide_usage and reached.sse else reached.content
    record = Record(
        request=call.request,
        occurrence=call.slot.number,
        call=number,
        model=call.checked.model,
        content_type=reached.content_type or "application/json",
        body=_clean(desk.redactor, body),
        usage=usage_of(reading.tokens or _guess(call, reached), price),
    )
    try:
        await anyio.to_thread.run_sync(records.save, call.grant.folder, record)
    except OSError as error:
        # Not handed out either: a client that repeats the request would be paid for again and again.
        await anyio.to_thread.run_sync(desk.books.settle, number, record.usage, "not recorded")
        raise Refused(
            f"the host could not record the reply: {error.strerror}", status=400, code="not_recorded"
        ) from error
    await anyio.to_thread.run_sync(desk.books.settle, number, record.usage, "200")
    return record


async def _told(desk: Desk, call: Call, failure: Failure, usage: Usage) -> None:
    await call.grant.write(
        "model_call",
        model=call.checked.model,
        api=desk.api.name,
        status=failure.status,
        stream=call.checked.stream,
        replayed=False,
        error=desk.redactor(failure.message),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cost=usage.cost,
    )


def _guess(call: Call, reached: Answer) -> Tokens:
    """What a call took whose upstream does not say: about four bytes a token, frames of a stream apart."""
    frames = 8 if reached.sse else 4
    return Tokens(fresh=call.size // 4, output=min(call.checked.output, len(reached.content) // frames))


def _clean(redactor: Redactor, body: bytes) -> bytes:
    """The reply without the host's own secrets, should an upstream echo them."""
    text = body.decode("utf-8", errors="surrogateescape")
    return redactor.own(text).encode("utf-8", errors="surrogateescape") if redactor.holds_own(text) else body
