"""Every name of every dataset of a migration: its own, others in the warehouse, and names in dbt."""

from __future__ import annotations

import ast
from collections.abc import Mapping as AbcMapping

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import DbtName, Names, Provided
from greylag.mapping.document import Document, Loc, Position
from greylag.mapping.model import DbtModel, MigrationModel
from greylag.mapping.names import nearest, table_key

_ARGUMENTS = {"source": (2, 2), "ref": (1, 2)}


def all_names(
    model: MigrationModel,
    document: Document,
    replaced: AbcMapping[tuple[str, ...], DatasetRef],
    provided: AbcMapping[tuple[str, ...], Provided],
) -> dict[DatasetRef, Names]:
    """Names of each old and new dataset; a new one may be known from `provides` or from `to`."""
    known = dict(replaced)
    known.update({key: entry.dataset for key, entry in provided.items()})
    for entry in model.replaces:
        if entry.to:
            ref = DatasetRef.parse(entry.to)
            known.setdefault(table_key(ref, model.dialect), ref)
    names = {ref: Names(tables=(ref,)) for ref in known.values()}
    taken: dict[object, DatasetRef] = dict(known.items())
    for name, others in model.ref.items():
        found = known.get(table_key(DatasetRef.parse(name), model.dialect))
        loc: Loc = ("ref", name)
        if found is None:
            hint = nearest(name, map(str, known.values()), "known")
            document.fault(document.at_key(loc), f"`{name}` is no dataset of this migration{hint}")
            continue
        names[found] = _claimed(found, _parsed(others, loc, document), taken, model.dialect, document)
    return names


def _parsed(
    others: list[str | DbtModel], loc: Loc, document: Document
) -> list[tuple[DatasetRef | DbtName, Position]]:
    """The names of one list, with where they stand; wrong ones go to the document."""
    found: list[tuple[DatasetRef | DbtName, Position]] = []
    for index, other in enumerate(others):
        where = document.at((*loc, index))
        if isinstance(other, str):
            found.append((DatasetRef.parse(other), where))
            continue
        name = parse_dbt(other.dbt)
        if isinstance(name, str):
            document.fault(document.at((*loc, index, "dbt")), name)
        else:
            found.append((name, where))
    return found


def _claimed(
    ref: DatasetRef,
    others: list[tuple[DatasetRef | DbtName, Position]],
    taken: dict[object, DatasetRef],
    dialect: str,
    document: Document,
) -> Names:
    """The names of a dataset; one that already stands for another dataset is a fault."""
    for name, where in others:
        key = table_key(name, dialect) if isinstance(name, DatasetRef) else name
        owner = taken.setdefault(key, ref)
        if owner != ref:
            document.fault(where, f"`{_shown(name)}` already stands for {owner}; one name, one dataset")
    tables = [ref, *(name for name, _ in others if isinstance(name, DatasetRef))]
    dbt = [name for name, _ in others if isinstance(name, DbtName)]
    return Names(tables=tuple(dict.fromkeys(tables)), dbt=tuple(dict.fromkeys(dbt)))


def _shown(name: DatasetRef | DbtName) -> str:
    if isinstance(name, DatasetRef):
        return str(name)
    return f"{name.kind}({', '.join(repr(argument) for argument in name.args)})"


def parse_dbt(text: str) -> DbtName | str:
    """`source('a', 'b')` or `ref('x')` as a name; else what is wrong, as text."""
    expected = "expected source('schema', 'table') or ref('model')"
    try:
        node = ast.parse(text.strip().removeprefix("{{").removesuffix("}}").strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return f"`{text}` is not a dbt name; {expected}"
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
        return f"`{text}` is not a dbt name; {expected}"
    kind = node.func.id
    if kind not in _ARGUMENTS:
        return f"`{kind}` names no dataset in dbt; {expected}"
    args = [
        item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]
    low, high = _ARGUMENTS[kind]
    if len(args) != len(node.args) or not low <= len(args) <= high:
        return f"`{text}`: wrong arguments; {expected}"
    return DbtName(kind=kind, args=tuple(args))
