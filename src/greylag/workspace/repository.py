"""A git repository, through its objects: read, commit, merge and revert without a working tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Self, cast

import pygit2
from pygit2.enums import AttrCheck, ObjectType, SortMode

from greylag.domain.outcome import Reason
from greylag.workspace.export import write_tree_out
from greylag.workspace.history import conflict_paths, parse_trailers
from greylag.workspace.parcels import pack_between, unpack
from greylag.workspace.refs import read_ref, swap_ref
from greylag.workspace.signing import Signer
from greylag.workspace.text import decode_text
from greylag.workspace.tree import PLAIN_FILES, diff_trees, edit_tree, walk_tree
from greylag.workspace.values import (
    CommitInfo,
    Conflict,
    Entry,
    EntryKind,
    MergeResult,
    NotARepository,
    RepositoryError,
)

_AT_COMMIT = AttrCheck.INCLUDE_COMMIT | AttrCheck.NO_SYSTEM | AttrCheck.INDEX_ONLY


class Repository:
    """A repository, bare or not. Objects and refs only: its working tree, if any, is never touched.

    Commits, trees and blobs are named by their 40 hex digits. Opening is cheap (tens of microseconds); an
    instance belongs to one thread.
    """

    def __init__(self, repo: pygit2.Repository, sign: Signer | None = None) -> None:
        self._repo = repo
        self._sign = sign

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the repository at exactly `path`. Raises NotARepository."""
        try:
            return cls(pygit2.Repository(str(path), pygit2.enums.RepositoryOpenFlag.NO_SEARCH))
        except (pygit2.GitError, pygit2.InvalidError, ValueError) as error:
            why = "its objects are named by SHA-256, which is not supported" if _is_sha256(path) else error
            raise NotARepository(f"{path}: not a git repository that can be read: {why}") from error

    @classmethod
    def init_bare(cls, path: str | Path, *, branch: str = "main") -> Self:
        """Create an empty bare repository whose default branch is `branch`; opens one that exists."""
        if (Path(path) / "HEAD").exists():
            return cls.open(path)
        return cls(pygit2.init_repository(str(path), bare=True, initial_head=branch))

    def signed(self, sign: Signer | None) -> Repository:
        """The same repository; what is committed through it is signed (None: it is not)."""
        return Repository(self._repo, sign)

    @property
    def path(self) -> Path:
        """The git directory: the bare repository itself, or `.git` in a working tree."""
        return Path(self._repo.path)

    @property
    def default_branch(self) -> str:
        """The branch that HEAD names, whether it has commits or not."""
        try:
            target = self._repo.references["HEAD"].target
        except (KeyError, pygit2.GitError) as error:
            raise RepositoryError(f"{self.path}: HEAD cannot be read: {error}") from error
        if not isinstance(target, str):
            raise RepositoryError(f"{self.path}: HEAD names no branch; say which branch is meant")
        return target.removeprefix("refs/heads/")

    def head(self, branch: str | None = None) -> str:
        """The tip of a branch (default: the default branch). Raises RepositoryError when there is none."""
        name = branch or self.default_branch
        tip = self.ref(f"refs/heads/{name}")
        if tip is None:
            raise RepositoryError(f"{self.path}: there is no branch {name!r}")
        return tip

    def ref(self, name: str) -> str | None:
        """What a full ref name points to; None when there is no such ref."""
        return read_ref(self._repo, name)

    def refs(self, prefix: str = "refs/") -> Mapping[str, str]:
        """All refs below `prefix`, with what they point to."""
        found = {n: read_ref(self._repo, n) for n in self._repo.references if n.startswith(prefix)}
        return {name: target for name, target in sorted(found.items()) if target is not None}

    def set_ref(self, name: str, new: str | None, *, expected: str | None) -> None:
        """Compare-and-swap: let the full ref name `name` point to `new`, None removes it.

        `expected` is what it must point to now, None that it must not exist. Raises RefMoved otherwise.
        """
        swap_ref(self._repo, name, new, expected=expected)

    def entries(self, commit: str, folder: str = "") -> Mapping[str, Entry]:
        """Every path of a commit, sorted, with what it is; `folder` ("a/b") narrows it."""
        with self._broken(commit):
            tree = self._commit(commit).tree
            if not folder:
                return dict(sorted(walk_tree(self._repo, tree.id)))
            if folder not in tree or tree[folder].type != ObjectType.TREE:
                return {}
            return dict(sorted(walk_tree(self._repo, tree[folder].id, f"{folder}/")))

    def files(self, commit: str) -> Mapping[str, str]:
        """Path to blob id of every plain file of a commit; symbolic links and submodules are left out."""
        return {p: e.oid for p, e in self.entries(commit).items() if e.kind is EntryKind.FILE}

    def blob(self, oid: str) -> bytes:
        """The bytes of a blob."""
        with self._broken(oid):
            kind, data = self._repo.odb.read(pygit2.Oid(hex=oid))
        if kind != ObjectType.BLOB:
            raise RepositoryError(f"{self.path}: {oid} is not a file's content")
        return bytes(data)

    def blob_size(self, oid: str) -> int:
        """The size of a blob in bytes, without reading it."""
        with self._broken(oid):
            return int(self._repo.odb.read_header(pygit2.Oid(hex=oid))[1])

    def read(self, commit: str, path: str) -> bytes:
        """The bytes of a file at a commit. Raises RepositoryError when there is no such plain file."""
        data = self.find(commit, path)
        if data is None:
            raise RepositoryError(f"{self.path}: no file {path!r} at {commit[:12]}")
        return data

    def find(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file at a commit; None when there is no plain file of that name."""
        tree = self._commit(commit).tree
        try:
            if path not in tree:
                return None
        except UnicodeEncodeError:  # a name that is not UTF-8: only a walk finds it
            oid = self.files(commit).get(path)
            return None if oid is None else self.blob(oid)
        found = tree[path]
        return self.blob(str(found.id)) if int(found.filemode) in PLAIN_FILES else None

    def attribute(self, commit: str, path: str, name: str) -> str | None:
        """What the `.gitattributes` of a commit set an attribute of a path to; None when nothing is set."""
        found = self._repo.get_attr(path, name, _AT_COMMIT, pygit2.Oid(hex=commit))
        return found if isinstance(found, str) else None

    def read_text(self, commit: str, path: str) -> str | Reason:
        """The text of a file at a commit, or why it is not text that can be edited."""
        return decode_text(self.read(commit, path))

    def commit(
        self,
        base: str | None,
        changes: Mapping[str, bytes | None],
        *,
        message: str,
        author: str,
        email: str,
        when: datetime,
        parents: tuple[str, ...] | None = None,
    ) -> str:
        """Write a commit on top of `base` (None: the first one) with files changed; returns its id.

        `changes` maps a path to its new bytes, or to None to remove it; file modes stay. No ref is moved.
        Same base, changes, message, author and time: same id. When nothing differs from `base`, that is
        `base` itself. `parents` replaces `(base,)`. Raises RepositoryError for a path that cannot be changed.
        """
        before = None if base is None else self._commit(base).tree.id
        tree = edit_tree(self._repo, before, changes)
        if tree == before and parents is None and base is not None:
            return base
        above = parents if parents is not None else (() if base is None else (base,))
        return self._write_commit(tree, above, message, _signature(author, email, when))

    def retold(
        self,
        commit: str,
        *,
        parents: tuple[str, ...],
        message: str,
        author: str,
        email: str,
        when: datetime,
    ) -> str:
        """Write a commit of the same files as another, with other parents and words; returns its id."""
        return self._write_commit(
            self._commit(commit).tree.id, parents, message, _signature(author, email, when)
        )

    def merge(
        self, tip: str, head: str, *, message: str, author: str, email: str, when: datetime
    ) -> MergeResult | Conflict:
        """A merge commit of `head` into `tip` (its first parent), or the conflict. No ref is moved."""
        index = self._merged(tip, head)
        if isinstance(index, Conflict):
            return index
        if index is None:
            return MergeResult(commit=tip, changed=False)
        tree = index.write_tree(self._repo)
        return MergeResult(
            commit=self._write_commit(tree, (tip, head), message, _signature(author, email, when))
        )

    def conflict(self, tip: str, head: str) -> Conflict | None:
        """What stands in the way of merging `head` into `tip`. Nothing is written."""
        index = self._merged(tip, head)
        return index if isinstance(index, Conflict) else None

    def revert(
        self,
        commit: str,
        onto: str,
        *,
        message: str,
        author: str,
        email: str,
        when: datetime,
        since: str | None = None,
    ) -> MergeResult | Conflict:
        """A commit on top of `onto` that takes back what `commit` changed, or the conflict.

        That is the difference to `since`, by default to its first parent: for a merge commit, all that it
        brought. A file that nobody touched after it gets back exactly the bytes it had. No ref is moved.
        """
        target = self._commit(commit)
        if since is None and not target.parents:
            return Conflict(paths=(), reason="the first commit of a history cannot be reverted")
        before = target.parents[0] if since is None else self._commit(since)
        ours = self._commit(onto)
        index = self._repo.merge_trees(target.tree, ours.tree, before.tree)
        if index.conflicts is not None:
            return _conflict(index, "later commits changed the same lines")
        tree = index.write_tree(self._repo)
        if tree == ours.tree.id:
            return MergeResult(commit=onto, changed=False)
        return MergeResult(commit=self._write_commit(tree, (onto,), message, _signature(author, email, when)))

    def checkout(self, commit: str, folder: str | Path) -> tuple[Reason, ...]:
        """Write the files of a commit into an empty or new `folder`, plainly (no filters, no `.git`).

        Returns what could not be written as it was meant: submodules, links that lead outside, LFS pointers.
        """
        return write_tree_out(self._repo, self._commit(commit).tree.id, Path(folder))

    def parcel(self, base: str, commit: str) -> bytes:
        """What `commit` has and `base` has not, as one pack: for another copy of this repository."""
        self._commit(base), self._commit(commit)
        return pack_between(self._repo, base, commit)

    def take_in(self, parcel: bytes) -> None:
        """Write a parcel's objects; no ref is moved. Raises RepositoryError for one that is broken."""
        unpack(self.path, parcel)

    def changed(self, old: str, new: str) -> Mapping[str, tuple[str | None, str | None]]:
        """Paths that differ between two commits: blob id before and after, None where it does not exist."""
        found = self.changed_entries(old, new)
        return {
            path: (was.oid if was else None, now.oid if now else None) for path, (was, now) in found.items()
        }

    def changed_entries(self, old: str, new: str) -> Mapping[str, tuple[Entry | None, Entry | None]]:
        """Paths that differ between two commits, sorted: entry before and after."""
        trees = self._commit(old).tree.id, self._commit(new).tree.id
        found = {path: (was, now) for path, was, now in diff_trees(self._repo, *trees)}
        return dict(sorted(found.items()))

    def diff(self, old: str, new: str, *, context: int = 3) -> str:
        """A unified diff between two commits, as text; bytes that are not UTF-8 are replaced."""
        difference = self._commit(old).tree.diff_to_tree(self._commit(new).tree, context_lines=context)
        return b"".join(patch.data for patch in difference if patch is not None).decode("utf-8", "replace")

    def merge_base(self, one: str, two: str) -> str | None:
        """The best common ancestor of two commits."""
        found = self._repo.merge_base(pygit2.Oid(hex=one), pygit2.Oid(hex=two))
        return None if found is None else str(found)

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Whether `commit` contains `ancestor` (a commit contains itself)."""
        return ancestor == commit or self.merge_base(ancestor, commit) == ancestor

    def has_commit(self, commit: str) -> bool:
        """Whether this repository holds that commit."""
        try:
            self._commit(commit)
        except RepositoryError:
            return False
        return True

    def info(self, commit: str) -> CommitInfo:
        """What a commit says about itself."""
        found = self._commit(commit)
        zone = timezone(timedelta(minutes=found.commit_time_offset))
        return CommitInfo(
            id=str(found.id),
            parents=tuple(str(parent) for parent in found.parent_ids),
            message=found.message,
            author=f"{found.author.name} <{found.author.email}>",
            when=datetime.fromtimestamp(found.commit_time, UTC).astimezone(zone),
            trailers=parse_trailers(found.message),
        )

    def log(self, tip: str, *, until: str | None = None, first_parent: bool = False) -> Iterator[CommitInfo]:
        """Commits from `tip` backwards, newest first, without those that `until` contains."""
        walker = self._repo.walk(pygit2.Oid(hex=tip), SortMode.TOPOLOGICAL)
        if until is not None:
            walker.hide(pygit2.Oid(hex=until))
        if first_parent:
            walker.simplify_first_parent()
        for found in walker:
            yield self.info(str(found.id))

    @contextmanager
    def _broken(self, oid: str) -> Iterator[None]:
        """Says of what libgit2 does not find, or cannot read, whose it is, and why it may be so."""
        try:
            yield
        except (KeyError, pygit2.GitError) as error:
            why = f"an object of {oid} is missing or broken"
            if "remote.origin.promisor" in self._repo.config:
                why = f"{oid} is not here: the repository is a partial clone; fetch it whole"
            raise RepositoryError(f"{self.path}: {why} ({error})") from error

    def _merged(self, tip: str, head: str) -> pygit2.Index | Conflict | None:
        """The merged index; None when `tip` contains `head`."""
        base = self.merge_base(tip, head)
        if base is None:
            return Conflict(paths=(), reason="the histories have no commit in common")
        if base == head:
            return None
        index = self._repo.merge_commits(self._commit(tip), self._commit(head))
        return index if index.conflicts is None else _conflict(index, "both sides changed the same lines")

    def _commit(self, commit: str) -> pygit2.Commit:
        try:
            found = self._repo[pygit2.Oid(hex=commit)]
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise RepositoryError(f"{self.path}: there is no commit {commit!r}") from error
        if found.type != ObjectType.COMMIT:
            raise RepositoryError(f"{self.path}: {commit} is not a commit")
        return cast("pygit2.Commit", found)

    def _write_commit(
        self, tree: pygit2.Oid, parents: tuple[str, ...], message: str, who: pygit2.Signature
    ) -> str:
        above = [pygit2.Oid(hex=parent) for parent in parents]
        if self._sign is None:
            return str(self._repo.create_commit(None, who, who, message, tree, above))
        # A text, whatever the library's stubs say.
        content = cast("str", self._repo.create_commit_string(who, who, message, tree, [*above]))
        signature = self._sign(content.encode("utf-8"))
        return str(self._repo.create_commit_with_signature(content, signature.rstrip("\n")))


def _is_sha256(path: str | Path) -> bool:
    here = (Path(path) / name for name in ("config", ".git/config"))
    texts = (one.read_text(encoding="utf-8", errors="replace") for one in here if one.is_file())
    return any(re.search(r"objectformat\s*=\s*sha256", text, re.IGNORECASE) for text in texts)


def _signature(author: str, email: str, when: datetime) -> pygit2.Signature:
    stamp = when if when.tzinfo else when.replace(tzinfo=UTC)
    offset = stamp.utcoffset() or timedelta(0)
    return pygit2.Signature(author, email, int(stamp.timestamp()), int(offset.total_seconds() // 60))


def _conflict(index: pygit2.Index, reason: str) -> Conflict:
    return Conflict(paths=conflict_paths(index), reason=reason)
