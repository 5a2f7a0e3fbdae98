"""Which of the shapes that can be dissolved into a query a mapping has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import Mapping, Provided
from greylag.mapping.grouped import grain_of
from greylag.mapping.inline import boundary_only, inlining
from greylag.mapping.joined import joined
from greylag.mapping.unions import branches_of

ProvidedBy = Callable[[DatasetRef], Provided | None]


def with_shape(mapping: Mapping, provided_by: ProvidedBy) -> Mapping:
    """The mapping, with what is known of its inline form filled in."""
    query = mapping.query
    if isinstance(query, exp.Select) and query.args.get("joins"):
        found = joined(mapping, provided_by)
        if isinstance(found, str):
            return replace(mapping, why_boundary=boundary_only(found))
        return replace(mapping, inlining=found)
    if isinstance(query, exp.Select) and query.args.get("group"):
        grain = grain_of(mapping, provided_by)
        if isinstance(grain, str):
            return replace(mapping, why_boundary=boundary_only(grain))
        return replace(mapping, grain=grain, why_boundary=boundary_only("it groups rows"))
    branches = branches_of(mapping, provided_by)
    if branches is not None:
        parts = tuple(with_shape(part, provided_by) for part in branches.parts)
        why = boundary_only("it is a set operation, not one SELECT")
        return replace(mapping, branches=replace(branches, parts=parts), why_boundary=why)
    inline, sentence = inlining(mapping.sql, query, mapping.outputs, mapping.dialect)
    return replace(mapping, inlining=inline, why_boundary=sentence)
