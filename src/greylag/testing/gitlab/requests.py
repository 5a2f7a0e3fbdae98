"""Merge requests: `doc/api/merge_requests.md`, `doc/api/merge_request_approvals.md`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from greylag.testing.gitlab import shapes
from greylag.testing.gitlab.actions import split
from greylag.testing.gitlab.front import Answer, Call, Route
from greylag.testing.gitlab.hub import take_in
from greylag.testing.gitlab.mergeability import blocking, detailed
from greylag.testing.gitlab.values import Project, not_found, refused
from greylag.testing.hosting import ApiError, Git, Pull, Refused

HERE = r"/projects/(?P<project>[^/]+)"
ONE = HERE + r"/merge_requests/(?P<iid>\d+)"
_DRAFT = ("draft:", "[draft]", "(draft)")
_TITLE = 255


def found(call: Call, repo: Project) -> Pull:
    """The merge request of the path. Raises 404."""
    pull = repo.pulls.get(int(call.args["iid"]))
    if pull is None:
        raise not_found()
    return pull


def shaped(call: Call, repo: Project, pull: Pull, *, look: bool = False) -> dict[str, Any]:
    """A merge request's document; to `look` at it alone makes GitLab work out whether it merges."""
    status, conflicts = detailed(call.hub, repo, pull, look=look)
    return shapes.request(call.hub, repo, pull, status=status, conflicts=conflicts)


def listed(call: Call) -> Answer:
    """By state, branches, labels, numbers and time; newest first."""
    repo = call.project()
    state = call.query.get("state", "all")
    labels = {name for name in call.query.get("labels", "").split(",") if name}
    after = call.query.get("updated_after")
    start = None if after is None else datetime.fromisoformat(after)
    scope = call.query.get("scope", "all")
    kept = [
        pull
        for pull in repo.pulls.values()
        if state in ("all", shapes.state_of(pull))
        and labels <= set(pull.labels)
        and call.query.get("source_branch", pull.head) == pull.head
        and call.query.get("target_branch", pull.base) == pull.base
        and (start is None or pull.updated >= start)
        and (scope != "created_by_me" or pull.user == call.user)
    ]
    by_update = call.query.get("order_by") == "updated_at"
    kept.sort(key=lambda one: (one.updated if by_update else one.created, one.number))
    if call.query.get("sort", "desc") == "desc":
        kept.reverse()
    if call.query.get("view") == "simple":
        return Answer(document=[shapes.simple(call.hub, repo, pull) for pull in kept])
    return Answer(document=[shaped(call, repo, pull) for pull in kept])


def read(call: Call) -> Answer:
    """One."""
    repo = call.project()
    return Answer(document=shaped(call, repo, found(call, repo), look=True))


def create(call: Call) -> Answer:
    """A new one: 409 for a second one from its branch, 422 for a branch into itself."""
    repo = call.project("write")
    source, target = call.text("source_branch"), call.text("target_branch")
    title = _title(call.text("title"))
    git = Git(repo.path)
    sha, tip = git.branch(source), git.branch(target)
    if source == target:
        raise refused(422, ["You can't use same project/branch for source and target"])
    absent = {"source_branch": sha, "target_branch": tip}
    for name, commit in absent.items():
        if commit is None:
            raise refused(400, {name: ["does not exist"]})
    for one in repo.pulls.values():
        if one.state == "open" and (one.head, one.base) == (source, target):
            said = f"Another open merge request already exists for this source branch: !{one.number}"
            raise refused(409, [said])
    assert sha is not None
    assert tip is not None
    now = call.hub.now()
    repo.last_number += 1
    pull = Pull(
        number=repo.last_number,
        title=title,
        body="",
        user=call.user or "",
        head=source,
        base=target,
        head_sha=sha,
        base_sha=git.base(tip, sha) or tip,
        created=now,
        updated=now,
        draft=title.lower().startswith(_DRAFT),
    )
    if git.contains(tip, sha):
        pull.extra["empty"] = sha
    repo.pulls[pull.number] = pull
    _describe(call, repo, pull)
    _people(call, repo, pull)
    _labels(call, pull)
    call.hub.happened(repo, "opened", pull, call.user or "")
    return Answer(status=201, document=shaped(call, repo, pull))


def change(call: Call) -> Answer:
    """Whatever is given; without the draft's prefix in a new title, it is none any more."""
    repo = call.project("write")
    pull = found(call, repo)
    if not call.body:
        raise ApiError(400, {"error": "at least one parameter must be provided"})
    if "title" in call.body:
        pull.title = _title(call.text("title"))
        pull.draft = pull.title.lower().startswith(_DRAFT)
    if "target_branch" in call.body:
        if Git(repo.path).branch(call.text("target_branch")) is None:
            raise refused(400, {"target_branch": ["does not exist"]})
        pull.base = call.text("target_branch")
    _describe(call, repo, pull)
    _people(call, repo, pull)
    _labels(call, pull)
    pull.updated = call.hub.now()
    what = turned(call, repo, pull, str(call.body.get("state_event", "")))
    call.hub.happened(repo, what or "changed", pull, call.user or "")
    return Answer(document=shaped(call, repo, pull))


def turned(call: Call, repo: Project, pull: Pull, event: str) -> str:
    """Close or reopen; says what happened."""
    if event == "close" and pull.state == "open":
        pull.state, pull.closed_at = "closed", call.hub.now()
        return "closed"
    if event == "reopen" and pull.state == "closed" and pull.merged_at is None:
        pull.state, pull.closed_at = "open", None
        return "reopened"
    return ""


def _title(text: str) -> str:
    if len(text) > _TITLE:
        raise refused(400, {"title": [f"is too long (maximum is {_TITLE} characters)"]})
    return text


def _describe(call: Call, repo: Project, pull: Pull) -> None:
    if "description" in call.body:
        text = str(call.body["description"] or "")
        pull.body, actions = split(text)
        for name in actions:
            turned(call, repo, pull, name)


def _people(call: Call, repo: Project, pull: Pull) -> None:
    """Reviewers and assignees by number: the whole list each time; those who do not see it are left out."""
    for name, there in (("reviewer_ids", pull.reviewers), ("assignee_ids", pull.assignees)):
        if name not in call.body:
            continue
        logins = [call.hub.login_of(int(number)) for number in call.body[name]]
        seen = [login for login in logins if login is not None and repo.may(login, "read")]
        there[:] = seen if call.hub.premium else seen[:1]


def _labels(call: Call, pull: Pull) -> None:
    """`labels` is the whole list, `add_labels` adds: names with commas between them, or a list."""
    if "labels" in call.body:
        pull.labels[:] = _names(call.body["labels"])
    pull.labels += [one for one in _names(call.body.get("add_labels")) if one not in pull.labels]
    gone = _names(call.body.get("remove_labels"))
    pull.labels[:] = [one for one in pull.labels if one not in gone]


def _names(value: Any) -> list[str]:
    items = value.split(",") if isinstance(value, str) else value or []
    return [str(one).strip() for one in items if str(one).strip()]


def merge(call: Call) -> Answer:
    """401 for who may not, 405 for what may not be merged (yet), 422 for a conflict, 409 for another head."""
    repo = call.project("read")
    pull = found(call, repo)
    if repo.level(call.user) < max(30, repo.merge_level) or repo.archived:
        raise refused(401, "401 Unauthorized")
    status, conflicts = detailed(call.hub, repo, pull, look=False)
    if blocking(status):
        raise refused(405, "405 Method Not Allowed")
    if conflicts or status in ("conflict", "need_rebase"):
        raise refused(422, "Branch cannot be merged")
    check_sha(call, pull)
    git = Git(repo.path)
    squash = call.flag("squash") or repo.squash_option == "always"
    if squash and repo.squash_option == "never":
        raise refused(405, "Squashing not allowed: This project doesn't allow you to squash commits")
    try:
        take_in(
            git,
            repo,
            pull,
            git.branch(pull.base) or "",
            squash=squash,
            login=call.user or "",
            when=call.hub.now(),
            message=str(call.body.get("merge_commit_message") or ""),
            squash_message=str(call.body.get("squash_commit_message") or ""),
        )
    except Refused as error:
        pull.extra["merge_error"] = str(error)
        raise refused(422, "Branch cannot be merged") from error
    if call.flag("should_remove_source_branch") and git.branch(pull.head) == pull.head_sha:
        git.move(pull.head, None)
    call.hub.happened(repo, "merged", pull, call.user or "")
    return Answer(document=shaped(call, repo, pull))


def check_sha(call: Call, pull: Pull) -> None:
    """409 where `sha` is given and is another one."""
    if call.body.get("sha", pull.head_sha) != pull.head_sha:
        raise refused(409, f"SHA does not match HEAD of source branch: {pull.head_sha}")


def approvals(call: Call) -> Answer:
    """Who approved, and how many are needed."""
    repo = call.project()
    pull = found(call, repo)
    by = list(pull.extra.get("approved", ()))
    return Answer(
        document={
            "iid": pull.number,
            "approvals_required": repo.approvals,
            "approvals_left": max(0, repo.approvals - len(by)),
            "approved": len(by) >= repo.approvals,
            "approved_by": [{"user": shapes.user(call.hub, login)} for login in by],
        }
    )


def approve(call: Call) -> Answer:
    """Approve; 401 for a second time, and for who may not."""
    repo = call.project()
    pull = found(call, repo)
    by = pull.extra.setdefault("approved", [])
    if not repo.may(call.user, "write") or call.user in by:
        raise refused(401, "401 Unauthorized")
    by.append(call.user)
    return Answer(status=201, document=approvals(call).document)


ROUTES: tuple[Route, ...] = (
    ("GET", HERE + "/merge_requests", listed),
    ("POST", HERE + "/merge_requests", create),
    ("GET", ONE, read),
    ("PUT", ONE, change),
    ("PUT", ONE + "/merge", merge),
    ("GET", ONE + "/approvals", approvals),
    ("POST", ONE + "/approve", approve),
)
