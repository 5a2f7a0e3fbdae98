"""Guards of places: which files and lines may change, how many, and which never."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from greylag.domain.words import count
from greylag.verify.guards.protected import why_protected
from greylag.verify.guards.subject import FileDiff, Finding, Subject

_MARGIN = 3
_LONGEST_LINE = 1000
_DELETED_LINES = 0.5


def paths(subject: Subject) -> Iterator[Finding]:
    """Only files that the consumers name, and no path that is another on some file systems."""
    allowed = subject.scope.allowed
    known = {path.casefold(): path for path in subject.before}
    for file in subject.files:
        if odd := _odd(file.path):
            yield Finding(path=file.path, line=0, message=odd)
        elif file.path not in allowed:
            what = "a new file" if file.old_data is None else "changed, but no consumer names it"
            twin = known.get(file.path.casefold(), file.path)
            more = f"; only its case tells it from `{twin}`" if twin != file.path else ""
            yield Finding(path=file.path, line=_first_line(file), message=f"out of scope: {what}{more}")


def spans(subject: Subject) -> Iterator[Finding]:
    """Only lines that the consumers name, where they name some, and a few around them."""
    for file in subject.files:
        ranges = subject.scope.spans.get(file.path, ())
        if not ranges:
            continue
        for hunk in file.hunks:
            lines = [line for line, _ in hunk.removed] or [max(1, hunk.line - 1)]
            if not any(
                each.first - _MARGIN <= min(lines) and max(lines) <= each.last + _MARGIN for each in ranges
            ):
                where = ", ".join(f"{each.first}-{each.last}" for each in ranges)
                message = f"out of scope: the consumers stand on lines {where}"
                yield Finding(path=file.path, line=hunk.line, message=message)


def caps(subject: Subject) -> Iterator[Finding]:
    """Not more files and lines than a person would review, and no line that nobody would read."""
    scope = subject.scope
    if len(subject.files) > scope.max_files:
        message = f"{count(len(subject.files), 'file')} changed; at most {scope.max_files} are allowed"
        yield Finding(path=subject.files[scope.max_files].path, line=0, message=message)
    changed = sum(len(file.added) + len(file.removed) for file in subject.files)
    if changed > scope.max_lines and subject.files:
        most = max(subject.files, key=lambda file: len(file.added) + len(file.removed))
        message = f"{count(changed, 'line')} changed in all; at most {scope.max_lines} are allowed"
        yield Finding(path=most.path, line=0, message=message)
    for file in subject.files:
        longest = max((len(text) for _, text in file.removed), default=0)
        for line, text in file.added:
            if len(text) > max(_LONGEST_LINE, 2 * longest):
                yield Finding(path=file.path, line=line, message=f"a line of {len(text):,} characters")


def deletions(subject: Subject) -> Iterator[Finding]:
    """No file deleted or emptied, nor most of one taken away."""
    for file in subject.files:
        if file.new_data is None:
            yield Finding(path=file.path, line=0, message="the file was deleted")
            continue
        if file.old_data is None:
            continue
        if not file.new.strip() and file.old.strip():
            yield Finding(path=file.path, line=0, message="the file was emptied")
            continue
        had = sum(1 for line in file.old.splitlines() if line.strip())
        gone = sum(1 for _, text in file.removed if text.strip())
        came = sum(1 for _, text in file.added if text.strip())
        if had > 10 and gone - came > _DELETED_LINES * had:
            message = f"{gone - came} of {had} lines were deleted"
            yield Finding(path=file.path, line=_first_line(file), message=message)


def protected(subject: Subject) -> Iterator[Finding]:
    """No CI, agent configuration, lock file, owners, hooks, build plugin or the like."""
    for file in subject.files:
        reason = why_protected(file.path, named=file.path in subject.scope.allowed)
        if reason is not None:
            yield Finding(path=file.path, line=0, message=f"{reason} may not be changed by an agent")


def kinds(subject: Subject) -> Iterator[Finding]:
    """Text stays text: no binary content, no other encoding, byte order mark or line ends."""
    for file in subject.files:
        new, old = file.new_data, file.old_data
        if new is None:
            continue
        if b"\0" in new:
            yield Finding(path=file.path, line=0, message="binary content")
            continue
        if not _utf8(new) and (old is None or _utf8(old)):
            yield Finding(path=file.path, line=0, message="no longer UTF-8")
        if old is None:
            continue
        if old.startswith(b"\xef\xbb\xbf") != new.startswith(b"\xef\xbb\xbf"):
            yield Finding(path=file.path, line=1, message="the byte order mark came or went")
        if _ends(old) != _ends(new) and _ends(old) != "mixed" and new.strip():
            yield Finding(path=file.path, line=0, message=f"line ends changed: {_ends(old)} to {_ends(new)}")
        if new.startswith(b"version https://git-lfs") and not old.startswith(b"version https://git-lfs"):
            yield Finding(path=file.path, line=1, message="replaced by a Git LFS pointer")


def _utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _ends(data: bytes) -> str:
    both = data.count(b"\r\n")
    alone = data.count(b"\n") - both
    bare = data.count(b"\r") - both
    if bare:
        return "mixed with bare carriage returns"
    if both and alone:
        return "mixed"
    return "CRLF" if both else "LF"


def _odd(path: str) -> str | None:
    pure = PurePosixPath(path)
    if pure.is_absolute() or path.startswith("~") or "\\" in path or ":" in path[:3]:
        return "not a path inside of the repository"
    if ".." in pure.parts or str(pure) != path:
        return "not a plain path: it has `.`, `..` or doubled slashes"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        return "control characters in a path"
    if any(part != part.strip() or part.endswith(".") for part in pure.parts):
        return "a part of the path ends in a blank or a dot"
    return None


def _first_line(file: FileDiff) -> int:
    return file.hunks[0].line if file.hunks else 0
