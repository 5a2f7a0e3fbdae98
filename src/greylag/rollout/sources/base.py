"""What all sources share: their settings, what of them a repository concerns, and errors that tell no
secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from greylag.domain.errors import GreylagError
from greylag.rollout.durations import Duration
from greylag.rollout.health import Subject

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


class Unanswered(GreylagError):
    """A source could not answer: its reading is `errored`. The message holds no secret."""


class SourceSettings(BaseModel):
    """What every source can be told.

    `skew`: how far its clock may be from ours. What began so shortly after a merge may have run the old
    code, and counts for nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    only: tuple[str, ...] = Field((), description="repositories it is asked about (globs); empty: all")
    skew: Duration = Field(timedelta(seconds=30), ge=timedelta(0), description="how far clocks may differ")

    def concerns(self, repository: str) -> bool:
        """Is this source asked about the repository?"""
        return not self.only or any(fnmatchcase(repository, pattern) for pattern in self.only)


class SecretSettings(BaseModel):
    """A secret: the name of an environment variable, or a file. Read when it is used, never kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> SecretSettings:
        if (self.env is None) == (self.file is None):
            raise ValueError("give one of `env` (the name of a variable) and `file`")
        return self

    def read(self) -> str:
        """The secret. Raises Unanswered when it is not there."""
        if self.env is not None:
            found = os.environ.get(self.env, "")
            place = f"the environment variable {self.env}"
        else:
            place = f"the file {self.file}"
            try:
                found = Path(str(self.file)).expanduser().read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise Unanswered(f"{place} cannot be read: {type(error).__name__}") from error
        if not found.strip():
            raise Unanswered(f"{place} is not set, or empty")
        return found.strip()


def _by_repository(value: object) -> object:
    if isinstance(value, str):
        return {"*": (value,)}
    if isinstance(value, Mapping):
        return {key: (one,) if isinstance(one, str) else one for key, one in value.items()}
    return {"*": value} if isinstance(value, list | tuple) else value


PerRepository = Annotated[
    Mapping[str, tuple[Annotated[str, Field(min_length=1)], ...]], BeforeValidator(_by_repository)
]
"""Names for a repository: one text, several, or either by a glob of repositories; the first that fits counts.

`{repository}` and `{name}` (its last part) are replaced.
"""


def names_for(templates: Mapping[str, tuple[str, ...]], repository: str) -> tuple[str, ...]:
    """The names that a repository's entry gives; none when no glob fits. Raises Unanswered: see `words`."""
    for pattern, found in templates.items():
        if fnmatchcase(repository, pattern):
            return tuple(fill(one, words(repository)) for one in found)
    return ()


def words(repository: str) -> dict[str, str]:
    """What is put into queries, addresses and names.

    Raises Unanswered for a repository whose name could be more than a name there.
    """
    if _SAFE.fullmatch(repository) is None or ".." in repository:
        raise Unanswered(f"the repository's name cannot be put into a query or an address: {repository!r}")
    return {"repository": repository, "name": repository.rsplit("/", 1)[-1]}


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace `{name}` of the names given; every other brace stays."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template


def since_of(subject: Subject, skew: timedelta) -> datetime | None:
    """From when on the new code runs for sure: after the merge, and where that is known, after everything
    that runs it followed. None before the merge.
    """
    if subject.merged_at is None:
        return None
    return max(subject.merged_at, subject.live_at or subject.merged_at) + skew


def instant(value: object, what: str) -> datetime | None:
    """An aware time from ISO 8601 text (UTC when it names no zone), None for none. Raises Unanswered."""
    if value is None or value == "":
        return None
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Unanswered(f"{what}: expected a time in ISO 8601, got {str(value)[:40]!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def is_list(value: object, what: str) -> list[object]:
    """The value, if it is a list. Raises Unanswered."""
    if not isinstance(value, list):
        raise Unanswered(f"{what}: expected a list, got {type(value).__name__}")
    return value


def is_map(value: object, what: str) -> dict[str, object]:
    """The value, if it is a JSON object. Raises Unanswered."""
    if not isinstance(value, dict):
        raise Unanswered(f"{what}: expected an object, got {type(value).__name__}")
    return value
