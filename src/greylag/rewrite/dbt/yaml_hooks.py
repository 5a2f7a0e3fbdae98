"""Hooks in YAML: SQL that dbt runs around a model or a whole run, rewritten inside its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from greylag.domain.outcome import Edited, Outcome, Skipped
from greylag.domain.patch import Edit
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.yaml_plan import Refused, YamlPlan, maps_in
from greylag.rewrite.dbt.yaml_scalar import Scalar, scalar_at
from greylag.rewrite.embedded import one_line

HOOKS = frozenset({"pre-hook", "post-hook", "pre_hook", "post_hook", "on-run-start", "on-run-end"})

Rewrite = Callable[[str], Outcome]
"""The rewrite of one SQL text with Jinja; lines in what it says are the text's, behind the file's path."""


def plan_hooks(plan: YamlPlan, data: Any, rewrite: Rewrite) -> None:
    """Plan the edits of every hook that reads a replaced dataset, each by itself."""
    for node in maps_in(data):
        for key in node:
            if str(key).removeprefix("+") in HOOKS:
                for holder, at in _texts(node, key):
                    plan.attempt(lambda holder=holder, at=at: _hook(plan, holder, at, rewrite))  # type: ignore[misc]


def _texts(node: CommentedMap, key: object) -> Iterator[tuple[CommentedMap | CommentedSeq, object]]:
    value = node[key]
    if isinstance(value, str):
        yield node, key
    elif isinstance(value, CommentedMap) and isinstance(value.get("sql"), str):
        yield value, "sql"
    elif isinstance(value, CommentedSeq):
        for at, item in enumerate(value):
            if isinstance(item, str):
                yield value, at
            elif isinstance(item, CommentedMap) and isinstance(item.get("sql"), str):
                yield item, "sql"


def _hook(plan: YamlPlan, holder: CommentedMap | CommentedSeq, at: object, rewrite: Rewrite) -> list[Edit]:
    scalar = scalar_at(plan.text, holder, at)
    if scalar is None:
        return []  # told as it is
    match rewrite(scalar.value):
        case Edited() as edited:
            edit = _written(scalar, edited.text, plan.migration)
            if edit is None:
                raise Refused("its new text does not fit the way that it is written", scalar.line)
            plan.notes += [moved_lines(note, scalar) for note in edited.notes]
            return [edit]
        case Skipped(reasons=(first, *_)):
            raise Refused(_bare(first.message), scalar.line)
        case _:
            return []


def _written(scalar: Scalar, new: str, migration: CompiledMigration) -> Edit | None:
    flat = new if scalar.is_literal or "\n" not in new else one_line(new, migration.dialect)
    return scalar.with_value(flat) if flat is not None else None


def _bare(message: str) -> str:
    """A reason without the place in the text that it was given for."""
    return re.sub(r"^\S+?:\d+(?::\d+)?: ", "", message)


def moved_lines(note: str, scalar: Scalar) -> str:
    """A note with its line counted in the file."""
    found = re.match(r"^\S+?:(\d+)(?::\d+)?: ", note)
    return f"{scalar.first_line + int(found[1]) - 1}: {note[found.end() :]}" if found else note
