"""Where a default branch stands, read from two small files, or not at all."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.workspace import Repository, loose_head

WHO = {"author": "A", "email": "a@example.org", "when": datetime(2026, 3, 2, tzinfo=UTC)}


def git(repo: Repository, *words: str) -> None:
    subprocess.run(["git", "-C", str(repo.path), *words], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("as it is", True),
        ("packed", False),
        ("packed, then moved", True),
        ("no commit yet", False),
        ("HEAD names a commit", False),
        ("a branch that stands for another", False),
        ("another default branch", True),
        ("no repository", False),
    ],
)
def test_it_says_what_git_says_or_nothing(tmp_path: Path, how: str, seen: bool) -> None:
    """Never another commit than git's."""
    repo = Repository.init_bare(tmp_path / "r.git")
    first = repo.commit(None, {"a": b"1"}, message="m", **WHO)  # type: ignore[arg-type]
    second = repo.commit(first, {"a": b"2"}, message="m", **WHO)  # type: ignore[arg-type]
    if how != "no commit yet":
        repo.set_ref("refs/heads/main", first, expected=None)
    match how:
        case "packed":
            git(repo, "pack-refs", "--all")
        case "packed, then moved":
            git(repo, "pack-refs", "--all")
            repo.set_ref("refs/heads/main", second, expected=first)
        case "HEAD names a commit":
            (repo.path / "HEAD").write_text(f"{first}\n")
        case "a branch that stands for another":
            git(repo, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
            git(repo, "symbolic-ref", "HEAD", "refs/heads/alias")
        case "another default branch":
            repo.set_ref("refs/heads/a/b", second, expected=None)
            git(repo, "symbolic-ref", "HEAD", "refs/heads/a/b")
    found = loose_head(tmp_path / "none" if how == "no repository" else repo.path)
    assert (found is not None) is seen
    assert found in (None, Repository.open(repo.path).ref("HEAD"))
