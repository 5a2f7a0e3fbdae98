"""The server: one thread of HTTP, one that writes; both end in order."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from greylag.app.serving import Serving
from greylag.domain.errors import UsageError
from greylag.web.intake import Intake
from greylag.web.receiving import Receiver

_GRACE_SECONDS = 10


@contextmanager
def listening(serving: Serving, host: str, port: int) -> Iterator[tuple[str, Receiver]]:
    """Serve while the block lasts; gives the address, and what answers there.

    At the end requests under way are answered, and what was taken in is written down. Raises UsageError for
    an address that cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"{host}:{port} cannot be listened on: {why}") from error
    intake = Intake(serving)
    receiver = Receiver(serving, intake)
    config = uvicorn.Config(
        receiver.app(),
        log_config=None,
        access_log=False,  # an address may hold a secret
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([opened],), name="greylag-http", daemon=True)
    shown = f"[{host}]" if ":" in host else host
    with opened:
        intake.start()
        thread.start()
        try:
            yield f"http://{shown}:{opened.getsockname()[1]}", receiver
        finally:
            server.should_exit = True
            thread.join(timeout=_GRACE_SECONDS + 5)
            intake.end()
