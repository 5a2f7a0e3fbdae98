"""The GitLab-shaped server's memory: besides the common one, groups, numbers of users, merge trains."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from greylag.testing import hosting
from greylag.testing.gitlab.hooks import KINDS, event_of, headers_of, project
from greylag.testing.gitlab.values import Car, Group, Project, not_found
from greylag.testing.hosting import ApiError, Comment, Delivery, Git, Pull, Refused, WebHook


class Hub(hosting.Hub[Project]):
    """Projects below `root`, in groups and subgroups.

    `premium`: several reviewers and assignees, merge trains, required approvals. `advanced_search`: code is
    searched beyond a single project.
    """

    head_ref = "refs/merge-requests/{number}/head"

    def __init__(self, root: Path, *, nulls: int = 1, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__(root, nulls=nulls, clock=clock)
        self.groups: dict[str, Group] = {}
        self.users: dict[str, int] = {}
        self.moved: dict[str, int] = {}
        self.premium = True
        self.advanced_search = True
        self.url = ""

    # See `hosting.Hub`.

    def make_repo(self, **fields: Any) -> Project:
        """See `hosting.Hub`."""
        return Project(groups=self.groups, **fields)

    def headers_of(self, hook: WebHook, delivery: Delivery) -> Mapping[str, str]:
        """See `hosting.Hub`."""
        return headers_of(hook, delivery) | {"X-Gitlab-Instance": self.url}

    def happened(
        self, repo: Project, what: str, about: Pull | Comment | Mapping[str, Any], login: str
    ) -> None:
        """See `hosting.Hub`; besides: `pipeline` (about `sha`, `ref` and `status`)."""
        event, document = event_of(repo, what, about)
        user = {"user": {"username": login}, "user_username": login, "project_id": repo.id}
        body = json.dumps({**document, **user, "project": project(repo, self.url)})
        for hook in repo.hooks.values():
            if KINDS[event] in hook.events:
                self.hooks.send(hook, event, body)
        now = self.now()
        if repo.last_activity is None or now - repo.last_activity >= timedelta(hours=1):
            repo.last_activity = now

    def no_such(self, name: str) -> ApiError:
        """See `hosting.Hub`."""
        return not_found("Project")

    def token_text(self, login: str) -> str:
        """See `hosting.Hub`."""
        return f"glpat-{secrets.token_urlsafe(15)}"

    def add(
        self,
        full_name: str,
        files: Mapping[str, bytes] | None = None,
        *,
        access: Mapping[str, str] | None = None,
        topics: Iterable[str] = (),
        branch: str = "main",
    ) -> Project:
        """See `hosting.Hub`; the groups above it are made, too."""
        self.group(full_name.rpartition("/")[0])
        return super().add(full_name, files, access=access, topics=topics, branch=branch)

    def settle(self, repo: Project, git: Git, pull: Pull) -> None:
        """See `hosting.Hub`; one without commits is not taken for merged."""
        if pull.extra.get("empty") == pull.head_sha == git.branch(pull.head):
            return
        super().settle(repo, git, pull)

    def now(self) -> datetime:
        """The time, in milliseconds as GitLab shows it."""
        at = self.clock()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    # GitLab's own.

    def group(self, path: str, access: Mapping[str, str] | None = None) -> Group:
        """A group with those above it, made where it is not there."""
        parent = path.rpartition("/")[0]
        if parent:
            self.group(parent)
        if path not in self.groups:
            self.groups[path] = Group(id=self.next_id(), path=path)
        self.groups[path].access |= dict(access or {})
        return self.groups[path]

    def user_id(self, login: str) -> int:
        """The number of a user; users come into being when they are named."""
        return self.users.setdefault(login, 1000 + len(self.users))

    def known(self, login: str) -> bool:
        """Whether there is such a user: somebody with a token, a role, or a comment."""
        roles = [one.access for one in self.repos.values()] + [one.access for one in self.groups.values()]
        return login in self.users or any(login in one for one in roles)

    def login_of(self, number: int) -> str | None:
        """The user of a number."""
        return next((login for login, one in self.users.items() if one == number), None)

    def find(self, name: str) -> Project:
        """A project by number or full path. Raises ApiError 404."""
        if name.isdigit():
            found = next((one for one in self.repos.values() if one.id == int(name)), None)
            name = "" if found is None else found.full_name
        return self.repo(name)

    def move(self, full_name: str, to: str) -> Project:
        """Rename a project, or move it to another group; its old path leads to it from then on."""
        repo = self.repos.pop(full_name)
        repo.owner, _, repo.name = to.rpartition("/")
        self.group(repo.owner)
        self.repos[to] = repo
        self.moved[full_name] = repo.id
        return repo

    def fork(self, full_name: str, to: str, access: Mapping[str, str] | None = None) -> Project:
        """A fork, empty but for its origin: enough for what lists say."""
        repo = self.add(to, {"fork": b"\n"}, access=access)
        repo.fork_of = full_name
        return repo

    def hook(
        self,
        full_name: str,
        url: str,
        *,
        token: str = "",
        signing_token: str = "",
        events: Iterable[str] = (),
    ) -> WebHook:
        """A webhook of a project; without `events` it hears all."""
        one = WebHook(
            id=self.next_id(),
            url=url,
            secret=token,
            events=tuple(events) or tuple(KINDS.values()),
            extra={"uuid": str(uuid.uuid4()), "signing_token": signing_token},
        )
        self.repos[full_name].hooks[one.id] = one
        return one

    def note(self, repo: Project, number: int, body: str, login: str) -> Comment:
        """A system note: what GitLab itself says that somebody did."""
        now = self.now()
        one = Comment(id=self.next_id(), number=number, user=login, body=body, created=now, updated=now)
        one.extra["system"] = True
        repo.comments[one.id] = one
        repo.pulls[number].updated = now
        return one

    def say(self, full_name: str, number: int, body: str, login: str = "ann") -> Comment:
        """See `hosting.Hub`; the merge request counts as updated, as on GitLab."""
        with self.lock:
            self.user_id(login)
            one = super().say(full_name, number, body, login)
            self.repos[full_name].pulls[number].updated = one.created
            return one

    def run_train(self, full_name: str, *, fails: str = "") -> None:
        """Let every waiting merge train arrive; `fails`: why they do not, and are taken off."""
        with self.lock:
            repo = self.repo(full_name)
            for car in [one for one in repo.cars if one.status != "merged"]:
                pull = repo.pulls[car.iid]
                if fails or pull.state != "open" or pull.head_sha != car.sha:
                    repo.cars.remove(car)
                    text = f"removed this merge request from the merge train because {fails or 'it changed'}"
                    self.note(repo, car.iid, text, car.user)
                else:
                    self._arrive(repo, car, pull)

    def _arrive(self, repo: Project, car: Car, pull: Pull) -> None:
        git = Git(repo.path)
        tip = git.branch(pull.base) or ""
        try:
            take_in(git, repo, pull, tip, squash=car.squash, login=car.user, when=self.now())
        except Refused as error:
            repo.cars.remove(car)
            self.note(
                repo, car.iid, f"removed this merge request from the merge train because {error}", car.user
            )
            return
        car.status = "merged"
        self.happened(repo, "merged", pull, car.user)


def take_in(
    git: Git,
    repo: Project,
    pull: Pull,
    tip: str,
    *,
    squash: bool,
    login: str,
    when: datetime,
    message: str = "",
    squash_message: str = "",
) -> None:
    """Merge by the project's method. `merge_sha` is the merge commit, where there is one. Raises Refused."""
    head = pull.head_sha
    if squash:
        text = squash_message or pull.title
        head = git.merge("squash", tip, head, message=text, login=login, when=when)
        pull.extra["squash_sha"] = head
    if repo.merge_method != "merge" and not git.contains(head, tip):
        raise Refused("the source branch must be rebased onto the target branch")
    if repo.merge_method == "ff":
        git.move(pull.base, head)
        pull.merge_sha = None
    else:
        text = message or f"Merge branch '{pull.head}' into '{pull.base}'\n\n{pull.title}\n"
        pull.merge_sha = git.merge("merge", tip, head, message=text, login=login, when=when)
        git.move(pull.base, pull.merge_sha)
    pull.state, pull.closed_at, pull.merged_at, pull.updated = "closed", when, when, when
