"""CODEOWNERS in Gitea's way: expressions, all of whose rules count."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.lineage.owners import Owners
from greylag.lineage.regex_owners import RegexOwners
from greylag.workspace import Repository
from greylag.workspace.notes import note_of, set_note

TEXT = rb"""
# a comment
.*\\.sql @ann @bob # and another
jobs/.* @shop/data	@ann
!jobs/.* @ops
docs/(aws|google)/[^/]*\\.(md|txt) carl
path\ with\ space @dan
dir/\#tag @eve
(?i)readme @fay
([ @nobody
)x @nobody
lonely
*.py @pat
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("a.sql", ("@ann", "@bob", "@ops")),
        ("jobs/a.sql", ("@ann", "@bob", "@shop/data")),
        ("jobs/a.sqlx", ("@shop/data", "@ann")),
        ("jobs.sql", ("@ann", "@bob", "@ops")),
        ("docs/aws/x.md", ("@ops", "@carl")),
        ("docs/aws/deep/x.md", ("@ops",)),
        ("path with space", ("@ops", "@dan")),
        ("dir/#tag", ("@ops", "@eve")),
        ("README", ("@ops", "@fay")),
        ("x.py", ("@ops", "@pat")),
    ],
)
def test_every_rule_that_matches_counts(path: str, owners: tuple[str, ...]) -> None:
    assert RegexOwners(TEXT).of(path) == owners


def test_an_expression_cannot_stall_us() -> None:
    rules = RegexOwners(b"((a+)+)+x @ann\n")
    start = time.monotonic()
    assert rules.of("a" * 2000) == ()
    assert time.monotonic() - start < 5
    assert RegexOwners(b"").of("a") == ()
    assert RegexOwners(b"\xff\xfe @ann\n").of("a") == ()


def test_where_the_file_stands_says_how_it_is_read() -> None:
    files = {".gitea/CODEOWNERS": b".* @ann\n", "catalog-info.yaml": b"spec: {owner: cat}\n"}
    assert Owners(files.get).all_of("a.sql") == ("@ann",)
    files["CODEOWNERS"] = b"*.sql @bob\n"
    assert Owners(files.get).of("a.sql") == "@bob"
    assert Owners(files.get, regex=True).of("a.md") == "cat", (
        "the first place counts, and nothing in it matches"
    )


def test_a_mirror_says_how_it_is_read(tmp_path: Path) -> None:
    repo = Repository.init_bare(tmp_path / "r.git")
    when = datetime(2026, 3, 1, tzinfo=UTC)
    files = {"docs/CODEOWNERS": b"jobs/.*[.]sql @ann\n"}
    commit = repo.commit(None, files, message="m", author="A", email="a@example.org", when=when)
    assert Owners.at(repo, commit).of("jobs/a.sql") is None
    set_note(repo.path, "codeowners", "regex")
    assert note_of(repo.path, "codeowners") == "regex"
    assert Owners.at(repo, commit).of("jobs/a.sql") == "@ann"
    assert note_of(tmp_path / "none.git", "codeowners") is None
