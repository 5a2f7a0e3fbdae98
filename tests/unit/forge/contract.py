"""What every forge adapter must do: subclass `ForgeContract`, give it a `world`, and all of it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from greylag.domain.check import Check, CheckStatus
from greylag.forge import (
    Forge,
    ForgeError,
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    RevertRefusal,
)
from greylag.forge.base import Glancing, glance_of
from greylag.workspace import Repository

WHO = {"author": "Ann", "email": "ann@example.org", "when": datetime(2026, 3, 1, tzinfo=UTC)}
FIRST = {"q.sql": b"select 1\nfrom a\nwhere x\n\n-- end\n", "other.sql": b"o\n"}


@dataclass(frozen=True)
class World:
    """A forge with one repository, `shop/etl`, whose `main` holds `FIRST`; `repo` has its objects."""

    forge: Forge
    repo: Repository
    name: str = "shop/etl"

    def say(self, number: int, body: str, *, author: str = "ann", may_write: bool = True) -> None:
        """What a person does: a comment. Adapters without `say` override this."""
        self.forge.say(self.name, number, author=author, body=body, may_write=may_write)  # type: ignore[attr-defined]

    def push(self, branch: str, changes: Mapping[str, bytes | None]) -> str:
        """What a person does: a commit on a branch."""
        ref = f"refs/heads/{branch}"
        found = self.repo.ref(ref)
        new = self.repo.commit(found or self.repo.head(), changes, message="by hand", **WHO)
        self.repo.set_ref(ref, new, expected=found)
        return new

    def spec(self, text: bytes = b"select 2\nfrom a\nwhere x\n\n-- end\n", **changes: str) -> PullRequestSpec:
        """A pull request that edits q.sql on the tip of main."""
        commit = self.repo.commit(self.repo.head(), {"q.sql": text}, message="edit", **WHO)
        spec = PullRequestSpec(
            repository=self.name,
            base="main",
            head="greylag/users-v2",
            commit=commit,
            title="Move",
            body="Why",
            key="users-v2:etl",
            labels=("greylag",),
            reviewers=("@team",),
        )
        return replace(spec, **changes)

    def merged(self, spec: PullRequestSpec) -> PullRequest:
        """That pull request, merged."""
        pull = self.forge.open_or_update(spec)
        done = self.forge.merge(self.name, pull.number, pull.head_commit)
        assert isinstance(done, Merged)
        return self.forge.get(self.name, pull.number)

    def at_main(self, path: str) -> bytes | None:
        """A file on main."""
        return self.repo.find(self.repo.head(), path)


def check(status: CheckStatus, verifier: str = "equivalence") -> Check:
    return Check(verifier=verifier, status=status, summary="s")


class ForgeContract:
    """The suite. Adapters may take their time with `mergeable`."""

    def test_open_makes_one_pull_request(self, world: World) -> None:
        spec = world.spec()
        pull = world.forge.open_or_update(spec)
        assert pull.state is PullRequestState.OPEN
        assert (pull.head_commit, pull.base_commit) == (spec.commit, world.repo.head())
        assert (pull.title, pull.labels, pull.reviewers) == ("Move", ("greylag",), ("@team",))
        assert world.repo.ref(f"refs/heads/{spec.head}") == spec.commit
        again = world.forge.open_or_update(spec)
        assert again.number == pull.number
        assert world.forge.get(world.name, pull.number).mergeable in {True, None}
        assert world.forge.find(world.name, spec.head) == world.forge.get(world.name, pull.number)
        assert world.forge.find_key(world.name, spec.key) == world.forge.get(world.name, pull.number)
        assert [p.number for p in world.forge.pull_requests(world.name)] == [pull.number]
        assert world.forge.pull_requests(state=PullRequestState.MERGED) == ()

    def test_update_moves_the_head_and_drops_its_checks(self, world: World) -> None:
        spec = world.spec()
        pull = world.forge.open_or_update(spec)
        told = world.forge.set_check(world.name, pull.number, spec.commit, check(CheckStatus.PASSED))
        assert told.checks["equivalence"].status is CheckStatus.PASSED
        newer = world.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n", title="Move again")
        moved = world.forge.open_or_update(newer)
        assert (moved.number, moved.head_commit, moved.title) == (pull.number, newer.commit, "Move again")
        assert moved.checks == {}
        assert world.repo.ref(f"refs/heads/{spec.head}") == newer.commit
        other_key = world.forge.open_or_update(replace(newer, key="users-v2:etl:2"))
        assert other_key.number == pull.number, "one open pull request a head branch"
        assert len(world.forge.pull_requests()) == 1

    def test_what_a_person_pushed_is_kept(self, world: World) -> None:
        spec = world.spec()
        pull = world.forge.open_or_update(spec)
        theirs = world.push(spec.head, {"q.sql": b"select 2 -- better\n"})
        result = world.forge.open_or_update(world.spec(b"select 9\n"))
        assert (result.number, result.head_commit) == (pull.number, theirs)
        assert world.repo.ref(f"refs/heads/{spec.head}") == theirs

    def test_what_cannot_be_opened_is_an_error(self, world: World) -> None:
        spec = world.spec()
        stranger = world.repo.commit(None, {"f": b"f"}, message="m", **WHO)
        for wrong in (
            replace(spec, repository="shop/none"),
            replace(spec, commit="0" * 40),
            replace(spec, base="none"),
            replace(spec, commit=stranger),
            replace(spec, commit=world.repo.head()),
        ):
            with pytest.raises(ForgeError):
                world.forge.open_or_update(wrong)
        assert world.forge.pull_requests() == ()
        with pytest.raises(ForgeError):
            world.forge.get(world.name, 7)
        with pytest.raises(ForgeError):
            world.forge.merge(world.name, 7, spec.commit)
        assert world.forge.find(world.name, "none") is None
        assert world.forge.find_key(world.name, "none") is None

    def test_merge_makes_a_merge_commit_on_a_base_that_moved(self, world: World) -> None:
        spec = world.spec()
        pull = world.forge.open_or_update(spec)
        tip = world.push("main", {"q.sql": b"select 1\nfrom a\nwhere x\n\n-- the end\n", "new": b"n"})
        done = world.forge.merge(world.name, pull.number, spec.commit)
        assert isinstance(done, Merged)
        assert not done.already
        assert world.repo.head() == done.commit
        self.taken_in(world, tip, spec, pull, done)
        assert world.at_main("q.sql") == b"select 2\nfrom a\nwhere x\n\n-- the end\n"
        assert world.at_main("new") == b"n"
        after = world.forge.get(world.name, pull.number)
        assert (after.state, after.merge_commit) == (PullRequestState.MERGED, done.commit)
        assert after.merged_at == done.at
        again = world.forge.merge(world.name, pull.number, spec.commit)
        assert again == replace(done, already=True)
        assert world.repo.head() == done.commit
        assert world.forge.open_or_update(spec).state is PullRequestState.MERGED
        assert world.forge.close(world.name, pull.number).state is PullRequestState.MERGED
        assert len(world.forge.pull_requests()) == 1

    @staticmethod
    def taken_in(world: World, tip: str, spec: PullRequestSpec, pull: PullRequest, done: Merged) -> None:
        """By a merge commit of its own; a forge that proposes other commits than ours says what it has."""
        info = world.repo.info(done.commit)
        assert info.parents == (tip, spec.commit)
        assert info.trailers["Greylag-Pull-Request"] == str(pull.number)

    def test_merge_refuses_and_changes_nothing(self, world: World) -> None:
        spec = world.spec()
        pull = world.forge.open_or_update(spec)
        before = world.repo.head()
        self.refused(world, pull.number, before, MergeRefusal.SHA_MOVED)
        for status in (CheckStatus.FAILED, CheckStatus.ERRORED):
            world.forge.set_check(world.name, pull.number, spec.commit, check(status))
            self.refused(world, pull.number, spec.commit, MergeRefusal.CHECKS)
        world.forge.set_check(world.name, pull.number, spec.commit, check(CheckStatus.INCONCLUSIVE))
        theirs = world.push(spec.head, {"q.sql": b"select 5\n"})
        self.refused(world, pull.number, spec.commit, MergeRefusal.SHA_MOVED)
        assert world.repo.head() == before
        tip = world.push("main", {"q.sql": b"select 4\n"})
        refusal = self.refused(world, pull.number, theirs, MergeRefusal.CONFLICT)
        assert refusal.paths == ("q.sql",)
        assert world.forge.get(world.name, pull.number).mergeable is False
        world.forge.close(world.name, pull.number)
        self.refused(world, pull.number, theirs, MergeRefusal.CLOSED)
        assert world.repo.head() == tip
        assert world.forge.get(world.name, pull.number).state is PullRequestState.CLOSED
        assert world.forge.open_or_update(spec).state is PullRequestState.CLOSED, "closed is a person's no"

    @staticmethod
    def refused(world: World, number: int, sha: str, reason: MergeRefusal) -> NotMergeable:
        result = world.forge.merge(world.name, number, sha)
        assert isinstance(result, NotMergeable)
        assert result.reason is reason
        return result

    def test_new_key_after_a_closed_one_is_a_new_pull_request(self, world: World) -> None:
        first = world.forge.open_or_update(world.spec())
        world.forge.close(world.name, first.number)
        second = world.forge.open_or_update(world.spec(b"select 7\n", key="users-v2:etl:2"))
        assert second.number != first.number
        assert second.state is PullRequestState.OPEN
        found = world.forge.find(world.name, second.head)
        assert found is not None
        assert found.number == second.number

    def test_a_glance_says_what_a_look_says(self, world: World) -> None:
        if not isinstance(world.forge, Glancing):
            pytest.skip("this forge is asked for each")
        spec = world.spec()
        pull = world.forge.open_or_update(spec)
        key = (world.name, spec.key)
        seen = world.forge.glance({key, (world.name, "none"), ("shop/none", spec.key)})
        assert seen == {key: glance_of(pull)}
        theirs = world.push(spec.head, {"q.sql": b"select 5\n"})
        assert world.forge.glance([key])[key].head_commit == theirs
        done = world.forge.merge(world.name, pull.number, theirs)
        assert isinstance(done, Merged)
        merged = world.forge.glance([key])[key]
        assert (merged.state, merged.merge_commit) == (PullRequestState.MERGED, done.commit)
        assert merged.head_commit == theirs

    def test_revert_restores_the_bytes(self, world: World) -> None:
        pull = world.merged(world.spec())
        world.push("main", {"other.sql": b"later\n"})
        back = world.forge.revert(world.name, pull.number)
        assert isinstance(back, PullRequest)
        assert back.state is PullRequestState.OPEN
        assert (back.reverts, back.key) == (pull.number, f"revert:{pull.key}")
        again = world.forge.revert(world.name, pull.number)
        assert isinstance(again, PullRequest)
        assert again.number == back.number
        done = world.forge.merge(world.name, back.number, back.head_commit)
        assert isinstance(done, Merged)
        assert world.at_main("q.sql") == FIRST["q.sql"]
        assert world.at_main("other.sql") == b"later\n"
        finished = world.forge.revert(world.name, pull.number)
        assert isinstance(finished, PullRequest)
        assert finished.state is PullRequestState.MERGED
        retry = world.merged(world.spec(b"select 8\n", key="users-v2:etl:2"))
        assert retry.number not in {pull.number, back.number}
        assert world.at_main("q.sql") == b"select 8\n"

    def test_revert_says_why_not(self, world: World) -> None:
        pull = world.forge.open_or_update(world.spec())
        early = world.forge.revert(world.name, pull.number)
        assert isinstance(early, NotRevertible)
        assert early.reason is RevertRefusal.NOT_MERGED
        world.forge.merge(world.name, pull.number, pull.head_commit)
        world.push("main", {"q.sql": b"select 2, 3\nfrom a\nwhere x\n\n-- end\n"})
        late = world.forge.revert(world.name, pull.number)
        assert isinstance(late, NotRevertible)
        assert (late.reason, late.paths) == (RevertRefusal.CONFLICT, ("q.sql",))
        world.push("main", FIRST)
        nothing = world.forge.revert(world.name, pull.number)
        assert isinstance(nothing, NotRevertible)
        assert nothing.reason is RevertRefusal.NOTHING_LEFT

    def test_an_open_revert_outlives_commits_on_the_base(self, world: World) -> None:
        pull = world.merged(world.spec())
        back = world.forge.revert(world.name, pull.number)
        assert isinstance(back, PullRequest)
        world.push("main", {"q.sql": b"select 2\nfrom a\nwhere y\n\n-- end\n"})
        world.push("main", {"q.sql": b"select 2\nfrom a\nwhere x\n\n-- end\n\n"})
        again = world.forge.revert(world.name, pull.number)
        assert isinstance(again, PullRequest)
        assert again.number == back.number
        assert isinstance(world.forge.merge(world.name, again.number, again.head_commit), Merged)
        assert world.at_main("q.sql") == FIRST["q.sql"] + b"\n"

    def test_what_a_person_pushed_to_an_open_revert_is_not_ours_to_merge(self, world: World) -> None:
        pull = world.merged(world.spec())
        back = world.forge.revert(world.name, pull.number)
        assert isinstance(back, PullRequest)
        world.push(back.head, {"other.sql": b"theirs\n"})
        again = world.forge.revert(world.name, pull.number)
        assert isinstance(again, NotRevertible), "its head would be merged at once"
        assert again.reason is RevertRefusal.CONFLICT
        assert f"{back.number}" in again.message

    def test_comments_are_said_once_a_key(self, world: World) -> None:
        pull = world.forge.open_or_update(world.spec())
        world.forge.comment(world.name, pull.number, key="a", body="one")
        world.forge.comment(world.name, pull.number, key="b", body="two")
        world.forge.comment(world.name, pull.number, key="a", body="one, better")
        world.forge.open_or_update(world.spec(b"select 3\n"))
        told = world.forge.get(world.name, pull.number).comments
        assert [(c.key, c.body) for c in told] == [("a", "one, better"), ("b", "two")]

    def test_remarks_are_read_from_a_mark_on(self, world: World) -> None:
        pull = world.forge.open_or_update(world.spec())
        assert world.forge.remarks({world.name}).items == ()
        world.say(pull.number, "first\nline")
        world.say(pull.number, "second", author="bob", may_write=False)
        heard = world.forge.remarks({world.name})
        assert [(one.author, one.body, one.number, one.may_write) for one in heard.items] == [
            ("ann", "first\nline", pull.number, True),
            ("bob", "second", pull.number, False),
        ]
        assert len({one.id for one in heard.items}) == 2
        assert world.forge.remarks({"another"}).items == ()
        world.say(pull.number, "third")
        later = world.forge.remarks({world.name}, heard.mark)
        assert [one.body for one in later.items][-1:] == ["third"]
        assert {one.id for one in later.items} - {one.id for one in heard.items} == {later.items[-1].id}
        assert world.forge.remarks({world.name}, later.mark).mark == later.mark

    def test_what_we_say_is_not_somebodys_remark(self, world: World) -> None:
        pull = world.forge.open_or_update(world.spec())
        world.forge.comment(world.name, pull.number, key="k", body="/greylag answer a.b 1")
        assert all(one.ours for one in world.forge.remarks({world.name}).items)
