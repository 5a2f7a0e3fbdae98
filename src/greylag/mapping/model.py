"""The migration file as pydantic models: which keys there are and what each may hold.

Rules that need more than one key, or SQL, are checked by the compiler; here only shapes are.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from croniter import croniter
from pydantic import AfterValidator, Field, Tag
from sqlglot.dialects.dialect import Dialects

from greylag.domain.migration import MergePolicy
from greylag.mapping.calendar_model import FreezeModel, HolidaysModel, WaveModel
from greylag.mapping.names import nearest
from greylag.mapping.strict import AsText, Strict, Text, TimeZone, fault, one_of
from greylag.mapping.templates import TemplatesModel

DIALECTS = tuple(sorted(dialect.value for dialect in Dialects if dialect.value))
_DURATION = re.compile(r"^(\d+)(s|m|h|d)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _dialect(value: str) -> str:
    if value not in DIALECTS:
        raise fault(f"`{value}` is not a dialect that can be parsed{nearest(value, DIALECTS, 'known')}")
    return value


def _duration(value: str) -> str:
    if not _DURATION.match(value):
        raise fault(f"`{value}` is not a duration; expected a number and a unit, like 90s, 30m, 1h or 2d")
    return value


def parse_duration(value: str) -> timedelta:
    """`90s`, `30m`, `1h` or `2d` as a span of time."""
    number, unit = value[:-1], value[-1]
    return timedelta(seconds=int(number) * _SECONDS[unit])


def _cron(value: str) -> str:
    if len(value.split()) != 5 or not croniter.is_valid(value):
        raise fault(
            f"`{value}` is not a cron expression; expected five fields (minute hour day month weekday), "
            "like `* 2-5 * * 1-5`"
        )
    return value


_DOT_INSIDE = re.compile(r'''(?:^|\.)\s*"[^"]*\.[^"]*"''')


def _dataset(value: str) -> str:
    parts = value.replace("`", "").replace('"', "").split(".")
    if any(not part.strip() or part != part.strip() for part in parts):
        raise fault(
            f"`{value}` is not a dataset name; expected parts joined by dots, like prod.core.users_v1"
        )
    whole = value.startswith('"') and value.endswith('"') and value.count('"') == 2
    if not whole and _DOT_INSIDE.search(value):
        raise fault(f"`{value}` has a dot inside of one part; such names are not supported")
    return value


DatasetName = Annotated[str, AfterValidator(_dataset)]
Columns = Annotated[dict[str, str | None], Field(min_length=1)]


class ReplacesModel(Strict):
    """An old dataset, as a SELECT over the new ones."""

    dataset: DatasetName
    """Its name, as consumers write it; case and quoting follow the dialect."""
    columns: Columns | None = None
    """Its columns in their order: name to type, in the dialect's own words."""
    schema_: Text | None = Field(default=None, alias="schema")
    """Instead of `columns`: a schema file, relative to this file. DDL (.sql), a dbt manifest.json, an ODCS
    contract (.yaml), an Avro schema (.avsc) or a BigQuery schema.json."""
    as_: Text | None = Field(default=None, alias="as")
    """The old dataset as a SELECT over the datasets under `provides`."""
    to: DatasetName | None = None
    """Short form instead of `as`: the one new dataset that holds the same columns."""
    rename: dict[str, Text] = Field(default_factory=dict)
    """With `to`: old column name to new column name, for those whose name changes."""
    where: Text | None = None
    """With `to`: a condition on the new dataset that keeps the rows the old one had."""
    unmapped: dict[str, Text] = Field(default_factory=dict)
    """Columns with no counterpart: column to the question that a person must answer."""
    differs: dict[str, Text] = Field(default_factory=dict)
    """Columns whose values change on purpose: column to the reason told in the pull request."""


class ProvidesModel(Strict):
    """A new dataset."""

    dataset: DatasetName
    """Its name."""
    columns: Columns | None = None
    """Its columns in their order: name to type. Lets mistakes in mappings be found, and `*` be expanded."""
    schema_: Text | None = Field(default=None, alias="schema")
    """Instead of `columns`: a schema file, as under `replaces`."""
    unique: list[Annotated[list[Text], Field(min_length=1)]] = Field(default_factory=list)
    """Sets of columns that no two rows share; make the proof stronger."""


class DbtModel(Strict):
    """A dataset's name in dbt projects."""

    dbt: Text
    """`source('core', 'users_v1')` or `ref('users_v1')`."""


class CronWindowModel(Strict):
    """When merging is allowed."""

    cron: Annotated[str, AfterValidator(_cron)]
    """Five cron fields; merging is allowed in the minutes that they name."""
    timezone: TimeZone = "UTC"
    """IANA time zone of the cron expression."""


WavesModel = Annotated[
    Annotated[int, Tag("<number>")] | AsText | Annotated[WaveModel, Tag("<mapping>")],
    one_of("a number of targets, like 5, a share, like 10%, or {owner: …}, {criticality: …}"),
]
WindowModel = Annotated[
    Annotated[Literal["quiet"], Tag("<text>")] | Annotated[CronWindowModel, Tag("<mapping>")],
    one_of('`quiet` or {cron: "…", timezone: …}'),
]
NameModel = Annotated[
    AsText | Annotated[DbtModel, Tag("<mapping>")],
    one_of("another name of the dataset, or {dbt: \"source('a', 'b')\"}"),
]


def _waves() -> list[int | str | WaveModel]:
    return [1, "10%", "100%"]


class RolloutModel(Strict):
    """How carefully the migration moves; every key has a safe default."""

    waves: Annotated[list[WavesModel], Field(min_length=1)] = Field(default_factory=_waves)
    """The waves: numbers of targets or shares of all of them, growing; or by owner or criticality.
    What no wave takes is the last one."""
    merge: Literal["never", "proven", "verified"] = MergePolicy.NEVER.value
    """What may merge without a person."""
    window: WindowModel = "quiet"
    """When merging is allowed: `quiet` (while the consumer is not about to run), or a cron window."""
    bake: Annotated[str, AfterValidator(_duration)] = "1h"
    """How long a wave is watched before the next one: 90s, 30m, 1h, 2d."""
    max_reverts: Annotated[int, Field(ge=0)] = 1
    """More reverts than this in a wave: hold."""
    per_owner: Annotated[int, Field(ge=1)] = 2
    """Open pull requests an owner at a time."""
    mentions: bool = False
    """Names in comments and documents follow, in a commit of their own."""
    freezes: list[FreezeModel] = Field(default_factory=list)
    """Times in which nothing merges, besides those in the settings."""
    holidays: list[HolidaysModel] = Field(default_factory=list)
    """Countries or regions on whose public holidays nothing merges, besides those in the settings."""
    max_open: Annotated[int, Field(ge=1)] | None = None
    """Open pull requests at a time, over all owners and migrations."""
    split: Literal["owner"] | None = None
    """`owner`: in a repository that several owners share, each one's files are a target of their own."""
    merges_per_hour: Annotated[int, Field(ge=1)] | None = None
    """Merges in any hour, over all owners and migrations."""
    templates: TemplatesModel = Field(default_factory=TemplatesModel)
    """How branches, pull requests and commits are worded, before what the settings say."""


class AnswerModel(Strict):
    """An answer together with its question."""

    question: Text | None = None
    """What was asked; the key of an agent's question follows from it."""
    answer: Text
    """What a person decided."""


AnswerValue = Annotated[
    AsText | Annotated[AnswerModel, Tag("<mapping>")],
    one_of("text, or {question: …, answer: …}"),
]


class MigrationModel(Strict):
    """A Greylag migration file: what must move from which dataset to which, and how carefully."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """The key of everything that follows from the migration: a-z, 0-9 and -."""
    dialect: Annotated[str, AfterValidator(_dialect)]
    """The SQL dialect of the mappings: a sqlglot dialect name."""
    replaces: Annotated[list[ReplacesModel], Field(min_length=1)]
    """The old datasets."""
    provides: list[ProvidesModel] = Field(default_factory=list)
    """The new datasets."""
    ref: dict[DatasetName, list[NameModel]] = Field(default_factory=dict)
    """Other names of the same dataset, e.g. in dbt."""
    rollout: RolloutModel = Field(default_factory=RolloutModel)
    """How carefully the migration moves."""
    answers: dict[DatasetName, AnswerValue] = Field(default_factory=dict)
    """Decisions. About unmapped columns: `dataset.column` to an SQL expression over the new datasets, or to
    `skip`. About questions of coding agents: the question's key (`q-…`) to free text."""
