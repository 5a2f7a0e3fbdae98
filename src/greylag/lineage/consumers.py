"""From files that mention a name to consumers: what a parser says of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import assert_never

from greylag.domain.consumer import Consumer, Evidence, EvidenceKind, Framework, Read
from greylag.domain.outcome import Edited, Failed, Outcome, Reason, Skipped, Unchanged
from greylag.lineage.index import Candidate
from greylag.lineage.owners import Owners
from greylag.workspace import Repository, decode_text

Reader = Callable[[str, str], Outcome]
"""Path and text in, what a codemod makes of them out: its `reads` say who reads what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """A file that mentions a replaced dataset and may read it; nobody can tell.

    `line` is 1-based, 0 stands for the file.
    """

    repository: str
    path: str
    line: int
    reason: str
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Who reads, and who may. `files` counts the files that mention a name and were looked at."""

    consumers: tuple[Consumer, ...]
    unclear: tuple[Unclear, ...]
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that mentions a name, with its text, or why there is none."""

    repository: str
    path: str
    line: int
    text: str | Reason


def find_consumers(
    candidates: Iterable[Candidate],
    read: Reader,
    repositories: Mapping[str, Repository] | Callable[[str], Repository],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Findings:
    """Read every candidate at its commit and ask `read` about it.

    `repositories` opens a repository by name; `progress` is told how many files are done.
    """
    open_one = repositories.__getitem__ if isinstance(repositories, Mapping) else repositories
    found: list[Findings] = []
    done = 0
    ordered = sorted(candidates, key=lambda c: (c.repository, c.path))
    for name, group in groupby(ordered, key=lambda c: c.repository):
        repo = open_one(name)
        owners: dict[str, Owners] = {}
        for candidate in group:
            if candidate.commit not in owners:
                owners[candidate.commit] = Owners.at(repo, candidate.commit)
            text = candidate.reason or decode_text(repo.blob(candidate.oid))
            source = Source(repository=name, path=candidate.path, line=candidate.line, text=text)
            found.append(classify(source, read, owners[candidate.commit]))
            done += 1
            progress(done)
    return merge_findings(found)


def merge_findings(parts: Iterable[Findings]) -> Findings:
    """All of them as one, in order of repository and path."""
    kept = list(parts)
    consumers = [consumer for part in kept for consumer in part.consumers]
    unclear = [entry for part in kept for entry in part.unclear]
    return Findings(
        consumers=tuple(sorted(consumers, key=lambda c: (c.repository, c.path, c.read.line, c.read.column))),
        unclear=tuple(sorted(unclear, key=lambda u: (u.repository, u.path, u.line))),
        files=sum(part.files for part in kept),
    )


def classify(source: Source, read: Reader, owners: Owners) -> Findings:
    """What one file is: a consumer of one or more datasets, unclear, or neither."""
    shown = source.path.encode("utf-8", "replace").decode()
    if shown != source.path:
        name = Reason(code="name", message="its name is not UTF-8; rename it or edit it by hand")
        return _unclear(replace(source, path=shown), owners, (name,))
    if isinstance(source.text, Reason):
        return _unclear(source, owners, (source.text,))
    outcome = _ask(read, source.path, source.text)
    match outcome:
        case Unchanged():
            return Findings(consumers=(), unclear=(), files=1)
        case Edited():
            return _consumers(source, owners, outcome.framework, outcome.reads)
        case Skipped():
            if outcome.reads:
                framework = outcome.framework or Framework.SQL
                return _consumers(source, owners, framework, outcome.reads)
            return _unclear(source, owners, outcome.reasons)
        case Failed():
            reason = Reason(code="failed", message=f"an error of Greylag's own: {outcome.message}")
            return _unclear(source, owners, (reason,))
        case _:
            assert_never(outcome)


def _ask(read: Reader, path: str, text: str) -> Outcome:
    try:
        return read(path, text)
    except Exception as error:  # noqa: BLE001 - one file that a parser stumbles over must not hide the others
        return Failed(message=f"{type(error).__name__}: {error}")


def _consumers(source: Source, owners: Owners, framework: Framework, reads: tuple[Read, ...]) -> Findings:
    """One consumer a dataset: the first place where it is read, the columns of all places."""
    ordered = sorted(reads, key=lambda read: (read.dataset, read.line, read.column))
    consumers = []
    for _, group in groupby(ordered, key=lambda read: read.dataset):
        places = list(group)
        columns = dict.fromkeys(column for place in places for column in place.columns)
        consumers.append(
            Consumer(
                repository=source.repository,
                path=source.path,
                framework=framework,
                read=replace(places[0], columns=tuple(columns)),
                owner=owners.of(source.path),
                evidence=tuple(
                    Evidence(kind=EvidenceKind.STATIC, detail=f"{source.path}:{place.line}")
                    for place in places
                ),
            )
        )
    return Findings(consumers=tuple(consumers), unclear=(), files=1)


def _unclear(source: Source, owners: Owners, reasons: tuple[Reason, ...]) -> Findings:
    """One entry a kind of reason: the first place, and how many more there are."""
    owner = owners.of(source.path)
    entries = []
    for _, group in groupby(sorted(reasons, key=lambda reason: (reason.code, reason.line)), lambda r: r.code):
        first, *others = group
        line = first.line or source.line
        message = first.message.removeprefix(f"{source.path}:{line}: ")
        places = "place" if len(others) == 1 else "places"
        more = f" (and {len(others)} more {places})" if others else ""
        entries.append(
            Unclear(
                repository=source.repository,
                path=source.path or ".",
                line=line,
                reason=f"may read it: {message}{more}",
                owner=owner,
            )
        )
    return Findings(consumers=(), unclear=tuple(entries), files=1)
