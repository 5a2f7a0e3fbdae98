"""dbt unit tests that hand rows of a replaced dataset to a model: they must change with the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.jinja import expression
from greylag.rewrite.dbt.names import call, match


def unit_test_notes(files: Mapping[str, str], migration: CompiledMigration) -> dict[str, tuple[str, ...]]:
    """Model name to one note for each unit test input (`file:line: ...`) that is a replaced dataset.

    After the model is rewritten, dbt refuses such a test: its input is no longer read by the model.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(path for path in files if path.lower().endswith((".yml", ".yaml"))):
        text = files[path]
        if "unit_tests:" in text:
            for model, note in _in_file(path, text, migration):
                found[model] = (*found.get(model, ()), note)
    return found


def _in_file(path: str, text: str, migration: CompiledMigration) -> Iterator[tuple[str, str]]:
    try:
        data: Any = YAML(typ="rt").load(text)
    except YAMLError:
        return
    tests = data.get("unit_tests") if isinstance(data, CommentedMap) else None
    for test in tests if isinstance(tests, CommentedSeq) else ():
        given = test.get("given") if isinstance(test, CommentedMap) else None
        for entry in given if isinstance(given, CommentedSeq) else ():
            spoken = (
                call(expression(str(entry.get("input", "")))) if isinstance(entry, CommentedMap) else None
            )
            verdict = match(spoken, migration) if spoken is not None else None
            if verdict is not None and verdict.dataset is not None:
                line = entry.lc.key("input")[0] + 1
                message = f"unit test {test.get('name')} gives rows of {verdict.dataset}: adapt it"
                yield str(test.get("model")), f"{path}:{line}: {message}"
