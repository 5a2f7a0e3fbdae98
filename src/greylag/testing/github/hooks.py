"""Webhooks: signed deliveries, kept so that they can be listed and sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

from greylag.testing.github.values import Hook, Repo, stamp


class Hooks:
    """Sends from a thread of its own, in order. `lose` drops the next deliveries, as networks do."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._queue: queue.Queue[tuple[Hook, dict[str, Any]] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._ids = 0
        self.lose = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, name="github-hooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what is waiting, and end."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout=10)

    def send(self, repo: Repo, event: str, payload: Mapping[str, Any]) -> None:
        """Tell every hook of a repository that listens to an event."""
        for hook in repo.hooks.values():
            if event not in hook.events and "*" not in hook.events:
                continue
            self._ids += 1
            body = json.dumps({"repository": {"full_name": repo.full_name}, **payload})
            delivery: dict[str, Any] = {
                "id": self._ids,
                "guid": str(uuid.uuid4()),
                "event": event,
                "body": body,
                "redelivery": False,
                "delivered_at": stamp(self._clock()),
                "status_code": 0,
            }
            hook.deliveries.append(delivery)
            self._queue.put((hook, delivery))

    def again(self, hook: Hook, delivery: int) -> bool:
        """Send one again, under the same guid. False when there is none of that number."""
        for one in hook.deliveries:
            if one["id"] == delivery:
                self._ids += 1
                repeated = one | {"id": self._ids, "redelivery": True, "status_code": 0}
                hook.deliveries.append(repeated)
                self._queue.put((hook, repeated))
                return True
        return False

    def _run(self) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while (item := self._queue.get()) is not None:
                hook, delivery = item
                if self.lose > 0:
                    self.lose -= 1
                    continue
                delivery["status_code"] = self._post(client, hook, delivery)

    @staticmethod
    def _post(client: httpx.Client, hook: Hook, delivery: Mapping[str, Any]) -> int:
        body = delivery["body"].encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/greylag-testing",
            "X-GitHub-Event": delivery["event"],
            "X-GitHub-Delivery": delivery["guid"],
            "X-GitHub-Hook-ID": str(hook.id),
        }
        if hook.secret:
            headers["X-Hub-Signature-256"] = signature(hook.secret, body)
        try:
            return client.post(hook.url, content=body, headers=headers).status_code
        except httpx.HTTPError:
            return 502  # kept with the delivery, as GitHub does


def signature(secret: str, body: bytes) -> str:
    """What `X-Hub-Signature-256` says of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
