"""What `greylag serve` is made of: the database, secrets, and what the settings say of runs. No forge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from greylag.app.build import base_folder, clock_of
from greylag.app.serve_settings import hook_secrets, push_token
from greylag.app.settings import Settings
from greylag.domain.errors import UsageError
from greylag.engine.clock import Clock
from greylag.engine.database import connect, prepare
from greylag.engine.hooks import SEVERAL, Delivery, PushedRun
from greylag.engine.store import Store
from greylag.forge.hooks import FORMATS, Hook, Told, Unknown, Unsigned, read
from greylag.rollout.sources.base import Unanswered
from greylag.rollout.sources.openlineage import slim
from greylag.rollout.sources.pushed import OPENLINEAGE, PushedSettings, RunDocument, concerned

__all__ = ["FORMATS", "Hook", "NotARun", "Serving", "Unknown", "Unsigned", "open_serving"]


class NotARun(UsageError):
    """What was sent is no run, or no run event; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Everything that a receiver needs. `token` None: nobody may tell of runs."""

    store: Store
    clock: Clock
    secrets: Mapping[str, str] = field(repr=False)
    token: str | None = field(repr=False)
    sources: tuple[PushedSettings, ...]
    largest: int
    keep: timedelta
    life: timedelta

    def delivery(self, forge: str, hook: Hook) -> Delivery | Unsigned | Unknown:
        """What a webhook of a forge says. Raises KeyError for a forge without a secret."""
        told = read(forge, hook, self.secrets[forge])
        if not isinstance(told, Told):
            return told
        return Delivery(forge=forge, id=told.delivery, repository=told.repository, kind=told.kind.value)

    def run(self, source: str, document: Any, live: Sequence[str]) -> PushedRun:
        """A run as a pipeline tells it; `live` are the repositories that are watched now. Raises NotARun."""
        try:
            told = RunDocument.model_validate(document)
        except ValidationError as error:
            lines = [f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors()]
            raise NotARun("; ".join(lines)) from None
        kept = told.model_dump(mode="json", exclude_none=True)
        _kept_as_text(kept)
        return PushedRun(
            source=source,
            key=told.key,
            repository=told.repository or self._whose(source, told.job, live),
            job=told.job,
            document=kept,
        )

    def event(self, document: Any, live: Sequence[str]) -> PushedRun | None:
        """An OpenLineage event; None for one that is about no run. Raises NotARun."""
        if not isinstance(document, dict):
            raise NotARun("expected a run event: a JSON object")
        if "run" not in document:
            return None
        try:
            event = slim(document)
        except Unanswered as error:
            raise NotARun(str(error)) from None
        job = f"{event['job']['namespace']}/{event['job']['name']}"
        key = f"{job}\n{event['run']['runId']}\n{event['eventType']}\n{event['eventTime']}"
        _kept_as_text({**event, "key": key})
        repository = self._whose(OPENLINEAGE, job, live)
        return PushedRun(source=OPENLINEAGE, key=key, repository=repository, job=job, document=event)

    def _whose(self, source: str, job: str, live: Sequence[str]) -> str:
        found = concerned(self.sources, source, job, live)
        return found[0] if len(found) == 1 else SEVERAL if found else ""


def _kept_as_text(document: Mapping[str, Any]) -> None:
    """No database keeps these: it would be away for as long as such a run is sent again."""
    text = json.dumps(document, ensure_ascii=False)
    if "\\u0000" in text:
        raise NotARun("a name holds a character of no meaning (U+0000)")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotARun("a name holds half a character (a lone surrogate)") from None


def open_serving(settings: Settings) -> Serving:
    """Open the database, and read the secrets. Raises UsageError for what is missing."""
    given = settings.serve
    secrets = hook_secrets(given, base_folder(settings))
    token = push_token(given, base_folder(settings))
    if not secrets and token is None:
        raise UsageError(
            "greylag serve: nobody could be believed: say under `serve` in greylag.yaml where the secrets of "
            "webhooks are (`hooks: {github: {env: NAME}}`), or the token of those who tell of runs (`token`)"
        )
    engine = connect(settings.database)
    prepare(engine)
    store = Store(engine)
    return Serving(
        store=store,
        clock=clock_of(store),
        secrets=secrets,
        token=token,
        sources=tuple(one for one in settings.health.sources if isinstance(one, PushedSettings)),
        largest=given.largest,
        keep=given.keep,
        life=settings.time_to_live,
    )
