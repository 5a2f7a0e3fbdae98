"""What of a repository an agent gets to see, and which files beside its own it may change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from greylag.domain.agent import Leftover
from greylag.domain.consumer import Framework
from greylag.domain.words import count
from greylag.engine.effects import EffectFailed
from greylag.workspace import EntryKind, Repository

FILE_BYTES = 4 * 1024 * 1024
"""A larger file stays out of the copy: data, models, archives. No agent reads such a file."""
MOST_BYTES = 256 * 1024 * 1024
"""Of all files of a copy: it is held in memory, once for each agent at work."""
MOST_FILES = 60_000

_COMPANIONS = 10
_YAML = (".yml", ".yaml")
_TESTED = frozenset({"test", "tests", "testing", "testdata", "test_data", "fixture", "fixtures"})
_NAMED = re.compile(r"[\w./-]{1,200}\.(?:json|ya?ml|csv|sql|txt)\b")


class TooMuch(EffectFailed):
    """A repository that is too large to be copied for an agent; people get what is left over in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The files of a copy. `left_out` are paths that are not in it: too large, or no name in UTF-8."""

    data: Mapping[str, bytes]
    executable: frozenset[str]
    left_out: tuple[str, ...]


def copied(repo: Repository, commit: str, needed: Collection[str]) -> Copy:
    """The plain files of a commit, `needed` ones whatever their size.

    Symbolic links and submodules are no files; an agent that makes one at their place is refused. Raises
    TooMuch, before anything is read.
    """
    files, left_out, total = {}, [], 0
    for path, entry in repo.entries(commit).items():
        if entry.kind is not EntryKind.FILE:
            continue
        size = repo.blob_size(entry.oid)
        if (size > FILE_BYTES and path not in needed) or not _utf8(path):
            left_out.append(path)
            continue
        files[path] = entry
        total += size
    if len(files) > MOST_FILES or total > MOST_BYTES:
        raise TooMuch(
            f"its {count(len(files), 'file')} with {total // 2**20} MiB are too much for an agent's copy "
            f"(at most {MOST_FILES} files, {MOST_BYTES // 2**20} MiB)"
        )
    return Copy(
        data={path: repo.blob(entry.oid) for path, entry in files.items()},
        executable=frozenset(path for path, entry in files.items() if entry.executable),
        left_out=tuple(left_out),
    )


def _utf8(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def companions(
    leftovers: Sequence[Leftover], data: Mapping[str, bytes], names: Collection[str]
) -> tuple[str, ...]:
    """Files that may have to follow a leftover: dbt's YAML beside a model, fixtures that it names.

    `names` are the old datasets' in small letters. No verifier compares what stands in them, so a patch that
    changes one waits for a person.
    """
    own = {left.path for left in leftovers}
    found = [path for left in leftovers for path in (*_declared(left, data, names), *_fixtures(left, data))]
    return tuple(path for path in dict.fromkeys(sorted(found)) if path not in own)[:_COMPANIONS]


def _declared(left: Leftover, data: Mapping[str, bytes], names: Collection[str]) -> Iterator[str]:
    """YAML in a model's folder that describes the model, or the source that it reads."""
    pure = PurePosixPath(left.path)
    if left.framework is not Framework.DBT or pure.suffix != ".sql":
        return
    model = re.compile(rf"\bname:\s*['\"]?{re.escape(pure.stem)}\b")
    for path in data:
        other = PurePosixPath(path)
        if other.suffix in _YAML and other.parent == pure.parent:
            text = data[path].decode("utf-8", "replace")
            if model.search(text) or any(name in text.lower() for name in names):
                yield path


def _fixtures(left: Leftover, data: Mapping[str, bytes]) -> Iterator[str]:
    """Files of tests whose path stands in the leftover, from the root or from its folder."""
    folder = PurePosixPath(left.path).parent
    for named in set(_NAMED.findall(data[left.path].decode("utf-8", "replace"))):
        for path in (named, str(folder / named)):
            if path in data and _TESTED & set(PurePosixPath(path.lower()).parts[:-1]):
                yield path
