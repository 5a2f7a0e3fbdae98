"""Changes over the API (Documentation/rest-api-changes.txt): found, read, talked about, abandoned."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from greylag.testing.gerrit import shapes
from greylag.testing.gerrit.front import PREFIX, GerritCall
from greylag.testing.gerrit.values import Change, GerritRepo, account_id, fault, moment
from greylag.testing.hosting import Answer, ApiError, Route

ONE = r"/changes/(?P<change>[^/]+)"
REVISION = ONE + r"/revisions/(?P<revision>[^/]+)"
_TERM = re.compile(r'(\w+):(?:"([^"]*)"|(\S+))')
_MOST = 500
_MESSAGE = 16_384
_STATUS = {"open": "NEW", "new": "NEW", "merged": "MERGED", "abandoned": "ABANDONED"}


def query(call: GerritCall) -> Answer:
    """Those that a query finds, last changed first; `_more_changes` on the last one where there are more."""
    text = call.query.get("q", "")
    if not text:
        raise fault(400, "a query is needed")
    terms = _TERM.findall(text)
    if _TERM.sub("", text).strip():
        raise fault(400, f"line 1: no viable alternative at {text!r}")
    fits = [_fits(name, quoted or plain, call) for name, quoted, plain in terms]
    seen = [
        one for one in call.memory.changes.values() if call.memory.repos[one.project].may(call.user, "read")
    ]
    found = [one for one in seen if all(fit(one) for fit in fits)]
    found.sort(key=lambda one: (one.updated, one.number), reverse=True)
    start, size = int(call.query.get("S", "0")), min(_MOST, int(call.query.get("n", str(_MOST))))
    part = [shapes.change(call.memory, one, call.every("o")) for one in found[start : start + size]]
    if part and start + size < len(found):
        part[-1]["_more_changes"] = True
    return Answer(document=part)


def _fits(name: str, value: str, call: GerritCall) -> Callable[[Change], bool]:
    known: dict[str, Callable[[Change], bool]] = {
        "project": lambda one: one.project == value,
        "branch": lambda one: one.branch == value,
        "change": lambda one: value in (str(one.number), one.change_id),
        "hashtag": lambda one: value in one.hashtags,
        "topic": lambda one: one.topic == value,
        "owner": lambda one: one.owner == (call.user if value == "self" else value),
        "status": lambda one: one.status == _STATUS.get(value),
        "is": lambda one: one.status == _STATUS.get(value),
        "after": lambda one: one.updated >= _time(value),
    }
    if name not in known:
        raise fault(400, f"Unsupported operator {name}:{value}")
    return known[name]


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise fault(400, f"{text} is not a valid date") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read(call: GerritCall) -> Answer:
    """One."""
    return Answer(document=shapes.change(call.memory, call.change(), call.every("o")))


def comments(call: GerritCall) -> Answer:
    """Comments by path; those on the patch set as a whole are at `/PATCHSET_LEVEL`."""
    change = call.change()
    listed = [
        {
            "id": one.id,
            "author": shapes.account(one.author),
            "patch_set": one.patch_set,
            "updated": moment(one.at),
            "message": one.text,
            "unresolved": False,
        }
        for one in change.comments
    ]
    return Answer(document={"/PATCHSET_LEVEL": listed} if listed else {})


def review(call: GerritCall) -> Answer:
    """A message, and votes. 400 for a label that there is not, 403 for a value that is not permitted."""
    change = call.change()
    ps = call.patch_set(change)
    repo = call.memory.repos[change.project]
    votes = {str(name): int(value) for name, value in (call.field("labels") or {}).items()}
    text = str(call.field("message") or "")
    tag = call.field("tag")
    if len(text) > _MESSAGE:
        raise fault(400, f"Comment size exceeds limit ({len(text)} > {_MESSAGE})")
    if tag is not None and "\n" in str(tag):
        raise fault(400, "invalid tag")
    _check_votes(call, repo, votes)
    if votes and change.status != "NEW":
        raise fault(409, "change is closed")
    if votes and ps is not change.current:
        raise fault(409, "cannot vote on an old patch set")
    head = "".join(f" {name}{value:+d}" if value else f" -{name}" for name, value in votes.items())
    for name, value in votes.items():
        change.votes[name, call.login] = value
    if call.login not in change.reviewers and call.login != change.owner:
        change.reviewers[call.login] = "REVIEWER" if votes else "CC"
    if text or votes:
        call.memory.tell(change, call.login, text, tag=tag, head=head)
    return Answer(document={"labels": votes})


def _check_votes(call: GerritCall, repo: GerritRepo, votes: Mapping[str, int]) -> None:
    for name, value in votes.items():
        if name not in repo.labels:
            raise fault(400, f'label "{name}" is not a configured label')
        least, most = repo.labels[name] if repo.may(call.user, "write") else (-1, 1)
        if not least <= value <= most:
            raise fault(403, f'Applying label "{name}": {value} is restricted.')


def abandon(call: GerritCall) -> Answer:
    """Given up; it can be restored. 409 for one that is closed."""
    change = call.open_change()
    if call.user != change.owner:
        call.may(change, "write", "abandon")
    change.status = "ABANDONED"
    call.memory.log(change, call.login, f"Abandoned\n\n{call.field('message') or ''}".strip())
    return Answer(document=shapes.change(call.memory, change, ()))


def restore(call: GerritCall) -> Answer:
    """Open again."""
    change = call.change()
    if change.status != "ABANDONED":
        raise fault(409, f"change is {change.status.lower()}")
    change.status = "NEW"
    call.memory.log(change, call.login, "Restored")
    return Answer(document=shapes.change(call.memory, change, ()))


def ready(call: GerritCall) -> Answer:
    """No longer in progress: reviewers hear of it."""
    change = call.open_change()
    if not change.wip:
        raise fault(409, "change is not work in progress")
    change.wip = False
    change.attention = [one for one, kind in change.reviewers.items() if kind == "REVIEWER"]
    call.memory.log(change, call.login, "Set Ready For Review")
    return Answer(document="")


def hashtags(call: GerritCall) -> Answer:
    """Add and remove some."""
    change = call.change()
    change.hashtags = [one for one in change.hashtags if one not in (call.field("remove") or ())]
    change.hashtags += [one for one in call.field("add") or () if one not in change.hashtags]
    return Answer(document=sorted(change.hashtags))


def add_reviewer(call: GerritCall) -> Answer:
    """A user or a group. 400, with the reason in the document, for who is unknown or does not see it."""
    change = call.change()
    name = str(call.field("reviewer") or "")
    members = call.memory.groups.get(name)
    login = call.memory.login_of(name)
    if login is None and members is None:
        raise _not_added(name, f"{name} does not identify a registered user or group")
    people = members if login is None else (login,)
    repo = call.memory.repos[change.project]
    hidden = [one for one in people or () if not repo.may(one, "read")]
    if hidden:
        raise _not_added(name, f"{hidden[0]} does not have permission to see this change")
    for one in people or ():
        change.reviewers[one] = str(call.field("state") or "REVIEWER")
        if not change.wip and one not in change.attention:
            change.attention.append(one)
    shown = [{**shapes.account(one), "approvals": {}} for one in people or ()]
    return Answer(document={"input": name, "reviewers": shown})


def _not_added(name: str, why: str) -> ApiError:
    return ApiError(400, PREFIX + json.dumps({"input": name, "error": why}).encode())


def server_info(call: GerritCall) -> Answer:
    """What the server is set to; the part that clients need."""
    return Answer(document={"change": {"submit_whole_topic": call.memory.whole_topic}})


def myself(call: GerritCall) -> Answer:
    """Whose credentials these are."""
    return Answer(document=shapes.account(call.login) | {"_account_id": account_id(call.login)})


ROUTES: tuple[Route[GerritCall], ...] = (
    ("GET", r"/config/server/info", server_info),
    ("GET", r"/accounts/self", myself),
    ("GET", r"/changes/", query),
    ("GET", ONE, read),
    ("GET", ONE + "/comments", comments),
    ("POST", REVISION + "/review", review),
    ("POST", ONE + "/abandon", abandon),
    ("POST", ONE + "/restore", restore),
    ("POST", ONE + "/ready", ready),
    ("POST", ONE + "/hashtags", hashtags),
    ("POST", ONE + "/reviewers", add_reviewer),
)
