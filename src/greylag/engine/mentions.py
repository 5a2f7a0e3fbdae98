"""Names that are only mentioned, in files whose reads are moved or that never had any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from greylag.domain.outcome import Edited, Reason, Unchanged
from greylag.engine.finding import Places, is_migration, look
from greylag.engine.folders import places
from greylag.lineage import FleetIndex
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import candidate_names
from greylag.rewrite.prose import Mention, mentions_of, rewrite_mentions
from greylag.workspace import CommitFiles, FolderFiles, Repository, decode_text


@dataclass(frozen=True, slots=True, kw_only=True)
class MentioningFile:
    """A file that mentions replaced datasets. `file` is set for one on disk; `path` as the user sees it.

    `text` is the file's text, `new` the same with the names changed that may be changed by rule.
    """

    path: str
    text: str
    mentions: tuple[Mention, ...]
    new: str
    file: Path | None = None
    repository: str | None = None


def mentions_in_text(path: str, text: str, migration: CompiledMigration, files: Mapping[str, str]) -> str:
    """What a file's text becomes when the names in it that read nothing follow; the same text without any.

    A file that still reads an old dataset, or may, keeps its names: they are true.
    """
    found = _only_mentioned(path, text, migration, files)
    return rewrite_mentions(text, found) if found else text


def _only_mentioned(
    path: str, text: str, migration: CompiledMigration, files: Mapping[str, str]
) -> tuple[Mention, ...]:
    found = () if is_migration(path, text) else mentions_of(path, text, migration)
    if not found or not isinstance(look(path, text, migration, files), Unchanged):
        return ()
    new = rewrite_mentions(text, found)
    # A name in a comment may be read by something after all (a pragma, a template): then nothing is touched.
    return found if isinstance(look(path, new, migration, files), Unchanged) else ()


def listed(
    path: str, text: str, migration: CompiledMigration, files: Mapping[str, str]
) -> tuple[Mention, ...]:
    """The mentions of a file as it stands: beside its reads, if it has some that can be rewritten."""
    if is_migration(path, text):
        return ()
    outcome = look(path, text, migration, files)
    if isinstance(outcome, Unchanged):
        return mentions_of(path, text, migration)
    if not isinstance(outcome, Edited):
        return ()
    # What the rewrite leaves is only said; it stands where it stood, up to the lines that were edited.
    left = {(one.text.lower(), one.line) for one in mentions_of(path, outcome.text, migration)}
    return tuple(one for one in mentions_of(path, text, migration) if (one.text.lower(), one.line) in left)


def find_mentions(migration: CompiledMigration, where: Places, index: FleetIndex) -> Iterator[MentioningFile]:
    """Every file that mentions a replaced dataset beside its reads, in these places."""
    names = candidate_names(migration)
    index.refresh(where.repositories)
    files: dict[str, CommitFiles] = {}
    for candidate in index.candidates(names) if where.repositories else ():
        repo = Repository.open(where.repositories[candidate.repository])
        inside = files.setdefault(candidate.repository, CommitFiles(repo, candidate.commit))
        text = inside[candidate.path] if candidate.reason is None else ""
        found = listed(candidate.path, text, migration, inside)
        if found:
            yield MentioningFile(
                path=candidate.path, text=text, mentions=found, new=text, repository=candidate.repository
            )
    yield from mentions_on_disk(migration, where.paths, moved=False)


def mentions_on_disk(
    migration: CompiledMigration, paths: Iterable[Path], *, moved: bool = True
) -> Iterator[MentioningFile]:
    """Every file on disk that mentions a replaced dataset; with `moved`, only those that read none now."""
    names = candidate_names(migration)
    for place in places(paths):
        files = FolderFiles(place.root)
        for inside in place.files:
            text = decode_text((place.root / inside).read_bytes())
            if isinstance(text, Reason) or not any(name in text.lower() for name in names):
                continue
            ask = _only_mentioned if moved else listed
            found = ask(inside, text, migration, files)
            if found:
                yield MentioningFile(
                    path=place.shown(inside),
                    text=text,
                    mentions=found,
                    new=rewrite_mentions(text, found),
                    file=place.root / inside,
                )
