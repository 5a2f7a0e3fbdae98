"""Python models of dbt: `def model(dbt, session): dbt.ref("users_v1")`. They are found, and left alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from greylag.domain.consumer import Framework, Read
from greylag.domain.outcome import Outcome, Reason, Skipped, Unchanged
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.context import localised
from greylag.rewrite.dbt.names import DbtCall, match
from greylag.rewrite.dbt.project import project_of


def is_python_model(path: str, text: str, files: Mapping[str, str]) -> bool:
    """True for a Python file of a dbt project that defines a model."""
    return path.lower().endswith(".py") and "def model(" in text and project_of(path, files) is not None


def read_python_model(
    path: str, text: str, migration: CompiledMigration, files: Mapping[str, str]
) -> Outcome:
    """Skipped when the model reads a replaced dataset through `dbt`, or may; never an edit.

    What `dbt.ref` returns depends on the platform (a data frame of Snowpark, Spark or pandas, a relation of
    DuckDB), and so does how a mapping would be put on it.
    """
    migration = localised(path, migration, files)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return Unchanged()  # no Python: dbt refuses it as well
    reasons: list[Reason] = []
    reads: list[Read] = []
    for node, spoken in _calls(tree):
        verdict = match(spoken, migration)
        if verdict.dataset is not None:
            message = f"{path}:{node.lineno}: a Python model reads {verdict.dataset}"
            reasons.append(Reason(code="python-model", message=message, line=node.lineno))
            reads.append(Read(dataset=verdict.dataset, line=node.lineno, column=node.col_offset + 1))
        elif verdict.doubt is not None:
            message = f"{path}:{node.lineno}: {ast.unparse(node)} {verdict.doubt}"
            reasons.append(Reason(code="dbt-name-unsure", message=message, line=node.lineno))
    if not reasons:
        return Unchanged()
    return Skipped(framework=Framework.DBT, reasons=tuple(reasons), reads=tuple(reads))


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, DbtCall]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="dbt"), attr="ref" | "source" as kind)):
                texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
                plain = len(texts) == len(node.args) and not node.keywords
                known = tuple(str(text) for text in texts)
                yield node, DbtCall(kind=kind, args=known if plain and known else None, texts=known)
