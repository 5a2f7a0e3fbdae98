"""A mapping that groups: where the query groups again, in a way that makes the first grouping idle."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from greylag.mapping.compiled import Grain, Mapping
from greylag.mapping.inline import varies
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.hidden import own_nodes
from greylag.rewrite.sql.model import ReadSite, Ref, Role, Scope, Source
from greylag.rewrite.sql.soundness import Unsound, stars_unseen, within
from greylag.rewrite.sql.stars import covers, star_of

_AGAIN: dict[str, type[exp.Expr]] = {"SUM": exp.Sum, "MIN": exp.Min, "MAX": exp.Max}


def regrouped(
    site: ReadSite, grain: Grain, scope: Scope, source: Source, used: set[str], folding: Folding
) -> Mapping:
    """The mapping without its grouping, over the finer rows. Raises Unsound where their number would show."""
    for name in sorted(used & set(grain.stuck)):
        raise Unsound(site, f"{name}: {grain.stuck[name]}")
    if not stars_unseen(scope) and any(covers(item, source, folding) for item in _stars(scope)):
        raise Unsound(site, "it groups rows, and a star covers their aggregates")
    _check_select(site, scope)
    measures = {key: how for name, how in grain.measures.items() for key in folding.columns([name])}
    if scope.using & set(measures):
        raise Unsound(site, "it groups rows, and a USING join compares their aggregates")
    allowed: set[int] = set()
    for inner in within(scope):
        for ref in inner.refs:
            how = measures.get(folding.ident(ref.column)) if ref.source is source else None
            if how is not None:
                allowed.add(id(_aggregate(site, ref, how, scope)))
    for node in own_nodes(scope.select):
        if isinstance(node, exp.AggFunc) and id(node) not in allowed and not _idle(node):
            raise Unsound(site, f"{node.sql_name()} counts the rows of the older grain")
    return grain.flat


def _stars(scope: Scope) -> list[exp.Expr]:
    return [item for item in scope.select.expressions if star_of(item) is not None]


def _check_select(site: ReadSite, scope: Scope) -> None:
    """The query makes one row of many, however many they were."""
    select = scope.select
    if any(not isinstance(other.node, exp.Table | exp.Subquery) for other in scope.sources):
        raise Unsound(site, "it groups rows, and the query unnests or calls functions in its FROM")
    for other in scope.sources:
        if other.mapping is not None and other.mapping.grain is not None and other is not site.source:
            raise Unsound(site, "the query joins two tables of an older grain")
    grouped = select.args.get("group") is not None or any(_plain_aggregates(select))
    if not grouped and not _distinct(select) and not _only_asked_for(scope):
        raise Unsound(site, "it groups rows, and the query does not group them again")
    for node in own_nodes(select):
        if isinstance(node, exp.Window) and not grouped:
            raise Unsound(site, "it groups rows, and the query has a window over them")
        if varies(node):
            raise Unsound(site, "it groups rows, and a call in the query may return another value for each")


def _only_asked_for(scope: Scope) -> bool:
    """EXISTS and IN do not see how many rows are the same."""
    select = scope.select
    limited = select.args.get("limit") is not None or select.args.get("offset") is not None
    inside = isinstance(select.parent, exp.SetOperation)
    return scope.role in (Role.EXISTS, Role.IN) and not limited and not inside


def _distinct(select: exp.Select) -> bool:
    distinct = select.args.get("distinct")
    return distinct is not None and not distinct.args.get("on")


def _plain_aggregates(select: exp.Select) -> Iterator[exp.Expr]:
    for node in own_nodes(select):
        if isinstance(node, exp.AggFunc) and not isinstance(_filtered(node).parent, exp.Window):
            yield node


def _filtered(node: exp.Expr) -> exp.Expr:
    """The aggregate with its FILTER, if it has one."""
    return node.parent if isinstance(node.parent, exp.Filter) and node.arg_key == "this" else node


def _aggregate(site: ReadSite, ref: Ref, how: str, scope: Scope) -> exp.Expr:
    """The call that aggregates a measure again; nothing else may be done with it."""
    node = ref.node.parent
    name = ref.column.name
    if ref.scope is not scope or ref.index < len(ref.parts) - 1 or type(node) is not _AGAIN[how]:
        raise Unsound(site, f"{name} is an aggregate of the older grain, and not aggregated by {how} again")
    if node.this is not ref.node or any(value for key, value in node.args.items() if key != "this"):
        raise Unsound(site, f"{name} is an aggregate of the older grain, and not aggregated by {how} alone")
    if isinstance(_filtered(node).parent, exp.Window):
        raise Unsound(site, f"{name} is an aggregate of the older grain, and used in a window")
    return node


def _idle(node: exp.AggFunc) -> bool:
    """Does the aggregate not see whether a row is there once or several times?"""
    if isinstance(_filtered(node).parent, exp.Window):
        return True  # over rows that are grouped already
    others = [key for key, value in node.args.items() if value and key not in ("this", "big_int")]
    if others:
        return False
    if type(node) in (exp.Min, exp.Max):
        return True
    return type(node) is exp.Count and isinstance(node.this, exp.Distinct)
