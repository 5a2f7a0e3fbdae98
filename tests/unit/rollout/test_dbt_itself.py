"""What dbt itself writes is understood: successes, failures, parts of a project, and the commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greylag.domain.check import CheckStatus
from greylag.rollout.health import Reading, Subject
from greylag.rollout.instances.pipelines import DbtInstances, DbtInstanceSettings
from greylag.rollout.sources.dbt import DbtHealth, DbtSettings

PROJECT = "name: p\nversion: '1.0'\nprofile: p\nmodels:\n  +materialized: table\n"
PROFILES = "p:\n  target: d\n  outputs:\n    d: {type: duckdb, path: p.db}\n"
NEW, OLD = "a" * 40, "b" * 40


def project(folder: Path) -> None:
    """Two models, one on top of the other."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILES)
    (folder / "models" / "one.sql").write_text("select 1 as a")
    (folder / "models" / "two.sql").write_text("select a from {{ ref('one') }}")


def build(folder: Path, name: str, commit: str, *arguments: str) -> None:
    """`dbt build`, and its results among the others."""
    program = Path(sys.executable).parent / "dbt"
    ours = {
        "DBT_ENV_CUSTOM_ENV_GIT_SHA": commit,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command = [str(program), "build", "--profiles-dir", ".", *arguments]
    subprocess.run(command, cwd=folder, env=os.environ | ours, capture_output=True, check=False)
    (folder / "results").mkdir(exist_ok=True)
    shutil.copy(folder / "target" / "run_results.json", folder / "results" / f"{name}.json")


def test_what_dbt_writes(tmp_path: Path) -> None:
    project(tmp_path)
    settings = DbtSettings(path=str(tmp_path / "results"), commit="GIT_SHA")
    build(tmp_path, "1", OLD)
    merged_at = datetime.now(UTC)

    def read(merged: datetime | None) -> Reading:
        commit = None if merged is None else NEW
        subject = Subject(
            migration="m", repository="team/r", base=OLD, merged_at=merged, merged_commit=commit
        )
        return DbtHealth(settings).read(subject, datetime.now(UTC))

    assert read(None).status is CheckStatus.PASSED
    assert read(merged_at).status is CheckStatus.INCONCLUSIVE
    # One part of it ran.
    build(tmp_path, "2", NEW, "--select", "one")
    assert read(merged_at).status is CheckStatus.INCONCLUSIVE
    # The same results show that the merge runs.
    instances = DbtInstances(
        DbtInstanceSettings(path=str(tmp_path / "results"), commit="GIT_SHA"), lambda *_: False
    )
    subject = Subject(migration="m", repository="team/r", base=OLD, merged_at=merged_at, merged_commit=NEW)
    (seen,) = instances.look(subject, datetime.now(UTC)).instances
    assert seen.follows
    assert seen.since is not None and seen.since > merged_at - timedelta(seconds=1)
    (tmp_path / "models" / "one.sql").write_text("select nothing as a from nowhere")
    build(tmp_path, "3", NEW)
    found = read(merged_at)
    assert found.status is CheckStatus.FAILED
    assert "(model.p.one)" in found.detail
