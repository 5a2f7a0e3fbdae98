"""`greylag serve` under attack: whoever has no secret gets nothing in, and holds nothing up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from greylag.app import Settings
from greylag.app.serving import open_serving
from greylag.web.receiving import Receiver
from greylag.web.server import listening

HERE = json.dumps({"repository": {"full_name": "shop/etl"}})
EVENT: dict[str, Any] = {
    "eventType": "FAIL",
    "eventTime": "2026-03-02T09:00:00Z",
    "run": {"runId": "r-1"},
    "job": {"namespace": "prod", "name": "etl.daily"},
}
RUN: dict[str, Any] = {"repository": "shop/etl", "state": "failed", "run": "7", "started": EVENT["eventTime"]}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Receiver]]:
    """The address, and what answers there. GitLab's signing token was cut off behind its beginning."""
    monkeypatch.setenv("GREYLAG_TEST_SECRET", "s3cret")
    monkeypatch.setenv("GREYLAG_TEST_EMPTY", "whsec_")
    document = {
        "database": f"sqlite:///{tmp_path / 'greylag.db'}",
        "serve": {
            "token": {"env": "GREYLAG_TEST_SECRET"},
            "hooks": {"github": {"env": "GREYLAG_TEST_SECRET"}, "gitlab": {"env": "GREYLAG_TEST_EMPTY"}},
        },
        "health": {"sources": [{"kind": "pushed", "source": "nightly"}]},
    }
    with listening(open_serving(Settings.model_validate(document)), "127.0.0.1", 0) as found:
        yield found


def test_an_empty_signing_token_believes_nobody(served: tuple[str, Receiver]) -> None:
    body = json.dumps({"project": {"path_with_namespace": "shop/etl"}}).encode()
    digest = base64.b64encode(hmac.new(b"", b"i.1." + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "i", "webhook-timestamp": "1", "x-gitlab-event": "Push Hook"}
    headers["webhook-signature"] = f"v1,{digest}"
    answer = httpx.post(f"{served[0]}/hooks/gitlab", content=body, headers=headers)
    assert (answer.status_code, "whsec_" in answer.text) == (401, True)


def test_a_form_is_understood(served: tuple[str, Receiver]) -> None:
    """GitHub's webhooks send one unless they are told otherwise: it was taken for nothing to act on."""
    body = urlencode({"payload": HERE}).encode()
    headers = {
        "x-github-event": "push",
        "x-hub-signature-256": f"sha256={hmac.new(b's3cret', body, hashlib.sha256).hexdigest()}",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    }
    answer = httpx.post(f"{served[0]}/hooks/github", content=body, headers=headers)
    assert (answer.status_code, answer.json().get("repository")) == (200, "shop/etl")


def test_what_no_database_keeps_is_refused_for_good(served: tuple[str, Receiver]) -> None:
    """By 422: told that the database is away, a pipeline would send it for ever."""
    runs = [RUN | {"run": "a\0b"}, RUN | {"commit": "\0"}]
    events = [
        EVENT | {"run": {"runId": "r\0"}},
        EVENT | {"eventType": {"FAIL": 1}},
        EVENT | {"run": {"runId": "\ud800"}},
    ]
    for path, documents in (("/health/nightly", runs), ("/api/v1/lineage", events)):
        for document in documents:
            answer = httpx.post(
                f"{served[0]}{path}",
                content=json.dumps(document),
                headers={"Authorization": "Bearer s3cret"},
            )
            assert answer.status_code == 422, (document, answer.text)


def test_a_body_that_never_ends_is_not_waited_for(served: tuple[str, Receiver]) -> None:
    address, receiver = served
    receiver.patience = 0.2
    place = urlsplit(address)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=5) as slow:
        slow.sendall(b"POST /hooks/github HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")
        assert b" 408 " in slow.recv(1000)
    assert httpx.get(f"{address}/healthz").status_code == 200
