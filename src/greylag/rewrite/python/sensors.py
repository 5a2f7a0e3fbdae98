"""Sensors wait for a table to exist: they are told its name, in one argument or in parts."""

from __future__ import annotations

import libcst as cst

from greylag.domain.dataset import DatasetRef
from greylag.domain.patch import Edit
from greylag.rewrite.python.calls import called
from greylag.rewrite.python.compose import Composer
from greylag.rewrite.python.composed import Composed
from greylag.rewrite.python.naming import Named, Naming, new_tables
from greylag.rewrite.python.source import Source
from greylag.rewrite.python.tables import NotRead

_PARTS = (
    {"table_project_id", "project_id", "project", "catalog", "database_name"},
    {"dataset_id", "dataset", "schema", "schema_name", "database"},
    {"table_id", "table", "table_name"},
)


def sensor_edits(
    source: Source, composer: Composer, naming: Naming, call: cst.Call
) -> tuple[list[Edit], DatasetRef | None, str]:
    """The edits that make a sensor wait for the new table, the old dataset and the new table's name.

    Raises NotRead: the name is not certain, or there is not exactly one new table to wait for.
    """
    if "partition" in called(call).lower():
        raise NotRead("table-only", "waits for a partition: whether the new table has it is not known")
    parts = [part for keywords in _PARTS for part in _told(composer, call, keywords)]
    if not parts:
        raise NotRead("not-understood", "how this sensor is told the table's name is not known")
    named = naming.named(".".join(part.sql for part in parts))
    if named is None:
        return [], None, ""
    if named.mapping is None:
        raise NotRead("maybe-old", named.doubt or "")
    tables = new_tables(named.mapping)
    if len(tables) != 1:
        raise NotRead("table-only", f"{named.mapping.dataset} is made of {len(tables)} tables now")
    old = DatasetRef.parse(".".join(part.sql for part in parts)).parts
    new = DatasetRef.parse(tables[0]).parts
    if len(old) != len(new) or len(parts) not in (1, len(new)):
        raise NotRead("not-understood", "the new table's name has another number of parts")
    wanted = list(new) if len(parts) > 1 else [".".join(new)]
    edits = [
        edit
        for part, text in zip(parts, wanted, strict=True)
        if part.sql != text
        for edit in _whole(part, text)
    ]
    return edits, named.mapping.dataset, ".".join(new)


def named_in_parts(composer: Composer, naming: Naming, call: cst.Call) -> Named | None:
    """What a call names that is told a table's name in parts; None where that is not certain."""
    try:
        parts = [part.sql for keywords in _PARTS for part in _told(composer, call, keywords)]
    except NotRead:
        return None
    return naming.named(".".join(parts)) if len(parts) > 1 else None


def _told(composer: Composer, call: cst.Call, keywords: set[str]) -> list[Composed]:
    """One part of the name, where the sensor is told it."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value in keywords:
            part = composer.compose(arg.value)
            if part is None or part.unknown:
                raise NotRead("dynamic-sql", "part of the table's name is put in at run time")
            return [part]
    return []


def _whole(part: Composed, text: str) -> list[Edit]:
    """The text of a literal, replaced."""
    if len(part.segments) != 1 or part.segments[0].offsets is None or part.constants:
        raise NotRead("dynamic-sql", "the table's name is a constant that may be used elsewhere")
    only = part.segments[0]
    return [Edit(only.start, only.end, only.encode(text))]
