"""Pull requests over the API: listed, made, changed, reviewed."""

from __future__ import annotations

import re
from typing import Any

from greylag.testing.gitea import shapes
from greylag.testing.gitea.front import Answer, Call, Route
from greylag.testing.gitea.hub import set_labels
from greylag.testing.gitea.values import Repo, missing, refused, strings
from greylag.testing.hosting import ApiError, Git, Pull

HERE = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
ONE = HERE + r"/pulls/(?P<number>\d+)"
_WIP = re.compile(r"(wip:|\[wip\])", re.IGNORECASE)


def found(call: Call, repo: Repo) -> Pull:
    """The pull request of the path. Raises 404."""
    pull = repo.pulls.get(int(call.args["number"]))
    if pull is None:
        raise missing()
    return pull


def shaped(call: Call, repo: Repo, pull: Pull, *, look: bool = False) -> dict[str, Any]:
    """A pull request's document; only reading one alone takes the check for conflicts further.

    `mergeable` is false for a conflict, for a draft, and as long as it is not known.
    """
    known = call.hub.mergeable(repo, pull) if look else None
    labels = call.hub.labels_of(repo)
    borne = [labels[number] for number in pull.extra.get("labels", ()) if number in labels]
    mergeable = bool(known) and not pull.draft
    return shapes.pull(repo, pull, call.base, call.flavour, mergeable=mergeable, labels=borne)


def listed(call: Call) -> Answer:
    """By state and by labels' numbers, all of which it must bear; newest first. Not by head."""
    repo = call.repo()
    state = call.query.get("state", "open")
    wanted = {int(one) for one in call.query.get("labels", "").split(",") if one}
    pulls = [
        pull
        for pull in sorted(repo.pulls.values(), key=lambda one: -one.number)
        if state in ("all", pull.state) and wanted <= set(pull.extra.get("labels", ()))
    ]
    return Answer(document=[shaped(call, repo, pull) for pull in pulls])


def read(call: Call) -> Answer:
    """One."""
    repo = call.repo()
    return Answer(document=shaped(call, repo, found(call, repo), look=True))


def ref(call: Call) -> Answer:
    """Where a pull request's head stood last while it was open: `refs/pull/N/head`."""
    pull = found(call, call.repo())
    name = f"refs/pull/{pull.number}/head"
    return Answer(document={"ref": name, "object": {"type": "commit", "sha": pull.head_sha}})


def create(call: Call) -> Answer:
    """A new one; 409 for a second one, 404 for a branch that is not there. One without commits is made."""
    repo = call.repo("read")
    git = Git(repo.path)
    head, base = call.text("head").removeprefix(f"{repo.owner}:"), call.text("base")
    if head == base:
        raise refused(422, "Invalid PullRequest: There are no changes between the head and the base")
    sha, tip = git.branch(head), git.branch(base)
    if sha is None or tip is None:
        raise missing()
    for one in repo.pulls.values():
        if one.state == "open" and (one.head, one.base) == (head, base):
            raise refused(409, _exists(repo, one))
    if git.base(tip, sha) is None:
        raise refused(500)
    now = call.hub.now()
    repo.last_number += 1
    title = call.text("title")
    pull = Pull(
        number=repo.last_number,
        title=title,
        body=str(call.body.get("body") or ""),
        user=call.user or "",
        head=head,
        base=base,
        head_sha=sha,
        base_sha=tip,
        draft=_WIP.match(title) is not None,
        created=now,
        updated=now,
    )
    set_labels(call.hub, repo, pull, call.body.get("labels") or ())
    repo.pulls[pull.number] = pull
    call.hub.happened(repo, "opened", pull, pull.user)
    return Answer(status=201, document=shaped(call, repo, pull))


def _exists(repo: Repo, one: Pull) -> str:
    facts = f"id: {one.number}, issue_id: {one.number}, head_repo_id: {repo.id}, base_repo_id: {repo.id}"
    return (
        f"pull request already exists for these targets [{facts}, "
        f"head_branch: {one.head}, base_branch: {one.base}]"
    )


def change(call: Call) -> Answer:
    """Title, body, base, state or assignees; 201, and 412 for the state of a merged one."""
    repo = call.repo()
    pull = found(call, repo)
    if call.user != pull.user and not call.may(repo, "write"):
        raise ApiError(403, None)
    before = (pull.title, pull.body, pull.base)
    if call.body.get("title"):
        pull.title = str(call.body["title"])
        pull.draft = _WIP.match(pull.title) is not None
    pull.body = str(call.body.get("body", pull.body) or "")
    if call.body.get("assignees") is not None and call.may(repo, "write"):
        _assign(call, repo, pull)
    if call.body.get("state") is not None:
        _move(call, repo, pull, str(call.body["state"]))
    base = str(call.body.get("base") or pull.base)
    if base != pull.base and pull.merged_at is None:
        _retarget(repo, pull, base)
    pull.updated = call.hub.now()
    if (pull.title, pull.body, pull.base) != before:
        call.hub.happened(repo, "changed", pull, call.user or "")
    return Answer(status=201, document=shaped(call, repo, pull))


def _assign(call: Call, repo: Repo, pull: Pull) -> None:
    """All are set. An unknown name is said; somebody who may not be assigned is an error of the server's."""
    wanted = strings(call.body["assignees"])
    for login in wanted:
        if login not in call.hub.people():
            raise refused(422, f"Assignee does not exist: [name: {login}]")
        if not repo.may(login, "write"):
            raise refused(500)
    pull.assignees = wanted


def _move(call: Call, repo: Repo, pull: Pull, state: str) -> None:
    if pull.merged_at is not None:
        raise refused(412, "cannot change state of this pull request, it was already merged")
    if state == pull.state:
        return
    if state == "open":
        if Git(repo.path).branch(pull.head) is None:
            raise refused(500)
        pull.state, pull.closed_at = "open", None
        call.hub.happened(repo, "reopened", pull, call.user or "")
    else:
        pull.state, pull.closed_at = "closed", call.hub.now()
        call.hub.happened(repo, "closed", pull, call.user or "")


def _retarget(repo: Repo, pull: Pull, base: str) -> None:
    if Git(repo.path).branch(base) is None:
        raise refused(404, f"new base '{base}' not exist")
    if pull.state != "open":
        raise refused(422, "Issue is closed")
    others = (one for one in repo.pulls.values() if one.state == "open" and one is not pull)
    if any((one.head, one.base) == (pull.head, base) for one in others):
        raise refused(409, "pull request already exists for these targets")
    pull.base = base


def ask(call: Call) -> Answer:
    """Ask for reviews; 404 for who there is not, 422 for the author and for who may not read.

    Teams are looked for in the owner, and passed over without a word where that is no organisation. Who is
    asked already is no error, and does not stand in the answer.
    """
    repo = call.repo()
    pull = found(call, repo)
    people, teams = strings(call.body.get("reviewers")), strings(call.body.get("team_reviewers"))
    teams = teams if call.hub.is_org(repo.owner) else []
    for login in people:
        _check_person(call, repo, pull, login)
    for name in teams:
        if f"@{name}" not in repo.access:
            raise refused(404, f"team does not exist [org_id 0, team_id 0, name: {name}]")
    asked = []
    for login in people:
        if login not in pull.reviewers:
            pull.reviewers.append(login)
            asked.append(shapes.request(login, is_team=False))
    for name in teams:
        if name not in pull.teams:
            pull.teams.append(name)
            asked.append(shapes.request(name, is_team=True))
    pull.updated = call.hub.now()
    return Answer(status=201, document=asked)


def _check_person(call: Call, repo: Repo, pull: Pull, login: str) -> None:
    if login not in call.hub.people():
        raise refused(404, f"user does not exist [uid: 0, name: {login}]")
    if not repo.may(login, "read"):
        raise refused(422, "Reviewer can't read [user_id: 0, repo_id: 0]")
    if login == pull.user:
        raise refused(422, "poster of pr can't be reviewer [user_id: 0, repo_id: 0]")


def reviews(call: Call) -> Answer:
    """What was said, and who is asked."""
    repo = call.repo()
    pull = found(call, repo)
    document = [shapes.review(one) for one in repo.reviews.get(pull.number, ())]
    document += [shapes.request(login, is_team=False) for login in pull.reviewers]
    document += [shapes.request(name, is_team=True) for name in pull.teams]
    return Answer(document=document)


def review(call: Call) -> Answer:
    """Review it; nobody approves their own."""
    repo = call.repo()
    pull = found(call, repo)
    event = call.text("event")
    if event == "APPROVED" and call.user == pull.user:
        raise refused(422, "approve your own pull is not allowed")
    call.hub.review(repo.full_name, pull.number, event, call.user or "")
    return Answer(document=shapes.review(repo.reviews[pull.number][-1]))


ROUTES: tuple[Route, ...] = (
    ("GET", HERE + "/pulls", listed),
    ("POST", HERE + "/pulls", create),
    ("GET", ONE, read),
    ("PATCH", ONE, change),
    ("POST", ONE + "/requested_reviewers", ask),
    ("GET", HERE + r"/git/refs/pull/(?P<number>\d+)/head", ref),
    ("GET", ONE + "/reviews", reviews),
    ("POST", ONE + "/reviews", review),
)
