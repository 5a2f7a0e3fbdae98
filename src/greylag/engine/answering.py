"""Answering a question, whichever way the answer came: checked, given, and kept in the migration file."""

from __future__ import annotations

import difflib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.domain.errors import FileFaults, GreylagError, UsageError
from greylag.domain.question import QuestionKind, text_fault
from greylag.domain.words import count
from greylag.engine.questions import Asked
from greylag.mapping import load_migration_text
from greylag.mapping.answers import SKIP, is_skip
from greylag.mapping.writing import NotWritten, with_answer

if TYPE_CHECKING:
    from greylag.engine.campaign import Campaign


def nearest(asked: Mapping[str, Asked], key: str) -> str | None:
    """The key that was probably meant."""
    return next(iter(difflib.get_close_matches(key, asked, n=1)), None)


def find(asked: Mapping[str, Asked], key: str) -> Asked:
    """The question of that key. Raises UsageError with the nearest one, or with those that are open."""
    if key in asked:
        return asked[key]
    near = nearest(asked, key)
    open_ones = [one for one, row in asked.items() if row.answer is None]
    known = f"; open questions: {', '.join(open_ones)}" if open_ones else "; nothing was asked that is open"
    raise UsageError(f"{key!r} was not asked{f'; did you mean {near!r}?' if near else known}")


def checked(campaign: Campaign, asked: Asked, value: str) -> str:
    """The answer as it is kept. Raises UsageError for text that is none, and for SQL that is wrong."""
    value = value.strip()
    wrong = text_fault(value)
    if wrong is not None:
        raise UsageError(wrong)
    if asked.kind is QuestionKind.AGENT:
        same = [option for option in asked.options if option.casefold() == value.casefold()]
        return same[0] if same else value
    value = SKIP if is_skip(value) else value
    try:
        campaign.try_answers({asked.key: value})
    except FileFaults as error:
        # Told without the places: they are those of a file that nobody wrote.
        told = "; ".join(dict.fromkeys(fault.message for fault in error.faults))
        raise UsageError(f"{value!r} is no answer to {asked.key}: {told}") from error
    return value


def in_file(campaign: Campaign, key: str) -> str | None:
    """The answer that stands in the file, as this process read it."""
    said = campaign.migration.said.get(key)
    return campaign.migration.answers.get(key) if said is None else said.answer


def keep_in_file(campaign: Campaign, asked: Asked, value: str) -> str:
    """Write an answer into the migration file; returns what came of it, in words for the person.

    The database has the answer already: a file that cannot be written, or that became another migration
    since this process read it, is left alone.
    """
    path = Path(campaign.migration.path)
    try:
        written = _write(path, campaign, asked, value)
    except (GreylagError, OSError) as error:
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        told = f"not written into {path} ({why}); the answer stands in the database"
        if in_file(campaign, asked.key) not in (None, value):
            return f"{told}, and the next `greylag run` takes what the file says: change it there"
        return f"{told}: write it there by hand to keep it in review"
    return f"kept in {path}" if written else f"{path} says so already"


def _write(path: Path, campaign: Campaign, asked: Asked, value: str) -> bool:
    path = path.resolve()
    if not path.is_file():
        raise NotWritten("there is no such file any more")
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o222 or not os.access(path, os.W_OK):
        raise NotWritten("it is read-only")
    with _alone(path.parent):
        before = path.read_bytes()
        text = before.decode("utf-8")
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        question = asked.text if asked.kind is QuestionKind.AGENT else None
        after = mark + with_answer(text.removeprefix(mark), asked.key, value, question)
        if after == text:
            return False
        _same_migration(after.removeprefix(mark), path, campaign)
        _replace(path, before, after.encode("utf-8"), mode)
    return True


def _same_migration(text: str, path: Path, campaign: Campaign) -> None:
    """What was answered is a question of the migration that this process knows, not of one edited since."""
    try:
        now = load_migration_text(text, path=str(path), base=path.parent)
    except UsageError as error:
        raise NotWritten(f"it changed meanwhile, and does not compile with the answer: {error}") from error
    if now.name != campaign.name or now.basis != campaign.migration.basis:
        raise NotWritten("it changed meanwhile, and is another migration now")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One of us at a time writes into a folder; the system lets go of it when a process dies."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, before: bytes, after: bytes, mode: int) -> None:
    """Put new content in the place of the file, at once or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        if path.read_bytes() != before:
            raise NotWritten("it changed this moment; answer again")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def going_on(value: str, woken: tuple[str, ...]) -> str:
    """What an answer set going, in words."""
    return (
        f"answered {value!r}; {count(len(woken), 'target')} go on with it"
        if len(woken) != 1
        else (f"answered {value!r}; {woken[0]} goes on with it")
    )
