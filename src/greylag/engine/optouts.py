"""What a repository says of itself at its head: whether it takes part, and how much hangs on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greylag.domain.errors import FileFaults
from greylag.domain.migration import Criticality
from greylag.rollout.optout import NAME, OptOut, read_optout


class Finds(Protocol):
    """What is asked of a repository; one that is opened only for that will do."""

    def find(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file at a commit; None when there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """The file cannot be read, so that nobody knows whether the repository takes part."""

    reason: str


def asked(repo: Finds, commit: str, migration: str) -> str | Unclear | None:
    """Why a repository stays out of a migration, as it says at a commit; None when it takes part."""
    data = _found(repo, commit, NAME)
    if data is None:
        return None
    read = _read(data)
    return read if isinstance(read, Unclear) else read.of(migration)


class _NotRead:
    """Other than None, which is a file that is not there."""


_NOT_READ = _NotRead()
_KEPT = 100_000
_AT_COMMITS: dict[tuple[str, str], bytes | None] = {}


def _found(repo: Finds, commit: str, name: str) -> bytes | None:
    """A file of a commit: every tick asks, and a commit never says anything else."""
    known = _AT_COMMITS.get((commit, name), _NOT_READ)
    if not isinstance(known, _NotRead):
        return known
    if len(_AT_COMMITS) >= _KEPT:
        _AT_COMMITS.clear()
    data = _AT_COMMITS[commit, name] = repo.find(commit, name)
    return data


def declared(repo: Finds, commit: str) -> Criticality | None:
    """The criticality that a repository's catalog-info.yaml gives; None when it gives none.

    The annotation `greylag/criticality` (low, normal, high) counts, else `spec.lifecycle`: what is
    experimental or deprecated is low, what is in production is normal.
    """
    for name in ("catalog-info.yaml", "catalog-info.yml"):
        data = _found(repo, commit, name)
        if data is not None:
            return _level(data)
    return None


_LIFECYCLES = {
    "experimental": Criticality.LOW,
    "deprecated": Criticality.LOW,
    "production": Criticality.NORMAL,
}


@lru_cache(maxsize=4096)
def _level(data: bytes) -> Criticality | None:
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(data))
    except (YAMLError, UnicodeDecodeError):
        return None  # that the file is broken is for its own project to find
    found = None
    for document in documents:
        parts = document if isinstance(document, dict) else {}
        metadata, spec = (parts.get(key) for key in ("metadata", "spec"))
        notes = metadata.get("annotations") if isinstance(metadata, dict) else None
        said = notes.get("greylag/criticality") if isinstance(notes, dict) else None
        if said in tuple(Criticality):
            return Criticality(said)
        if found is None and isinstance(spec, dict):
            found = _LIFECYCLES.get(str(spec.get("lifecycle")))
    return found


@lru_cache(maxsize=4096)
def _read(data: bytes) -> OptOut | Unclear:
    try:
        return read_optout(data.decode("utf-8"))
    except UnicodeDecodeError:
        return Unclear(reason=f"{NAME} is not UTF-8 text")
    except FileFaults as error:
        return Unclear(reason=str(error.faults[0]))
