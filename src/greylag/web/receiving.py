"""The addresses of `greylag serve`: webhooks, runs, and how things stand."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from typing import Any

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from greylag.app.serving import FORMATS, Hook, NotARun, Serving, Unknown, Unsigned
from greylag.domain.parts import whole
from greylag.engine.database import DATABASE_ERRORS
from greylag.engine.store import Session
from greylag.engine.tables import targets
from greylag.engine.world import LIVE
from greylag.web.counting import Counts, leaders, metrics
from greylag.web.intake import Full, Intake, Item

_LIVE_SECONDS = 1.0
_MOST_EVENTS = 1000
_MOST_HELD = 100_000_000
"""Bytes of all bodies together that have begun to come and did not end yet."""

_log = logging.getLogger("greylag.serve")


class Refused(Exception):
    """A request that is answered with an error: status, and what to do about it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Receiver:
    """Answers requests. What is answered with 2xx is in the database, or is nothing that we act on.

    `patience`: seconds that a body may take. Whoever has no secret can make us wait, but not for long, and
    not hold more than a little of what they send.
    """

    def __init__(self, serving: Serving, intake: Intake) -> None:
        self._serving = serving
        self._intake = intake
        self.counts = Counts()
        self.patience = 30.0
        self._held = 0
        self._live: tuple[float, tuple[str, ...]] = (float("-inf"), ())

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/hooks/{forge}", self._hook, methods=["POST"]),
                Route("/api/v1/lineage", self._lineage, methods=["POST"]),
                Route("/health/{source}", self._run, methods=["POST"]),
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/metrics", self._metrics),
            ],
            exception_handlers={Refused: _refused},
        )

    async def _hook(self, request: Request) -> Response:
        """A webhook: 200 kept, 202 nothing that we act on, 401 not signed, 403 no secret, 503 not kept."""
        forge = request.path_params["forge"]
        if forge not in FORMATS:
            raise Refused(404, f"there are no webhooks of {forge[:40]!r}; expected {', '.join(FORMATS)}")
        if forge not in self._serving.secrets:
            self.counts.add("hooks", forge, "refused")
            why = f"no secret is configured: say under `serve.hooks.{forge}` in greylag.yaml where it is"
            raise Refused(403, why)
        body = await self._body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = self._serving.delivery(
            forge, Hook(headers=headers, query=dict(request.query_params), body=body)
        )
        if isinstance(told, Unsigned):
            self.counts.add("hooks", forge, "refused")
            raise Refused(401, told.why)
        if isinstance(told, Unknown):
            self.counts.add("hooks", forge, "ignored")
            return JSONResponse({"ignored": told.why}, 202)
        await self._keep("hooks", forge, [told])
        return JSONResponse({"kept": told.kind, "repository": told.repository})

    async def _lineage(self, request: Request) -> Response:
        """OpenLineage's run events: one, or a list of them."""
        document = await self._pushed(request)
        events = document if isinstance(document, list) else [document]
        if len(events) > _MOST_EVENTS:
            raise Refused(413, f"at most {_MOST_EVENTS} events at a time")
        live = await self._watched()
        try:
            found = [self._serving.event(one, live) for one in events]
        except NotARun as error:
            self.counts.add("runs", "openlineage", "refused")
            raise Refused(422, str(error)) from error
        kept = [one for one in found if one is not None]
        await self._keep("runs", "openlineage", kept)
        return JSONResponse({"kept": len(kept)}, 201 if kept else 202)

    async def _run(self, request: Request) -> Response:
        """A plain run, or a list of them."""
        source = request.path_params["source"]
        document = await self._pushed(request)
        if source not in {one.source for one in self._serving.sources}:
            self.counts.add("runs", "unknown", "refused")
            why = f"no health source listens to {source[:40]!r}: `health.sources` in greylag.yaml has none"
            raise Refused(404, f"{why} of `kind: pushed` with that `source`")
        given = document if isinstance(document, list) else [document]
        live = await self._watched()
        try:
            runs = [self._serving.run(source, one, live) for one in given[:_MOST_EVENTS]]
        except NotARun as error:
            self.counts.add("runs", source, "refused")
            raise Refused(422, str(error)) from error
        if len(given) > _MOST_EVENTS:
            raise Refused(413, f"at most {_MOST_EVENTS} runs at a time")
        await self._keep("runs", source, runs)
        return JSONResponse({"kept": len(runs)}, 201)

    async def _healthz(self, _request: Request) -> Response:
        """Does this process work?"""
        if not self._intake.alive:
            return JSONResponse({"status": "nothing is written down any more"}, 503)
        return JSONResponse({"status": "ok"})

    async def _readyz(self, request: Request) -> Response:
        """Can what comes be kept? And who leads each campaign; with `?leader=1` that must be a living one."""
        try:
            led = await run_in_threadpool(self._leaders)
        except DATABASE_ERRORS:
            return JSONResponse({"status": "the database cannot be reached"}, 503)
        orphans = sorted(name for name, alive in led.items() if not alive)
        if orphans and request.query_params.get("leader"):
            return JSONResponse({"status": "nobody leads", "campaigns": orphans}, 503)
        return JSONResponse({"status": "ok", "leaders": led})

    async def _metrics(self, _request: Request) -> Response:
        """For Prometheus."""
        try:
            text = await run_in_threadpool(metrics, self._serving, self.counts, self._intake.waiting)
        except DATABASE_ERRORS:
            raise Refused(503, "the database cannot be reached") from None
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    def _leaders(self) -> dict[str, bool]:
        with self._serving.store.read() as session:
            return leaders(session, self._serving)

    async def _pushed(self, request: Request) -> Any:
        """The JSON of somebody who has the token."""
        token = self._serving.token
        if token is None:
            raise Refused(403, "no token is configured: say under `serve.token` in greylag.yaml where it is")
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            self.counts.add("runs", "unknown", "refused")
            raise Refused(401, "the token is missing or wrong: send it as `Authorization: Bearer …`")
        try:
            return json.loads(await self._body(request))
        except (ValueError, RecursionError):
            raise Refused(400, "the body is no JSON") from None

    async def _body(self, request: Request) -> bytes:
        """The body, of which no more is read than may come."""
        largest, found = self._serving.largest, bytearray()
        try:
            async with asyncio.timeout(self.patience):
                async for part in request.stream():
                    found += part
                    self._held += len(part)
                    if len(found) > largest:
                        raise Refused(413, f"more than {largest} bytes (`serve.largest`)")
                    if self._held > max(_MOST_HELD, 2 * largest):
                        raise Refused(503, "too much comes at once: send it again")
        except TimeoutError:
            raise Refused(408, f"the body took longer than {self.patience:g} s") from None
        except ClientDisconnect:
            raise Refused(400, "the body ended before its end") from None
        finally:
            self._held -= len(found)
        return bytes(found)

    async def _keep(self, what: str, source: str, items: list[Any]) -> None:
        """Wait until everything is written down."""
        try:
            kept: list[Item] = items
            await asyncio.gather(*(asyncio.wrap_future(self._intake.keep(one)) for one in kept))
        except (Full, *DATABASE_ERRORS) as error:
            self.counts.add(what, source, "failed")
            why = str(error) if isinstance(error, Full) else "the database cannot be written to"
            raise Refused(503, f"not kept, send it again: {why}") from error
        self.counts.add(what, source, "kept")

    async def _watched(self) -> tuple[str, ...]:
        """The repositories that are watched after a merge, as of a second ago."""
        at, found = self._live
        if time.monotonic() - at > _LIVE_SECONDS:
            try:
                found = await run_in_threadpool(self._ask)
            except DATABASE_ERRORS as error:
                raise Refused(503, "not kept, send it again: the database cannot be reached") from error
            self._live = time.monotonic(), found
        return found

    def _ask(self) -> tuple[str, ...]:
        with self._serving.store.read() as session:
            return _watched(session)


def _watched(session: Session) -> tuple[str, ...]:
    here = targets.c.state.in_([state.value for state in LIVE])
    query = sa.select(targets.c.repository).where(here).distinct()
    return tuple(sorted({whole(row["repository"]) for row in session.rows(query)}))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    _log.warning("%s: %s %s", request.url.path, error.status, error)
    headers = {"Retry-After": "5"} if error.status == 503 else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": str(error)}, error.status, headers=headers)
