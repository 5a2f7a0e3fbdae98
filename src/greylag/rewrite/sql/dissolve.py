"""One read on its way into inline form: what is left of its mapping, and the names that it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import Inlining
from greylag.rewrite.sql.hidden import check_hidden
from greylag.rewrite.sql.joined import Joined, check_joins, columns_named, free, in_sight, related
from greylag.rewrite.sql.model import ReadSite, Scope, Source
from greylag.rewrite.sql.shapes import reduced
from greylag.rewrite.sql.soundness import check_refs, check_shape, nullable
from greylag.rewrite.sql.substitute import Pieces

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Inliner


@dataclass(slots=True, kw_only=True, eq=False)
class Dissolved:
    """One read on its way into inline form.

    `site.mapping` is what is left of the mapping for it; `decided` are conditions of the query that hold for
    all of its rows. `qualifier` is the text by which its columns may be qualified in the new query; `alias`
    is set when that name has to be given to the new table. `joins` are the mapping's further tables.
    """

    site: ReadSite
    scope: Scope
    source: Source
    pieces: Pieces
    new_name: str
    new_columns: frozenset[str] | None
    declared: list[str] | None
    qualifier: str
    nullable: bool = False
    alias: str | None = None
    placed: bool = False
    joins: tuple[Joined, ...] = ()
    decided: tuple[exp.Expr, ...] = ()


def dissolve(inliner: Inliner, site: ReadSite, scope: Scope) -> Dissolved:
    """What one read becomes. Raises Unsound where it cannot be inline."""
    source, folding = site.source, inliner.names.folding
    assert source is not None
    check_shape(site, scope, source)
    check_refs(site, scope, source)
    check_hidden(site, scope, source, folding)
    left = reduced(site, scope, source, folding)
    inlining = left.mapping.inlining
    assert inlining is not None
    site = replace(site, mapping=left.mapping)
    declared = [_declared(inliner, table) for table in [inlining.table, *(p.table for p in inlining.joins)]]
    known = {name for one in declared if one is not None for name in one}
    new_name = inliner.written.implicit(inlining.table)
    qualifier, alias, joins = _names(inliner, site, scope, source, inlining, known)
    aliases = {one.part.index: one.alias for one in joins}
    pieces = Pieces(site.mapping, inlining, folding, aliases)
    return Dissolved(
        site=site,
        scope=scope,
        source=source,
        pieces=pieces,
        new_name=new_name,
        new_columns=frozenset(known) | pieces.new_columns() if all(declared) else None,
        declared=list(dict.fromkeys(declared[0].values())) if declared[0] and not joins else None,
        qualifier=qualifier,
        alias=alias,
        nullable=nullable(scope, source),
        joins=joins,
        decided=left.decided,
    )


def _declared(inliner: Inliner, table: DatasetRef) -> dict[str, str] | None:
    return inliner.names.columns.get(tuple(inliner.names.folding.table_part(part) for part in table.parts))


def _names(
    inliner: Inliner, site: ReadSite, scope: Scope, source: Source, inlining: Inlining, known: set[str]
) -> tuple[str, str | None, tuple[Joined, ...]]:
    """What qualifies the first table's columns, the alias that it has to be given, the other tables."""
    folding, new_name = inliner.names.folding, inliner.written.implicit(inlining.table)
    qualifier, alias = new_name, None
    taken = {other.name for every in inliner.scopes for other in every.sources if other is not source}
    given = {name for each in related(scope) for name in inliner.given.get(id(each), ())}
    if source.aliased:
        qualifier = site.table.args["alias"].this.sql(dialect=folding.dialect)
    elif inliner.keep_alias or folding.fold(new_name.strip('`"')) in taken | given:
        qualifier = alias = _old_name(inliner, site)
    if not inlining.joins:
        if not source.aliased:
            inliner.given[id(scope)].add(folding.fold(qualifier.strip('`"')))
        return qualifier, alias, ()
    check_joins(site, scope, source, inlining, folding)
    held = in_sight(scope, source, folding) | columns_named(site.mapping, known, folding) | given
    before = set(held)
    if not source.aliased and not inliner.keep_alias:
        name = free(inlining.qualifier, held, folding)
        qualifier = inliner.written.identifier(name)
        alias = None if name == inlining.table.name else qualifier
    else:
        held |= {folding.fold(qualifier.strip('`"'))}
    joins = []
    for part in inlining.joins:
        name = free(part.qualifier, held, folding)
        told = inliner.keep_alias or name != part.table.name
        joins.append(Joined(part=part, alias=inliner.written.identifier(name), given=told))
    inliner.given[id(scope)] |= held - before
    return qualifier, alias, tuple(joins)


def _old_name(inliner: Inliner, site: ReadSite) -> str:
    name = site.mapping.dataset.name if inliner.keep_alias else site.table.name.split(".")[-1]
    return inliner.written.identifier(name)
