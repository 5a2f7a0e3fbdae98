"""Submitting over the API: the revision guard, submit requirements, and each submit type."""

from __future__ import annotations

from typing import Any

import pygit2

from greylag.testing.gerrit import shapes
from greylag.testing.gerrit.changes import ONE, REVISION
from greylag.testing.gerrit.front import GerritCall
from greylag.testing.gerrit.rules import unmet
from greylag.testing.gerrit.values import Change, fault
from greylag.testing.hosting import Answer, Git, Route

_CONFLICT = (
    "Change could not be merged due to a path conflict.\n\n"
    "Please rebase the change locally and upload the rebased commit for review."
)


def submit(call: GerritCall) -> Answer:
    """Merge exactly that revision. 409, with the reason, for everything that is in the way."""
    change = call.change()
    ps = call.patch_set(change)
    call.may(change, "write", "submit")
    if change.status != "NEW":
        raise fault(409, f"change is {change.status.lower()}")
    _check_current(change, ps.sha)
    wanted = _together(call, change)
    problems = [f"Change {one.number}: {why}" for one in wanted for why in _problems(call, one)]
    if problems:
        raise _failed(wanted, problems)
    meanwhile, call.memory.before_submit = call.memory.before_submit, None
    if meanwhile is not None:
        meanwhile()
    _check_current(change, ps.sha)
    for one in wanted:
        _merge(call, one)
    return Answer(document=shapes.change(call.memory, change, ("CURRENT_REVISION",)))


def _check_current(change: Change, sha: str) -> None:
    if change.current.sha != sha:
        raise fault(409, f"revision {sha} is not current revision")


def _together(call: GerritCall, change: Change) -> list[Change]:
    if not call.memory.whole_topic or not change.topic:
        return [change]
    open_ones = (one for one in call.memory.changes.values() if one.status == "NEW")
    return [one for one in open_ones if one.topic == change.topic]


def together(call: GerritCall) -> Answer:
    """The changes that a submit would take along; none where it is alone."""
    change = call.change()
    found = [] if change.status != "NEW" else _together(call, change)
    shown = [shapes.change(call.memory, one, call.every("o")) for one in found]
    return Answer(document=shown if len(shown) > 1 else [])


def _failed(wanted: list[Change], problems: list[str]) -> Exception:
    noun = "change" if len(wanted) == 1 else "changes"
    words = "\n".join(problems)
    return fault(409, f"Failed to submit {len(wanted)} {noun} due to the following problems:\n{words}")


def _problems(call: GerritCall, change: Change) -> list[str]:
    if change.wip:
        return [f"Change {change.number} is marked work in progress"]
    missing = unmet(call.memory.repos[change.project], change)
    return [f"submit requirement '{name}' is unsatisfied." for name in missing]


def _merge(call: GerritCall, change: Change) -> None:
    repo = call.memory.repos[change.project]
    git = Git(repo.path)
    tip = git.branch(change.branch)
    assert tip is not None, "a change's branch is there"
    sha = change.current.sha
    kept = repo.submit_type in ("MERGE_IF_NECESSARY", "FAST_FORWARD_ONLY", "REBASE_IF_NECESSARY")
    if kept and git.contains(sha, tip):
        new = sha  # a fast-forward: the very commit
    elif repo.submit_type == "FAST_FORWARD_ONLY":
        words = "Project policy requires all submissions to be a fast-forward."
        raise _failed([change], [f"Change {change.number}: {words}"])
    elif repo.submit_type in ("MERGE_IF_NECESSARY", "MERGE_ALWAYS"):
        new = _merged(call, git, change, tip, sha)
    else:
        new = _picked(call, git, change, tip, sha)
    git.move(change.branch, new)
    now = call.memory.now()
    change.status, change.submitted, change.submitter = "MERGED", now, call.login
    call.memory.log(change, call.login, f"Change has been successfully merged as {new}")
    change.updated = now


def _signature(call: GerritCall) -> pygit2.Signature:
    when = int(call.memory.now().timestamp())
    return pygit2.Signature(call.login, f"{call.login}@example.org", when, 0)


def _merged(call: GerritCall, git: Git, change: Change, tip: str, sha: str) -> str:
    index = git.repo.merge_commits(tip, sha)
    _check(index, change)
    subject = git.read(sha).message.partition("\n")[0]
    who, tree = _signature(call), index.write_tree(git.repo)
    parents: list[Any] = [pygit2.Oid(hex=tip), pygit2.Oid(hex=sha)]
    return str(git.repo.create_commit(None, who, who, f'Merge "{subject}"\n', tree, parents))


def _picked(call: GerritCall, git: Git, change: Change, tip: str, sha: str) -> str:
    """The commit again, on the tip: a new patch set of the submitter's."""
    commit = git.read(sha)
    index = git.repo.merge_trees(commit.parents[0].tree, git.read(tip).tree, commit.tree)
    _check(index, change)
    message = commit.message
    if call.memory.repos[change.project].submit_type == "CHERRY_PICK":
        message = f"{message.rstrip()}\nReviewed-on: http://localhost/c/{change.project}/+/{change.number}\n"
    tree = index.write_tree(git.repo)
    parents: list[Any] = [pygit2.Oid(hex=tip)]
    new = str(git.repo.create_commit(None, commit.author, _signature(call), message, tree, parents))
    call.memory.add_patch_set(change, new, call.login, kind="TRIVIAL_REBASE")
    return new


def _check(index: pygit2.Index, change: Change) -> None:
    if index.conflicts is not None:
        raise _failed([change], [f"Change {change.number}: {_CONFLICT}"])


def mergeable(call: GerritCall) -> Answer:
    """Whether the revision merges, tried now."""
    change = call.open_change()
    ps = call.patch_set(change)
    git = call.memory.git(change)
    tip = git.branch(change.branch)
    merges = tip is not None and git.merges(tip, ps.sha)
    submit_type = call.memory.repos[change.project].submit_type
    return Answer(document={"submit_type": submit_type, "strategy": "recursive", "mergeable": merges})


ROUTES: tuple[Route[GerritCall], ...] = (
    ("GET", ONE + "/submitted_together", together),
    ("POST", REVISION + "/submit", submit),
    ("GET", REVISION + "/mergeable", mergeable),
)
