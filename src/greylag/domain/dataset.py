"""Datasets and their names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class DatasetRef:
    """The name of a dataset in its platform, outermost part first: `("prod", "core", "users_v1")`."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> DatasetRef:
        """Read `a.b.c`, with or without quotes around parts or around the whole."""
        cleaned = text.strip().replace("`", "").replace('"', "")
        return cls(tuple(part.strip() for part in cleaned.split(".")))

    @property
    def name(self) -> str:
        """The last part: what an unaliased read of it is called in a query."""
        return self.parts[-1]

    def __str__(self) -> str:
        return ".".join(self.parts)
