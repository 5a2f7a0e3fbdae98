"""Webhooks of the forges: whose they are, and what they say changed. Pure: a delivery is a reason to look.

- GitHub: docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
- GitLab: docs.gitlab.com/user/project/integrations/webhooks: a secret token comes in a header; with a signing
  token (`whsec_…`), as www.standardwebhooks.com says
- Gitea, Forgejo: docs.gitea.com/usage/webhooks
- Bitbucket: support.atlassian.com/bitbucket-cloud/docs/manage-webhooks, and Data Center's event payloads
- Gerrit: gerrit.googlesource.com/plugins/webhooks signs nothing: the secret stands in the address
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

_SIGNING = b"whsec_"
_FORM = "application/x-www-form-urlencoded"
_MOST_SIGNATURES = 10
_LONGEST = 500


class Kind(StrEnum):
    """What changed in a repository."""

    PULL = "pull"
    REMARK = "remark"
    PUSH = "push"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A request as it came in; the names of headers are in lower case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a delivery says. `delivery` is the same when the same delivery is sent again."""

    repository: str
    kind: Kind
    delivery: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """It is not known who sent it: nothing of it is believed."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It is genuine, and nothing that we act on."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """How one forge signs and words its deliveries: `proof` says why a delivery is not believed."""

    proof: Callable[[Hook, bytes], str]
    event: Callable[[Hook, Mapping[str, Any]], str]
    kinds: Mapping[str, Kind]
    repository: Callable[[Mapping[str, Any]], object]
    ids: tuple[str, ...] = ()


def read(forge: str, hook: Hook, secret: str) -> Told | Unsigned | Unknown:
    """What a delivery to the address of a forge says. Raises KeyError for an unknown forge."""
    format_ = FORMATS[forge]
    wrong = format_.proof(hook, secret.encode())
    if wrong:
        return Unsigned(why=wrong)
    try:
        document = json.loads(_content(hook))
    except (ValueError, RecursionError):
        return Unknown(why="its body is no JSON")
    if not isinstance(document, dict):
        return Unknown(why="its body is no JSON object")
    event = format_.event(hook, document)
    kind = format_.kinds.get(event)
    if kind is None:
        return Unknown(why=f"nothing is done about {event[:80]!r}")
    repository = format_.repository(document)
    if not isinstance(repository, str) or not 0 < len(repository) <= _LONGEST or not _plain(repository):
        return Unknown(why=f"{event!r} names no repository")
    given = next((found for name in format_.ids if (found := hook.headers.get(name))), None)
    # Without a name of its own, the same words are the same delivery.
    delivery = given or hashlib.sha256(hook.body).hexdigest()
    return Told(repository=repository, kind=kind, delivery=delivery[:200])


def _content(hook: Hook) -> bytes | str:
    """The JSON: the body itself, or what a form holds (GitHub's and Gitea's other content type)."""
    if not hook.headers.get("content-type", "").lower().startswith(_FORM):
        return hook.body
    return "".join(parse_qs(hook.body.decode("ascii"), max_num_fields=10).get("payload", ()))


def _plain(text: str) -> bool:
    """JSON may hold halves of characters, which can be kept nowhere."""
    return text.isprintable() and not any("\ud800" <= one <= "\udfff" for one in text)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _signed(header: str, prefix: str) -> Callable[[Hook, bytes], str]:
    """Signed by HMAC-SHA256 of the body, in hexadecimal."""

    def proof(hook: Hook, secret: bytes) -> str:
        given = hook.headers.get(header, "")
        if not given:
            return f"there is no {header}: set the same secret in the forge's webhook"
        wanted = prefix + hmac.new(secret, hook.body, hashlib.sha256).hexdigest()
        return "" if _same(given, wanted) else f"{header} does not fit the secret and the body"

    return proof


def _token(hook: Hook, secret: bytes) -> str:
    if secret.startswith(_SIGNING):
        return _standard(hook, secret)
    given = hook.headers.get("x-gitlab-token", "")
    if not given:
        return "there is no x-gitlab-token: set the same secret token in the forge's webhook"
    return "" if _same(given, secret.decode()) else "x-gitlab-token is another one"


def _standard(hook: Hook, secret: bytes) -> str:
    """One of the signatures must fit. How old it may be is not asked: told again, it is the same delivery."""
    try:
        key = base64.b64decode(secret.removeprefix(_SIGNING), validate=True)
    except binascii.Error:
        key = b""
    if not key:  # anybody could sign with an empty one
        return "the signing token is no base64 behind whsec_: copy it as the forge shows it"
    given = hook.headers.get("webhook-signature", "")
    if not given:
        return "there is no webhook-signature: set the same signing token in the forge's webhook"
    name, at = hook.headers.get("webhook-id", ""), hook.headers.get("webhook-timestamp", "")
    content = f"{name}.{at}.".encode() + hook.body
    wanted = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    fits = [_same(one, wanted) for one in given.split()[:_MOST_SIGNATURES]]
    return "" if any(fits) else "webhook-signature does not fit the signing token and the body"


def _address(hook: Hook, secret: bytes) -> str:
    given = hook.query.get("token", "")
    if not given:
        return "there is no ?token=… in the address: Gerrit signs nothing, so the secret stands there"
    return "" if _same(given, secret.decode()) else "the address holds another token"


def _header(name: str) -> Callable[[Hook, Mapping[str, Any]], str]:
    return lambda hook, _: hook.headers.get(name, "")


def _dig(document: object, *names: str) -> object:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _full_name(document: Mapping[str, Any]) -> object:
    return _dig(document, "repository", "full_name")


def _on_bitbucket(document: Mapping[str, Any]) -> object:
    """Cloud names it in full; Data Center by the project's key and a slug, in a pull request's target."""
    told = _full_name(document)
    if told is not None:
        return told
    place = _dig(document, "pullRequest", "toRef", "repository") or document.get("repository")
    key, slug = _dig(place, "project", "key"), _dig(place, "slug")
    return f"{key}/{slug}" if isinstance(key, str) and isinstance(slug, str) else None


def _on_gerrit(document: Mapping[str, Any]) -> object:
    for names in (("project",), ("change", "project"), ("refUpdate", "project")):
        told = _dig(document, *names)
        told = _dig(told, "name") if isinstance(told, dict) else told
        if isinstance(told, str):
            return told
    return None


FORMATS: Mapping[str, _Format] = {
    "github": _Format(
        proof=_signed("x-hub-signature-256", "sha256="),
        event=_header("x-github-event"),
        kinds={
            "pull_request": Kind.PULL,
            "pull_request_review": Kind.PULL,
            "issue_comment": Kind.REMARK,
            "push": Kind.PUSH,
            "delete": Kind.PUSH,
            "status": Kind.CHECK,
            "check_run": Kind.CHECK,
            "check_suite": Kind.CHECK,
        },
        repository=_full_name,
        ids=("x-github-delivery",),
    ),
    "gitlab": _Format(
        proof=_token,
        event=_header("x-gitlab-event"),
        kinds={
            "Merge Request Hook": Kind.PULL,
            "Note Hook": Kind.REMARK,
            "Confidential Note Hook": Kind.REMARK,
            "Push Hook": Kind.PUSH,
            "Pipeline Hook": Kind.CHECK,
            "Job Hook": Kind.CHECK,
        },
        repository=lambda document: _dig(document, "project", "path_with_namespace"),
        ids=("webhook-id", "idempotency-key", "x-gitlab-event-uuid"),
    ),
    "gitea": _Format(
        proof=_signed("x-gitea-signature", ""),
        event=_header("x-gitea-event"),
        kinds={
            "pull_request": Kind.PULL,
            "pull_request_sync": Kind.PULL,
            "pull_request_approved": Kind.PULL,
            "pull_request_rejected": Kind.PULL,
            "pull_request_comment": Kind.REMARK,
            "issue_comment": Kind.REMARK,
            "push": Kind.PUSH,
            "delete": Kind.PUSH,
            "status": Kind.CHECK,
        },
        repository=_full_name,
        ids=("x-gitea-delivery",),
    ),
    "bitbucket": _Format(
        proof=_signed("x-hub-signature", "sha256="),
        event=_header("x-event-key"),
        kinds={
            "pullrequest:created": Kind.PULL,
            "pullrequest:updated": Kind.PULL,
            "pullrequest:approved": Kind.PULL,
            "pullrequest:unapproved": Kind.PULL,
            "pullrequest:fulfilled": Kind.PULL,
            "pullrequest:rejected": Kind.PULL,
            "pullrequest:comment_created": Kind.REMARK,
            "pullrequest:comment_updated": Kind.REMARK,
            "repo:push": Kind.PUSH,
            "repo:commit_status_created": Kind.CHECK,
            "repo:commit_status_updated": Kind.CHECK,
            "pr:opened": Kind.PULL,
            "pr:modified": Kind.PULL,
            "pr:from_ref_updated": Kind.PULL,
            "pr:merged": Kind.PULL,
            "pr:declined": Kind.PULL,
            "pr:deleted": Kind.PULL,
            "pr:comment:added": Kind.REMARK,
            "pr:comment:edited": Kind.REMARK,
            "repo:refs_changed": Kind.PUSH,
        },
        repository=_on_bitbucket,
        ids=("x-request-uuid", "x-request-id"),
    ),
    "gerrit": _Format(
        proof=_address,
        event=lambda _, document: str(document.get("type", "")),
        kinds={
            "patchset-created": Kind.PULL,
            "change-merged": Kind.PULL,
            "change-abandoned": Kind.PULL,
            "change-restored": Kind.PULL,
            "wip-state-changed": Kind.PULL,
            "vote-deleted": Kind.PULL,
            "comment-added": Kind.REMARK,
            "ref-updated": Kind.PUSH,
        },
        repository=_on_gerrit,
    ),
}
"""By the last part of the address that a forge is told: `/hooks/github`."""
