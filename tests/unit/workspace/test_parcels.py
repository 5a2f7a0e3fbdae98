"""What one copy of a repository gives to another: enough, and not more."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest

from greylag.workspace import Repository, RepositoryError

WHEN = {"author": "a", "email": "a@b.example", "when": datetime(2026, 3, 2, tzinfo=UTC)}


def two_copies(folder: Path) -> tuple[Repository, Repository, str]:
    repo = Repository.init_bare(folder / "one.git")
    files = {f"models/{n}/q.sql": f"SELECT {n}\n".encode() * 50 for n in range(40)}
    base = repo.commit(None, {**files, "k\u00e4se/x.sql": b"1\n", "b.bin": bytes(9)}, message="first", **WHEN)
    repo.set_ref("refs/heads/main", base, expected=None)
    shutil.copytree(folder / "one.git", folder / "two.git")
    return repo, Repository.open(folder / "two.git"), base


def test_commits_trees_and_files_that_are_new(tmp_path: Path) -> None:
    one, two, base = two_copies(tmp_path)
    first = one.commit(base, {"models/7/q.sql": b"new\n", "k\u00e4se/y.sql": b"y\n"}, message="1", **WHEN)
    second = one.commit(first, {"models/8/q.sql": b"newer\n", "b.bin": None}, message="2", **WHEN)
    parcel = one.parcel(base, second)
    assert len(parcel) < 2500, "nothing that stands in the base"
    assert not two.has_commit(second)
    two.take_in(parcel)
    two.take_in(parcel)
    two = Repository.open(two.path)
    assert two.changed(base, second) == one.changed(base, second)
    assert two.read(first, "models/7/q.sql") == b"new\n"
    assert two.merge_base(base, second) == base
    subprocess.run(["git", "fsck", "--strict", second], cwd=two.path, check=True, capture_output=True)
    assert list(two.refs("refs/heads/")) == ["refs/heads/main"], "no ref is moved"


def test_a_submodule_and_a_name_that_is_not_utf8_go_along(tmp_path: Path) -> None:
    one, two, base = two_copies(tmp_path)
    raw = pygit2.Repository(str(tmp_path / "one.git"))
    before = raw[pygit2.Oid(hex=base)].peel(pygit2.Tree)
    text = b"".join(b"%o %s\0%s" % (e.filemode, e.raw_name or b"", e.id.raw) for e in before)
    blob = raw.create_blob(b"new\n")
    text += b"160000 zz\0" + bytes(range(20)) + b"100644 z\xff.sql\0" + blob.raw
    tree = raw.odb.write(pygit2.enums.ObjectType.TREE, text)
    who = pygit2.Signature("a", "a@b.example", 0, 0)
    commit = str(raw.create_commit(None, who, who, "odd", tree, [pygit2.Oid(hex=base)]))
    two.take_in(one.parcel(base, commit))
    assert Repository.open(two.path).blob(str(blob)) == b"new\n"
    assert Repository.open(two.path).entries(commit) == one.entries(commit)


def test_what_is_broken_is_said(tmp_path: Path) -> None:
    one, two, base = two_copies(tmp_path)
    commit = one.commit(base, {"b.bin": b"x"}, message="1", **WHEN)
    with pytest.raises(RepositoryError, match="cannot be unpacked"):
        two.take_in(one.parcel(base, commit)[:-30])
    with pytest.raises(RepositoryError, match="no commit"):
        one.parcel(base, "0" * 40)
    assert not Repository.open(two.path).has_commit(commit)
