"""A push for review: git's receive-pack, taken in by hand as Gerrit does (Documentation/user-upload.txt).

`refs/for/<branch>%options` is no ref that is ever made. Each new commit becomes a change.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field

from greylag.testing.gerrit.hub import GerritHub
from greylag.testing.gerrit.values import Change, GerritRepo, fault
from greylag.testing.hosting import ApiError, Git

MAGIC = "refs/for/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a client wants: commands (old, new, ref), its capabilities, and the pack."""

    commands: tuple[tuple[str, str, str], ...]
    capabilities: frozenset[str]
    pack: bytes


@dataclass(slots=True, kw_only=True)
class Wish:
    """The options of a push for review."""

    branch: str
    topic: str | None = None
    wip: bool = False
    ready: bool = False
    hashtags: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)


def parsed(body: bytes) -> Pushed:
    """A receive-pack request: lines up to a flush, then a pack."""
    place, capabilities = 0, frozenset[str]()
    commands: list[tuple[str, str, str]] = []
    while True:
        size = int(body[place : place + 4], 16)
        if size == 0:
            return Pushed(commands=tuple(commands), capabilities=capabilities, pack=body[place + 4 :])
        line, _, told = body[place + 4 : place + size].decode().rstrip("\n").partition("\0")
        capabilities |= frozenset(told.split())
        place += size
        if line.startswith("shallow "):
            continue  # the client has no more history; the server has
        old, new, ref = line.split(" ", 2)
        commands.append((old, new, ref))


def received(hub: GerritHub, repo: GerritRepo, pushed: Pushed, login: str) -> bytes:
    """Carry a push out; returns the report."""
    if pushed.pack:
        done = subprocess.run(
            ["git", "unpack-objects", "-q"],
            cwd=repo.path,
            input=pushed.pack,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            return _report(pushed, [f"unpack {done.stderr.decode(errors='replace')[:80]}"], "")
    meanwhile, hub.before_push = hub.before_push, None
    if meanwhile is not None:
        meanwhile()
    lines, told = ["unpack ok"], ""
    for _, new, ref in pushed.commands:
        try:
            told += _command(hub, repo, new, ref, login)
            lines.append(f"ok {ref}")
        except ApiError as error:
            lines.append(f"ng {ref} {error.document.decode()}")
    return _report(pushed, lines, told)


def _command(hub: GerritHub, repo: GerritRepo, new: str, ref: str, login: str) -> str:
    if repo.read_only:
        raise fault(409, "project is read only")
    if not ref.startswith(MAGIC):
        raise fault(403, "prohibited by Gerrit: not permitted: update")
    wish = _wish(ref.removeprefix(MAGIC))
    git = Git(repo.path)
    tip = git.branch(wish.branch)
    if tip is None:
        raise fault(404, f"branch {wish.branch} not found")
    if git.base(tip, new) is None:
        raise fault(409, "no common ancestry")
    people = [_known(hub, name) for name in wish.reviewers]
    fresh = _new_commits(git, tip, new, hub.changes.values())
    if not fresh:
        raise fault(409, "no new changes")
    if any(len(git.read(sha).parent_ids) > 1 for sha in fresh):
        raise fault(403, "you are not allowed to upload merges")
    told = ""
    for sha in fresh:
        _check_committer(git, sha, login)
        change, is_new = hub.upload(repo, wish.branch, sha, login)
        _applied(change, wish, people)
        told += (
            f"  http://localhost/c/{change.project}/+/{change.number} [{'NEW' if is_new else 'UPDATED'}]\n"
        )
    return told


def _new_commits(git: Git, tip: str, new: str, changes: Iterable[Change]) -> list[str]:
    known = {ps.sha for change in changes for ps in change.patch_sets}
    walker = git.repo.walk(new)
    walker.hide(tip)
    return [str(one.id) for one in walker if str(one.id) not in known][::-1]


def _check_committer(git: Git, sha: str, login: str) -> None:
    """Whoever may not forge identities commits with an address of their own."""
    mail = git.read(sha).committer.email
    if mail != f"{login}@example.org":
        raise fault(403, f"commit {sha[:7]}: invalid committer: {mail} is not a registered email")


def _applied(change: Change, wish: Wish, people: list[str]) -> None:
    change.topic = wish.topic or change.topic
    change.hashtags += [one for one in wish.hashtags if one not in change.hashtags]
    change.wip = (change.wip or wish.wip) and not wish.ready
    for login in people:
        change.reviewers[login] = "REVIEWER"


def _known(hub: GerritHub, name: str) -> str:
    login = hub.login_of(name)
    if login is None:
        raise fault(409, f'user "{name}" not found')
    return login


def _wish(text: str) -> Wish:
    branch, _, options = text.partition("%")
    wish = Wish(branch=branch.removeprefix("refs/heads/"))
    for option in filter(None, options.split(",")):
        name, _, value = option.partition("=")
        match name:
            case "topic":
                wish.topic = value
            case "hashtag" | "t":
                wish.hashtags.append(value)
            case "reviewer" | "r":
                wish.reviewers.append(value)
            case "wip" | "work-in-progress":
                wish.wip = True
            case "ready":
                wish.ready = True
            case "notify" | "m" | "message":
                pass
            case _:
                raise fault(400, f'"{name}" is not a valid option')
    return wish


def _report(pushed: Pushed, lines: list[str], told: str) -> bytes:
    report = b"".join(_line(f"{line}\n".encode()) for line in lines) + b"0000"
    if "side-band-64k" not in pushed.capabilities:
        return report
    words = f"\nSUCCESS\n\n{told}" if told else ""
    parts = [_line(b"\x02" + words.encode())] if words else []
    return b"".join([*parts, _line(b"\x01" + report), b"0000"])


def _line(data: bytes) -> bytes:
    return f"{len(data) + 4:04x}".encode() + data
