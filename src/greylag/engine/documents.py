"""What commands print with `--json`, and tools of the MCP server return: one place for both.

Imports nothing that is slow: every start of the command line reads this module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greylag.domain.parts import placed

if TYPE_CHECKING:
    from greylag.agent.transcript import Attempt, Record
    from greylag.domain.check import Proof
    from greylag.engine.explain import Plan
    from greylag.engine.finding import Places
    from greylag.engine.ledger import LedgerRow
    from greylag.engine.overrides import Report
    from greylag.engine.report import QuestionRow, Status
    from greylag.lineage import Findings


def plain(value: object) -> Any:
    """A value as JSON has it: times as ISO 8601; a target by its repository, and by its part of that."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Mapping):
        found = {str(key): plain(item) for key, item in value.items()}
        return found | placed(found["repository"]) if "repository" in found else found
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def status_document(status: Status) -> dict[str, object]:
    """`greylag status --json`."""
    return {
        "migration": status.migration,
        "mode": status.mode,
        "over": status.over,
        "needs_person": needs_person(status),
        "targets": [
            placed(target.repository)
            | {
                "state": target.state.value,
                "reason": target.reason,
                "wave": target.wave,
                "attempt": target.attempt,
                "verdict": target.verdict,
                "owners": list(target.owners),
                "consumers": target.consumers,
                "pull": target.pull_number,
                "url": target.pull_url,
                "approved_by": target.approved_by,
                "merged_at": plain(target.merged_at),
            }
            for target in status.targets
        ],
        "waves": [plain(asdict(wave)) for wave in status.waves],
        "consumers": {**status.consumers, "total": sum(status.consumers.values())},
        "waits": [plain(asdict(wait)) for wait in status.waits],
        "agents": None if status.agents is None else asdict(status.agents),
    }


def needs_person(status: Status) -> bool:
    """Is there something that only a person can bring further, or that ended without being migrated?"""
    return bool(status.on_persons) or (status.over and status.unfinished > 0)


def plan_document(plan: Plan) -> dict[str, object]:
    """`greylag plan --json`."""
    document: dict[str, object] = plain(asdict(plan))
    document["questions"] = [
        {"key": key, "text": text, "targets": list(waiting)}
        for key, (text, waiting) in plan.questions.items()
    ]
    document["waves"] = [
        {"number": number, "targets": [target.repository for target in members]}
        for number, members in plan.waves.items()
    ]
    return document


def ledger_document(migration: str, rows: list[LedgerRow]) -> dict[str, object]:
    """`greylag ledger --json`."""
    return {
        "migration": migration,
        "consumers": [plain(asdict(row)) for row in rows],
        "summary": {"total": len(rows), **Counter(row.state for row in rows)},
    }


def questions_document(migration: str, rows: list[QuestionRow]) -> dict[str, object]:
    """`greylag questions --json`."""
    found = [{**plain(asdict(row)), "command": row.command(migration)} for row in rows]
    return {"migration": migration, "questions": found}


def report_document(report: Report) -> dict[str, object]:
    """`greylag answer --json`, and that of every other override."""
    return asdict(report)


def find_document(migration: str, found: Findings, places: Places) -> dict[str, object]:
    """`greylag find --json`."""
    consumers = [
        {
            "repository": one.repository,
            "path": one.path,
            "line": one.read.line,
            "column": one.read.column,
            "dataset": str(one.read.dataset),
            "columns": list(one.read.columns),
            "framework": one.framework.value,
            "owner": one.owner,
            "evidence": [{"kind": proof.kind.value, "detail": proof.detail} for proof in one.evidence],
        }
        for one in found.consumers
    ]
    unclear = [
        {
            "repository": one.repository,
            "path": one.path,
            "line": one.line,
            "reason": one.reason,
            "owner": one.owner,
        }
        for one in found.unclear
    ]
    summary = {
        "consumers": len(consumers),
        "unclear": len(unclear),
        "repositories": len({one.repository for one in found.consumers}),
        "files": found.files,
        "searched": {"repositories": len(places.repositories), "paths": len(places.paths)},
    }
    return {"migration": migration, "consumers": consumers, "unclear": unclear, "summary": summary}


def prove_document(proof: Proof) -> dict[str, object]:
    """`greylag prove --json`."""
    from greylag.verify.render import counterexample_json

    return {
        "verdict": str(proof.verdict),
        "method": proof.method,
        "rows": proof.rows,
        "counterexample": counterexample_json(proof.counterexample),
        "reasons": list(proof.reasons),
    }


def agents_folder(database: str) -> Path:
    """Where the attempts of agents are kept: beside the database of that URL."""
    from greylag.engine.database import sqlite_file

    file = sqlite_file(database)
    return (Path(".greylag") if file is None else file.parent) / "agents"


def attempt_figures(attempt: Attempt) -> dict[str, Any]:
    """An attempt in `greylag transcript --json`."""
    from greylag.agent.transcript import summary

    found = summary(_records(attempt))
    figures: dict[str, Any] = plain(
        {
            "repository": attempt.key.repository,
            "attempt": attempt.key.attempt,
            "run": attempt.key.run,
            "transcript": str(attempt.transcript),
            **{key: value for key, value in asdict(found).items() if key != "attempt"},
            "seconds": found.seconds,
        }
    )
    return figures


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    """`greylag transcript MIGRATION TARGET --json`."""
    records = [
        {"seq": one.seq, "at": one.at, "kind": one.kind, "data": one.data} for one in _records(attempt)
    ]
    return {**attempt_figures(attempt), "records": plain(records)}


def _records(attempt: Attempt) -> tuple[Record, ...]:
    from greylag.agent.transcript import read_transcript

    return read_transcript(attempt.transcript).records if attempt.transcript.is_file() else ()
