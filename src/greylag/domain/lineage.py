"""Datasets that stand between targets: one repository builds them, another one reads them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Dependency:
    """`repository` reads `dataset`, which `upstream` builds. `read` and `built` are the places that say so.

    A place is `path:line`, in the repository that it is of, or where somebody declared it.
    """

    repository: str
    upstream: str
    dataset: str
    read: str
    built: str

    def __str__(self) -> str:
        return f"{self.upstream}, which builds {self.dataset} that it reads ({self.read})"
