"""Rewriting files on disk: what the user named, in the working trees around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from greylag.domain.errors import UsageError
from greylag.domain.outcome import Edited, FileReport, FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.engine.finding import root_of
from greylag.engine.rewriting import ProofLevel, rewrite_tree
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import candidate_names
from greylag.verify.spark import Running
from greylag.workspace import FolderFiles, OverlaidFiles, decode_text, tracked_files, write_atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskReport:
    """The report on one file on disk. `before` is its text; `path` of the report is as the user named it."""

    file: Path
    before: str
    report: FileReport


def rewrite_paths(
    migration: CompiledMigration,
    paths: Iterable[Path],
    *,
    form: FormChoice,
    proof: ProofLevel,
    started: Callable[[int], None] = lambda total: None,
    done: Callable[[str], None] = lambda path: None,
    running: Running | None = None,
) -> tuple[DiskReport, ...]:
    """Rewrite what the paths name, in memory: folders as git sees them, and single files.

    `started` is told the number of files, `done` each finished one. Nothing is written. Raises UsageError
    for a path that does not exist. `running` is the leave to run PySpark code for full proofs.
    """
    found = places(paths)
    started(sum(len(place.files) for place in found))
    reports: dict[Path, DiskReport] = {}
    for place in found:
        for report in _rewrite_place(migration, place, form, proof, done, running):
            reports.setdefault(report.file.resolve(), report)
    return tuple(reports[file] for file in sorted(reports))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Files below one root (a working tree, or the named folder); `shown` maps to the user's paths."""

    root: Path
    files: tuple[str, ...]
    shown: Callable[[str], str]


def places(paths: Iterable[Path]) -> list[Place]:
    """Sort out what the user named. Raises UsageError for a path that does not exist."""
    found = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
        folder = path if path.is_dir() else path.parent
        root = root_of(folder) or folder.resolve()
        named = tracked_files(path) if path.is_dir() else [path]
        files = tuple(file.resolve().relative_to(root).as_posix() for file in named)
        found.append(Place(root=root, files=files, shown=_shower(folder, root)))
    return found


def _shower(folder: Path, root: Path) -> Callable[[str], str]:
    """How a path inside the root is called when the user named `folder`."""
    whole = folder.resolve()

    def shown(inside: str) -> str:
        file = root / inside
        return str(folder / file.relative_to(whole)) if file.is_relative_to(whole) else str(file)

    return shown


def _rewrite_place(
    migration: CompiledMigration,
    place: Place,
    form: FormChoice,
    proof: ProofLevel,
    done: Callable[[str], None],
    running: Running | None,
) -> Iterator[DiskReport]:
    names = candidate_names(migration)
    texts: dict[str, str] = {}
    for inside in place.files:
        raw = (place.root / inside).read_bytes()
        text = decode_text(raw)
        if isinstance(text, Reason):
            if any(name.encode() in raw.lower() for name in names):
                told = Reason(code=text.code, message=f"{place.shown(inside)}: {text.message}")
                skipped = Skipped(framework=None, reasons=(told,))
                yield _disk(place, inside, "", FileReport(path=inside, outcome=skipped))
            done(inside)
            continue
        texts[inside] = text
    files = OverlaidFiles(FolderFiles(place.root), texts)
    wanted = set(texts)
    made = rewrite_tree(
        files, migration, form=form, proof=proof, only=wanted.__contains__, done=done, running=running
    )
    for report in made:
        if report.path in wanted or isinstance(report.outcome, Edited):
            yield _disk(place, report.path, files.get(report.path, ""), report)


def _disk(place: Place, inside: str, before: str, report: FileReport) -> DiskReport:
    shown = place.shown(inside)
    told = FileReport(path=shown, outcome=_called(report.outcome, inside, shown), proof=report.proof)
    return DiskReport(file=place.root / inside, before=before, report=told)


def _called(outcome: Outcome, inside: str, shown: str) -> Outcome:
    """The outcome with the file called as the user called it, wherever it says `file:line`."""

    def call(message: str) -> str:
        return shown + message[len(inside) :] if message.startswith(f"{inside}:") else message

    match outcome:
        case Edited():
            return replace(outcome, notes=tuple(call(note) for note in outcome.notes))
        case Skipped():
            reasons = tuple(replace(one, message=call(one.message)) for one in outcome.reasons)
            return replace(outcome, reasons=reasons)
        case _:
            return outcome


def surroundings(file: Path) -> tuple[str, Mapping[str, str] | None]:
    """A file's path in the working tree or dbt project that it is part of, and the files there."""
    root = root_of(file.parent)
    if root is None:
        return file.name, None
    return file.resolve().relative_to(root).as_posix(), FolderFiles(root)


def write(reports: Iterable[DiskReport]) -> int:
    """Write the edited files, each whole and atomically; how many there were."""
    count = 0
    for item in reports:
        outcome = item.report.outcome
        if isinstance(outcome, Edited) and outcome.text != item.before:
            write_atomic(item.file, outcome.text.encode("utf-8"))
            count += 1
    return count


def unchanged(report: FileReport) -> bool:
    """Has the file nothing to do with the migration?"""
    return isinstance(report.outcome, Unchanged)
