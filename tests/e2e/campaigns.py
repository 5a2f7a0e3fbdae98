"""What the campaign tests share: a small fleet of bare repositories, a rewriter by rule, and a runner."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from greylag.app import App, Settings, build
from greylag.domain.check import CheckStatus, Proof, Verdict
from greylag.domain.consumer import Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import (
    Edited,
    FileReport,
    Form,
    FormChoice,
    Reason,
    Skipped,
    Unchanged,
)
from greylag.engine.clock import Clock, LeapClock
from greylag.engine.ports import ProofLevel
from greylag.engine.work import WorkFactory
from greylag.forge import Forge
from greylag.mapping.compiled import CompiledMigration
from greylag.rollout.health import HealthSource, Reading, Subject
from greylag.workspace import Repository

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLD = DatasetRef(("prod", "core", "users_v1"))

MIGRATION = """\
name: users-v2
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, country: STRING, score: FLOAT64}
    as: |
      SELECT account_id AS user_id, land AS country FROM prod.core.users_v2
    unmapped:
      score: Gone in v2. Is it still needed?
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: STRING, land: STRING}
rollout:
  waves: [1, 50%, 100%]
  merge: verified
  bake: 10m
"""


def query(number: int) -> str:
    """A query that reads the old dataset."""
    return f"-- report {number}\nSELECT user_id, {number} AS n\nFROM prod.core.users_v1\n"


def make_fleet(root: Path, files: Mapping[str, Mapping[str, str]]) -> Path:
    """Bare repositories below `root`, each with one commit on main."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        repo = Repository.init_bare(root / f"{name}.git")
        changes = {path: text.encode() for path, text in content.items()}
        commit = repo.commit(None, changes, message="First\n", author="A", email="a@example.org", when=START)
        repo.set_ref("refs/heads/main", commit, expected=None)
    return root


def push(root: Path, repository: str, changes: Mapping[str, bytes | None], branch: str = "main") -> str:
    """Somebody commits to a branch."""
    repo = Repository.open(root / f"{repository}.git")
    tip = repo.head(branch)
    commit = repo.commit(tip, changes, message="Work\n", author="B", email="b@example.org", when=START)
    repo.set_ref(f"refs/heads/{branch}", commit, expected=tip)
    return commit


def head_text(root: Path, repository: str, path: str) -> str:
    """A file at the head of main."""
    repo = Repository.open(root / f"{repository}.git")
    return repo.read(repo.head(), path).decode()


def rule_rewriter(
    files: Mapping[str, str],
    migration: CompiledMigration,
    *,
    form: FormChoice,
    proof: ProofLevel,
    only: Callable[[str], bool],
) -> tuple[FileReport, ...]:
    """Rewrites by plain replacement, for tests of the engine: the real rewriter has tests of its own.

    `-- inconclusive`, `-- dynamic` and the unmapped column `score` in a file make it say so.
    """
    reports = []
    for path, text in files.items():
        if not only(path):
            continue
        place = text.find("prod.core.users_v1")
        if place < 0:
            reports.append(FileReport(path=path, outcome=Unchanged()))
            continue
        line = text.count("\n", 0, place) + 1
        read = Read(dataset=OLD, line=line, column=6, columns=("user_id",))
        answered = migration.answers.get("prod.core.users_v1.score")
        if "dynamic" in text:
            reason = Reason(code="dynamic", message="the name is put together at run time", line=line)
            outcome = Skipped(framework=Framework.SQL, reasons=(reason,), reads=(read,))
            reports.append(FileReport(path=path, outcome=outcome))
            continue
        if re.search(r"\bscore\b", text) and answered in (None, "skip"):
            reason = Reason(code="unmapped", message="score has no counterpart", line=line)
            outcome = Skipped(
                framework=Framework.SQL,
                reasons=(reason,),
                reads=(read,),
                questions=("prod.core.users_v1.score",),
            )
            reports.append(FileReport(path=path, outcome=outcome))
            continue
        new = text.replace("prod.core.users_v1", "prod.core.users_v2")
        if form is FormChoice.BOUNDARY:
            new = text.replace("prod.core.users_v1", "(SELECT * FROM prod.core.users_v2)")
        else:
            new = re.sub(r"\buser_id\b", "account_id AS user_id", new)
        new = re.sub(r"\bscore\b", f"{answered} AS score", new)
        kind = Form.BOUNDARY if form is FormChoice.BOUNDARY else Form.INLINE
        verdict = Verdict.INCONCLUSIVE if "inconclusive" in text else Verdict.PROVEN
        known = None if proof == "none" else Proof(verdict=verdict, method="unfolding")
        outcome_edited = Edited(framework=Framework.SQL, form=kind, text=new, reads=(read,))
        reports.append(FileReport(path=path, outcome=outcome_edited, proof=known))
    return tuple(reports)


class ScriptedHealth:
    """`sick` repositories fail after every merge, `broken` ones failed before us as well."""

    def __init__(self, sick: set[str] | None = None, broken: set[str] | None = None) -> None:
        self.sick = sick or set()
        self.broken = broken or set()

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        if subject.repository in self.broken:
            return Reading(status=CheckStatus.FAILED, detail="it has been failing for weeks", at=now)
        if subject.merged_at is not None and subject.repository in self.sick:
            return Reading(status=CheckStatus.FAILED, detail="column not found", at=now)
        return Reading(status=CheckStatus.PASSED, detail="the last run succeeded", at=now)


def make_app(
    folder: Path,
    *,
    health: HealthSource | None = None,
    clock: Clock | None = None,
    work: WorkFactory | None = None,
    forge: Forge | None = None,
) -> App:
    """The application over `folder/fleet`, with the clock that leaps."""
    settings = Settings(fleet=folder / "fleet", database=f"sqlite:///{folder / '.greylag' / 'greylag.db'}")
    return build(
        settings,
        rewriter=rule_rewriter,
        clock=clock or LeapClock(START),
        health=health or ScriptedHealth(),
        work=work,
        forge=forge,
    )


def write_migration(folder: Path, text: str = MIGRATION) -> str:
    """The migration file; returns its path."""
    path = folder / "users-v2.migration.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def pulls(folder: Path) -> list[dict[str, object]]:
    """Every pull request of the forge, as plain values."""
    from greylag.forge.embedded import EmbeddedForge

    forge = EmbeddedForge(folder / "fleet")
    return [
        {"repository": pull.repository, "number": pull.number, "key": pull.key, "state": pull.state.value}
        for pull in forge.pull_requests()
    ]


def as_json(text: str) -> dict[str, object]:
    """One JSON document."""
    document = json.loads(text)
    assert isinstance(document, dict)
    return document
