"""Pull requests over the API: made, changed, merged."""

from __future__ import annotations

from typing import Any

from greylag.testing.github import shapes
from greylag.testing.github.front import Answer, Call, Route
from greylag.testing.github.queue import REQUIRED
from greylag.testing.github.values import Repo, refused
from greylag.testing.hosting import ApiError, Git, Pull, Refused

HERE = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
ONE = HERE + r"/pulls/(?P<number>\d+)"


def found(call: Call, repo: Repo) -> Pull:
    """The pull request of the path. Raises 404."""
    pull = repo.pulls.get(int(call.args["number"]))
    if pull is None:
        raise refused(404, "Not Found")
    return pull


def shaped(call: Call, repo: Repo, pull: Pull, *, look: bool = False) -> dict[str, Any]:
    """A pull request's document; only one that is read alone says whether it merges."""
    mergeable = call.hub.mergeable(repo, pull) if look else None
    count = sum(1 for one in repo.comments.values() if one.number == pull.number)
    return shapes.pull(repo, pull, call.base, mergeable=mergeable, comments=count)


def listed(call: Call) -> Answer:
    """By state, head and base; newest first."""
    repo = call.repo()
    state = call.query.get("state", "open")
    head = call.query.get("head")
    pulls = [
        pull
        for pull in sorted(repo.pulls.values(), key=lambda one: -one.number)
        if state in ("all", pull.state)
        and (head is None or head == f"{repo.owner}:{pull.head}")
        and call.query.get("base", pull.base) == pull.base
    ]
    return Answer(document=[shaped(call, repo, pull) for pull in pulls])


def read(call: Call) -> Answer:
    """One."""
    repo = call.repo()
    return Answer(document=shaped(call, repo, found(call, repo), look=True))


def _invalid(field: str, message: str = "") -> ApiError:
    fault = {"resource": "PullRequest", "field": field, "code": "invalid"}
    if message:
        fault = {"resource": "PullRequest", "code": "custom", "message": message}
    return refused(422, "Validation Failed", errors=(fault,))


def create(call: Call) -> Answer:
    """A new one; 422 for a branch that is not there, for one without commits, and for a second one."""
    repo = call.repo("read")
    git = Git(repo.path)
    head = call.text("head").removeprefix(f"{repo.owner}:")
    base = call.text("base")
    sha, tip = git.branch(head), git.branch(base)
    if sha is None:
        raise _invalid("head")
    if tip is None:
        raise _invalid("base")
    if any(one.state == "open" and (one.head, one.base) == (head, base) for one in repo.pulls.values()):
        raise _invalid("", f"A pull request already exists for {repo.owner}:{head}.")
    if git.base(tip, sha) is None:
        raise _invalid("", f"The {head} branch has no history in common with {base}")
    if git.contains(tip, sha):
        raise _invalid("", f"No commits between {base} and {head}")
    now = call.hub.now()
    repo.last_number += 1
    pull = Pull(
        number=repo.last_number,
        title=call.text("title"),
        body=str(call.body.get("body") or ""),
        user=call.user or "",
        head=head,
        base=base,
        head_sha=sha,
        base_sha=tip,
        draft=bool(call.body.get("draft")),
        created=now,
        updated=now,
    )
    repo.pulls[pull.number] = pull
    call.hub.happened(repo, "opened", pull, call.user or "")
    return Answer(status=201, document=shaped(call, repo, pull))


def change(call: Call) -> Answer:
    """Title, body, base or state."""
    repo = call.repo("write")
    pull = found(call, repo)
    git = Git(repo.path)
    pull.title = str(call.body.get("title", pull.title))
    pull.body = str(call.body.get("body", pull.body) or "")
    base = str(call.body.get("base", pull.base))
    if git.branch(base) is None:
        raise _invalid("base")
    pull.base = base
    state = call.body.get("state", pull.state)
    now = call.hub.now()
    if state == "open" and pull.state == "closed":
        if pull.merged_at is not None or git.branch(pull.head) is None:
            raise _invalid("", "state cannot be changed. The pull request cannot be reopened.")
        pull.state, pull.closed_at = "open", None
    elif state == "closed" and pull.state == "open":
        pull.state, pull.closed_at = "closed", now
        call.hub.happened(repo, "closed", pull, call.user or "")
    pull.updated = now
    return Answer(document=shaped(call, repo, pull, look=True))


def merge(call: Call) -> Answer:
    """409 when the head moved, 405 when it does not merge or may not."""
    repo = call.repo("write")
    pull = found(call, repo)
    git = Git(repo.path)
    method = str(call.body.get("merge_method", "merge"))
    if pull.merged_at is not None or pull.state != "open":
        raise refused(405, "Pull Request is not mergeable")
    if method not in repo.methods:
        raise refused(405, f"{method.capitalize()} merges are not allowed on this repository.")
    if pull.draft:
        raise refused(405, "Pull Request is still a draft")
    if call.body.get("sha", pull.head_sha) != pull.head_sha:
        raise refused(409, "Head branch was modified. Review and try the merge again.")
    if pull.base in repo.queues:
        raise refused(405, REQUIRED)
    _check_protection(repo, pull)
    tip = git.branch(pull.base)
    if tip is None:
        raise refused(404, "Not Found")
    title = (
        call.body.get("commit_title") or f"Merge pull request #{pull.number} from {repo.owner}/{pull.head}"
    )
    message = f"{title}\n\n{call.body.get('commit_message') or pull.title}"
    now = call.hub.now()
    try:
        sha = git.merge(method, tip, pull.head_sha, message=message, login=call.user or "", when=now)
    except Refused as error:
        raise refused(405, str(error)) from error
    git.move(pull.base, sha)
    pull.state, pull.closed_at, pull.merged_at, pull.updated, pull.merge_sha = "closed", now, now, now, sha
    call.hub.happened(repo, "merged", pull, call.user or "")
    return Answer(document={"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _check_protection(repo: Repo, pull: Pull) -> None:
    rules = repo.protection.get(pull.base)
    if rules is None:
        return
    good = {
        one.name for one in repo.runs.values() if one.sha == pull.head_sha and one.conclusion == "success"
    }
    newest = {one.context: one.state for one in repo.statuses if one.sha == pull.head_sha}
    good |= {context for context, state in newest.items() if state == "success"}
    missing = [context for context in rules.contexts if context not in good]
    if missing:
        expected = f'Required status check "{missing[0]}" is expected.'
        raise refused(405, expected)


def ask(call: Call) -> Answer:
    """Ask for reviews; 422 for the author and for people who do not see the repository."""
    repo = call.repo("write")
    pull = found(call, repo)
    people = [str(login) for login in call.body.get("reviewers", ())]
    for login in people:
        if login == pull.user:
            raise refused(422, "Review cannot be requested from pull request author.")
        if not repo.may(login, "read"):
            message = "Reviews may only be requested from collaborators."
            raise refused(422, f"{message} One or more of the users or teams you specified is not one.")
    teams = [str(slug) for slug in call.body.get("team_reviewers", ())]
    for slug in teams:
        if not repo.may(f"@{slug}", "read"):
            raise refused(422, "Could not resolve to a node with the global id of a team")
    pull.reviewers += [login for login in people if login not in pull.reviewers]
    pull.teams += [slug for slug in teams if slug not in pull.teams]
    pull.updated = call.hub.now()
    return Answer(status=201, document=shaped(call, repo, pull))


def reviews(call: Call) -> Answer:
    """Nobody reviews here."""
    found(call, call.repo())
    return Answer(document=[])


ROUTES: tuple[Route, ...] = (
    ("GET", HERE + "/pulls", listed),
    ("POST", HERE + "/pulls", create),
    ("GET", ONE, read),
    ("PATCH", ONE, change),
    ("PUT", ONE + "/merge", merge),
    ("POST", ONE + "/requested_reviewers", ask),
    ("GET", ONE + "/reviews", reviews),
)
