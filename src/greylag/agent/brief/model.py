"""What a brief is made from, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from greylag.agent.brief.house import HouseRules
from greylag.domain.agent import Example, Leftover
from greylag.mapping.compiled import CompiledMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierNote:
    """A verifier that will judge the change: its name, and in a sentence what it looks at."""

    name: str
    judges: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question that was asked in this migration, and what a person said."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefInput:
    """Everything that goes into a brief.

    `files` holds the texts of the leftovers as the agent finds them. `companions` are further paths that it
    may edit. `codemods` is the unified diff of what codemods did in the same repository. `earlier` tells why
    an earlier attempt failed. `dialects` maps a path to the dialect of its SQL where that is known; else it
    is read from the text. `most` bounds the size of `Brief.text` in characters.
    """

    migration: CompiledMigration
    repository: str
    leftovers: tuple[Leftover, ...]
    files: Mapping[str, str]
    companions: tuple[str, ...] = ()
    house: HouseRules = field(default_factory=HouseRules)
    examples: tuple[Example, ...] = ()
    answers: tuple[Answered, ...] = ()
    verifiers: tuple[VerifierNote, ...] = ()
    codemods: str = ""
    earlier: str = ""
    dialects: Mapping[str, str] = field(default_factory=dict)
    most: int = 24_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What an agent is told. `version` is the template's; `hash` is the SHA-256 of all of it (hex).

    `left_out` names what was cut to keep it short; it is told in the text too. `marker` fences what is
    quoted.
    """

    system: str
    text: str
    version: str
    hash: str
    left_out: tuple[str, ...] = ()
    marker: str = ""
