"""The dbt codemod for YAML: what names a replaced dataset follows where that means the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from greylag.domain.consumer import Framework, Read
from greylag.domain.outcome import Edited, Form, FormChoice, Outcome, Skipped, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.codemod import rewrite_dbt
from greylag.rewrite.dbt.jinja import line_of
from greylag.rewrite.dbt.names import told_names
from greylag.rewrite.dbt.project import project_of
from greylag.rewrite.dbt.words import word_pattern
from greylag.rewrite.dbt.yaml_hooks import plan_hooks
from greylag.rewrite.dbt.yaml_moves import plan_moves
from greylag.rewrite.dbt.yaml_plan import Moved, YamlPlan
from greylag.rewrite.dbt.yaml_reads import read_yaml
from greylag.rewrite.dbt.yaml_scalar import offset_of


def rewrite_yaml(
    path: str,
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    siblings: Mapping[str, str] | None = None,
    moved: Moved | None = None,
) -> Outcome:
    """Rewrite one YAML file of a dbt project; what still reads a replaced dataset stays a reader, with why.

    `moved` says which models read no replaced dataset any more: unit tests follow those. Without it, every
    model among the `siblings` that can be rewritten counts.
    """
    if not word_pattern(told_names(migration)).search(text):
        return Unchanged()
    files = siblings if siblings is not None else {}
    follows = moved if moved is not None else lambda model: can_move(model, path, migration, files, form)
    plan = _planned(path, text, migration, form, files, follows)
    edits = list(dict.fromkeys(plan.edits)) if plan is not None else []  # what has an anchor is met again
    new = apply_edits(text, edits)
    if plan is None or not edits or not _as_planned(text, new, len(edits)):
        return read_yaml(path, text, migration, why=plan.why if plan is not None else None)
    after = _planned(path, new, migration, form, files, follows)
    before = read_yaml(path, text, migration)
    left = read_yaml(path, new, migration, why=after.why if after is not None else None)
    still = left if isinstance(left, Skipped) else None
    reads = before.reads if isinstance(before, Skipped) else ()
    left_at = {(read.line, read.column) for read in still.reads} if still is not None else set()
    reads = tuple(read for read in reads if _after(text, new, edits, read) not in left_at)
    notes = [f"{path}:{note}" for note in plan.notes]
    return Edited(
        framework=Framework.DBT,
        form=Form.INLINE,
        text=new,
        reads=reads,
        notes=(*notes, *(one.message for one in still.reasons)) if still is not None else tuple(notes),
        left=still.reasons if still is not None else (),
        left_reads=still.reads if still is not None else (),
    )


def _after(text: str, new: str, edits: list[Edit], read: Read) -> tuple[int, int]:
    """Line and column of a read in the new text, as far as its own characters stayed."""
    start = offset_of(text, read.line - 1, read.column - 1)
    start += sum(len(edit.text) - (edit.end - edit.start) for edit in edits if edit.start < start)
    return line_of(new, start), start - new.rfind("\n", 0, start)


def can_move(
    model: str, path: str, migration: CompiledMigration, files: Mapping[str, str], form: FormChoice
) -> bool:
    """Would a model of the project of `path` read no replaced dataset after a rewrite?"""
    where = model_path(model, path, files)
    if where is None:
        return False
    outcome = rewrite_dbt(where, files[where], migration, form=form, siblings=files)
    return isinstance(outcome, Edited | Unchanged)


def model_path(model: str, path: str, files: Mapping[str, str]) -> str | None:
    """The SQL file of a model in the project of `path`; None where there is none, or more than one."""
    root = project_of(path, files)
    found = [
        one
        for one in files
        if PurePosixPath(one).name.lower() == f"{model.lower()}.sql" and project_of(one, files) == root
    ]
    return found[0] if len(found) == 1 else None


def _planned(
    path: str,
    text: str,
    migration: CompiledMigration,
    form: FormChoice,
    files: Mapping[str, str],
    moved: Moved,
) -> YamlPlan | None:
    """The plan of a file; None where it cannot be read."""
    plan = YamlPlan(text=text, migration=migration)
    loader = YAML(typ="rt")
    loader.allow_duplicate_keys = True
    try:
        for data in list(loader.load_all(text)):
            plan_moves(plan, data, moved)
            plan_hooks(
                plan, data, lambda sql: rewrite_dbt(path, sql, migration, form=form, siblings=files or None)
            )
    except (YAMLError, ValueError, RecursionError):
        return None
    return plan


def _as_planned(before: str, after: str, count: int) -> bool:
    """Does the new file hold what the old one held, but for as many texts and keys as were edited?"""
    try:
        old, new = (list(YAML(typ="safe").load_all(text)) for text in (before, after))
    except (YAMLError, ValueError, RecursionError):
        return False
    return sum(1 for _ in _differences(old, new, set())) == count


def _differences(old: Any, new: Any, seen: set[tuple[int, int]]) -> Iterator[None]:
    """One for each text, key or new `expr` by which two documents differ; what has an anchor counts once."""
    if isinstance(old, dict | list):
        if (id(old), id(new)) in seen:
            return
        seen.add((id(old), id(new)))
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _differing_keys(old, new, seen)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, another in zip(old, new, strict=True):
            yield from _differences(one, another, seen)
    elif old != new:
        yield None


def _differing_keys(old: dict[Any, Any], new: dict[Any, Any], seen: set[tuple[int, int]]) -> Iterator[None]:
    names, others = list(old), list(new)
    if set(new) - set(old) == {"expr"}:
        yield None
        others.remove("expr")
    if len(names) != len(others):
        yield from [None] * 1000  # never as planned
        return
    for name, other in zip(names, others, strict=True):
        if name != other:
            yield None
        yield from _differences(old[name], new[other], seen)
