"""When consumers run, and datasets are read: a file of times, written by a scheduler or from a query log."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from greylag.domain.words import count
from greylag.rollout.quiet import Lesson, count_up, learn


@dataclass(frozen=True, slots=True)
class _Read:
    repositories: Mapping[str, list[datetime]]
    datasets: Mapping[str, list[datetime]]
    problem: str


@dataclass(slots=True, kw_only=True)
class TrafficFile:
    """Reads `file`: NDJSON (`{"repository": "…", "at": "<ISO 8601>"}`), or CSV with these names as its first
    line (the ending says which). Instead of `repository`, `dataset` tells of reads of a dataset.

    Times without an offset, and hours of the week, are in `timezone`. What one line lacks is left out, and
    said. The file is read again when it has changed.
    """

    file: Path
    timezone: str = "UTC"
    _stamp: tuple[int, int] | None = None
    _read: _Read | None = None
    _lessons: dict[tuple[str, tuple[str, ...], str], Lesson] = field(default_factory=dict)

    def lesson(self, repository: str, datasets: Sequence[str], now: datetime) -> Lesson:
        """What the repository's own runs taught; where they are too few, reads of the datasets."""
        read = self._fresh()
        key = (repository, tuple(datasets), f"{now:%Y-%m-%dT%H}")
        known = self._lessons.get(key)
        if known is None:
            known = self._lessons[key] = self._learn(read, repository, datasets, now)
        return known

    def _learn(self, read: _Read, repository: str, datasets: Sequence[str], now: datetime) -> Lesson:
        own = self._one(read.repositories.get(repository, ()), f"runs of {repository}", now)
        if own.hours is not None:
            return self._noted(own, read)
        for dataset in datasets:
            found = self._one(read.datasets.get(dataset.casefold(), ()), f"reads of {dataset}", now)
            if found.hours is not None:
                return self._noted(found, read)
        return self._noted(own, read)

    def _one(self, times: Sequence[datetime], about: str, now: datetime) -> Lesson:
        return learn(count_up(times, about=about, timezone=self.timezone, now=now), now)

    def _noted(self, lesson: Lesson, read: _Read) -> Lesson:
        if not read.problem:
            return lesson
        words = f"{lesson.words}; {read.problem}"
        return Lesson(words=words, traffic=lesson.traffic, hours=lesson.hours, limit=lesson.limit)

    def _fresh(self) -> _Read:
        try:
            found = self.file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if self._read is None or stamp != self._stamp:
                self._read, self._stamp = self._parsed(self.file.read_text(encoding="utf-8-sig")), stamp
                self._lessons.clear()
        except (OSError, UnicodeDecodeError) as error:
            self._read, self._stamp = _Read({}, {}, f"{self.file} cannot be read: {error}"), None
            self._lessons.clear()
        return self._read

    def _parsed(self, text: str) -> _Read:
        found: tuple[dict[str, list[datetime]], dict[str, list[datetime]]] = ({}, {})
        bad: list[int] = []
        for number, row in self._rows(text):
            try:
                at = datetime.fromisoformat(str(row["at"]))
                at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.timezone))
                name, where = _named(row)
            except (KeyError, TypeError, ValueError):
                bad.append(number)
                continue
            found[where].setdefault(name, []).append(at.astimezone(UTC))
        problem = ""
        if bad:
            lines = f"{count(len(bad), 'line')} of {self.file.name} left out"
            problem = f"{lines} (the first is {bad[0]}: expected a repository or a dataset, and a time `at`)"
        return _Read(*found, problem)

    def _rows(self, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
        lines = text.splitlines()
        if self.file.suffix == ".csv":
            yield from ((number, dict(row)) for number, row in enumerate(csv.DictReader(lines), start=2))
            return
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, _object(line)


def _object(line: str) -> Mapping[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _named(row: Mapping[str, object]) -> tuple[str, int]:
    """Whose time it is: 0 for a repository, 1 for a dataset."""
    for where, key in enumerate(("repository", "dataset")):
        value = row.get(key)
        if isinstance(value, str) and value:
            return (value if where == 0 else value.casefold()), where
    raise KeyError("repository")
