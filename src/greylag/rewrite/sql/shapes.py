"""What is left of a mapping for one query: the joins, the branch, the grain that this query needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from greylag.mapping.compiled import Inlining, JoinPart, Mapping, Owners
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.grain import regrouped
from greylag.rewrite.sql.model import ReadSite, Scope, Source
from greylag.rewrite.sql.pins import pinned
from greylag.rewrite.sql.soundness import Unsound, stars_unseen, within
from greylag.rewrite.sql.stars import covers, star_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """A mapping as one read needs it, and the conditions of the query that hold for all of its rows."""

    mapping: Mapping
    decided: tuple[exp.Expr, ...] = ()


def reduced(site: ReadSite, scope: Scope, source: Source, folding: Folding) -> Reduced:
    """The mapping that a read is dissolved by. Raises Unsound where there is none."""
    mapping, decided = site.mapping, tuple[exp.Expr, ...]()
    used = used_columns(scope, source, folding)
    if mapping.branches is not None:
        mapping, decided = pinned(site, mapping.branches, scope, source, used, folding)
    elif mapping.grain is not None:
        mapping = regrouped(site, mapping.grain, scope, source, used, folding)
    if mapping.inlining is None:
        raise Unsound(site, mapping.why_boundary or "the mapping does more than project and filter")
    if mapping.inlining.joins:
        mapping = _without_unused(mapping, mapping.inlining, used, folding)
        assert mapping.inlining is not None
        mapping = _driven(site, mapping, mapping.inlining, scope, source, folding)
    return Reduced(mapping=mapping, decided=decided)


def used_columns(scope: Scope, source: Source, folding: Folding) -> set[str]:
    """The old columns that a query uses, as the migration spells them; all of them under a star."""
    assert source.mapping is not None
    declared = folding.columns(source.mapping.columns)
    stars = [item for item in scope.select.expressions if star_of(item) is not None]
    if not stars_unseen(scope) and any(covers(item, source, folding) for item in stars):
        return set(source.mapping.columns)
    names = {
        folding.ident(ref.column)
        for inner in within(scope)
        for ref in inner.refs
        if ref.source is source and ref.index < len(ref.parts)
    }
    return {declared[name] for name in names | scope.using if name in declared}


def _without_unused(mapping: Mapping, inlining: Inlining, used: set[str], folding: Folding) -> Mapping:
    """Without the left joins that bring nothing that is used, and neither add nor remove a row."""
    owners = inlining.owners
    assert owners is not None
    needed = (
        set() if inlining.predicate_expression is None else {*owners.within(inlining.predicate_expression)}
    )
    for output in mapping.outputs:
        if output.name in used:
            needed |= owners.within(output.expression)
    kept: list[JoinPart] = []
    for part in reversed(inlining.joins):
        if part.index not in needed and part.outer and part.unique:
            continue
        kept.insert(0, part)
        for condition in part.conditions:
            needed |= owners.within(condition.expression)
    if len(kept) == len(inlining.joins):
        return mapping
    left = {inlining.index, *(part.index for part in kept)}
    outputs = tuple(one for one in mapping.outputs if owners.within(one.expression) <= left)
    made = replace(inlining, joins=tuple(kept), owners=owners if kept else None)
    return replace(mapping, inlining=made, outputs=outputs)


def _driven(
    site: ReadSite, mapping: Mapping, inlining: Inlining, scope: Scope, source: Source, folding: Folding
) -> Mapping:
    """With the table first that the ON of the read's own join speaks of: there it has to be in sight."""
    owners = inlining.owners
    wanted = on_owners(mapping, owners, scope, source, folding) if owners is not None else set()
    (*others,) = wanted - {inlining.index}
    if not others:
        return mapping
    if len(wanted) > 1:
        raise Unsound(site, "the ON of its join uses columns of several tables of the mapping")
    part = inlining.joins[0]
    if len(inlining.joins) > 1 or part.outer or inlining.node is None:
        raise Unsound(site, "the ON of its join uses columns of a table that the mapping joins later")
    first = JoinPart(
        index=inlining.index,
        table=inlining.table,
        qualifier=inlining.qualifier,
        node=inlining.node,
        outer=False,
        conditions=part.conditions,
        unique=False,
        rejects=True,
    )
    turned = replace(
        inlining,
        table=part.table,
        qualifier=part.qualifier,
        node=part.node,
        index=part.index,
        joins=(first,),
    )
    return replace(mapping, inlining=turned)


def on_owners(mapping: Mapping, owners: Owners, scope: Scope, source: Source, folding: Folding) -> set[int]:
    """The tables of the mapping whose columns the ON of the read's own join uses."""
    join = source.join
    on = join.args.get("on") if join is not None else None
    if on is None:
        return set()
    expressions = {
        key: output.expression for output in mapping.outputs for key in folding.columns([output.name])
    }
    found: set[int] = set()
    for inner in within(scope):
        for ref in inner.refs:
            if ref.source is source and _inside(ref.node, on):
                expression = expressions.get(folding.ident(ref.column))
                found |= owners.within(expression) if expression is not None else set()
    return found


def _inside(node: exp.Expr, root: exp.Expr) -> bool:
    current: exp.Expr | None = node
    while current is not None and current is not root:
        current = current.parent
    return current is root
