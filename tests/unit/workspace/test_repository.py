"""A repository through its objects."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from greylag.domain.outcome import Reason
from greylag.workspace import (
    Conflict,
    EntryKind,
    MergeResult,
    NotARepository,
    RefMoved,
    Repository,
    RepositoryError,
    find_repositories,
)

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
WHO = {"author": "Ann", "email": "ann@example.org", "when": WHEN}


def git(path: Path, *arguments: str, **kwargs: object) -> str:
    done = subprocess.run(
        ["git", "-C", str(path), *arguments], capture_output=True, check=True, text=True, **kwargs
    )
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    repo = Repository.init_bare(tmp_path / "r.git")
    first = repo.commit(None, {"a.sql": b"select 1\n", "d/b.sql": b"1\n2\n3\n4\n5\n"}, message="first", **WHO)
    repo.set_ref("refs/heads/main", first, expected=None)
    return repo


def test_reads_what_git_reads(repo: Repository) -> None:
    tip = repo.head()
    assert repo.default_branch == "main"
    assert list(repo.files(tip)) == ["a.sql", "d/b.sql"]
    assert repo.read(tip, "d/b.sql") == git(repo.path, "show", "main:d/b.sql").encode()
    assert repo.find(tip, "d") is None
    assert repo.find(tip, "nope") is None
    assert list(repo.entries(tip, "d")) == ["d/b.sql"]
    assert repo.entries(tip, "x") == {}
    with pytest.raises(RepositoryError, match=r"no file 'x\.sql'"):
        repo.read(tip, "x.sql")
    git(repo.path, "fsck", "--strict")


def test_commit_id_follows_from_what_is_in_it(repo: Repository) -> None:
    tip = repo.head()
    one = repo.commit(tip, {"a.sql": b"select 2\n"}, message="m", **WHO)
    assert one == repo.commit(tip, {"a.sql": b"select 2\n"}, message="m", **WHO)
    assert one != repo.commit(tip, {"a.sql": b"select 3\n"}, message="m", **WHO)
    assert repo.commit(tip, {"a.sql": b"select 1\n"}, message="m", **WHO) == tip
    info = repo.info(one)
    assert (info.when, info.when.utcoffset(), info.author) == (
        WHEN,
        WHEN.utcoffset(),
        "Ann <ann@example.org>",
    )


def test_commit_adds_removes_and_keeps_modes(repo: Repository) -> None:
    work = repo.path / "work"
    git(repo.path, "worktree", "add", "-q", str(work), "-b", "modes")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / "link").symlink_to("a.sql")
    git(work, "add", ".")
    git(work, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "modes")
    tip = repo.head("modes")
    new = repo.commit(
        tip,
        {"run.sh": b"#!/bin/bash\n", "d/b.sql": None, 'x/y z/"ü\n.sql': b"1", "d2/n": b"n"},
        message="m",
        **WHO,
    )
    entries = repo.entries(new)
    assert list(entries) == ["a.sql", "d2/n", "link", "run.sh", 'x/y z/"ü\n.sql']
    assert entries["run.sh"].executable
    assert entries["link"].kind is EntryKind.SYMLINK
    assert "link" not in repo.files(new)
    assert repo.find(new, "link") is None
    for bad in ({"link": b"x"}, {"link/x": b"x"}, {"a.sql/x": b""}, {"gone": None}, {"d": b"x"}):
        with pytest.raises(RepositoryError):
            repo.commit(tip, bad, message="m", **WHO)
    for bad_name in ("../x", "/x", "a//b", ".git/config", "a/.GIT/x", "", "x\udcff.sql"):
        with pytest.raises(RepositoryError):
            repo.commit(tip, {bad_name: b"x"}, message="m", **WHO)
    git(repo.path, "fsck", "--strict")


def test_names_that_are_not_utf8_are_kept_and_seen(repo: Repository) -> None:
    blob = git(repo.path, "hash-object", "-w", "--stdin", input="x").strip()
    record = f"100644 blob {blob}\t".encode() + b"\xff.sql\0"
    done = subprocess.run(
        ["git", "-C", str(repo.path), "mktree", "-z"], input=record, capture_output=True, check=True
    )
    commit = git(
        repo.path,
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
        "commit-tree",
        done.stdout.decode().strip(),
        "-m",
        "x",
    ).strip()
    assert list(repo.files(commit)) == ["\udcff.sql"]
    new = repo.commit(commit, {"b.sql": b"y"}, message="m", **WHO)
    assert list(repo.changed(commit, new)) == ["b.sql"]
    assert sorted(repo.files(new)) == ["b.sql", "\udcff.sql"]
    assert repo.read(new, "\udcff.sql") == b"x"
    assert repo.find(new, "\udcfe.sql") is None


def test_refs_move_only_from_where_they_are_expected(repo: Repository) -> None:
    tip = repo.head()
    new = repo.commit(tip, {"a.sql": b"2"}, message="m", **WHO)
    with pytest.raises(RefMoved):
        repo.set_ref("refs/heads/main", new, expected=None)
    with pytest.raises(RefMoved):
        repo.set_ref("refs/heads/main", new, expected=new)
    with pytest.raises(RefMoved):
        repo.set_ref("refs/heads/other", new, expected=tip)
    repo.set_ref("refs/heads/main", new, expected=tip)
    repo.set_ref("refs/heads/greylag/x", tip, expected=None)
    git(repo.path, "pack-refs", "--all")
    repo.set_ref("refs/heads/greylag/x", new, expected=tip)
    assert repo.refs("refs/heads/") == {"refs/heads/greylag/x": new, "refs/heads/main": new}
    repo.set_ref("refs/heads/greylag/x", None, expected=new)
    repo.set_ref("refs/heads/greylag/x", None, expected=None)
    assert "greylag" not in git(repo.path, "for-each-ref")
    with pytest.raises(RepositoryError):
        repo.set_ref("refs/heads/a..b", new, expected=None)


def _add_one(path: Path, start: int) -> None:
    for number in range(start, start + 15):
        while True:
            repo = Repository.open(path)
            tip = repo.head()
            new = repo.commit(tip, {f"f{number}": b"x"}, message="m", **WHO)
            try:
                repo.set_ref("refs/heads/main", new, expected=tip)
            except RefMoved:
                continue
            break


def test_two_processes_lose_nothing(repo: Repository) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_add_one, args=(repo.path, start)) for start in (0, 100)]
    for process in others:
        process.start()
    for process in others:
        process.join()
    assert len(repo.files(repo.head())) == 2 + 30


def test_a_lock_left_by_a_killed_process_is_broken(repo: Repository) -> None:
    lock = repo.path / "refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (1_700_000_000, 1_700_000_000))
    tip = repo.head()
    new = repo.commit(tip, {"a.sql": b"2"}, message="m", **WHO)
    repo.set_ref("refs/heads/main", new, expected=tip)
    assert repo.head() == new
    assert not lock.exists()


def test_merge_brings_over_or_says_where_it_conflicts(repo: Repository) -> None:
    base = repo.head()
    ours = repo.commit(base, {"d/b.sql": b"one\n2\n3\n4\n5\n"}, message="ours", **WHO)
    theirs = repo.commit(base, {"d/b.sql": b"1\n2\n3\n4\nfive\n"}, message="theirs", **WHO)
    match repo.merge(ours, theirs, message="merge\n\nGreylag-Key: k\n", **WHO):
        case MergeResult(commit=commit, changed=True):
            assert repo.read(commit, "d/b.sql") == b"one\n2\n3\n4\nfive\n"
            assert repo.info(commit).parents == (ours, theirs)
            assert repo.info(commit).trailers == {"Greylag-Key": "k"}
        case other:
            pytest.fail(str(other))
    clash = repo.commit(base, {"d/b.sql": b"uno\n2\n3\n4\n5\n"}, message="clash", **WHO)
    match repo.merge(ours, clash, message="m", **WHO):
        case Conflict(paths=paths):
            assert paths == ("d/b.sql",)
        case other:
            pytest.fail(str(other))
    gone = repo.commit(base, {"d/b.sql": None}, message="gone", **WHO)
    assert isinstance(repo.merge(ours, gone, message="m", **WHO), Conflict)
    assert repo.merge(ours, base, message="m", **WHO) == MergeResult(commit=ours, changed=False)
    stranger = repo.commit(None, {"z": b"z"}, message="stranger", **WHO)
    assert repo.merge(ours, stranger, message="m", **WHO) == Conflict(
        paths=(), reason="the histories have no commit in common"
    )


def test_revert_restores_the_bytes_or_conflicts(repo: Repository) -> None:
    base = repo.head()
    branch = repo.commit(base, {"a.sql": b"select 2\n", "new": b"n"}, message="branch", **WHO)
    side = repo.commit(base, {"side": b"s"}, message="side", **WHO)
    merged = repo.merge(side, branch, message="merge", **WHO)
    assert isinstance(merged, MergeResult)
    later = repo.commit(merged.commit, {"side": b"later"}, message="later", **WHO)
    undone = repo.revert(merged.commit, later, message="revert", **WHO)
    assert isinstance(undone, MergeResult)
    assert undone.changed
    assert repo.files(undone.commit).keys() == {"a.sql", "d/b.sql", "side"}
    assert repo.files(undone.commit)["a.sql"] == repo.files(base)["a.sql"]
    assert repo.read(undone.commit, "side") == b"later"
    again = repo.revert(merged.commit, undone.commit, message="revert", **WHO)
    assert again == MergeResult(commit=undone.commit, changed=False)
    edited = repo.commit(merged.commit, {"a.sql": b"select 3\n"}, message="edited", **WHO)
    clash = repo.revert(merged.commit, edited, message="revert", **WHO)
    assert isinstance(clash, Conflict)
    assert clash.paths == ("a.sql",)
    assert isinstance(repo.revert(base, later, message="m", **WHO), Conflict)


def test_log_diff_and_ancestry(repo: Repository) -> None:
    base = repo.head()
    one = repo.commit(base, {"a.sql": b"select 2\n"}, message="one", **WHO)
    two = repo.commit(one, {"d/b.sql": None, "e": b"e\n"}, message="two", **WHO)
    assert [c.id for c in repo.log(two)] == [two, one, base]
    assert [c.id for c in repo.log(two, until=base)] == [two, one]
    assert repo.is_ancestor(base, two)
    assert not repo.is_ancestor(two, base)
    assert list(repo.changed(base, two)) == ["a.sql", "d/b.sql", "e"]
    assert repo.changed(base, two)["e"][0] is None
    assert repo.changed(base, two)["d/b.sql"][1] is None
    assert "-select 1\n+select 2\n" in repo.diff(base, two)
    assert not repo.has_commit("0" * 40)
    assert not repo.has_commit("no")


def test_checkout_writes_the_tree_and_nothing_outside(repo: Repository, tmp_path: Path) -> None:
    tip = repo.head()
    assert repo.checkout(tip, tmp_path / "out") == ()
    assert (tmp_path / "out/d/b.sql").read_bytes() == b"1\n2\n3\n4\n5\n"
    with pytest.raises(RepositoryError, match="not empty"):
        repo.checkout(tip, tmp_path / "out")
    target = git(repo.path, "hash-object", "-w", "--stdin", input="../../etc").strip()
    inside = git(repo.path, "hash-object", "-w", "--stdin", input="ok").strip()
    tree = git(
        repo.path,
        "mktree",
        input=f"120000 blob {target}\tevil\n120000 blob {inside}\tfine\n"
        f"160000 commit {tip}\tsub\n100755 blob {inside}\tok\n",
    ).strip()
    commit = git(
        repo.path, "-c", "user.name=A", "-c", "user.email=a@b", "commit-tree", tree, "-m", "x"
    ).strip()
    notes = repo.checkout(commit, tmp_path / "out2")
    assert sorted(note.code for note in notes) == ["submodule", "symlink"]
    assert not (tmp_path / "out2/evil").is_symlink()
    assert (tmp_path / "out2/fine").read_text() == "ok"
    assert (tmp_path / "out2/ok").stat().st_mode & 0o111


def test_read_text_says_why_not(repo: Repository) -> None:
    new = repo.commit(
        repo.head(),
        {
            "bin": b"a\0b",
            "latin": b"ok\n\xe9\n",
            "lfs.sql": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
            "big": b"x" * (5 * 1024 * 1024),
            "bom": "\ufeffselect ü\r\n".encode(),
        },
        message="m",
        **WHO,
    )
    codes = {p: r.code for p in repo.files(new) if isinstance(r := repo.read_text(new, p), Reason)}
    assert codes == {"bin": "binary", "latin": "not-utf-8", "lfs.sql": "lfs-pointer", "big": "too-large"}
    text = repo.read_text(new, "bom")
    assert isinstance(text, str)
    assert text.encode() == repo.read(new, "bom")


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotARepository):
        Repository.open(tmp_path / "nothing")
    subprocess.run(
        ["git", "init", "-q", "--bare", "--object-format=sha256", str(tmp_path / "s.git")], check=True
    )
    with pytest.raises(NotARepository, match="SHA-256"):
        Repository.open(tmp_path / "s.git")
    empty = Repository.init_bare(tmp_path / "e.git", branch="trunk")
    assert empty.default_branch == "trunk"
    with pytest.raises(RepositoryError, match="no branch 'trunk'"):
        empty.head()


def test_a_checked_out_branch_is_not_moved_under_its_tree(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "w")
    work = tmp_path / "w"
    (work / "f").write_text("x")
    git(work, "add", "f")
    git(work, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "x")
    repo = Repository.open(work)
    tip = repo.head()
    new = repo.commit(tip, {"f": b"y"}, message="m", **WHO)
    with pytest.raises(RepositoryError, match="checked out"):
        repo.set_ref("refs/heads/main", new, expected=tip)


def test_find_repositories(tmp_path: Path) -> None:
    for name in ("a.git", "team/b.git", ".hidden/c.git"):
        Repository.init_bare(tmp_path / name)
    git(tmp_path, "init", "-q", "w")
    assert list(find_repositories(tmp_path)) == ["a", "team/b", "w"]
    Repository.init_bare(tmp_path / "a")
    with pytest.raises(Exception, match="both be called 'a'"):
        find_repositories(tmp_path)


def test_time_without_zone_is_utc(repo: Repository) -> None:
    naive = {**WHO, "when": datetime(2026, 1, 1)}
    aware = {**WHO, "when": datetime(2026, 1, 1, tzinfo=UTC)}
    assert repo.commit(None, {"f": b""}, message="m", **naive) == repo.commit(
        None, {"f": b""}, message="m", **aware
    )
