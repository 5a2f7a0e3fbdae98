"""Pull requests over the API: made, changed, declined, merged at once or in the background."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from greylag.testing.bitbucket import shapes
from greylag.testing.bitbucket.front import BitbucketCall
from greylag.testing.bitbucket.values import STRATEGIES, BitbucketRepo, Task, fault, uuid_of
from greylag.testing.hosting import Answer, ApiError, Git, Pull, Refused, Route

HERE = r"/repositories/(?P<workspace>[^/]+)/(?P<slug>[^/]+)"
ONE = HERE + r"/pullrequests/(?P<number>\d+)"
_TITLE = 255
_TERM = re.compile(r'\s*(source\.branch\.name|author\.uuid)\s*(=|~)\s*"([^"]*)"\s*')


def found(call: BitbucketCall, repo: BitbucketRepo) -> Pull:
    """The pull request of the path. Raises 404."""
    pull = repo.pulls.get(int(call.args["number"]))
    if pull is None:
        raise fault(404, "Pull request not found")
    return pull


def shaped(call: BitbucketCall, repo: BitbucketRepo, pull: Pull, *, whole: bool = False) -> dict[str, Any]:
    """A pull request's document."""
    count = sum(
        1 for one in repo.comments.values() if one.number == pull.number and not one.extra.get("deleted")
    )
    return shapes.pull(repo, pull, call.base, call.memory.user, whole=whole, comments=count)


def _state(pull: Pull) -> str:
    if pull.merged_at is not None:
        return "MERGED"
    return {"open": "OPEN", "closed": "DECLINED"}[pull.state]


def listed(call: BitbucketCall) -> Answer:
    """By state (open ones where none is named) and source branch; newest first."""
    repo = call.repo()
    states = call.every("state") or ["OPEN"]
    if not {"OPEN", "MERGED", "DECLINED", "SUPERSEDED"}.issuperset(states):
        raise fault(400, "Invalid state")
    wanted = _wanted(call.query.get("q", ""))
    pulls = [one for one in repo.pulls.values() if _state(one) in states and wanted(one)]
    key = call.query.get("sort", "-updated_on")
    if key.lstrip("-") not in ("id", "created_on", "updated_on"):
        raise fault(400, f"Invalid field name: {key}")
    pulls.sort(key=lambda one: one.number, reverse=key.startswith("-"))
    return Answer(document=[shaped(call, repo, pull) for pull in pulls])


def _wanted(query: str) -> Callable[[Pull], bool]:
    """As much of the query language as is sure: comparisons, joined by OR, in parentheses."""
    parts = [part for part in query.strip().removeprefix("(").removesuffix(")").split(" OR ") if part]
    terms = [_TERM.fullmatch(part) for part in parts]

    def fits(pull: Pull) -> bool:
        facts = {"source.branch.name": pull.head, "author.uuid": uuid_of(pull.user)}
        return not terms or any(
            (one[3].lower() in facts[one[1]].lower()) if one[2] == "~" else one[3] == facts[one[1]]
            for one in terms
            if one is not None
        )

    if None in terms:
        raise fault(400, f"Invalid query: {query}")
    return fits


def read(call: BitbucketCall) -> Answer:
    """One."""
    repo = call.repo()
    return Answer(document=shaped(call, repo, found(call, repo), whole=True))


def _branch(end: Any, git: Git, field: str) -> tuple[str, str]:
    name = ((end or {}).get("branch") or {}).get("name")
    sha = git.branch(str(name)) if name else None
    if sha is None:
        raise fault(400, f"{field}: branch not found: {name}", **{field: f"branch not found: {name}"})
    return str(name), sha


def _reviewers(call: BitbucketCall, repo: BitbucketRepo, author: str) -> list[str]:
    """Logins of the accounts that the body names. Raises 400 for one that cannot review."""
    names: list[str] = []
    for one in call.body.get("reviewers") or ():
        login = next((who for who in repo.access if one.get("uuid") == uuid_of(who)), None)
        if login is None or not repo.may(login, "read"):
            raise fault(400, "reviewers: Malformed reviewers list", reviewers="Malformed reviewers list")
        if login == author:
            said = f"{login} is the author and cannot be included as a reviewer."
            raise fault(400, f"reviewers: {said}", reviewers=said)
        names.append(login)
    return list(dict.fromkeys(names))


def _title(call: BitbucketCall) -> str:
    title = call.text("title")
    if len(title) > _TITLE:
        raise fault(400, "title: Ensure this value has at most 255 characters", title="too long")
    return title


def create(call: BitbucketCall) -> Answer:
    """A new one. Default reviewers are not added: that is what the web pages do."""
    repo = call.repo("read")
    git = Git(repo.path)
    title = _title(call)
    head, sha = _branch(call.body.get("source"), git, "source")
    wanted = call.body.get("destination") or {"branch": {"name": git.default}}
    base, tip = _branch(wanted, git, "destination")
    if git.contains(tip, sha) or git.base(tip, sha) is None:
        raise fault(400, "There are no changes to be pulled")
    body = str(call.body.get("description") or "")
    reviewers = _reviewers(call, repo, call.user or "")
    known = [
        one for one in repo.pulls.values() if one.state == "open" and (one.head, one.base) == (head, base)
    ]
    now = call.memory.now()
    if known and call.memory.duplicates == "refuse":
        raise fault(400, "There is already an open pull request for this source and destination")
    if known:
        (pull,) = known
        pull.title, pull.body, pull.reviewers, pull.updated = title, body, reviewers, now
        return Answer(status=201, document=shaped(call, repo, pull, whole=True))
    repo.last_number += 1
    pull = Pull(
        number=repo.last_number,
        title=title,
        body=body,
        user=call.user or "",
        head=head,
        base=base,
        head_sha=sha,
        base_sha=tip,
        draft=bool(call.body.get("draft")),
        created=now,
        updated=now,
        reviewers=reviewers,
    )
    repo.pulls[pull.number] = pull
    call.memory.happened(repo, "opened", pull, call.user or "")
    return Answer(status=201, document=shaped(call, repo, pull, whole=True))


def change(call: BitbucketCall) -> Answer:
    """Only an open one. The whole is put: reviewers that are left out are dropped."""
    repo = call.repo("read")
    pull = found(call, repo)
    _may_change(call, repo, pull)
    if pull.state != "open":
        raise fault(400, "Only open pull requests can be mutated")
    git = Git(repo.path)
    pull.title = _title(call)
    pull.reviewers = _reviewers(call, repo, pull.user)
    if "description" in call.body:
        pull.body = str(call.body["description"] or "")
    if call.body.get("destination"):
        pull.base, pull.base_sha = _branch(call.body["destination"], git, "destination")
    pull.draft = bool(call.body.get("draft", pull.draft))
    pull.updated = call.memory.now()
    call.memory.happened(repo, "changed", pull, call.user or "")
    return Answer(document=shaped(call, repo, pull, whole=True))


def _may_change(call: BitbucketCall, repo: BitbucketRepo, pull: Pull) -> None:
    if call.user != pull.user and not repo.may(call.user, "write"):
        raise fault(403, "You don't have permission to change this pull request.")


def decline(call: BitbucketCall) -> Answer:
    """Not to be undone: a declined one is never opened again."""
    repo = call.repo("read")
    pull = found(call, repo)
    _may_change(call, repo, pull)
    if pull.state != "open":
        raise fault(400, "Pull request is already closed")
    pull.state, pull.closed_at = "closed", call.memory.now()
    pull.updated, pull.extra["closed_by"] = pull.closed_at, call.user
    call.memory.happened(repo, "closed", pull, call.user or "")
    return Answer(document=shaped(call, repo, pull, whole=True))


def merge(call: BitbucketCall) -> Answer:
    """At once, or in the background (202, and where to ask). There is no way to say which commit is meant."""
    repo = call.repo("write")
    pull = found(call, repo)
    _mergeable(repo, pull, call.body)
    if repo.slow or call.query.get("async") == "true":
        task = Task(
            id=secrets.token_hex(8), number=pull.number, left=repo.slow, wish=call.body, login=call.user or ""
        )
        repo.tasks[task.id] = task
        here = f"{call.base}/2.0/repositories/{repo.full_name}/pullrequests/{pull.number}"
        return Answer(status=202, headers={"Location": f"{here}/merge/task-status/{task.id}"})
    _merge_now(call, repo, pull, call.body, call.user or "")
    return Answer(document=shaped(call, repo, pull, whole=True))


def _mergeable(repo: BitbucketRepo, pull: Pull, wish: Mapping[str, Any]) -> None:
    if pull.state != "open":
        raise fault(400, "This pull request is already closed.")
    if pull.draft:
        raise fault(400, "You can't merge a draft pull request.")
    if wish.get("merge_strategy", "merge_commit") not in STRATEGIES:
        raise fault(400, "merge_strategy: invalid choice", merge_strategy="invalid choice")
    strategy = STRATEGIES[str(wish.get("merge_strategy", "merge_commit"))]
    if strategy not in repo.methods:
        raise fault(400, "The merge strategy is not allowed for the destination branch.")
    newest = {one.context: one.state for one in repo.statuses if one.sha == pull.head_sha}
    missing = [key for key in repo.required if newest.get(key) != "SUCCESSFUL"]
    if missing:
        raise fault(400, f"1 failed merge check: the build {missing[0]} has to be successful")


def _merge_now(
    call: BitbucketCall, repo: BitbucketRepo, pull: Pull, wish: Mapping[str, Any], login: str
) -> None:
    meanwhile, call.memory.before_merge = call.memory.before_merge, None
    if meanwhile is not None:
        meanwhile()
    git = Git(repo.path)
    head, tip = git.branch(pull.head), git.branch(pull.base)
    if head is None or tip is None:
        raise fault(409, "Unable to merge because one of the refs involved changed while attempting to merge")
    method = STRATEGIES[str(wish.get("merge_strategy", "merge_commit"))]
    default = f"Merged in {pull.head} (pull request #{pull.number})\n\n{pull.title}\n"
    message = str(wish.get("message") or default)
    now = call.memory.now()
    try:
        sha = git.merge(method, tip, head, message=message, login=login, when=now)
    except Refused as refused:
        raise fault(400, "Conflicts during merge.") from refused
    git.move(pull.base, sha)
    pull.head_sha, pull.base_sha = head, tip
    pull.state, pull.closed_at, pull.merged_at, pull.updated = "closed", now, now, now
    pull.merge_sha, pull.extra["closed_by"] = sha, login
    if wish.get("close_source_branch"):
        git.move(pull.head, None)
    call.memory.happened(repo, "merged", pull, login)


def task(call: BitbucketCall) -> Answer:
    """A merge in the background: PENDING, SUCCESS with the pull request, or the error that it ended with."""
    repo = call.repo("read")
    pull = found(call, repo)
    one = repo.tasks.get(call.args["task"])
    if one is None or one.number != pull.number:
        raise fault(400, "The task ID does not relate to this pull request")
    here = f"{call.base}/2.0{call.path}"
    if not one.done and one.left <= 0:
        one.done = True
        try:
            _mergeable(repo, pull, one.wish)
            _merge_now(call, repo, pull, one.wish, one.login)
        except ApiError as error:
            one.fault = error
    one.left -= 1
    if one.fault is not None:
        raise one.fault
    document: dict[str, Any] = {"task_status": "PENDING", "links": {"self": {"href": here}}}
    if one.done:
        document |= {"task_status": "SUCCESS", "merge_result": shaped(call, repo, pull, whole=True)}
    return Answer(document=document)


ROUTES: tuple[Route[BitbucketCall], ...] = (
    ("GET", HERE + "/pullrequests", listed),
    ("POST", HERE + "/pullrequests", create),
    ("GET", ONE, read),
    ("PUT", ONE, change),
    ("POST", ONE + "/decline", decline),
    ("POST", ONE + "/merge", merge),
    ("GET", ONE + r"/merge/task-status/(?P<task>\w+)", task),
)
