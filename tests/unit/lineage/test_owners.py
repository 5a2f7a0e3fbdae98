"""Owners: CODEOWNERS as forges read it, then the catalogue's file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.lineage import Owners, owner_of
from greylag.workspace import Repository

CODEOWNERS = b"""\
# the last rule that matches counts
*                 @everyone @second
*.js              js@example.org  # inline comment
/build/logs/      @doctocat
docs/*            docs@example.org
apps/             @octocat
**/logs           @logs
/apps/github
with\\ space/*.sql @space
!no.sql           @nobody
"""


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("a.sql", "@everyone"),
        ("deep/er/a.sql", "@everyone"),
        ("deep/a.js", "js@example.org"),
        ("build/logs/x/y", "@logs"),
        ("build/logs2", "@everyone"),
        ("docs/one.md", "docs@example.org"),
        ("docs/two/deep.md", "@everyone"),
        ("apps/x.sql", "@octocat"),
        ("src/apps/x.sql", "@octocat"),
        ("apps/github", None),
        ("apps/github/x", None),
        ("some/logs/today", "@logs"),
        ("with space/q.sql", "@space"),
        ("no.sql", "@everyone"),
    ],
)
def test_codeowners(path: str, owner: str | None) -> None:
    assert Owners({"CODEOWNERS": CODEOWNERS}.get).of(path) == owner


def test_sections_give_default_owners() -> None:
    text = b"[Data][2] @data\n*.sql\nspecial.sql @special\n^[Docs] @docs\n*.md\n"
    owners = Owners({".gitlab/CODEOWNERS": text}.get)
    assert [owners.of(p) for p in ("a.sql", "special.sql", "r.md", "x.py")] == [
        "@data",
        "@special",
        "@docs",
        None,
    ]


SECTIONS = b"""\
* @lead
[Data][2] @data @data2
*.sql
secret/*.sql @vault
!secret/open.sql
[Ops]
etl/run/ @ops
^[Docs] @docs
*
[data]
late.sql @late
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("a.sql", ("@data", "@data2", "@lead", "@docs")),
        ("x/secret/a.sql", ("@vault", "@lead", "@docs")),
        ("secret/open.sql", ("@lead", "@docs")),
        ("deep/etl/run/x", ("@ops", "@lead", "@docs")),
        ("etl/run/late.sql", ("@late", "@ops", "@lead", "@docs")),
        ("x.py", ("@lead", "@docs")),
    ],
)
def test_each_section_counts_those_that_must_approve_first(path: str, owners: tuple[str, ...]) -> None:
    assert Owners({"CODEOWNERS": SECTIONS}.get).all_of(path) == owners


def test_where_gitlab_alone_looks_patterns_hold_at_any_depth() -> None:
    text = b"etl/q.sql @deep\n!no/q.sql\n/top.sql @top\n"
    paths = ("x/etl/q.sql", "etl/q.sql", "x/top.sql", "top.sql")
    found = [Owners({".gitlab/CODEOWNERS": text}.get).of(path) for path in paths]
    assert found == ["@deep", "@deep", None, "@top"]
    assert Owners({"CODEOWNERS": text}.get).of("x/etl/q.sql") is None, "on GitHub it is one place"


def test_the_first_place_that_has_one_counts() -> None:
    files = {
        ".github/CODEOWNERS": b"*.sql @github\n",
        "CODEOWNERS": b"* @root\n",
        "docs/CODEOWNERS": b"* @docs\n",
    }
    assert Owners(files.get).of("a.sql") == "@github"
    assert Owners(files.get).of("a.py") is None
    del files[".github/CODEOWNERS"]
    assert Owners(files.get).of("a.py") == "@root"


def test_catalog_info_nearest_first_and_only_after_codeowners() -> None:
    component = b"apiVersion: backstage.io/v1alpha1\nkind: Component\nspec:\n  owner: %s\n"
    files = {
        "catalog-info.yaml": b"kind: Location\n---\n" + component % b"group:default/top",
        "jobs/a/catalog-info.yaml": component % b"team-a",
        "jobs/b/catalog-info.yaml": b"spec: [broken\n",
    }
    owners = Owners(files.get)
    assert owners.of("x.sql") == "group:default/top"
    assert owners.of("jobs/a/sql/x.sql") == "team-a"
    assert owners.of("jobs/b/x.sql") == "group:default/top"
    assert Owners({**files, "CODEOWNERS": b"jobs/ @jobs\n"}.get).of("jobs/a/sql/x.sql") == "@jobs"
    assert Owners({}.get).of("x.sql") is None


def test_owner_at_a_commit_and_in_a_folder(tmp_path: Path) -> None:
    repo = Repository.init_bare(tmp_path / "a.git")
    who = {"message": "m", "author": "A", "email": "a@b", "when": datetime(2026, 1, 1, tzinfo=UTC)}
    commit = repo.commit(None, {"docs/CODEOWNERS": b"q.sql @q\n", "q.sql": b""}, **who)
    assert owner_of(repo, commit, "q.sql") == "@q"
    repo.checkout(commit, tmp_path / "w")
    assert Owners.of_folder(tmp_path / "w").of("q.sql") == "@q"
