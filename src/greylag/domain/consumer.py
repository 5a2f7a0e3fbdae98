"""Who reads a dataset, where, and how we know."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from greylag.domain.dataset import DatasetRef
from greylag.domain.parts import whole


class Framework(StrEnum):
    """What kind of program a consumer is; decides which codemod edits it."""

    SQL = "sql"
    DBT = "dbt"
    PYTHON = "python"
    SCALA = "scala"
    CONFIG = "config"


class EvidenceKind(StrEnum):
    """Where the knowledge that something is a consumer comes from."""

    STATIC = "static"
    LINEAGE = "lineage"
    QUERY_LOG = "query_log"
    CATALOG = "catalog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why we say that it is a consumer."""

    kind: EvidenceKind
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One place in one file that reads a replaced dataset. `line` and `column` are 1-based."""

    dataset: DatasetRef
    line: int
    column: int
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One place that reads a dataset, in the fleet. `key` is stable across re-scans of the same place."""

    repository: str
    path: str
    framework: Framework
    read: Read
    owner: str | None = None
    evidence: tuple[Evidence, ...] = field(default=())

    @property
    def key(self) -> str:
        """Repository, path and dataset: lines move, and files to other owners' parts; these do not."""
        return f"{whole(self.repository)}:{self.path}:{self.read.dataset}"
