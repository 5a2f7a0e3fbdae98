"""Files of a commit and of a folder, as one mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.workspace import CommitFiles, FolderFiles, Repository


def test_both_say_the_same(tmp_path: Path) -> None:
    contents = {"a.sql": b"select 1", "d/b.yml": "ü: 1".encode(), "pic": b"\0\1", "latin": b"\xe9"}
    repo = Repository.init_bare(tmp_path / "r.git")
    when = datetime(2026, 1, 1, tzinfo=UTC)
    commit = repo.commit(None, contents, message="m", author="A", email="a@b", when=when)
    repo.checkout(commit, tmp_path / "w")
    for files in (CommitFiles(repo, commit), FolderFiles(tmp_path / "w")):
        assert dict(files) == {"a.sql": "select 1", "d/b.yml": "ü: 1", "pic": "", "latin": ""}
        assert "d/b.yml" in files
        assert "d" not in files
        assert "nope" not in files
        assert files.get("nope") is None
        assert len(files) == 4
        with pytest.raises(KeyError):
            files["nope"]
