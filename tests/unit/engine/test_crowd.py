"""Rewriting in several processes gives what rewriting here gives, whatever becomes of the processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.domain.outcome import FileReport, FormChoice, Unchanged
from greylag.engine import crowd
from greylag.engine.crowd import CrowdRewriter, in_turn
from greylag.engine.ports import ProofLevel
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import CommitFiles, OverlaidFiles, Repository

MIGRATION = Path(__file__).parents[3] / "bench" / "shop.migration.yaml"
WHERE = "where.txt"


def told(
    files: Mapping[str, str],
    migration: CompiledMigration,
    *,
    form: FormChoice,
    proof: ProofLevel,
    only: Callable[[str], bool],
) -> tuple[FileReport, ...]:
    """Names the process, the migration and the texts; dies where a file says so, the first time."""
    mark = Path(files[WHERE])
    if "killed.sql" in files and not mark.exists():
        mark.write_text("killed")
        os.kill(os.getpid(), signal.SIGKILL)
    words = [f"{os.getpid()}", migration.name, form.value, proof]
    return tuple(
        FileReport(path=" ".join([*words, path, files[path]]), outcome=Unchanged())
        for path in sorted(files)
        if only(path)
    )


def commit_files(folder: Path, **texts: str) -> CommitFiles:
    repo = Repository.init_bare(folder / "r.git")
    files = {name.replace("_", "."): text.encode() for name, text in texts.items()}
    files[WHERE] = str(folder / "mark").encode()
    when = datetime(2026, 3, 2, tzinfo=UTC)
    return CommitFiles(repo, repo.commit(None, files, message="m", author="A", email="a@b", when=when))


def ask(rewriter: CrowdRewriter, files: Mapping[str, str]) -> list[list[str]]:
    reports = rewriter(
        files,
        load_migration(MIGRATION),
        form=FormChoice.BOUNDARY,
        proof="fast",
        only=lambda path: path.endswith(".sql"),
    )
    return [report.path.split(" ") for report in reports]


def test_processes_rewrite_and_one_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """The same reports; elsewhere while there is much to do, here otherwise."""
    files = commit_files(tmp_path, a_sql="SELECT-1", b_sql="SELECT-2")
    rest = [["shop-v2", "boundary", "fast", f"{n}.sql", f"SELECT-{i}"] for i, n in ((1, "a"), (2, "b"))]
    rewriter = CrowdRewriter(rewriter=told, processes=2)
    here = str(os.getpid())
    assert ask(rewriter, files) == [[here, *words] for words in rest]
    with rewriter.keep(crowd.WORTH - 1):
        assert {words[0] for words in ask(rewriter, files)} == {here}
    with rewriter.keep(crowd.WORTH):
        found = ask(rewriter, files)
        assert [words[1:] for words in found] == rest and here not in {words[0] for words in found}
        assert {words[0] for words in ask(rewriter, OverlaidFiles(files, {}))} == {here}
        killed = commit_files(tmp_path / "other", killed_sql="SELECT-3")
        assert ask(rewriter, killed) == [[here, "shop-v2", "boundary", "fast", "killed.sql", "SELECT-3"]]
        again = ask(rewriter, files)
        assert [words[1:] for words in again] == rest and here not in {words[0] for words in again}
    assert ask(rewriter, files) == [[here, *words] for words in rest]


@pytest.mark.parametrize("at_once", [1, 2])
def test_results_come_in_the_order_of_the_items(at_once: int) -> None:
    """And an error of one is the caller's."""
    assert list(in_turn(lambda item: item * 2, range(50), at_once)) == [item * 2 for item in range(50)]
    with pytest.raises(ZeroDivisionError):
        list(in_turn(lambda item: 1 // item, (2, 1, 0), at_once))
