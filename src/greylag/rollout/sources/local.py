"""Health sources: a command, a run-status file per repository, or bake time alone."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from croniter import croniter

from greylag.domain.check import CheckStatus
from greylag.domain.migration import CronWindow
from greylag.domain.words import duration
from greylag.rollout.health import Reading, Subject

INCONCLUSIVE_EXIT = 75
"""EX_TEMPFAIL of sysexits.h: the command cannot tell yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHealth:
    """Runs a command: exit status 0 is passed, 75 inconclusive, anything else failed; not started or too
    slow: errored.

    The command is split like a shell would, without a shell; `{repository}`, `{commit}` and `{migration}`
    in it are
    replaced, and stand in the environment as GREYLAG_REPOSITORY, GREYLAG_COMMIT and GREYLAG_MIGRATION.
    """

    command: str
    timeout: timedelta = timedelta(minutes=10)
    cwd: Path | None = None

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Run it once."""
        words = {
            "repository": subject.repository,
            "commit": subject.merged_commit or subject.base,
            "migration": subject.migration,
        }
        argv = [_fill(word, words) for word in shlex.split(self.command)]
        environment = os.environ | {f"GREYLAG_{name.upper()}": value for name, value in words.items()}
        try:
            done = subprocess.run(
                argv,
                cwd=self.cwd,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.timeout.total_seconds(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Reading(
                status=CheckStatus.ERRORED, detail=f"{argv[0]}: no answer in {duration(self.timeout)}", at=now
            )
        except OSError as error:
            return Reading(status=CheckStatus.ERRORED, detail=f"{argv[0]}: {error}", at=now)
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or [""]
        match done.returncode:
            case 0:
                return Reading(status=CheckStatus.PASSED, detail=f"{argv[0]}: exit status 0", at=now)
            case status if status == INCONCLUSIVE_EXIT:
                return Reading(
                    status=CheckStatus.INCONCLUSIVE,
                    detail=f"{argv[0]}: {last[0] or 'cannot tell yet'}",
                    at=now,
                )
            case status:
                return Reading(
                    status=CheckStatus.FAILED,
                    detail=f"{argv[0]}: exit status {status}: {last[0]}"[:500],
                    at=now,
                )


def _fill(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFileHealth:
    """Reads `<folder>/<repository>.json`, which the scheduler of the consumers writes after every run.

    `{"repository": "…", "commit": "<hex>", "status": "success|failed|running", "finished_at": "<ISO 8601>",
    "detail": "…", "schedule": "<cron>", "timezone": "<IANA name>"}`; all but `status` may be
    missing. After a merge only a run counts that saw it: of the merged commit, or of another commit than the
    one before the merge and finished after it. For the baseline only a run of the commit before the merge
    counts, or one that names no commit, unless that may be of an earlier merge of ours.
    """

    folder: Path

    def read(self, subject: Subject, now: datetime) -> Reading:
        """The last run of the repository, as one reading."""
        path = self.folder / f"{subject.repository}.json"
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            status = str(document["status"])
            finished = _instant(document.get("finished_at"))
        except FileNotFoundError:
            return Reading(
                status=CheckStatus.INCONCLUSIVE, detail=f"no run known: {path.name} is missing", at=now
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return Reading(
                status=CheckStatus.ERRORED, detail=f"{path.name} cannot be read: {error!r}", at=now
            )
        if not _saw(subject, document.get("commit"), finished):
            missing = f"of {subject.base[:10]}" if subject.merged_at is None else "since the merge"
            return Reading(status=CheckStatus.INCONCLUSIVE, detail=f"no run {missing} yet", at=now)
        detail = str(document.get("detail") or f"last run: {status}")
        match status:
            case "success":
                return Reading(status=CheckStatus.PASSED, detail=detail, at=now)
            case "failed":
                return Reading(status=CheckStatus.FAILED, detail=detail, at=now)
            case "running":
                return Reading(status=CheckStatus.INCONCLUSIVE, detail="running", at=now)
            case other:
                return Reading(
                    status=CheckStatus.ERRORED, detail=f"{path.name}: unknown status {other!r}", at=now
                )

    def schedules(self, repository: str) -> tuple[CronWindow, ...]:
        """When the repository's consumers run, if its file says so and the words make sense."""
        try:
            document = json.loads((self.folder / f"{repository}.json").read_text(encoding="utf-8"))
            cron, timezone = str(document["schedule"]), str(document.get("timezone", "UTC"))
            ZoneInfo(timezone)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return ()
        return (CronWindow(cron=cron, timezone=timezone),) if croniter.is_valid(cron) else ()


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    instant = datetime.fromisoformat(str(value))
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _saw(subject: Subject, commit: object, finished: datetime | None) -> bool:
    if subject.merged_at is None:
        return commit == subject.base or (commit is None and not subject.retried)
    if commit is not None and commit == subject.merged_commit:
        return True
    if commit == subject.base or finished is None:
        return False
    return finished >= subject.merged_at


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeTimeOnly:
    """No source: the bake time passes and that is all. Chosen on purpose in the settings, never by
    default.
    """

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Always passed, and says why."""
        return Reading(
            status=CheckStatus.PASSED, detail="not watched (`health: none` in the settings)", at=now
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoHealth:
    """Nothing was configured: every reading is inconclusive, so that a person decides about each
    promotion.
    """

    def read(self, subject: Subject, now: datetime) -> Reading:
        """Always inconclusive, with what to do about it."""
        return Reading(
            status=CheckStatus.INCONCLUSIVE,
            detail="no health source is configured (see `health` in greylag.yaml)",
            at=now,
        )
