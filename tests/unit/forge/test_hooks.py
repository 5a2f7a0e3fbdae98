"""Webhooks of five forges: genuine ones are understood, and nothing else is believed."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from greylag.forge.hooks import FORMATS, Hook, Kind, Told, Unknown, Unsigned, read

SECRET = "s3cret"
HERE = {"repository": {"full_name": "shop/etl"}}
PROJECT = {"project": {"key": "SHOP"}, "slug": "etl"}


def hook(forge: str, event: str, document: Any, name: str = "d-1") -> Hook:
    """A delivery, signed as the forge's documentation says."""
    body = json.dumps(document).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "github": {
            "x-github-event": event, "x-github-delivery": name, "x-hub-signature-256": f"sha256={digest}",
        },
        "gitlab": {"x-gitlab-event": event, "idempotency-key": name, "x-gitlab-token": SECRET},
        "gitea": {"x-gitea-event": event, "x-gitea-delivery": name, "x-gitea-signature": digest},
        "bitbucket": {"x-event-key": event, "x-request-uuid": name, "x-hub-signature": f"sha256={digest}"},
        "gerrit": {},
    }[forge]  # fmt: skip
    return Hook(headers=headers, query={"token": SECRET} if forge == "gerrit" else {}, body=body)


CASES = [
    ("github", "pull_request", HERE, "shop/etl", Kind.PULL),
    ("github", "issue_comment", HERE, "shop/etl", Kind.REMARK),
    ("github", "push", HERE, "shop/etl", Kind.PUSH),
    ("gitlab", "Merge Request Hook", {"project": {"path_with_namespace": "g/s/etl"}}, "g/s/etl", Kind.PULL),
    ("gitlab", "Note Hook", {"project": {"path_with_namespace": "g/etl"}}, "g/etl", Kind.REMARK),
    ("gitea", "pull_request", HERE, "shop/etl", Kind.PULL),
    ("gitea", "issue_comment", HERE, "shop/etl", Kind.REMARK),
    ("bitbucket", "pullrequest:fulfilled", HERE, "shop/etl", Kind.PULL),
    ("bitbucket", "pr:merged", {"pullRequest": {"toRef": {"repository": PROJECT}}}, "SHOP/etl", Kind.PULL),
    ("bitbucket", "repo:refs_changed", {"repository": PROJECT}, "SHOP/etl", Kind.PUSH),
    ("gerrit", "", {"type": "change-merged", "change": {"project": "etl"}}, "etl", Kind.PULL),
    ("gerrit", "", {"type": "ref-updated", "refUpdate": {"project": "a/etl"}}, "a/etl", Kind.PUSH),
]


@pytest.mark.parametrize(("forge", "event", "document", "repository", "kind"), CASES)
def test_what_a_forge_tells(forge: str, event: str, document: Any, repository: str, kind: Kind) -> None:
    genuine = hook(forge, event, document)
    told = read(forge, genuine, SECRET)
    assert isinstance(told, Told)
    assert (told.repository, told.kind) == (repository, kind)
    assert told == read(forge, genuine, SECRET), "the same, sent again, has the same name"
    assert isinstance(read(forge, genuine, "another"), Unsigned)
    bare = read(forge, replace(genuine, headers={}, query={}), SECRET)
    assert isinstance(bare, Unsigned) and "secret" in bare.why


@pytest.mark.parametrize("forge", ["github", "gitea", "bitbucket"])
def test_a_signature_is_of_the_very_bytes(forge: str) -> None:
    event = {"github": "push", "gitea": "push", "bitbucket": "repo:push"}[forge]
    genuine = hook(forge, event, HERE)
    assert isinstance(read(forge, genuine, SECRET), Told)
    forged = replace(genuine, body=genuine.body.replace(b"shop", b"evil"))
    assert isinstance(read(forge, forged, SECRET), Unsigned)
    name = next(one for one in genuine.headers if "signature" in one)
    for wrong in ("", "sha256=", genuine.headers[name].upper(), "ä" * 64, f"sha1={genuine.headers[name]}"):
        odd = replace(genuine, headers={**genuine.headers, name: wrong})
        assert isinstance(read(forge, odd, SECRET), Unsigned), wrong


@pytest.mark.parametrize("forge", FORMATS)
@pytest.mark.parametrize(
    "document",
    [
        [],
        "x",
        {},
        {"repository": 7, "project": [], "type": 3},
        {"repository": {"full_name": "half \ud800"}, "project": {"path_with_namespace": "a\nb"}},
        {"repository": {"full_name": "x" * 600}, "project": {"path_with_namespace": ""}},
    ],
)
def test_what_is_genuine_and_nothing_to_us(forge: str, document: Any) -> None:
    for event in (*FORMATS[forge].kinds, "ping", ""):
        assert isinstance(read(forge, hook(forge, event, document), SECRET), Unknown)


def test_without_a_name_of_its_own_the_words_name_a_delivery() -> None:
    one = hook("gerrit", "", {"type": "change-merged", "change": {"project": "a"}, "eventCreatedOn": 1})
    other = hook("gerrit", "", {"type": "change-merged", "change": {"project": "a"}, "eventCreatedOn": 2})
    told = [read("gerrit", each, SECRET) for each in (one, one, other)]
    assert [each.delivery for each in told if isinstance(each, Told)][0:2] == [told[0].delivery] * 2  # type: ignore[union-attr]
    assert told[0] != told[2]


def test_a_signing_token_of_gitlab() -> None:
    """The example of the specification: github.com/standard-webhooks/standard-webhooks."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = {
        "x-gitlab-event": "Push Hook",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,wrong v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    genuine = Hook(headers=headers, query={}, body=body)
    assert read("gitlab", genuine, secret) == Unknown(why="'Push Hook' names no repository")
    for name, value in {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,"}.items():
        odd = replace(genuine, headers={**headers, name: value})
        assert isinstance(read("gitlab", odd, secret), Unsigned), name
    plain = replace(genuine, headers={"x-gitlab-event": "Push Hook", "x-gitlab-token": secret})
    assert isinstance(read("gitlab", plain, secret), Unsigned), "a signing token is never taken in the clear"
    assert "base64" in str(read("gitlab", genuine, "whsec_*"))
