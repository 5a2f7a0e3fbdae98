"""Data tests and freshness of an old source, moved to the new one once nothing else reads the old.

A column's test moves with the column where the mapping only renames it; a predicate of the mapping becomes
the test's `where`. What does not move stays, and stays a reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.compiled import Mapping as Replaced
from greylag.rewrite.dbt.jinja import expression
from greylag.rewrite.dbt.names import call, match
from greylag.rewrite.dbt.renamed import renamed_column
from greylag.rewrite.dbt.source_checks import maps_under, which_source
from greylag.rewrite.dbt.yaml_place import block_end

_KEYS = ("data_tests", "tests")
_ANCHOR = re.compile(r"(?:^|[\s\[{,:-])[&*]\w")
_KNOWN = frozenset({"not_null", "unique", "accepted_values", "relationships"})


def moved_checks(text: str, migration: CompiledMigration, datasets: frozenset[DatasetRef]) -> str:
    """A YAML file with the checks on the sources of `datasets` moved, as far as they may.

    The new source has to be declared in the same file, without columns of its own.
    """
    while True:
        after = _moved_once(text, migration, datasets)
        if after is None or not same_meaning(text, after):
            return text
        text = after


def _moved_once(text: str, migration: CompiledMigration, datasets: frozenset[DatasetRef]) -> str | None:
    try:
        data: Any = YAML(typ="rt").load(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    for source in maps_under(data, "sources"):
        for table in maps_under(source, "tables"):
            for mapping in migration.mappings:
                if mapping.dataset not in datasets or which_source(source, table, mapping) is not True:
                    continue
                new = _new_entry(data, mapping, migration)
                move = _Move(text=text, mapping=mapping, migration=migration, old=table)
                if new is not None and (after := move.into(new)) is not None:
                    return after
    return None


def _new_entry(data: Any, mapping: Replaced, migration: CompiledMigration) -> CommentedMap | None:
    if mapping.inlining is None:
        return None
    names = migration.new_names.get(mapping.inlining.table)
    for source in maps_under(data, "sources"):
        for table in maps_under(source, "tables"):
            spoken = (str(source.get("name")), str(table.get("name")))
            if names is not None and any(one.kind == "source" and one.args == spoken for one in names.dbt):
                return None if "columns" in table or table.fa.flow_style() else table
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    text: str
    mapping: Replaced
    migration: CompiledMigration
    old: CommentedMap

    def into(self, new: CommentedMap) -> str | None:
        """The text with everything moved that may be; None when nothing may."""
        lines = self.text.splitlines(keepends=True)
        cuts: list[range] = []
        added: list[str] = []
        for column in maps_under(self.old, "columns"):
            found = self._column(column, lines)
            if found is not None:
                cut, written = found
                cuts.append(cut)
                added += written
        if added:
            added = ["columns:", *(f"  {line}" for line in added)]
        fresh = self._freshness(lines)
        if fresh is not None:
            cuts += fresh[0]
            added = [*fresh[1], *added]
        if not added:
            return None
        indent = new.lc.col
        at = block_end(lines, new.lc.line, indent - 1)
        ending = "\r\n" if "\r\n" in self.text else "\n"
        if not lines[at - 1].endswith("\n"):
            lines[at - 1] += ending
        written = [f"{' ' * indent}{line}{ending}" if line else ending for line in added]
        gone = {line for cut in cuts for line in cut}
        kept = [line if number not in gone else "" for number, line in enumerate(lines)]
        return "".join([*kept[:at], *written, *kept[at:]])

    def _column(self, column: CommentedMap, lines: list[str]) -> tuple[range, list[str]] | None:
        renamed = self._renamed(str(column.get("name")))
        key = next((one for one in _KEYS if column.get(one)), None)
        if renamed is None or key is None or column.fa.flow_style():
            return None
        tests = column[key]
        if not isinstance(tests, CommentedSeq) or not all(self._may_move(test) for test in tests):
            return None
        cut = _lines_of(column, key, lines)
        if cut is None or any(_ANCHOR.search(lines[at]) for at in cut):
            return None
        return cut, [f"- name: {renamed}", *(f"  {line}" for line in self._written(key, tests, cut, lines))]

    def _written(self, key: str, tests: CommentedSeq, cut: range, lines: list[str]) -> Iterator[str]:
        predicate = self._predicate()
        if predicate is None:
            margin = len(lines[cut[0]]) - len(lines[cut[0]].lstrip())
            yield from (lines[at].rstrip("\r\n")[margin:].rstrip() for at in cut)
            return
        yield f"{key}:"
        for test in tests:
            yield from (f"  - {test}:", "      config:", f"        where: {json.dumps(predicate)}")

    def _may_move(self, test: object) -> bool:
        if isinstance(test, str):
            return test in _KNOWN
        if not isinstance(test, CommentedMap) or len(test) != 1 or self._predicate() is not None:
            return False
        ((name, arguments),) = test.items()
        if name not in _KNOWN or not isinstance(arguments, CommentedMap):
            return False
        target = call(expression(str(arguments.get("to", ""))))
        verdict = match(target, self.migration) if target is not None else None
        told = verdict is not None and (verdict.dataset is not None or verdict.doubt is not None)
        # A condition or an expression of the test's own may name other columns.
        return not told and set(arguments) <= {"to", "field", "values", "quote", "name", "severity"}

    def _renamed(self, name: str) -> str | None:
        return renamed_column(self.mapping, name)

    def _predicate(self) -> str | None:
        inlining = self.mapping.inlining
        return None if inlining is None or not inlining.predicate else re.sub(r"\s+", " ", inlining.predicate)

    def _freshness(self, lines: list[str]) -> tuple[list[range], list[str]] | None:
        """The table's own freshness, when its column is only renamed and no predicate picks rows."""
        if not self.old.get("freshness") or self._predicate() is not None or self.old.fa.flow_style():
            return None
        field = self.old.get("loaded_at_field")
        renamed = self._renamed(str(field)) if field is not None else None
        cut = _lines_of(self.old, "freshness", lines)
        other = _lines_of(self.old, "loaded_at_field", lines) if field is not None else range(0)
        if cut is None or other is None or (field is not None and (renamed is None or len(other) != 1)):
            return None
        margin = self.old.lc.key("freshness")[1]
        written = [lines[at].rstrip("\r\n")[margin:].rstrip() for at in cut]
        return [cut, other], [*([f"loaded_at_field: {renamed}"] if renamed else []), *written]


def _lines_of(node: CommentedMap, key: str, lines: list[str]) -> range | None:
    """The lines of a key and its value; None when something else stands on them."""
    line, column = node.lc.key(key)
    if lines[line][:column].strip() or node.lc.key(key) == (node.lc.line, node.lc.col):
        return None
    end = block_end(lines, line, column)
    first = node.lc.value(key)[0]
    # `tests:` over a list that is not indented under its key
    while (
        end < len(lines)
        and first >= line
        and lines[end][:column].strip() == ""
        and (lines[end][column : column + 2] == "- ")
    ):
        end = block_end(lines, end, column)
    return range(line, end)


def same_meaning(before: str, after: str) -> bool:
    """Does a moved file still load, with as many checks as before?"""
    counts: list[Mapping[str, int]] = []
    for text in (before, after):
        try:
            data = YAML(typ="safe").load(text)
        except (YAMLError, ValueError, RecursionError):
            return False
        counts.append(_counted(data))
    return counts[0] == counts[1]


def _counted(node: Any) -> dict[str, int]:
    """How many tests, and how many freshness checks, there are in a document."""
    found = {"tests": 0, "freshness": 0}
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            for key, value in one.items():
                pending.append(value)
                found["tests"] += len(value) if key in _KEYS and isinstance(value, list) else 0
                found["freshness"] += key == "freshness"
    return found
