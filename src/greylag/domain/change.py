"""Differences between two schemas of one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greylag.domain.dataset import DatasetRef


class ChangeKind(StrEnum):
    """What happened to a column or a dataset."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    RETYPED = "retyped"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """One difference; `column` is None when the dataset itself changed."""

    dataset: DatasetRef
    kind: ChangeKind
    column: str | None
    before: str | None
    after: str | None
    breaking: bool
