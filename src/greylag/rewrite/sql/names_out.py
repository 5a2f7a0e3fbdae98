"""The names that a SELECT gives its output columns, and what they stand for."""

from __future__ import annotations

from sqlglot import exp

from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import Ref, Scope
from greylag.rewrite.sql.soundness import in_aggregate

ALIAS_CLAUSES = {"group", "having", "qualify", "order", "windows"}


def explicit_aliases(scope: Scope, folding: Folding) -> dict[str, exp.Expr]:
    """Folded alias to the expression behind it."""
    found: dict[str, exp.Expr] = {}
    for item in scope.select.expressions:
        if isinstance(item, exp.Alias) and isinstance(item.args.get("alias"), exp.Identifier):
            found[folding.ident(item.args["alias"])] = item.this
    return found


def output_names(scope: Scope, folding: Folding) -> set[str]:
    """Every output name that is known: aliases, plain columns, and what stars bring."""
    names = set(explicit_aliases(scope, folding))
    for item in scope.select.expressions:
        if not isinstance(item, exp.Column | exp.Star):
            continue
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Identifier):
            names.add(folding.ident(item.this))
            continue
        table = item.args.get("table") if isinstance(item, exp.Column) else None
        wanted = folding.ident(table) if isinstance(table, exp.Identifier) else None
        for source in scope.sources:
            if wanted in (None, source.name) and source.columns is not None:
                names.update(source.columns)
    return names


def alias_means_other(ref: Ref, folding: Folding) -> bool:
    """Is the unqualified name also an alias of the SELECT for something other than this very column?"""
    name = folding.ident(ref.parts[0])
    behind = explicit_aliases(ref.scope, folding).get(name)
    if behind is None:
        return False
    if in_aggregate(ref.node, ref.scope.select) and any(
        not isinstance(one.parent, exp.Window) for one in behind.find_all(exp.AggFunc)
    ):
        return False  # an aggregate of an aggregate is refused everywhere: it is the column
    return not (
        isinstance(behind, exp.Column)
        and isinstance(behind.this, exp.Identifier)
        and folding.ident(behind.this) == name
        and any(other.node is behind and other.source is ref.source for other in ref.scope.refs)
    )
