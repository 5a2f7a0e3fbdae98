"""Merging over the API, in the order in which Gitea checks it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from greylag.testing.gitea.front import Answer, Call, Route
from greylag.testing.gitea.pulls import ONE, found
from greylag.testing.gitea.values import Flavour, Protection, Repo, missing, refused
from greylag.testing.hosting import ApiError, Git, Pull, Refused

_METHODS = {"fast-forward-only": "ff"}


def is_merged(call: Call) -> Answer:
    """204 for one that is, 404 for one that is not."""
    if found(call, call.repo()).merged_at is None:
        raise missing()
    return Answer(status=204)


def merge(call: Call) -> Answer:
    """405 when it may not (yet), 409 when it does not; 404 when it is closed. 200 has no body."""
    repo = call.repo()
    pull = found(call, repo)
    style = str(call.body.get("Do") or "merge")
    _check(call, repo, pull, style)
    if style == "manually-merged":
        return _manually(call, repo, pull)
    if style not in repo.styles:
        raise refused(405, f"{style} is not allowed an allowed merge style for this repository")
    wanted = call.body.get("head_commit_id")
    if wanted and wanted != pull.head_sha and call.flavour is not Flavour.OLD:
        raise refused(409, "head out of date")
    git = Git(repo.path)
    tip = git.branch(pull.base)
    if tip is None:
        raise missing()
    login = call.user or ""
    try:
        sha = git.merge(
            _METHODS.get(style, style),
            tip,
            pull.head_sha,
            message=_message(call, repo, pull),
            login=login,
            when=call.hub.now(),
        )
    except Refused as error:
        raise ApiError(409, {"Style": style, "StdOut": "CONFLICT", "StdErr": "", "Err": {}}) from error
    git.move(pull.base, sha)
    _note(call, repo, pull, sha)
    if call.body.get("delete_branch_after_merge") and git.branch(pull.head) is not None:
        git.move(pull.head, None)  # wherever it stands by now
    return Answer(headers={"Content-Length": "0"})


def _check(call: Call, repo: Repo, pull: Pull, style: str) -> None:
    if pull.merged_at is not None:
        raise refused(405)
    if pull.state != "open":
        raise missing()
    if not call.may(repo, "write"):
        raise refused(405, "User not allowed to merge PR")
    if style == "manually-merged":
        return
    if pull.draft:
        raise refused(405, "Work in progress PRs cannot be merged")
    # Being checked and being in conflict have one answer.
    if not call.hub.mergeable(repo, pull) and not call.hub.unchecked:
        raise refused(405, "Please try again later")
    rules = repo.protection.get(pull.base)
    why = None if rules is None else _forbidden(repo, pull, rules)
    if why and not (call.body.get("force_merge") and call.may(repo, "admin")):
        plain = call.flavour is Flavour.GITEA
        raise refused(405, why if plain else f"not allowed to merge [reason: {why}]")


def _forbidden(repo: Repo, pull: Pull, rules: Protection) -> str | None:
    newest = {one.context: one.state for one in repo.statuses if one.sha == pull.head_sha}
    for pattern in rules.contexts if rules.checks else ():
        states = [state for context, state in newest.items() if fnmatchcase(context, pattern)]
        if not states or any(state != "success" for state in states):
            return "Not all required status checks successful"
    last = {one.user: one.state for one in repo.reviews.get(pull.number, ()) if one.state != "COMMENT"}
    approved = sum(1 for login, state in last.items() if state == "APPROVED" and repo.may(login, "write"))
    if approved < rules.approvals:
        return "Does not have enough approvals"
    if rules.block_on_rejected_reviews and "REQUEST_CHANGES" in last.values():
        return "There are requested changes"
    git = Git(repo.path)
    tip = git.branch(pull.base)
    if rules.block_on_outdated_branch and tip is not None and not git.contains(pull.head_sha, tip):
        return "The head branch is behind the base branch"
    return None


def _message(call: Call, repo: Repo, pull: Pull) -> str:
    default = f"Merge pull request '{pull.title}' (#{pull.number}) from {pull.head} into {pull.base}"
    title = str(call.body.get("MergeTitleField") or "").strip() or default
    more = str(call.body.get("MergeMessageField") or "").strip()
    return f"{title}\n\n{more}" if more else title


def _manually(call: Call, repo: Repo, pull: Pull) -> Answer:
    """Somebody merged it by hand, by that commit."""
    if "manually-merged" not in repo.styles:
        raise refused(405, "manually-merged is not allowed an allowed merge style for this repository")
    git = Git(repo.path)
    sha, tip = str(call.body.get("MergeCommitID") or ""), git.branch(pull.base)
    if tip is None or not git.has(sha) or not git.contains(tip, sha):
        raise ApiError(409, {})  # "Wrong commit ID", which does not get into the answer
    _note(call, repo, pull, sha)
    return Answer(headers={"Content-Length": "0"})


def _note(call: Call, repo: Repo, pull: Pull, sha: str) -> None:
    now = call.hub.now()
    pull.state, pull.closed_at, pull.merged_at, pull.updated, pull.merge_sha = "closed", now, now, now, sha
    pull.extra["merger"] = call.user or ""
    facts: dict[str, Any] = {"ref": f"refs/heads/{pull.base}", "after": sha}
    call.hub.happened(repo, "merged", pull, call.user or "")
    call.hub.happened(repo, "push", facts, call.user or "")


ROUTES: tuple[Route, ...] = (
    ("GET", ONE + "/merge", is_merged),
    ("POST", ONE + "/merge", merge),
)
