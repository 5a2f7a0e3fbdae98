"""Tools whose configuration takes a query where it names a table: there boundary form exists."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from greylag.domain.outcome import Form, Fragment
from greylag.domain.patch import Edit
from greylag.rewrite.config.datasets import Named
from greylag.rewrite.config.tree import Document, Entry
from greylag.rewrite.embedded import EmbeddedPlan, read_site_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryPlace:
    """Where a tool takes the mapping instead of the name; `is_label` when the name says nothing there."""

    start: int = 0
    end: int = 0
    write: Callable[[str], str] = str
    is_label: bool = False

    def plan(self, named: Named, dialect: str, line: int, column: int) -> EmbeddedPlan:
        """The mapping in its place."""
        sql = named.mapping.sql
        fragment = Fragment(
            old=read_site_sql(str(named.mapping.dataset)), new=sql, line=line, dialect=dialect
        )
        return EmbeddedPlan(
            edits=(Edit(self.start, self.end, self.write(sql)),),
            form=Form.BOUNDARY,
            reads=(named.read(line, column),),
            fragment=fragment,
        )


def boundary_place(
    path: str, text: str, entry: Entry, named: Named, document: Document
) -> BoundaryPlace | None:
    """The place for the mapping, where the file is of a tool that has one."""
    if path.lower().endswith((".lkml", ".lookml")):
        return _lookml(text, entry)
    if path.lower().endswith((".yaml", ".yml")):
        return _superset(text, entry, document)
    return None


def _lookml(text: str, entry: Entry) -> BoundaryPlace | None:
    """`sql_table_name` of a view becomes a derived table; its fields speak of `${TABLE}` and stay.

    https://cloud.google.com/looker/docs/reference/param-view-derived-table
    """
    if entry.path[-1] != "sql_table_name" or not entry.path[-2:-1]:
        return None
    if not entry.path[-2].startswith("view:") or entry.path[-2].startswith("view:+"):
        return None
    start = text.rfind("sql_table_name", 0, entry.scalar.start)
    end = text.find(";;", entry.scalar.end) + 2
    line = text[text.rfind("\n", 0, start) + 1 : start]
    margin = line if not line.strip() else "  "

    def write(sql: str) -> str:
        body = sql.replace("\n", f"\n{margin}    ")
        return f"derived_table: {{\n{margin}  sql:\n{margin}    {body} ;;\n{margin}}}"

    return BoundaryPlace(start=start, end=end, write=write)


def _superset(text: str, entry: Entry, document: Document) -> BoundaryPlace | None:
    """A dataset of a Superset export: physical while its `sql` is empty, virtual with a query there.

    https://superset.apache.org/docs/configuration/importing-exporting-datasources
    """
    top = {one.path[0]: one for one in document.entries if len(one.path) == 1}
    if entry.path != ("table_name",) or "database_uuid" not in top or "sql" not in _keys(text):
        return None
    sql = top.get("sql")
    if sql is not None and sql.scalar.text.strip() not in {"", "null", "~"}:
        return BoundaryPlace(is_label=True)
    empty = re.search(r"^sql:[ \t]*(null|~|''|\"\")?[ \t]*(?=\r?$)", text, re.MULTILINE)
    if empty is None:
        return None

    def write(query: str) -> str:
        body = query.replace("\n", "\n  ")
        return f"sql: |-\n  {body}"

    return BoundaryPlace(start=empty.start(), end=empty.end(), write=write)


def _keys(text: str) -> set[str]:
    return set(re.findall(r"^([\w-]+):", text, re.MULTILINE))
