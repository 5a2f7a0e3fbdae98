"""Sending through apprise: Slack, Teams, mail, and a hundred others, by URL. https://github.com/caronc/apprise"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from greylag.domain.errors import UsageError
from greylag.engine.notices import NotSent


@dataclass(frozen=True, slots=True)
class AppriseSender:
    """Sends to all URLs that `urls` gives when it is called; `place` names where they come from.

    The URLs are secrets: they stand in no message.
    """

    urls: Callable[[], tuple[str, ...]]
    place: str

    def __call__(self, title: str, body: str) -> None:
        """See `Sender`."""
        import apprise

        target = apprise.Apprise()
        for number, url in enumerate(self.urls(), start=1):
            if not target.add(url):
                raise NotSent(f"{self.place}: address {number} is none that apprise knows")
        if not len(target):
            raise NotSent(f"{self.place}: no address")
        try:
            # Every address is tried; False when one of them did not take it.
            sent = target.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT)
        except (TypeError, ValueError, OSError) as error:
            raise NotSent(f"{self.place}: {type(error).__name__}") from None
        if not sent:
            raise NotSent(f"{self.place}: at least one address did not take the message")


def require_apprise() -> None:
    """Raises UsageError where apprise is not installed. Its own log, which shows addresses, is silenced."""
    try:
        import apprise
    except ModuleNotFoundError as error:
        raise UsageError(f"`notify` needs {error.name}: pip install 'greylag[notify]'") from error
    del apprise
    logging.getLogger("apprise").addFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False
