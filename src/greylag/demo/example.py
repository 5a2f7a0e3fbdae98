"""One merged change to show: its diff, its proof, and a wrong patch that the same proof refutes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from greylag.demo.figures import MIGRATED
from greylag.demo.stage import Stage
from greylag.engine.ledger import LedgerRow
from greylag.engine.world import Target

_DIMENSION = re.compile(r"(\b\w+\.)?\bdevice = 'ALL'")
_SHOWN = ("LEFT JOIN", "QUALIFY", "JOIN", "WHERE")
"""What makes a query worth showing, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One file before and after, with its diff.

    `wrong` is what somebody in a hurry would have written; `reads` counts the old datasets that it read.
    """

    repository: str
    path: str
    pull: str
    form: str
    before: str
    after: str
    diff: str
    wrong: str
    reads: int


def pick(stage: Stage, rows: Iterable[LedgerRow], targets: Iterable[Target]) -> Example | None:
    """The most telling migrated query: inline, of several old datasets, a join rather than a plain read."""
    merged = {target.repository: target for target in targets if target.merged_commit and target.base}
    wanted = [
        row for row in rows if row.state in MIGRATED and row.framework == "sql" and row.repository in merged
    ]
    reads = Counter((row.repository, row.path) for row in wanted)
    examples = [
        found
        for row in wanted
        if (found := _example(stage, row, merged[row.repository], reads[row.repository, row.path]))
    ]
    return min(examples, key=_rank, default=None)


def _rank(example: Example) -> tuple[bool, int, int, str]:
    text = example.before.upper()
    shape = next((rank for rank, word in enumerate(_SHOWN) if word in text), len(_SHOWN))
    return example.form != "inline", -example.reads, shape, example.repository


def _example(stage: Stage, row: LedgerRow, target: Target, reads: int) -> Example | None:
    repository = stage.open(row.repository)
    if target.base is None or target.merged_commit is None:
        return None
    before = repository.find(target.base, row.path)
    after = repository.find(target.merged_commit, row.path)
    changed = repository.changed(target.base, target.merged_commit)
    if before is None or after is None or list(changed) != [row.path]:
        return None
    text = after.decode()
    wrong = _DIMENSION.sub("TRUE", text)
    if wrong == text:
        return None
    return Example(
        repository=row.repository,
        path=row.path,
        pull=f"pull request #{target.pull_number}",
        form=row.form or "",
        before=before.decode(),
        after=text,
        diff=repository.diff(target.base, target.merged_commit),
        wrong=wrong,
        reads=reads,
    )
