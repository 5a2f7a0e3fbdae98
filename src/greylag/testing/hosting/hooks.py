"""Webhooks: deliveries with a forge's headers, kept so that they can be listed and sent again."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from greylag.testing.hosting.values import Delivery, WebHook

HeadersOf = Callable[[WebHook, Delivery], Mapping[str, str]]


class Hooks:
    """Sends from a thread of its own, in order.

    `lose` drops the next deliveries, as networks do; `repeat` sends the next ones twice, as forges do.
    `headers` says what goes with a delivery besides its content type.
    """

    def __init__(self, clock: Callable[[], datetime], headers: HeadersOf) -> None:
        self._clock = clock
        self._headers = headers
        self._queue: queue.Queue[tuple[WebHook, Delivery] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._ids = 0
        self.lose = 0
        self.repeat = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, name="hosting-hooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what is waiting, and end."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout=10)

    def send(self, hook: WebHook, event: str, body: str) -> Delivery:
        """Tell a hook something; whether it listens to the event is the forge's to know."""
        self._ids += 1
        guid = str(uuid.uuid4())
        made = Delivery(id=self._ids, guid=guid, event=event, body=body, at=self._clock())
        hook.deliveries.append(made)
        self._queue.put((hook, made))
        return made

    def again(self, hook: WebHook, delivery: int) -> bool:
        """Send one again, under the same guid. False when there is none of that number."""
        for one in hook.deliveries:
            if one.id == delivery:
                self._ids += 1
                repeated = Delivery(
                    id=self._ids,
                    guid=one.guid,
                    event=one.event,
                    body=one.body,
                    at=self._clock(),
                    redelivery=True,
                )
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
                delivery.status_code = self._post(client, hook, delivery)
                if self.repeat > 0:
                    self.repeat -= 1
                    self._post(client, hook, delivery)

    def _post(self, client: httpx.Client, hook: WebHook, delivery: Delivery) -> int:
        headers = {"Content-Type": "application/json", **self._headers(hook, delivery)}
        try:
            return client.post(hook.url, content=delivery.body.encode(), headers=headers).status_code
        except httpx.HTTPError:
            return 502  # kept with the delivery, as forges do
