"""The GitHub adapter among people, other machines and other rules than the contract's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr
from tests.unit.forge.contract import FIRST, check
from tests.unit.forge.github_world import BOT, GitHubWorld, github_world, make_api, make_client, make_forge

from greylag.domain.check import CheckStatus
from greylag.forge import ForgeError, Merged, MergeRefusal, NotMergeable, PullRequest, PullRequestState
from greylag.forge.base import Unavailable
from greylag.forge.github import AppAuth
from greylag.forge.github.reading import shown_of
from greylag.forge.hosted import Keeper, Mirror, Selection, select
from greylag.forge.hosted.looking import marker_of
from greylag.forge.hosted.marker import Marker, mark, mark_comment, unmark, unmark_comment


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path) as made:
        yield made


def test_another_machine_goes_on_without_our_journal(world: GitHubWorld, tmp_path: Path) -> None:
    pull = world.forge.open_or_update(world.spec())
    forge, mirror = make_forge(world.other, tmp_path / "elsewhere")
    repo = mirror.open(world.name)
    there = replace(world, forge=forge, repo=repo)
    found = forge.find_key(world.name, "users-v2:etl")
    assert found is not None
    assert found.number == pull.number
    newer = there.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n")
    moved = forge.open_or_update(newer)
    assert (moved.number, moved.head_commit) == (pull.number, newer.commit)
    assert isinstance(forge.merge(world.name, pull.number, newer.commit), Merged)
    back = forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)


def test_what_another_machine_pushed_before_it_died_is_ours(world: GitHubWorld, tmp_path: Path) -> None:
    """It pushed, and was killed before it could open a pull request: no marker tells, nor our journal."""
    spec = world.spec()
    _, mirror = make_forge(world.other, tmp_path / "elsewhere")
    there = replace(world, repo=mirror.open(world.name))
    assert there.spec().commit == spec.commit
    mirror.push(world.name, spec.head, spec.commit, expected=None)
    newer = world.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n")
    kept = world.forge.open_or_update(replace(newer, ours=(spec.commit, newer.commit)))
    assert kept.head_commit == newer.commit
    person = world.push(spec.head, {"q.sql": b"mine\n"})
    newest = world.spec(b"select 4\nfrom a\nwhere x\n\n-- end\n")
    kept = world.forge.open_or_update(replace(newest, ours=(spec.commit, newer.commit, newest.commit)))
    assert kept.head_commit == person, "on top of ours, a person's stays theirs"


def test_a_mirror_made_after_the_merge_can_take_it_back(world: GitHubWorld, tmp_path: Path) -> None:
    pull = world.merged(world.spec())
    forge, mirror = make_forge(world.other, tmp_path / "elsewhere")
    mirror.open(world.name)
    assert mirror.is_shallow_at(world.name, pull.merge_commit or "")
    back = forge.revert(world.name, pull.number)
    assert isinstance(back, PullRequest)
    assert isinstance(forge.merge(world.name, back.number, back.head_commit), Merged)
    repo = mirror.open(world.name)
    assert repo.find(repo.head(), "q.sql") == FIRST["q.sql"]


def test_a_branch_that_a_person_made_is_theirs(world: GitHubWorld) -> None:
    spec = world.spec()
    theirs = world.push(spec.head, {"q.sql": b"select 'theirs'\n"})
    pull = world.forge.open_or_update(spec)
    assert pull.head_commit == theirs
    assert world.other.hub.repo(world.name).pulls[pull.number].head_sha == theirs
    assert any("stays" in comment.body for comment in pull.comments), "and says so"
    again = world.forge.open_or_update(spec)
    assert again.comments == pull.comments


def test_labels_of_people_stay(world: GitHubWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.repos[world.name].pulls[pull.number].labels.append("urgent")
    again = world.forge.open_or_update(world.spec(b"select 3\n"))
    assert again.labels == ("greylag", "urgent")


def test_reviewers_who_cannot_be_asked_are_named(world: GitHubWorld) -> None:
    wanted = ("@nobody", "@shop/data", "mail@example.org", "@team", f"@{BOT}")
    pull = world.forge.open_or_update(replace(world.spec(), reviewers=wanted))
    assert pull.reviewers == ("@team", "@shop/data")
    (comment,) = pull.comments
    assert "`@nobody`, `mail@example.org`" in comment.body
    asked = sum(1 for one in world.other.requests if one.path.endswith("requested_reviewers"))
    world.forge.open_or_update(replace(world.spec(), reviewers=("@team", "@shop/data")))
    assert sum(1 for one in world.other.requests if one.path.endswith("requested_reviewers")) == asked


def test_branch_protection_is_a_reason_not_an_error(world: GitHubWorld) -> None:
    world.other.hub.protect(world.name, "main", "ci/build")
    pull = world.forge.open_or_update(world.spec())
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert refused.reason is MergeRefusal.RULES
    assert "ci/build" in refused.message


def test_our_check_can_be_a_required_one(world: GitHubWorld) -> None:
    world.other.hub.protect(world.name, "main", "greylag/equivalence")
    pull = world.forge.open_or_update(world.spec())
    world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.INCONCLUSIVE))
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable), "inconclusive is not passed"
    world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
    assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)


def test_what_others_check_and_find_failed_is_not_merged(world: GitHubWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
    client = make_client(world.other)
    path = f"/repos/{world.name}/statuses/{pull.head_commit}"
    client.send("POST", path, {"state": "failure", "context": "ci/build"})
    refused = world.forge.merge(world.name, pull.number, pull.head_commit)
    assert isinstance(refused, NotMergeable)
    assert (refused.reason, refused.message) == (MergeRefusal.CHECKS, "not passed: ci/build")
    client.send("POST", path, {"state": "success", "context": "ci/build"})
    client.send("POST", path, {"state": "failure", "context": "equivalence"})
    read = world.forge.get(world.name, pull.number)
    assert read.checks["equivalence"].status is CheckStatus.PASSED, "theirs does not stand for ours"
    assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_other_merge_methods_are_taken_back_too(tmp_path: Path, method: str) -> None:
    with github_world(tmp_path, merge_method=method) as world:
        pull = world.merged(world.spec())
        assert world.repo.info(pull.merge_commit or "").parents == (pull.base_commit,)
        world.push("main", {"other.sql": b"later\n"})
        back = world.forge.revert(world.name, pull.number)
        assert isinstance(back, PullRequest)
        assert isinstance(world.forge.merge(world.name, back.number, back.head_commit), Merged)
        assert world.at_main("q.sql") == FIRST["q.sql"]
        assert world.at_main("other.sql") == b"later\n"


def test_a_draft_is_ready_once_its_checks_have_passed(tmp_path: Path) -> None:
    with github_world(tmp_path, draft=True) as world:
        pull = world.forge.open_or_update(world.spec())
        there = world.other.hub.repos[world.name].pulls[pull.number]
        assert there.draft
        world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.INCONCLUSIVE))
        assert there.draft
        world.other.fault(method="POST", path="graphql", status=502, times=9)
        with pytest.raises(ForgeError):
            world.forge.set_check(world.name, pull.number, pull.head_commit, check(CheckStatus.PASSED))
        world.other.front._faults.clear()
        assert there.draft
        assert isinstance(world.forge.merge(world.name, pull.number, pull.head_commit), Merged)


def test_the_branch_goes_with_the_merge_unless_somebody_pushed_to_it(world: GitHubWorld) -> None:
    pull = world.merged(world.spec())
    assert pull.state is PullRequestState.MERGED
    git = world.other.hub.repos[world.name].path
    assert not (git / "refs" / "heads" / "greylag" / "users-v2").exists()


def test_an_app_writes_check_runs_with_evidence(world: GitHubWorld, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hub = world.other.hub
    hub.app_key = public.decode()
    hub.repos[world.name].access[f"{hub.app_slug}[bot]"] = "write"
    api = f"{world.other.url}/api/v3"
    auth = AppAuth(app_id="7", installation=1, key=SecretStr(private), api=api)
    forge, mirror = make_forge(world.other, tmp_path / "app", auth)
    there = replace(world, forge=forge, repo=mirror.open(world.name))
    pull = forge.open_or_update(there.spec())
    told = replace(check(CheckStatus.ERRORED), details={"rows": 12})
    for _ in range(2):
        read = forge.set_check(world.name, pull.number, pull.head_commit, told)
        assert read.checks["equivalence"].status is CheckStatus.ERRORED
    (run,) = hub.repos[world.name].runs.values()
    assert (run.name, run.conclusion) == ("greylag/equivalence", "failure")
    assert '"rows": 12' in run.output["text"]
    assert hub.repos[world.name].statuses == []
    stale = auth.token().get_secret_value()
    hub.tokens.pop(stale)
    assert forge.get(world.name, pull.number).number == pull.number, "a token that ended is renewed"
    assert private not in repr(auth)
    assert list(select(forge.api, Selection())) == [world.name]


def test_a_wrong_key_of_an_app_is_told_without_it(world: GitHubWorld) -> None:
    auth = AppAuth(app_id="7", installation=1, key=SecretStr("nonsense"), api=world.other.url)
    with pytest.raises(ForgeError, match="no RSA key") as error:
        auth.token()
    assert "nonsense" not in str(error.value)
    assert jwt.__version__


def test_a_marker_survives_its_journey() -> None:
    marker = Marker(key="a--b-->c", head="h", base="0" * 40, heads=("1" * 40,), reverts=3)
    body, read = unmark(mark("Why\n\nmore", marker).replace("\n", "\r\n"))
    assert (body, read) == ("Why\n\nmore", marker)
    assert mark("x", marker).count("-->") == 1
    assert unmark(None) == ("", None)
    assert unmark("<!-- greylag [] -->")[1] is None
    assert len(mark("x" * 70_000, marker)) < 65_536
    assert unmark_comment(mark_comment("k", "one\ntwo")) == ("k", "one\ntwo")
    assert unmark_comment("> " + mark_comment("k", "quoted")) is None


def test_a_marker_in_a_pull_request_from_a_fork_is_not_believed() -> None:
    body = mark("Why", Marker(key="users-v2:etl"))
    head = {"ref": "h", "sha": "1" * 40, "repo": {"full_name": "shop/etl"}}
    document = {
        "number": 1, "state": "open", "title": "t", "body": body, "html_url": "", "user": None,
        "created_at": "2026-03-01T00:00:00Z", "base": {"ref": "main", "sha": "0" * 40}, "head": head,
    }  # fmt: skip
    assert marker_of(shown_of("shop/etl", document)) == Marker(key="users-v2:etl")
    assert marker_of(shown_of("shop/other", document)) is None
    assert marker_of(shown_of("shop/etl", document | {"head": head | {"repo": None}})) is None


def test_what_somebody_quotes_of_us_is_still_their_remark(world: GitHubWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.forge.comment(world.name, pull.number, key="k", body="said")
    ours = next(iter(world.other.hub.repos[world.name].comments.values()))
    world.say(pull.number, f"> {ours.body}\n\n/greylag retry")
    assert [one.ours for one in world.forge.remarks({world.name}).items] == [True, False]


def test_remarks_cost_one_free_request_a_repository_when_nothing_is_said(world: GitHubWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.say(pull.number, "hello")
    mark_ = world.forge.remarks({world.name}).mark
    world.forge.remarks({world.name}, mark_)
    before = len(world.other.requests)
    world.forge.remarks({world.name}, mark_)
    late = world.other.requests[before:]
    assert {one.status for one in late} == {304}
    assert len(late) == 2, "the comments, and the right of who spoke last"


def test_comments_are_looked_for_no_more_often_than_asked(tmp_path: Path) -> None:
    with github_world(tmp_path, poll=3600.0) as world:
        pull = world.forge.open_or_update(world.spec())
        heard = world.forge.remarks({world.name})
        world.say(pull.number, "hello")
        before = len(world.other.requests)
        assert world.forge.remarks({world.name}, heard.mark) == replace(heard, items=())
        assert len(world.other.requests) == before
        forge, _ = make_forge(world.other, tmp_path / "later")
        assert [one.body for one in forge.remarks({world.name}, heard.mark).items] == ["hello"]


def test_a_fleet_is_selected_mirrored_and_follows(world: GitHubWorld, tmp_path: Path) -> None:
    hub = world.other.hub
    access = {BOT: "read"}
    hub.add("shop/web", {"a": b"a"}, access=access, topics=["data"], branch="trunk")
    hub.add("shop/old", {"a": b"a"}, access=access).archived = True
    hub.add("shop/hidden", {"a": b"a"})
    hub.add("shop/empty", access=access)
    hub.add("else/where", {"a": b"a"}, access=access, topics=["data"])
    api = make_api(world.other)

    def names(**selection: object) -> list[str]:
        return list(select(api, Selection(**selection)))  # type: ignore[arg-type]

    assert names(org="shop") == ["shop/empty", "shop/etl", "shop/web"]
    assert names(org="shop", topic="data") == ["shop/web"]
    assert names(topic="data") == ["else/where", "shop/web"]
    assert names(query="org:shop web") == ["shop/web"]
    assert names(org="shop", exclude=("shop/e*",)) == ["shop/web"]
    assert names(org="shop", archived=True) == ["shop/empty", "shop/etl", "shop/old", "shop/web"]
    assert names(repositories=("else/where",)) == ["else/where"]
    with pytest.raises(ForgeError, match="shop/hidden"):
        names(repositories=("shop/hidden",))
    with pytest.raises(ForgeError, match="no such organisation"):
        names(org="none")

    mirror = Mirror(tmp_path / "fleet", api)
    keeper = Keeper(api, mirror, Selection(org="shop"))
    fresh = keeper.refresh()
    assert fresh.unreadable == {}
    assert mirror.names() == fresh.names == ("shop/empty", "shop/etl", "shop/web")
    web = mirror.open("shop/web")
    assert web.default_branch == "trunk"
    new = hub.push("shop/web", "trunk", {"b": b"b"})
    world.other.fault(path="/repos/shop/etl/git/ref", status=500, times=4)
    assert list(keeper.refresh().unreadable) == ["shop/etl"], "told, and the others are fetched"
    assert mirror.open("shop/web").head() == new


def test_tokens_are_written_nowhere(world: GitHubWorld, tmp_path: Path) -> None:
    world.merged(world.spec())
    (token,) = (one for one, (login, _) in world.other.hub.tokens.items() if login == BOT)
    for file in tmp_path.rglob("*"):
        assert not (file.is_file() and token.encode() in file.read_bytes()), file
    with pytest.raises(ForgeError) as error:
        world.forge.open_or_update(replace(world.spec(), repository="shop/none"))
    assert token not in str(error.value)


def test_a_list_that_is_not_as_documented_is_told(
    world: GitHubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = make_api(world.other)
    monkeypatch.setattr(type(api), "of_owner", lambda *_: {}["full_name"])
    with pytest.raises(
        Unavailable, match=r"list of repositories is not as documented: KeyError\('full_name'\)"
    ):
        select(api, Selection(org="shop"))
