"""Tests, exposures, snapshots, semantic models and unit tests in YAML that name a replaced dataset."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from greylag.domain.patch import Edit
from greylag.rewrite.dbt.source_checks import maps_under
from greylag.rewrite.dbt.yaml_place import key_place, place_of
from greylag.rewrite.dbt.yaml_plan import Moved, Refused, Relation, YamlPlan, maps_in
from greylag.rewrite.dbt.yaml_scalar import scalar_at

# The argument that is a relation, the one that is a column of it, and those that must not be given.
_TESTS = {
    "relationships": ("to", "field", ()),
    "dbt_utils.relationships_where": ("to", "field", ("to_condition",)),
    "dbt_utils.equal_rowcount": ("compare_model", None, ("group_by_columns",)),
    "dbt_utils.fewer_rows_than": ("compare_model", None, ("group_by_columns",)),
}
_PARTS = ("entities", "dimensions", "measures")


def plan_moves(plan: YamlPlan, data: Any, moved: Moved) -> None:
    """Plan every edit of these kinds that keeps its meaning."""
    for holder in maps_in(data):
        for key in ("tests", "data_tests"):
            for test in maps_under(holder, key):
                plan.attempt(lambda test=test: _test(plan, test))  # type: ignore[misc]
    kinds: tuple[tuple[str, Callable[[CommentedMap], list[Edit]]], ...] = (
        ("exposures", lambda node: _exposure(plan, node)),
        ("snapshots", lambda node: _snapshot(plan, node)),
        ("semantic_models", lambda node: _semantic_model(plan, node)),
        ("unit_tests", lambda node: _unit_test(plan, node, moved)),
    )
    for key, make in kinds:
        for node in maps_under(data, key):
            plan.attempt(lambda make=make, node=node: make(node))  # type: ignore[misc]


# -- generic tests ------------------------------------------------------------------------------------------


def _test(plan: YamlPlan, test: CommentedMap) -> list[Edit]:
    """`relationships` and its like: the values of a column are the same where no row is left out."""
    name, arguments = _arguments(test)
    if name not in _TESTS or not isinstance(arguments, CommentedMap):
        return []
    key, column, never = _TESTS[name]
    relation = plan.relation(arguments, key) if key in arguments else None
    if relation is None:
        return []
    relation.same_rows()
    for one in never:
        if arguments.get(one):
            raise Refused(f"`{one}` may name columns of {relation.mapping.dataset}", relation.scalar.line)
    edits = [relation.edit()]
    if column is not None:
        if column not in arguments:
            raise Refused(f"the test has no `{column}`", relation.scalar.line)
        edits += plan.name_edit(arguments, column, relation)
    return edits


def _arguments(test: CommentedMap) -> tuple[str, Any]:
    """A test's name, and where its arguments stand."""
    if "test_name" in test:
        return str(test["test_name"]), test.get("arguments", test)
    name = next((key for key in test if key in _TESTS), None)
    inner = test.get(name) if name is not None else None
    return str(name), inner.get("arguments", inner) if isinstance(inner, CommentedMap) else inner


# -- exposures and snapshots --------------------------------------------------------------------------------


def _exposure(plan: YamlPlan, node: CommentedMap) -> list[Edit]:
    """A name is all that it says: it follows."""
    listed = node.get("depends_on")
    edits: list[Edit] = []
    for at in range(len(listed)) if isinstance(listed, CommentedSeq) else ():
        relation = plan.relation(listed, at)
        if relation is not None:
            edits.append(relation.edit())
            told = f"{relation.scalar.line}: exposure {node.get('name')} depends on the new dataset now"
            plan.notes.append(f"{told}; if it reads {relation.mapping.dataset} past dbt, it has to move too")
    return edits


def _snapshot(plan: YamlPlan, node: CommentedMap) -> list[Edit]:
    """It takes every column as it is: only a dataset that differs in its name alone is the same to it."""
    relation = plan.relation(node, "relation") if "relation" in node else None
    if relation is None:
        return []
    relation.same_rows()
    names = relation.all_renamed()
    new = [name.lower() for name in plan.columns(relation.mapping)]
    if new != [name.lower() for name in relation.mapping.columns] or any(
        old != one.lower() for old, one in names.items()
    ):
        message = "a snapshot keeps every column under its own name, and the new dataset has others"
        raise Refused(message, relation.scalar.line)
    return [relation.edit()]


# -- semantic models ----------------------------------------------------------------------------------------


def _semantic_model(plan: YamlPlan, node: CommentedMap) -> list[Edit]:
    """Entities, dimensions and measures keep their names; what they compute from takes the new one."""
    relation = plan.relation(node, "model") if "model" in node else None
    if relation is None:
        return []
    relation.same_rows()
    edits = [relation.edit()]
    for key in _PARTS:
        for part in maps_under(node, key):
            edits += _part(plan, part, relation)
    return edits


def _part(plan: YamlPlan, part: CommentedMap, relation: Relation) -> list[Edit]:
    if "expr" in part:
        value = str(part["expr"])
        return [] if value.isdigit() or value == "*" else plan.name_edit(part, "expr", relation)
    name = str(part.get("name"))
    new = relation.renamed(name, key_place(part, "name").line)
    if new.lower() == name.lower():
        return []
    scalar = scalar_at(plan.text, part, "name")
    if scalar is None or part.fa.flow_style():
        raise relation.refused(f"{name} needs an `expr` of its own", key_place(part, "name").line)
    # Another line behind `name: status`: the name itself is what metrics ask for.
    _, column = part.lc.key("name")
    end = plan.text.find("\n", scalar.start)
    end = len(plan.text) if end < 0 else end
    ending = "\r\n" if plan.text[end - 1 : end] == "\r" else "\n"
    at = end - len(ending) + 1
    return [Edit(at, at, f"{ending}{' ' * column}expr: {new}")]


# -- unit tests ---------------------------------------------------------------------------------------------


def _unit_test(plan: YamlPlan, node: CommentedMap, moved: Moved) -> list[Edit]:
    """Rows of the old dataset become rows of the new one, when the mapping does nothing but rename."""
    edits: list[Edit] = []
    given = list(maps_under(node, "given"))
    spoken = [str(one.get("input", "")).replace(" ", "").replace('"', "'") for one in given]
    for one in given:
        relation = plan.relation(one, "input") if "input" in one else None
        if relation is None:
            continue
        line, model = relation.scalar.line, str(node.get("model"))
        if not moved(model):
            raise Refused(f"model {model} is not seen to read the new dataset", line)
        arguments = ",".join(f"'{arg}'" for arg in relation.new.args)
        if f"{relation.new.kind}({arguments})" in spoken:
            raise Refused("the test gives rows of the new dataset as well", line)
        relation.same_rows()
        _same_types(plan, relation)
        edits += [relation.edit(), *_rows(plan, one, relation.all_renamed(), line)]
    return edits


def _same_types(plan: YamlPlan, relation: Relation) -> None:
    """dbt casts given values to the columns' types."""
    new = plan.columns(relation.mapping)
    types = {name.lower(): kind.lower() for name, kind in new.items()}
    for name, kind in relation.mapping.columns.items():
        now = types.get(relation.renamed(name, relation.scalar.line).lower())
        if kind and now and kind.lower() != now:
            raise Refused(f"{name} has another type in the new dataset", relation.scalar.line)


def _rows(plan: YamlPlan, given: CommentedMap, names: dict[str, str], line: int) -> list[Edit]:
    if given.get("fixture"):
        raise Refused("its rows stand in a fixture, which other tests may use", line)
    shape = str(given.get("format", "dict"))
    rows = given.get("rows")
    if shape == "dict" and isinstance(rows, CommentedSeq):
        return list(_keys(plan, rows, names, line))
    if shape == "csv" and isinstance(rows, str):
        return [_header(plan, given, names, line)]
    if rows is None or rows == []:
        return []
    raise Refused(f"rows in the format {shape} are not adapted", line)


def _keys(plan: YamlPlan, rows: CommentedSeq, names: dict[str, str], line: int) -> Iterator[Edit]:
    for at, row in enumerate(rows):
        number = place_of(rows, at).line
        if not isinstance(row, CommentedMap) or row.merge:
            raise Refused(f"a row that is not understood, in line {number}", line)
        for key in row:
            if str(key).lower() not in names:
                raise Refused(f"{key} in line {number} is no column of the old dataset", line)
            yield from plan.key_edit(row, key, names[str(key).lower()], line)


def _header(plan: YamlPlan, given: CommentedMap, names: dict[str, str], line: int) -> Edit:
    scalar = scalar_at(plan.text, given, "rows")
    if scalar is None or not scalar.is_literal:
        raise Refused("its rows are written in a way that is not understood", line)
    head, _, rest = scalar.value.partition("\n")
    columns = next(csv.reader(io.StringIO(head)), [])
    if '"' in head or any(name.strip().lower() not in names for name in columns):
        raise Refused("the first line of its rows does not name columns of the old dataset", line)
    written = ",".join(name.replace(name.strip(), names[name.strip().lower()]) for name in columns)
    edit = scalar.with_value(f"{written}\n{rest}")
    if edit is None:
        raise Refused("its rows are written in a way that is not understood", line)
    return edit
