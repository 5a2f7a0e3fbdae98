"""Every name of every dataset of a migration: its own, others in the warehouse, and names in dbt."""

from __future__ import annotations

import ast
from collections.abc import Mapping as AbcMapping

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import DbtName, Names, Provided
from greylag.mapping.document import Document, Loc
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
        ref = known.get(table_key(DatasetRef.parse(name), model.dialect))
        loc: Loc = ("ref", name)
        if ref is None:
            options = [str(option) for option in known.values()]
            document.fault(
                document.at_key(loc),
                f"`{name}` is no dataset of this migration{nearest(name, options)}; known: {', '.join(options)}",
            )
            continue
        names[ref] = _names(ref, others, loc, model.dialect, document, taken)
    return names


def _names(
    ref: DatasetRef,
    others: list[str | DbtModel],
    loc: Loc,
    dialect: str,
    document: Document,
    taken: dict[object, DatasetRef],
) -> Names:
    tables, dbt = [ref], []
    for index, other in enumerate(others):
        where = document.at((*loc, index))
        key: object
        if isinstance(other, str):
            table = DatasetRef.parse(other)
            key = table_key(table, dialect)
            tables.append(table)
        else:
            found = parse_dbt(other.dbt)
            if isinstance(found, str):
                document.fault(document.at((*loc, index, "dbt")), found)
                continue
            key = found
            dbt.append(found)
        owner = taken.setdefault(key, ref)
        if owner != ref:
            document.fault(where, f"this name already stands for {owner}; one name, one dataset")
    return Names(tables=tuple(dict.fromkeys(tables)), dbt=tuple(dict.fromkeys(dbt)))


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
        return f"`{kind}` is not a dbt function{nearest(kind, _ARGUMENTS)}; {expected}"
    args = [
        item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]
    low, high = _ARGUMENTS[kind]
    if len(args) != len(node.args) or not low <= len(args) <= high:
        return f"`{text}`: wrong arguments; {expected}"
    return DbtName(kind=kind, args=tuple(args))
