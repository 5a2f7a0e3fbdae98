"""Reports on files that depend on nothing but themselves, remembered.

When a part of a repository merges, its siblings are rewritten and proven from the new head, where next to
nothing of theirs has changed. Plain SQL is judged by its own text, whatever stands beside it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from greylag.domain.check import Verdict
from greylag.domain.consumer import Framework
from greylag.domain.outcome import Failed, FileReport
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dispatch import JINJA, framework_of

_MOST = 4096
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Same:
    """A migration as itself: one that was compiled again may have another schema beside the same text."""

    migration: CompiledMigration

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.migration is self.migration

    def __hash__(self) -> int:
        return id(self.migration)


Key = tuple[Same, Hashable, Hashable, tuple[Hashable, ...]]


@dataclass(slots=True)
class Memory:
    """The last reports, by everything that they follow from. Safe to use from several threads."""

    _known: OrderedDict[Key, FileReport] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def recall(self, key: Key | None, make: Callable[[], FileReport]) -> FileReport:
        """The report of that key (None: of what is not to be remembered)."""
        if key is None:
            return make()
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        made = make()
        if _lasts(made):
            with self._lock:
                self._known[key] = made
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return made


def key_of(
    path: str, text: str, migration: CompiledMigration, files: Mapping[str, str], *how: Hashable
) -> Key | None:
    """What a file's report follows from, where that is its own text, the migration, and `how`; else None."""
    plain = framework_of(path, files) is Framework.SQL and len(text) <= _LONGEST
    return None if not plain or JINJA.search(text) else (Same(migration), path, text, how)


def _lasts(report: FileReport) -> bool:
    """What failed, or could not be told in the time there was, may end otherwise another time."""
    unsure = report.proof is not None and report.proof.verdict is Verdict.INCONCLUSIVE
    return not unsure and not isinstance(report.outcome, Failed)
