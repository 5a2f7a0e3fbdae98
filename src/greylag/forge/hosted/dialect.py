"""In what forges' HTTP differs: how pages follow, how a fault is worded, how a limit is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

_NUMBER = re.compile(r"[0-9]{1,12}")

Page = tuple[list[Any], str | None]
"""Items, and the address of the next page."""


def linked(answer: httpx.Response, document: Any, field_: str | None) -> Page:
    """Pages that a `Link` header joins; `field_` is where the items stand in the document."""
    items = document[field_] if field_ else document
    return list(items), answer.links.get("next", {}).get("url")


def limited_for(answer: httpx.Response, said: str, now: float) -> float | None:
    """Seconds to wait for a limit; None when the answer is about something else.

    `Retry-After`, then the reset that GitHub (`x-ratelimit-…`) and GitLab (`ratelimit-…`) tell.
    """
    if answer.status_code not in (403, 429):
        return None
    after = answer.headers.get("retry-after", "")
    if _NUMBER.fullmatch(after):
        return float(after)
    for name in ("x-ratelimit", "ratelimit"):
        reset = answer.headers.get(f"{name}-reset", "")
        if answer.headers.get(f"{name}-remaining") == "0" and _NUMBER.fullmatch(reset):
            return max(1.0, float(reset) - now + 1)
    if answer.status_code == 429 or "secondary rate limit" in said.lower():
        return 60.0  # what GitHub asks for where it names no time
    return None


def words(answer: httpx.Response) -> str:
    """What a refusal says, on one line."""
    try:
        document = answer.json()
    except ValueError:
        return " ".join(answer.text[:200].split())
    if not isinstance(document, dict):
        return ""
    told = [_word(document.get(name)) for name in ("message", "error", "error_description", "errors")]
    return " ".join("; ".join(one for one in told if one).split())


def _word(value: Any) -> str:
    """Forges say it as a text, as a list, as an object of lists (GitLab), or as objects with a message."""
    if isinstance(value, dict):
        if isinstance(value.get("message"), str):
            more = _word(value.get("detail"))
            return f"{value['message']}; {more}" if more else str(value["message"])
        if isinstance(value.get("field"), str):
            return str(value["field"])
        return "; ".join(f"{name}: {_word(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(part for part in (_word(one) for one in value) if part)
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one forge's HTTP is spoken. The defaults are those of GitHub and of those who followed it.

    `headers` go with every request. `page` is asked for with every list, `size` is how many items a full page
    has. `paged` reads a page. `read` reads a document (Gerrit puts something before it). `quiet` finds the
    addresses whose changes notify nobody, which limits on content are not about. `slow`: by the end of an
    address, the requests that it takes a minute.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    page: Mapping[str, str | int] = field(default_factory=lambda: {"per_page": 100})
    size: int = 100
    paged: Callable[[httpx.Response, Any, str | None], Page] = linked
    read: Callable[[bytes], Any] = json.loads
    words: Callable[[httpx.Response], str] = words
    limited: Callable[[httpx.Response, str, float], float | None] = limited_for
    quiet: re.Pattern[str] | None = None
    slow: Mapping[str, float] = field(default_factory=dict)
