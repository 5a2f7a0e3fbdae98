"""`dbt_utils.star(from=ref('users_v1'), except=['x'])`: the columns of a replaced dataset, written out."""

from __future__ import annotations

from jinja2 import nodes

from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.names import quote
from greylag.rewrite.dbt.names import call, match

_PARAMETERS = ("from", "relation_alias", "except", "prefix", "suffix", "quote_identifiers")


def star_columns(tree: nodes.Node | None, migration: CompiledMigration) -> str | None:
    """The columns that the call stands for, in one line; None when it is no such call, or not plain."""
    match tree:
        case nodes.Call(node=nodes.Getattr(node=nodes.Name(name="dbt_utils"), attr="star")):
            given = _given(tree)
        case _:
            return None
    relation = call(given.get("from")) if given is not None else None
    verdict = match(relation, migration) if relation is not None else None
    if given is None or verdict is None or verdict.dataset is None:
        return None
    mapping = next(one for one in migration.mappings if one.dataset == verdict.dataset)
    return _written(mapping, given)


def _given(tree: nodes.Call) -> dict[str, nodes.Node] | None:
    """The arguments by name; None when one of them is not known."""
    if tree.dyn_args or tree.dyn_kwargs or len(tree.args) > len(_PARAMETERS):
        return None
    given: dict[str, nodes.Node] = dict(zip(_PARAMETERS, tree.args, strict=False))
    given |= {pair.key: pair.value for pair in tree.kwargs}
    return given if set(given) <= set(_PARAMETERS) else None


def _written(mapping: Mapping, given: dict[str, nodes.Node]) -> str | None:
    texts = {name: _text(given.get(name)) for name in ("relation_alias", "prefix", "suffix")}
    left_out = _list(given.get("except"))
    if left_out is None or None in texts.values():
        return None
    alias = f"{texts['relation_alias']}." if texts["relation_alias"] else ""
    pieces = []
    for column in mapping.columns:
        if column.lower() in left_out:
            continue
        called = f"{texts['prefix']}{column}{texts['suffix']}"
        renamed = f" AS {quote(called, mapping.dialect)}" if called != column else ""
        pieces.append(f"{alias}{quote(column, mapping.dialect)}{renamed}")
    return ", ".join(pieces) or None


def _text(node: nodes.Node | None) -> str | None:
    if node is None:
        return ""
    match node:
        case nodes.Const(value=str(value)):
            return value
        case nodes.Const(value=None | False):
            return ""
        case _:
            return None


def _list(node: nodes.Node | None) -> frozenset[str] | None:
    """Lower-case texts of a list that is written out."""
    if node is None:
        return frozenset()
    found: set[str] = set()
    if not isinstance(node, nodes.List | nodes.Tuple):
        return None
    for item in node.items:
        if not isinstance(item, nodes.Const) or not isinstance(item.value, str):
            return None
        found.add(item.value.lower())
    return frozenset(found)
