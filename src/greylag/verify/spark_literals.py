"""What the mapping and a PySpark program compare columns with: the values that generated rows should hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.mapping.compiled import CompiledMigration

_TELLING = (exp.Predicate, exp.Case, exp.Coalesce, exp.If)
_COMPARES = {
    "isin",
    "between",
    "eqNullSafe",
    "startswith",
    "endswith",
    "contains",
    "like",
    "when",
    "coalesce",
}
_IN_SQL = re.compile(r"'([^'\\]{1,30})'|(?<![\w.])(\d{1,9}(?:\.\d{1,4})?)(?![\w.])")


@dataclass(slots=True)
class Pools:
    """Literals: `hints` by the last part of a new column's name, `common` from anywhere in the programs."""

    hints: dict[str, list[str]] = field(default_factory=dict)
    common: list[str] = field(default_factory=list)

    def hint(self, column: str, said: list[str]) -> None:
        """Literals that a column is compared with."""
        known = self.hints.setdefault(column.casefold(), [])
        known.extend(one for one in said if one not in known)


def pools(migration: CompiledMigration, *programs: str) -> Pools:
    """The literals of mappings and programs; those of an old column go to the new ones that it is made of."""
    made = Pools()
    made_of: dict[str, set[str]] = {}
    for mapping in migration.mappings:
        for column, said in _compared(mapping.query):
            made.hint(column, said)
        for output in mapping.outputs:
            sources = {node.name for node in output.expression.find_all(exp.Column, exp.Dot)}
            made_of.setdefault(output.name.casefold(), set()).update(sources)
    names = {part.casefold() for name in _names(migration) for part in (name, *name.split("."))}
    for program in programs:
        tree = ast.parse(program)
        for column, said in _said(tree):
            for target in {column, *made_of.get(column.casefold(), ())}:
                made.hint(target, [one for one in said if one.rsplit(".")[-1].casefold() not in names])
        common = [text for text in _literals(tree) if text.rsplit(".")[-1].casefold() not in names]
        made.common += [text for text in common if text not in made.common]
    return made


def _names(migration: CompiledMigration) -> set[str]:
    found = {str(mapping.dataset) for mapping in migration.mappings}
    for mapping in migration.mappings:
        found.update(mapping.columns)
    for provided in migration.provides:
        found.update((str(provided.dataset), *provided.columns))
    return found


def _compared(query: exp.Expr) -> Iterator[tuple[str, list[str]]]:
    """Every column and the literals that stand in a condition, or a CASE, with it."""
    for node in query.find_all(*_TELLING):
        said = [one.name for one in node.find_all(exp.Literal)]
        for column in node.find_all(exp.Column, exp.Dot):
            yield column.name, said


def _said(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """The same of a program: `col("a") == "b"`, `df.a.isin(…)`, conditions and queries in strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) or (isinstance(node, ast.Call) and _called(node) in _COMPARES):
            said = [
                str(one.value)
                for one in ast.walk(node)
                if isinstance(one, ast.Constant) and isinstance(one.value, str | int | float)
            ]
            for column in _columns(node):
                yield column, [one for one in said if one != column]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            try:
                tree_of_sql = sqlglot.parse_one(node.value, dialect="spark")
            except (SqlglotError, RecursionError):
                continue
            yield from _compared(tree_of_sql)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _columns(node: ast.AST) -> set[str]:
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            found.add(one.value.rsplit(".", 1)[-1])
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
    return found


def _literals(tree: ast.Module) -> list[str]:
    """Short strings and numbers of a program, and those inside its longer strings."""
    found: list[str] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
            continue
        if isinstance(node.value, int | float):
            found.append(str(node.value))
        elif isinstance(node.value, str):
            inside = [text or number for text, number in _IN_SQL.findall(node.value)]
            found.extend(inside or ([node.value] if 0 < len(node.value) <= 30 else []))
    return list(dict.fromkeys(found))
